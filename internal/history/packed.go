package history

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// packedRows are rows of which there may be thousands, and nothing matters but which they are, of what kind, and when they
// ended, or began. Each client has some, so they take three or four bytes each: those of a kind stand together, where numbers and times grow
// evenly. Times have a resolution of one second.
type packedRows struct {
	kinds  []rowKind
	shapes []shape
	bytes  []byte // of the rows of each kind in turn, in the order of their numbers
}

// A packed row is one of them.
type packed struct {
	kind   uint32 // an index
	number uint32 // the last digits of its id
	Ending        // or beginning
}

// A rowKind is what many rows have in common: a few attributes, and their shape.
type rowKind struct {
	attrs unique.Handle[Attributes]
	shape uint32 // an index
	bytes uint32 // that its rows take
}

// A shape is what rows of many kinds have in common: the zone offsets of the moment when they ended, and the beginning of their ids. These
// are numbers of a sequence in OFBiz and in Moqui; any other is right too, but may be the only one of its shape, and takes the more memory.
type shape struct {
	east, west int32
	settles    bool // it can be settled: it is read no more when it ended long ago
	form
}

// A form is what an id has beside the number that its last digits are: what stands before them, and how many they are.
type form struct {
	digits uint8
	prefix string
}

// mostDigits is how many fit into a packed row's number.
const mostDigits = 9

// split divides an id into its form and its number.
func split(id string) (form, uint32) {
	first := len(id)
	for first > max(0, len(id)-mostDigits) && '0' <= id[first-1] && id[first-1] <= '9' {
		first--
	}
	n, _ := strconv.ParseUint(id[first:], 10, 32)              // of no digits it is 0
	return form{uint8(len(id) - first), id[:first]}, uint32(n) //nolint:gosec // nine at most
}

func (t *packedRows) shape(e packed) *shape { return &t.shapes[t.kinds[e.kind].shape] }

func (t *packedRows) attrs(e packed) unique.Handle[Attributes] { return t.kinds[e.kind].attrs }

func (t *packedRows) id(e packed) string {
	f := t.shape(e).form
	if f.digits == 0 {
		return f.prefix
	}
	return fmt.Sprintf("%s%0*d", f.prefix, f.digits, e.number)
}

func (t *packedRows) at(e packed) walltime.Moment {
	s := t.shape(e)
	return walltime.Packed(e.At*time.Second.Microseconds(), s.east, s.west)
}

// byKind yields the kinds with their rows.
func (t *packedRows) byKind() iter.Seq2[rowKind, iter.Seq[packed]] {
	return func(yield func(rowKind, iter.Seq[packed]) bool) {
		left := t.bytes
		for i, k := range t.kinds {
			if !yield(k, rowsOf(ClampUint32(i), left[:k.bytes])) {
				return
			}
			left = left[k.bytes:]
		}
	}
}

// rowsOf yields the rows of a kind.
func rowsOf(kind uint32, left []byte) iter.Seq[packed] {
	return func(yield func(packed) bool) {
		var numbers, times pace
		for left := left; len(left) > 0; {
			differs, n := binary.Varint(left)
			e := packed{kind: kind, number: uint32(numbers.next(differs))} //nolint:gosec // it was one
			if e.Ending, left = times.cutEnding(left[n:]); !yield(e) {
				return
			}
		}
	}
}

// all yields the rows.
func (t *packedRows) all() iter.Seq[packed] {
	return func(yield func(packed) bool) {
		for _, rows := range t.byKind() {
			for e := range rows {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// find returns which of these rows there are.
func find[V any](t *packedRows, ids map[string]V) map[string]packed {
	if len(ids) == 0 || len(t.bytes) == 0 {
		return nil
	}
	numbers := make(map[uint32]bool, len(ids))
	for id := range ids {
		_, number := split(id)
		numbers[number] = true
	}
	found := map[string]packed{}
	for e := range t.all() {
		if !numbers[e.number] {
			continue
		}
		if id := t.id(e); has(ids, id) {
			found[id] = e
		}
	}
	return found
}

func has[V any](all map[string]V, id string) bool {
	_, is := all[id]
	return is
}

// put adds rows with some of their attributes and one of their times. None of them may be there.
func (t *packedRows) put(rows []*Row, attrs func(Attributes) unique.Handle[Attributes], time func(*Row) walltime.Moment) {
	if len(rows) == 0 {
		return
	}
	shapes, came := indexOf(&t.shapes), map[rowKind][]packed{}
	for _, r := range rows {
		f, number := split(r.ID)
		at := time(r)
		east, west := at.Offsets()
		kind := rowKind{attrs: attrs(r.Attributes()), shape: shapes(shape{east, west, settles(r), f})}
		came[kind] = append(came[kind], packed{number: number, Ending: Ending{at.Stored().Unix(), r.Records.Failed.Count()}})
	}
	t.repack(func(packed) bool { return true }, came)
}

// remove takes out rows that were found.
func (t *packedRows) remove(found map[string]packed) {
	if len(found) == 0 {
		return
	}
	gone := make(map[packed]bool, len(found))
	for _, e := range found {
		gone[e] = true
	}
	t.prune(func(e packed) bool { return !gone[e] })
}

// prune removes the rows that need not be kept.
func (t *packedRows) prune(keep func(packed) bool) { t.repack(keep, nil) }

// repack writes the rows that are kept, and those that came. There are no more kinds and shapes then, and no more room, than they need.
func (t *packedRows) repack(keep func(packed) bool, came map[rowKind][]packed) {
	var next packedRows
	shapes := indexOf(&next.shapes)
	write := func(k rowKind, rows []packed) {
		slices.SortFunc(rows, func(a, b packed) int { return cmp.Compare(a.number, b.number) })
		var numbers, times pace
		before := len(next.bytes)
		for _, e := range rows {
			next.bytes = times.appendEnding(binary.AppendVarint(next.bytes, numbers.differs(int64(e.number))), e.Ending)
		}
		if len(rows) > 0 {
			next.kinds = append(next.kinds, rowKind{k.attrs, shapes(t.shapes[k.shape]), ClampUint32(len(next.bytes) - before)})
		}
	}
	for k, rows := range t.byKind() {
		k.bytes = 0
		all := came[k]
		delete(came, k)
		for e := range rows {
			if keep(e) {
				all = append(all, e)
			}
		}
		write(k, all)
	}
	for k, rows := range came {
		write(k, rows)
	}
	next.kinds, next.shapes, next.bytes = clip(next.kinds), clip(next.shapes), clip(next.bytes)
	*t = next
}

// after returns at most so many ids behind the given one in the order of their numbers, and begins again behind the last.
func (t *packedRows) after(id string, most int) []string {
	f, number := split(id)
	rows := slices.SortedFunc(t.all(), func(a, b packed) int { return t.compare(a, t.shape(b).form, b.number) })
	first, has := slices.BinarySearchFunc(rows, number, func(e packed, number uint32) int { return t.compare(e, f, number) })
	if has {
		first++
	}
	var ids []string
	for i := range min(most, len(rows)) {
		ids = append(ids, t.id(rows[(first+i)%len(rows)]))
	}
	return ids
}

// compare orders by the ids, if not as text.
func (t *packedRows) compare(e packed, f form, number uint32) int {
	s := t.shape(e)
	return cmp.Or(cmp.Compare(e.number, number), cmp.Compare(s.digits, f.digits), cmp.Compare(s.prefix, f.prefix))
}

// indexOf returns what gives the index of a value, which is added where it is not among all.
func indexOf[V comparable](all *[]V) func(V) uint32 {
	of := make(map[V]uint32, len(*all))
	for i, v := range *all {
		of[v] = ClampUint32(i)
	}
	return func(v V) uint32 {
		i, known := of[v]
		if !known {
			i = ClampUint32(len(*all))
			*all, of[v] = append(*all, v), i
		}
		return i
	}
}

// ClampUint32 makes n fit.
func ClampUint32[N int | int64](n N) uint32 { return uint32(min(max(int64(n), 0), math.MaxUint32)) }

// clip returns all with no room for more.
func clip[V any](all []V) []V { return append(make([]V, 0, len(all)), all...) }

// withSlack is how much room so much may have.
func withSlack(n int) int { return n + n/4 }
