package history

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"
	"unique"
)

const (
	// settledAfter is how long ago a row must have ended to be settled: so far back nobody reads changes, but for a new backfill.
	settledAfter = Reread + 30*time.Minute
	// Fresh is how long ago a row may have come that counts as seen coming, and is not settled.
	Fresh = 2 * Reread
)

// settledRows count rows that ended long enough ago that they are not read again. Which rows they are is forgotten, so they take one
// or two bytes each: each client may have some ten thousand. They are lost and found by a new backfill only.
type settledRows struct {
	kinds  []settledKind
	packed []byte
}

// A settledKind says whose are the next bytes.
type settledKind struct {
	attrs unique.Handle[Attributes] // name and outcome alone
	bytes int
}

// settles says of a row that it will be read no more when it ended long ago. One without a timestamp is read again and again, and of one
// that somebody edited later it is known which it is, as long as it counts.
func settles(r *Row) bool {
	return !r.Stamp.IsZero() && !r.Stamp.Latest().After(r.End.Latest().Add(settledAfter-Reread))
}

// settle adds what ended then, and drops what ended before the floor.
func (s *settledRows) settle(ended map[unique.Handle[Attributes]][]Ending, floor time.Time) {
	for attrs, before := range s.all() {
		ended[attrs] = slices.AppendSeq(ended[attrs], before)
	}
	*s = settledRows{}
	for _, attrs := range slices.SortedFunc(maps.Keys(ended), func(a, b unique.Handle[Attributes]) int {
		return cmp.Or(cmp.Compare(a.Value().Name, b.Value().Name), cmp.Compare(a.Value().Outcome, b.Value().Outcome))
	}) {
		all := slices.DeleteFunc(ended[attrs], func(e Ending) bool { return e.At < floor.Unix() })
		slices.SortFunc(all, func(a, b Ending) int { return cmp.Compare(a.At, b.At) })
		if before := len(s.packed); len(all) > 0 {
			s.packed = AppendEndings(s.packed, all)
			s.kinds = append(s.kinds, settledKind{attrs, len(s.packed) - before})
		}
	}
	s.kinds, s.packed = slices.Clone(s.kinds), slices.Clone(s.packed) // with no room for more
}

// forget drops the rows with these names.
func (s *settledRows) forget(forgotten func(name string) bool) {
	left := map[unique.Handle[Attributes]][]Ending{}
	for attrs, ended := range s.all() {
		if !forgotten(attrs.Value().Name) {
			left[attrs] = slices.Collect(ended)
		}
	}
	*s = settledRows{}
	s.settle(left, time.Time{})
}

// all yields what the rows have in common, with their endings.
func (s *settledRows) all() iter.Seq2[unique.Handle[Attributes], iter.Seq[Ending]] {
	return func(yield func(unique.Handle[Attributes], iter.Seq[Ending]) bool) {
		packed := s.packed
		for _, k := range s.kinds {
			if !yield(k.attrs, Endings(packed[:k.bytes])) {
				return
			}
			packed = packed[k.bytes:]
		}
	}
}
