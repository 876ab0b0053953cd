package history

import (
	"cmp"
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
// ended, or began. They are small, because each client has some, and have hardly any pointers, which the garbage collector would follow.
// Times have a resolution of one second.
type packedRows struct {
	rows []packed // in order

	kinds  []rowKind
	shapes []shape
}

// A packed row takes twelve bytes.
type packed struct {
	number uint32 // the last digits of its id
	kind   uint32 // an index
	at     uint32 // in seconds of Unix time
}

// A rowKind is what many rows have in common: a few attributes, the records that they refused, which are mostly none, and their shape.
type rowKind struct {
	attrs   unique.Handle[Attributes]
	refused uint32
	shape   uint32 // an index
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
	return walltime.Packed(int64(e.at)*time.Second.Microseconds(), s.east, s.west)
}

// compare orders by the ids, if not as text.
func (t *packedRows) compare(e packed, f form, number uint32) int {
	s := t.shape(e)
	return cmp.Or(cmp.Compare(e.number, number), cmp.Compare(s.digits, f.digits), cmp.Compare(s.prefix, f.prefix))
}

// find returns where the row is, or where it would be.
func (t *packedRows) find(id string) (int, bool) {
	f, number := split(id)
	return slices.BinarySearchFunc(t.rows, number, func(e packed, number uint32) int { return t.compare(e, f, number) })
}

func (t *packedRows) has(id string) bool {
	_, has := t.find(id)
	return has
}

// put adds rows with some of their attributes and one of their times. None of them may be there.
func (t *packedRows) put(rows []*Row, attrs func(Attributes) unique.Handle[Attributes], time func(*Row) walltime.Moment) {
	if len(rows) == 0 {
		return
	}
	t.rows = append(make([]packed, 0, len(t.rows)+len(rows)), t.rows...) // with no room for more
	defer t.fit()
	kinds, shapes := indexOf(&t.kinds), indexOf(&t.shapes)
	for _, r := range rows {
		f, number := split(r.ID)
		at := time(r)
		east, west := at.Offsets()
		kind := kinds(rowKind{attrs(r.Attributes()), ClampUint32(r.Records.Failed.Count()), shapes(shape{east, west, settles(r), f})})
		t.rows = append(t.rows, packed{number, kind, ClampUint32(at.Stored().Unix())})
	}
	slices.SortFunc(t.rows, func(a, b packed) int { return t.compare(a, t.shape(b).form, b.number) })
}

// all yields the ids.
func (t *packedRows) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, e := range t.rows {
			if !yield(t.id(e)) {
				return
			}
		}
	}
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

// remove takes out the rows that are there.
func (t *packedRows) remove(ids iter.Seq[string]) {
	gone := map[packed]bool{}
	for id := range ids {
		if i, has := t.find(id); has {
			gone[t.rows[i]] = true
		}
	}
	if len(gone) > 0 {
		t.rows = slices.DeleteFunc(t.rows, func(e packed) bool { return gone[e] })
	}
}

// prune removes the rows that need not be kept, with the kinds and shapes of which there are none any more, and makes no more room for
// the others than they need.
func (t *packedRows) prune(keep func(packed) bool) {
	t.rows = slices.DeleteFunc(t.rows, func(e packed) bool { return !keep(e) })
	formerKinds, formerShapes := t.kinds, t.shapes
	t.kinds, t.shapes = nil, nil
	kinds, shapes := indexOf(&t.kinds), indexOf(&t.shapes)
	for i := range t.rows {
		k := formerKinds[t.rows[i].kind]
		k.shape = shapes(formerShapes[k.shape])
		t.rows[i].kind = kinds(k)
	}
	t.fit()
}

// fit makes no more room than there is need of.
func (t *packedRows) fit() {
	if cap(t.rows) > withSlack(len(t.rows)) {
		t.rows = slices.Clone(t.rows)
	}
	t.kinds, t.shapes = clip(t.kinds), clip(t.shapes)
}

// clip returns all with no room for more.
func clip[V any](all []V) []V {
	if cap(all) == len(all) {
		return all
	}
	return append(make([]V, 0, len(all)), all...)
}

// withSlack is how much room so much may have.
func withSlack(n int) int { return n + n/4 }

// after returns at most so many ids behind the given one, and begins again behind the last.
func (t *packedRows) after(id string, most int) []string {
	first, has := t.find(id)
	if has {
		first++
	}
	var ids []string
	for i := range min(most, len(t.rows)) {
		ids = append(ids, t.id(t.rows[(first+i)%len(t.rows)]))
	}
	return ids
}
