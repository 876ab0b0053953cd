package sqldb

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"
)

const (
	// bankFor is how long an id that was passed over is expected; one that comes later is found when the look back is
	// made anew.
	bankFor = 24 * time.Hour
	// bankBusy is how long such ids are asked for at each look, and not only with every pass.
	bankBusy = time.Hour
	mostGaps = 100
	runsPage = 2000 // as in runs_between
	runPages = 5    // at the most, of new runs
	// longestGap is more ids than any server reserves at once: what lies between is a jump of the sequence.
	longestGap = 100_000
)

// runIDs finds the rows of service_job_run, which has no index on any of its times and, on some servers, none that could
// find the newest runs of a job, by their ids. Moqui takes these from a sequence: a server reserves a bank of them and
// uses it up in order, so new runs have the highest ids or fill gaps that were passed over shortly before. So a look
// reads what lies above the highest id and in the gaps, by the primary key, and costs what is new, whichever job it
// belongs to and whether or not a lock ever told of it.
//
// Ids are digits, in a column of text. Only those of the same length are in order there, so they are read in spans of one
// length.
type runIDs struct {
	newest int64 // the highest id read
	gaps   []gap // below it; all are asked for, and the end of the sequence is looked for, with every pass

	ahead bool   // the look back has read what is above the id at which it began
	below int64  // and all that is not below this
	above moment // when the run above that began or ended
}

// A gap is a span of ids that were passed over.
type gap struct {
	first, last int64
	seen        time.Time // of the run that came above
}

// read reads the runs that came since the last look into batch.
func (w *runIDs) read(ctx context.Context, r *reader, h *history, now time.Time, batch map[string]*row) error {
	pass := due(now, h.passedAt, passEvery)
	if err := w.fillGaps(ctx, r, h, now, pass, batch); err != nil {
		return err
	}
	if all, err := w.forward(ctx, r, h, now, batch); err != nil || !pass || !all { // the age tells that there is more
		return err
	}
	end, err := w.end(ctx, r)
	if err != nil {
		return err
	}
	if end > w.newest { // the sequence jumped, or nobody has looked for days
		h.lose(now)
	}
	h.passedAt = now
	return nil
}

// forward reads what is above the highest id, and says whether that is all. If there were no runs yet, the pass finds the
// first.
func (w *runIDs) forward(ctx context.Context, r *reader, h *history, now time.Time, batch map[string]*row) (all bool, err error) {
	for range runPages {
		if w.newest == 0 {
			return true, nil
		}
		ids, err := w.between(ctx, r, h, w.newest+1, w.newest+runsPage, batch)
		if err != nil || len(ids) == 0 {
			return err == nil, err
		}
		for _, id := range ids {
			w.passOver(w.newest+1, id-1, stampOf(id, batch), now)
			w.newest = id
		}
	}
	return false, nil
}

// fillGaps asks for the ids that were passed over lately, and in a pass for all of them.
func (w *runIDs) fillGaps(ctx context.Context, r *reader, h *history, now time.Time, pass bool, batch map[string]*row) error {
	gaps := w.gaps
	if pass {
		gaps = slices.DeleteFunc(slices.Clone(gaps), func(g gap) bool { return now.Sub(g.seen) > bankFor })
		slices.SortFunc(gaps, func(a, b gap) int { return b.seen.Compare(a.seen) })
		gaps = gaps[:min(len(gaps), mostGaps)]
	}
	w.gaps = nil
	for i, g := range gaps {
		if !pass && now.Sub(g.seen) > bankBusy {
			w.gaps = append(w.gaps, g)
			continue
		}
		ids, err := w.between(ctx, r, h, g.first, g.last, batch)
		if err != nil {
			w.gaps = append(w.gaps, gaps[i:]...)
			return err
		}
		if len(ids) == 0 {
			w.gaps = append(w.gaps, g)
			continue
		}
		next := g.first
		for _, id := range ids {
			w.passOver(next, id-1, stampOf(id, batch), now)
			next = id + 1
		}
		w.passOver(next, g.last, stampOf(next-1, batch), now) // its server is at work: the rest is expected soon
	}
	return nil
}

// passOver notes that there are no runs with these ids yet.
func (w *runIDs) passOver(first, last int64, above moment, now time.Time) {
	seen := above.lo()
	if above.isZero() {
		seen = now
	}
	if size := last - first + 1; size > 0 && size <= longestGap && now.Sub(seen) <= bankFor {
		w.gaps = append(w.gaps, gap{first, last, seen})
	}
}

// between reads the highest runs of a span of ids, a page of each length, into batch, and returns their ids in order.
func (w *runIDs) between(ctx context.Context, r *reader, h *history, first, last int64, batch map[string]*row) ([]int64, error) {
	var ids []int64
	for first <= last {
		from, to := strconv.FormatInt(first, 10), min(last, ceilingOfLength(first))
		span := args{"from": from, "to": strconv.FormatInt(to, 10), "digits": len(from)}
		err := r.query(ctx, "runs_between", span, func(rec record) {
			run := h.decode(rec)
			if id, ok := runNumber(run.id); ok {
				ids = append(ids, id)
				batch[run.id] = &run
			}
		})
		if err != nil {
			return nil, err
		}
		first = to + 1
	}
	slices.Sort(ids)
	return ids, nil
}

// runNumber reads an id that is a number as Moqui writes it.
func runNumber(id string) (int64, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	return n, err == nil && n > 0 && n < math.MaxInt64/10 && id == strconv.FormatInt(n, 10)
}

// floorOfLength returns the least number that has as many digits as n, ceilingOfLength the greatest.
func floorOfLength(n int64) int64 {
	floor := int64(1)
	for n >= 10 {
		n, floor = n/10, floor*10
	}
	return floor
}

func ceilingOfLength(n int64) int64 { return floorOfLength(n)*10 - 1 }
