package sqldb

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"
	"unique"
)

// A tally holds rows of which there may be thousands, and nothing matters but which they are, of what kind, and when they
// ended. It is small, because each client has one, and has hardly any pointers, which the garbage collector would follow.
// Time is told to the second.
type tally struct {
	entries []entry // in order

	kinds  []kind
	kindOf map[kind]uint32
}

// An entry is a row of a tally: twelve bytes.
type entry struct {
	number uint32 // the last digits of its id
	kind   uint32 // an index
	end    uint32 // in seconds of Unix time
}

// A kind is what many entries have in common: beside their traits the zone offsets of the moment when they ended, the records
// that they refused, which are mostly none, and the beginning of their ids. These are numbers of a sequence in OFBiz and in
// Moqui; any other is right too, but may be the only one of its kind, and takes the more memory.
type kind struct {
	common     unique.Handle[traits]
	east, west int32
	refused    int
	form
}

// A form is what an id has beside the number that its last digits are: what stands before them, and how many they are.
type form struct {
	prefix string
	digits int
}

// mostDigits is how many fit into an entry's number.
const mostDigits = 9

// split divides an id into its form and its number.
func split(id string) (form, uint32) {
	digits := 0
	for digits < min(len(id), mostDigits) && '0' <= id[len(id)-1-digits] && id[len(id)-1-digits] <= '9' {
		digits++
	}
	n, _ := strconv.ParseUint(id[len(id)-digits:], 10, 32) // of no digits it is 0
	return form{id[:len(id)-digits], digits}, uint32(n)
}

func (t *tally) id(e entry) string {
	k := t.kinds[e.kind]
	if k.digits == 0 {
		return k.prefix
	}
	return fmt.Sprintf("%s%0*d", k.prefix, k.digits, e.number)
}

func (t *tally) end(e entry) moment {
	k := t.kinds[e.kind]
	return moment{int64(e.end) * time.Second.Microseconds(), k.east, k.west}
}

// compare orders by the ids, if not as text.
func (t *tally) compare(e entry, f form, number uint32) int {
	k := &t.kinds[e.kind]
	return cmp.Or(cmp.Compare(e.number, number), cmp.Compare(k.digits, f.digits), cmp.Compare(k.prefix, f.prefix))
}

// find returns where the row is, or where it would be.
func (t *tally) find(id string) (int, bool) {
	f, number := split(id)
	return slices.BinarySearchFunc(t.entries, number, func(e entry, number uint32) int { return t.compare(e, f, number) })
}

func (t *tally) has(id string) bool {
	_, has := t.find(id)
	return has
}

// put adds rows, none of which may be there.
func (t *tally) put(rows []*row) {
	if len(rows) == 0 {
		return
	}
	t.entries = append(make([]entry, 0, len(t.entries)+len(rows)), t.entries...) // with no room for more
	for _, r := range rows {
		f, number := split(r.id)
		of := t.index(kind{r.common, r.end.east, r.end.west, r.records.failed.count(), f})
		t.entries = append(t.entries, entry{number, of, small(int(r.end.stored / time.Second.Microseconds()))})
	}
	slices.SortFunc(t.entries, func(a, b entry) int { return t.compare(a, t.kinds[b.kind].form, b.number) })
}

// index returns the index of a kind.
func (t *tally) index(k kind) uint32 {
	of, known := t.kindOf[k]
	if !known {
		of = small(len(t.kinds))
		t.kinds, t.kindOf[k] = append(t.kinds, k), of
	}
	return of
}

// small makes n fit.
func small(n int) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// remove takes out the rows that are there.
func (t *tally) remove(ids iter.Seq[string]) {
	gone := map[entry]bool{}
	for id := range ids {
		if i, has := t.find(id); has {
			gone[t.entries[i]] = true
		}
	}
	if len(gone) > 0 {
		t.entries = slices.DeleteFunc(t.entries, func(e entry) bool { return gone[e] })
	}
}

// prune removes the rows that need not be kept, with the kinds of which there are none any more, and makes no more room for
// the others than they need.
func (t *tally) prune(keep func(end moment) bool) {
	t.entries = slices.DeleteFunc(t.entries, func(e entry) bool { return !keep(t.end(e)) })
	if cap(t.entries) > roomy(len(t.entries)) {
		t.entries = slices.Clone(t.entries)
	}
	kinds := t.kinds
	t.kinds, t.kindOf = nil, map[kind]uint32{}
	for i := range t.entries {
		e := &t.entries[i]
		e.kind = t.index(kinds[e.kind])
	}
}

// roomy is how much room so much may have.
func roomy(n int) int { return n + n/4 }

// after returns at most so many ids behind the given one, and begins anew behind the last.
func (t *tally) after(id string, most int) []string {
	first, has := t.find(id)
	if has {
		first++
	}
	var ids []string
	for i := range min(most, len(t.entries)) {
		ids = append(ids, t.id(t.entries[(first+i)%len(t.entries)]))
	}
	return ids
}
