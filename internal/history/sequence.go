package history

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// reservedFor is how long an id that was passed over is expected; one that comes later is found when the backfill is
	// repeated.
	reservedFor = 24 * time.Hour
	// reservedBusy is how long such ids are queried at each refresh, and not only with every pass.
	reservedBusy = time.Hour
	mostGaps     = 100
	// SequencePage is how many rows sequence.Between returns, unless there are fewer.
	SequencePage = 2000
	runPages     = 5 // at the most, of new runs
	// longestGap is more ids than any server reserves at once: what lies between is a jump of the sequence.
	longestGap = 100_000
)

// sequences find the rows of service_job_run, which has no index on any of its times and, on some servers, none that could
// find the newest runs of a job, by their ids. Moqui takes these from a sequence: a server reserves a bank of them and
// uses it up in order, so new runs have the highest ids or fill gaps that were passed over shortly before. So a look
// reads what lies above the highest id and in the gaps, by the primary key, and costs what is new, whichever job it
// belongs to and whether or not a lock ever referred to it.
//
// A server may put a prefix before all its ids (Moqui's sequenced-id-prefix), and servers that differ in it may share a
// table. So there is a sequence for each prefix, and the prefixes are learnt from the ids that are there.
type sequences struct {
	all []*sequence
	// strange is an id that belongs to no sequence, so that others of its kind would go unnoticed; empty where there is none.
	strange string
	learnt  bool
}

// A sequence finds the rows whose ids are its prefix and a number. They are text, and only those of the same length are in
// order there, so they are read in spans of one length.
type sequence struct {
	prefix string
	newest int64 // the highest number read
	low    int64 // what is below it belongs to another sequence
	gaps   []gap // below it; all are asked for, and the end of the sequence is looked for, with every pass

	ahead bool            // the backfill has read what is above the number at which it began
	below int64           // and all that is not below this
	above walltime.Moment // when the run above that began or ended
	done  bool            // the backfill is complete here
}

// A gap is a span of ids that were passed over.
type gap struct {
	first, last int64
	seen        time.Time // of the run that came above
}

// read reads the runs that came since the last look into batch.
func (q *sequences) read(ctx context.Context, s Sequence, h *History, now time.Time, batch map[string]*Row) error {
	pass, all := walltime.Due(now, h.passedAt, passEvery), true
	for _, w := range q.all {
		err := w.fillGaps(ctx, s, now, pass, batch)
		if err != nil {
			return err
		}
		up, err := w.forward(ctx, s, now, batch)
		if err != nil {
			return err
		}
		all = all && up
	}
	if !pass || !all { // the age shows that there is more
		return nil
	}
	ends, strange, err := learn(ctx, s, now)
	if err != nil {
		return err
	}
	q.strange = strange
	known := func(e end) bool {
		return slices.ContainsFunc(q.all, func(w *sequence) bool {
			return w.prefix == e.prefix && e.number <= w.newest && e.number >= w.newest-longestGap
		})
	}
	for _, e := range ends {
		if !known(e) { // a sequence jumped or is new, or nobody has looked for days
			h.invalidate(now)
		}
	}
	h.passedAt = now
	return nil
}

// forward reads what is above the highest id, and says whether that is all.
func (w *sequence) forward(ctx context.Context, s Sequence, now time.Time, batch map[string]*Row) (all bool, err error) {
	for range runPages {
		ids, err := w.between(ctx, s, w.newest+1, w.newest+SequencePage, batch)
		if err != nil || len(ids) == 0 {
			return err == nil, err
		}
		for _, id := range ids {
			w.passOver(w.newest+1, id-1, w.stampOf(id, batch), now)
			w.newest = id
		}
	}
	return false, nil
}

// fillGaps asks for the ids that were passed over lately, and in a pass for all of them.
func (w *sequence) fillGaps(ctx context.Context, s Sequence, now time.Time, pass bool, batch map[string]*Row) error {
	gaps := w.gaps
	if pass {
		gaps = slices.DeleteFunc(slices.Clone(gaps), func(g gap) bool { return now.Sub(g.seen) > reservedFor })
		slices.SortFunc(gaps, func(a, b gap) int { return b.seen.Compare(a.seen) })
		gaps = gaps[:min(len(gaps), mostGaps)]
	}
	w.gaps = nil
	for i, g := range gaps {
		if !pass && now.Sub(g.seen) > reservedBusy {
			w.gaps = append(w.gaps, g)
			continue
		}
		ids, err := w.between(ctx, s, g.first, g.last, batch)
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
			w.passOver(next, id-1, w.stampOf(id, batch), now)
			next = id + 1
		}
		w.passOver(next, g.last, w.stampOf(next-1, batch), now) // its server is running: the rest is expected soon
	}
	return nil
}

// passOver notes that there are no runs with these ids yet.
func (w *sequence) passOver(first, last int64, above walltime.Moment, now time.Time) {
	seen := above.Earliest()
	if above.IsZero() {
		seen = now
	}
	if size := last - first + 1; size > 0 && size <= longestGap && now.Sub(seen) <= reservedFor {
		w.gaps = append(w.gaps, gap{first, last, seen})
	}
}

// between reads the highest runs of a span of ids, a page of each length, into batch, and returns their ids in order.
func (w *sequence) between(ctx context.Context, s Sequence, first, last int64, batch map[string]*Row) ([]int64, error) {
	var ids []int64
	for first <= last {
		to := min(last, ceilingOfLength(first))
		err := s.Between(ctx, w.id(first), w.id(to), func(r *Row) {
			if id, ok := w.number(r.ID); ok {
				ids = append(ids, id)
				batch[r.ID] = r
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

// id is the id with that number.
func (w *sequence) id(number int64) string { return end{w.prefix, number}.id() }

// number is the number of an id of the sequence.
func (w *sequence) number(id string) (number int64, ok bool) {
	prefix, number, ok := runNumber(id)
	return number, ok && prefix == w.prefix
}

// runNumber divides an id into its prefix and its number as Moqui writes it, without zeros before it.
func runNumber(id string) (prefix string, number int64, ok bool) {
	digits := len(id)
	for digits > 0 && '0' <= id[digits-1] && id[digits-1] <= '9' {
		digits--
	}
	for digits < len(id) && id[digits] == '0' {
		digits++
	}
	n, err := strconv.ParseInt(id[digits:], 10, 64)
	return id[:digits], n, err == nil && n < math.MaxInt64/10
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
