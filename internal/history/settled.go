package history

import (
	"cmp"
	"encoding/binary"
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

// An ending is when a row ended, in seconds of Unix time, and the records that it refused.
type ending struct {
	at      int64
	refused int
}

// settles says of a row that it will be read no more when it ended long ago. One without a timestamp is read again and again, and of one
// that somebody edited later it is known which it is, as long as it counts.
func settles(r *Row) bool {
	return !r.Stamp.IsZero() && !r.Stamp.Latest().After(r.End.Latest().Add(settledAfter-Reread))
}

// settle adds what ended then, and drops what ended before the floor.
func (s *settledRows) settle(ended map[unique.Handle[Attributes]][]ending, floor time.Time) {
	for attrs, before := range s.all() {
		ended[attrs] = slices.AppendSeq(ended[attrs], before)
	}
	*s = settledRows{}
	for _, attrs := range slices.SortedFunc(maps.Keys(ended), func(a, b unique.Handle[Attributes]) int {
		return cmp.Or(cmp.Compare(a.Value().Name, b.Value().Name), cmp.Compare(a.Value().Outcome, b.Value().Outcome))
	}) {
		all := slices.DeleteFunc(ended[attrs], func(e ending) bool { return e.at < floor.Unix() })
		slices.SortFunc(all, func(a, b ending) int { return cmp.Compare(a.at, b.at) })
		if before := len(s.packed); len(all) > 0 {
			s.packed = appendEndings(s.packed, all)
			s.kinds = append(s.kinds, settledKind{attrs, len(s.packed) - before})
		}
	}
	s.kinds, s.packed = slices.Clone(s.kinds), slices.Clone(s.packed) // with no room for more
}

// forget drops the rows with these names.
func (s *settledRows) forget(forgotten func(name string) bool) {
	left := map[unique.Handle[Attributes]][]ending{}
	for attrs, ended := range s.all() {
		if !forgotten(attrs.Value().Name) {
			left[attrs] = slices.Collect(ended)
		}
	}
	*s = settledRows{}
	s.settle(left, time.Time{})
}

// all yields what the rows have in common, with their endings.
func (s *settledRows) all() iter.Seq2[unique.Handle[Attributes], iter.Seq[ending]] {
	return func(yield func(unique.Handle[Attributes], iter.Seq[ending]) bool) {
		packed := s.packed
		for _, k := range s.kinds {
			if !yield(k.attrs, endings(packed[:k.bytes])) {
				return
			}
			packed = packed[k.bytes:]
		}
	}
}

// appendEndings writes endings in the order of time: of each, twice by how much its distance from the one before differs from the distance
// before, as jobs run at even intervals, and, if it refused records, one more and their number.
func appendEndings(packed []byte, all []ending) []byte {
	var before, distance int64
	for _, e := range all {
		differs := (e.at - before - distance) << 1
		if before, distance = e.at, e.at-before; e.refused == 0 {
			packed = binary.AppendVarint(packed, differs)
			continue
		}
		packed = binary.AppendVarint(packed, differs|1)
		packed = binary.AppendUvarint(packed, uint64(e.refused)) //nolint:gosec // a count
	}
	return packed
}

// endings yields what appendEndings wrote.
func endings(packed []byte) iter.Seq[ending] {
	return func(yield func(ending) bool) {
		e, distance := ending{}, int64(0)
		for len(packed) > 0 {
			differs, n := binary.Varint(packed)
			packed = packed[n:]
			distance += differs >> 1
			e.at, e.refused = e.at+distance, 0
			if differs&1 > 0 {
				refused, n := binary.Uvarint(packed)
				packed, e.refused = packed[n:], int(refused) //nolint:gosec // as above
			}
			if !yield(e) {
				return
			}
		}
	}
}
