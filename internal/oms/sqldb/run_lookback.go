package sqldb

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// fill reads the next page of the look back, from the end of the sequence towards the beginning.
func (w *runIDs) fill(ctx context.Context, r *reader, h *history, now time.Time) (more bool, err error) {
	batch := map[string]*row{}
	switch {
	case w.newest == 0:
		w.newest, err = w.end(ctx, r)
		w.below = w.newest + 1
		return w.newest > 0, err
	case !w.ahead:
		w.ahead, err = w.forward(ctx, r, h, now, batch)
		h.put(batch, now)
		return true, err
	}
	// No wider a span: a server might think that to read all of it is the best way.
	first := max(floorOfLength(w.below-1), w.below-runsPage)
	ids, err := w.between(ctx, r, h, first, w.below-1, batch)
	if err == nil && len(ids) == 0 {
		first, err = w.nextBelow(ctx, r, first)
	}
	if err != nil {
		return true, err
	}
	h.put(batch, now)
	var latest moment
	for _, id := range slices.Backward(ids) {
		w.passOver(id+1, w.below-1, w.above, now)
		w.below, w.above = id, stampOf(id, batch)
		if latest.raw().Before(w.above.raw()) {
			latest = w.above
		}
	}
	w.passOver(first, w.below-1, w.above, now)
	w.below = first
	h.back.from, h.back.to = h.base(now).Add(-remembered-spare), latest.hi()
	return w.below > 1 && (latest.isZero() || latest.hi().After(h.back.from)), nil
}

// nextBelow returns where the look back goes on when there is nothing for a while: above the next id as text, if that has
// the same length.
func (w *runIDs) nextBelow(ctx context.Context, r *reader, first int64) (int64, error) {
	below := floorOfLength(first)
	span := args{"from": strconv.FormatInt(below, 10), "to": strconv.FormatInt(first, 10)}
	err := r.query(ctx, "runs_last", span, func(rec record) {
		switch id, ok := runNumber(rec.text(0)); {
		case ok && floorOfLength(id) == below:
			below = id + 1
		default:
			below = first
		}
	})
	return below, err
}

// stampOf returns the stamp of a run, or none where it was not read.
func stampOf(id int64, batch map[string]*row) moment {
	if run := batch[strconv.FormatInt(id, 10)]; run != nil {
		return run.stamp
	}
	return moment{}
}

// end returns the highest id in the table, as far as it can be found without reading all of it: the highest of the runs
// that locks point to, and of the last ones, as text, by their first digits. Where ids of two lengths mix it can be a
// lower one; then the highest is found from there on, because there are hardly ever as many ids missing as one look
// asks for.
func (w *runIDs) end(ctx context.Context, r *reader) (end int64, err error) {
	higher := func(rec record) {
		if id, ok := runNumber(rec.text(0)); ok {
			end = max(end, id)
		}
	}
	_, locks, err := r.serviceJobs(ctx)
	for chunk := range chunks(lockedRuns(locks)) {
		if err == nil {
			err = r.query(ctx, "runs_by_id", args{"ids": chunk}, higher)
		}
	}
	const digits = "123456789A"
	for i := range len(digits) - 1 {
		if err == nil {
			err = r.query(ctx, "runs_last", args{"from": digits[i : i+1], "to": digits[i+1 : i+2]}, higher)
		}
	}
	return end, err
}
