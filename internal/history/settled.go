package history

import (
	"encoding/binary"
	"iter"
	"slices"
	"time"
	"unique"
)

// settledAfter is how long ago a row must have ended to be settled: so far back nobody reads changes, but for a new backfill.
const settledAfter = Reread + time.Hour

// settledRows count rows that ended long enough ago that they are not read again. Which rows they are is forgotten, so they take two
// bytes each: each client may have some ten thousand. They are lost and found by a new backfill only.
type settledRows map[unique.Handle[Attributes]][]byte

// settles says of a row that it will be read no more when it ended long ago. One without a timestamp is read again and again, and one
// that somebody edited later as long as its timestamp is young.
func settles(r *Row) bool {
	return !r.Stamp.IsZero() && !r.Stamp.Latest().After(r.End.Latest().Add(settledAfter-Reread))
}

// settle adds what ended then, and drops what ended before the floor.
func (s settledRows) settle(ended map[unique.Handle[Attributes]][]int64, floor time.Time) {
	for attrs, packed := range s {
		ended[attrs] = append(ended[attrs], slices.Collect(ends(packed))...)
	}
	clear(s)
	for attrs, all := range ended {
		slices.Sort(all)
		if first, _ := slices.BinarySearch(all, floor.Unix()); first < len(all) {
			s[attrs] = packEnds(all[first:])
		}
	}
}

// packEnds writes times in order, in seconds of Unix time, each as what it adds to the one before.
func packEnds(all []int64) []byte {
	packed, before := make([]byte, 0, 2*len(all)+4), int64(0)
	for _, end := range all {
		packed = binary.AppendUvarint(packed, uint64(end-before)) //nolint:gosec // they are in order, and after 1970
		before = end
	}
	return slices.Clip(packed)
}

// ends yields what packEnds wrote.
func ends(packed []byte) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for end := int64(0); len(packed) > 0; {
			added, n := binary.Uvarint(packed)
			end += int64(added) //nolint:gosec // as above
			if packed = packed[n:]; !yield(end) {
				return
			}
		}
	}
}
