package sqldb

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
	"unique"
)

// A tally holds rows of which there may be thousands, and nothing matters but which they are, of what kind, when they ended
// and how many records they refused. It is small, because each client has one, and has hardly any pointers, which the garbage
// collector would follow. Time is told to the second.
type tally struct {
	ids     []byte  // one behind the other
	entries []entry // in the order of their ids
	dead    int     // the bytes of ids that belong to no entry any more

	kinds  []kind
	kindOf map[kind]uint32
}

// An entry is a row of a tally.
type entry struct {
	id, length uint32 // where its id begins, and how long it is
	kind       uint32 // an index
	end        uint32 // in seconds of Unix time
	refused    uint32
}

// A kind is what many entries have in common: beside their traits the zone offsets of the moment when they ended.
type kind struct {
	common     unique.Handle[traits]
	east, west int32
}

func (t *tally) id(e entry) []byte { return t.ids[e.id : e.id+e.length] }

func (t *tally) end(e entry) moment {
	k := t.kinds[e.kind]
	return moment{int64(e.end) * time.Second.Microseconds(), k.east, k.west}
}

// find returns where the row is, or where it would be.
func (t *tally) find(id string) (int, bool) {
	return slices.BinarySearchFunc(t.entries, id, func(e entry, id string) int { return strings.Compare(string(t.id(e)), id) })
}

func (t *tally) has(id string) bool {
	_, has := t.find(id)
	return has
}

// put adds rows, none of which may be there.
func (t *tally) put(rows []*row) {
	for _, r := range rows {
		k := kind{r.common, r.end.east, r.end.west}
		of, known := t.kindOf[k]
		if !known {
			of = small(len(t.kinds))
			t.kinds, t.kindOf[k] = append(t.kinds, k), of
		}
		t.entries = append(t.entries, entry{
			small(len(t.ids)), small(len(r.id)), of, small(int(r.end.stored / time.Second.Microseconds())), small(r.records.failed.count()),
		})
		t.ids = append(t.ids, r.id...)
	}
	if len(rows) > 0 {
		slices.SortFunc(t.entries, func(a, b entry) int { return bytes.Compare(t.id(a), t.id(b)) })
	}
}

// small makes n fit.
func small(n int) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// remove takes out the rows that are there.
func (t *tally) remove(ids iter.Seq[string]) {
	const gone = math.MaxUint32
	some := false
	for id := range ids {
		if i, has := t.find(id); has && t.entries[i].kind != gone {
			t.entries[i].kind, some = gone, true
			t.dead += int(t.entries[i].length)
		}
	}
	if some {
		t.entries = slices.DeleteFunc(t.entries, func(e entry) bool { return e.kind == gone })
	}
}

// prune removes the rows that need not be kept, and makes no more room for the others than they need.
func (t *tally) prune(keep func(end moment) bool) {
	t.entries = slices.DeleteFunc(t.entries, func(e entry) bool {
		if keep(t.end(e)) {
			return false
		}
		t.dead += int(e.length)
		return true
	})
	if cap(t.entries) > roomy(len(t.entries)) {
		t.entries = slices.Clone(t.entries)
	}
	if live := len(t.ids) - t.dead; cap(t.ids) > roomy(live) {
		ids := make([]byte, 0, live)
		for i, e := range t.entries {
			t.entries[i].id = small(len(ids))
			ids = append(ids, t.id(e)...)
		}
		t.ids, t.dead = ids, 0
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
		ids = append(ids, string(t.id(t.entries[(first+i)%len(t.entries)])))
	}
	return ids
}
