package history

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// step reads the next page of the backfill, from the end of each sequence towards its beginning.
func (q *sequences) step(ctx context.Context, s Sequence, h *History, now time.Time) (more bool, err error) {
	if !q.learnt {
		ends, strange, err := learn(ctx, s, now)
		if err != nil {
			return true, err
		}
		q.learnt, q.strange = true, strange
		for i, e := range ends {
			w := &sequence{prefix: e.prefix, newest: e.number, below: e.number + 1}
			if i > 0 && ends[i-1].prefix == e.prefix {
				w.low = ends[i-1].number + longestGap
			}
			q.all = append(q.all, w)
		}
	}
	for _, w := range q.all {
		if !w.done {
			w.done, err = w.step(ctx, s, h, now)
			break
		}
	}
	return err != nil || slices.ContainsFunc(q.all, func(w *sequence) bool { return !w.done }), err
}

// step reads the next page, and says whether it was the last.
func (w *sequence) step(ctx context.Context, s Sequence, h *History, now time.Time) (done bool, err error) {
	batch := map[string]*Row{}
	if !w.ahead {
		w.ahead, err = w.forward(ctx, s, now, batch)
		h.put(batch, now)
		return false, err
	}
	// No wider a span: a server might think that to read all of it is the best way.
	first := max(floorOfLength(w.below-1), w.below-SequencePage, w.low)
	ids, err := w.between(ctx, s, first, w.below-1, batch)
	if err == nil && len(ids) == 0 {
		first, err = w.nextBelow(ctx, s, first)
	}
	if err != nil {
		return false, err
	}
	h.put(batch, now)
	var latest walltime.Moment
	for _, id := range slices.Backward(ids) {
		w.passOver(id+1, w.below-1, w.above, now)
		w.below, w.above = id, w.stampOf(id, batch)
		if latest.Stored().Before(w.above.Stored()) {
			latest = w.above
		}
	}
	w.passOver(first, w.below-1, w.above, now)
	w.below = first
	h.backfill.from, h.backfill.to = h.base(now).Add(-Remembered-Margin), latest.Latest()
	return w.below <= max(w.low, 1) || !latest.IsZero() && !latest.Latest().After(h.backfill.from), nil
}

// nextBelow returns where the backfill goes on when there is nothing for a while: above the next id as text, if that has
// the same length.
func (w *sequence) nextBelow(ctx context.Context, s lasts, first int64) (int64, error) {
	below := floorOfLength(first)
	last, err := s.Last(ctx, w.id(below), w.id(first))
	if err != nil || last == "" {
		return below, err
	}
	if id, ok := w.number(last); ok && floorOfLength(id) == below {
		return id + 1, nil
	}
	return first, nil
}

// stampOf returns the timestamp of a run, or none where it was not read.
func (w *sequence) stampOf(id int64, batch map[string]*Row) walltime.Moment {
	if run := batch[w.id(id)]; run != nil {
		return run.Stamp
	}
	return walltime.Moment{}
}

const (
	// mostPrefixes is more than the servers that share a table have.
	mostPrefixes = 32
	// beyond is behind all ids in the order of text, whatever the collation: they are 40 characters at most.
	beyond = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
)

// An end is the highest number of a sequence.
type end struct {
	prefix string
	number int64
}

func (e end) id() string { return e.prefix + strconv.FormatInt(e.number, 10) }

// learn returns the ends of all sequences, in order, and an id that belongs to none: see endsOf. Servers whose prefixes differ in a last
// digit, such as M1 and M2, seem to have one: of those the lower ones end far below, and runs have just come there.
func learn(ctx context.Context, s Sequence, now time.Time) (all []end, strange string, err error) {
	locked, err := s.Locked(ctx)
	if err != nil {
		return nil, "", err
	}
	var known []string
	for chunk := range Chunks(locked) {
		if err := s.ByID(ctx, chunk, func(r *Row) { known = append(known, r.ID) }); err != nil {
			return nil, "", err
		}
	}
	ends, tops, strange, err := endsOf(ctx, s, known)
	if err != nil {
		return nil, "", err
	}
	for prefix, number := range ends {
		all = append(all, end{prefix, number})
	}
	lower, ids := map[string]end{}, map[string]bool{}
	for _, e := range tops {
		if ends[e.prefix]-e.number > longestGap {
			lower[e.id()], ids[e.id()] = e, true
		}
	}
	for chunk := range Chunks(ids) {
		err := s.ByID(ctx, chunk, func(r *Row) {
			if !r.Stamp.IsZero() && now.Sub(r.Stamp.Latest()) <= reservedBusy {
				all = append(all, lower[r.ID])
			}
		})
		if err != nil {
			return nil, "", err
		}
	}
	slices.SortFunc(all, func(a, b end) int { return cmp.Or(cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.number, b.number)) })
	below := func(e end) bool { // an end that is a step on the way to another
		return slices.ContainsFunc(all, func(o end) bool {
			return o.prefix == e.prefix && o.number > e.number && o.number-e.number <= longestGap
		})
	}
	return slices.DeleteFunc(slices.Clone(all), below), strange, nil
}

// endsOf returns the highest number of each prefix, as far as it can be found without reading all of the table: that of the ids
// that are known, and of the last ones, as text, by their first digits. Where ids of two lengths mix it can be a lower one;
// then the highest is found from there on, because there are hardly ever as many ids missing as one look asks for.
// It also returns that of each prefix and first digit, and an id that belongs to no sequence, if it saw any.
func endsOf(ctx context.Context, s lasts, known []string) (ends map[string]int64, tops map[string]end, strange string, err error) {
	ends, tops = map[string]int64{}, map[string]end{}
	note := func(id string) (prefix string) {
		prefix, number, ok := runNumber(id)
		_, known := ends[prefix]
		if !ok || !known && len(ends) == mostPrefixes {
			strange = id
			return id
		}
		ends[prefix] = max(ends[prefix], number)
		if digit := id[:len(prefix)+1]; number > tops[digit].number {
			tops[digit] = end{prefix, number}
		}
		return prefix
	}
	// down visits the last ids as text within [from, to), one for each prefix, until it has seen one with the prefix wanted.
	down := func(from, to string, wanted func(prefix string) bool) {
		for range mostPrefixes {
			if err != nil || to == "" {
				return
			}
			var last string
			if last, err = s.Last(ctx, from, to); last == "" || err != nil {
				return
			}
			prefix := note(last)
			if wanted(prefix) {
				return
			}
			if to = prefix; prefix != last {
				to += "0"
			}
		}
	}
	for _, id := range known {
		note(id)
	}
	down("", beyond, func(string) bool { return false })
	const digits = "123456789A"
	for searched := map[string]bool{}; len(searched) < len(ends) && err == nil; {
		for prefix := range maps.Clone(ends) {
			for i := range len(digits) - 1 {
				if !searched[prefix] {
					down(prefix+digits[i:i+1], prefix+digits[i+1:i+2], func(p string) bool { return p == prefix })
				}
			}
			searched[prefix] = true
		}
	}
	return ends, tops, strange, err
}
