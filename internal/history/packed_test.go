package history

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// TestTally holds rows whose ids are alike in parts, each of which must be told from all others.
func TestTally(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	ids := []string{"", "1", "01", "001", "F1", "F01", "G1", "F1X", "F01X", "X", "Ü7", "%d", "0", "00", "000000000", "0000000000", "12345678901234567890"}
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("M%d", 99_950+i))
	}
	h := New(nil, nil)
	ended := map[string]time.Time{}
	var rows []*Row
	for i, id := range ids {
		ended[id] = now.Add(time.Duration(-i) * time.Second)
		rows = append(rows, &Row{ID: id, End: walltime.Instant(ended[id]), Records: Records{Failed: Noted(i%3, true)}})
	}
	for part := range slices.Chunk(rows, 50) {
		h.counted.put(part, Attributes.brief, EndOf)
	}
	wantHeld(t, h, ended)

	var dropped []string
	for i, id := range ids {
		if i%3 == 0 {
			dropped = append(dropped, id)
			delete(ended, id)
		}
	}
	h.counted.remove(find(&h.counted, setOf(append(dropped, "F001", "F2"))))
	wantHeld(t, h, ended)

	limit := now.Add(-20 * time.Second)
	maps.DeleteFunc(ended, func(_ string, end time.Time) bool { return end.Before(limit) })
	h.counted.prune(func(e packed) bool { return !h.counted.at(e).Latest().Before(limit) })
	wantHeld(t, h, ended)
	if kinds := len(h.counted.kinds); kinds > len(ended) {
		t.Errorf("there are %d kinds of %d rows", kinds, len(ended))
	}
}

// wantHeld looks each row up, and walks through all of them a few at a time.
func wantHeld(t *testing.T, h *History, ended map[string]time.Time) {
	t.Helper()
	found := map[string]time.Time{}
	for e := range h.counted.all() {
		found[h.counted.id(e)] = h.counted.at(e).Latest()
	}
	if !maps.Equal(found, ended) {
		t.Errorf("held are %v, want %v", found, ended)
	}
	var walked []string
	for last := h.counted.after("", 1)[0]; len(walked) < len(ended); {
		next := h.counted.after(last, 7)
		walked, last = append(walked, next...), next[len(next)-1]
	}
	walked = walked[:len(ended)]
	slices.Sort(walked)
	if want := slices.Sorted(maps.Keys(ended)); !slices.Equal(walked, want) {
		t.Errorf("a walk finds %q, want %q", walked, want)
	}
	is := held(h, ended)
	for id := range ended {
		if !is(id) {
			t.Errorf("%q is not found", id)
		}
	}
	others := []string{"F001", "G01", "Y", "0001", "2", "345678901234567890"}
	is = held(h, setOf(others))
	for _, id := range others {
		if is(id) {
			t.Errorf("%q is found", id)
		}
	}
}

func setOf(ids []string) map[string]bool {
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}
