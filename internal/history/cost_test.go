package history

import (
	"fmt"
	"testing"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// BenchmarkPrune takes over a day of 8000 files of 30 kinds, and drops what need not be held of them.
func BenchmarkPrune(b *testing.B) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	h := New(time.UTC, func(rows map[string]*Row, base, _ time.Time, k *Retained) {
		k.CountSince(base.Add(-30 * time.Hour))
		k.Latest(rows, func(r *Row) Group { return Group{"ended", r.Attributes().Name} }, func(r *Row) walltime.Moment { return r.End })
	})
	for b.Loop() {
		batch := map[string]*Row{}
		for i := range 8000 {
			end := walltime.Wall(now.Add(-time.Duration(i)*10*time.Second), time.UTC)
			id := fmt.Sprint(10_000_000 - i)
			batch[id] = &Row{ID: id, Attrs: unique.Make(Attributes{Name: fmt.Sprint(i % 30), Outcome: "finished"}), End: end, Stamp: end}
		}
		h.put(batch, now)
		h.prune(now, true)
	}
	b.ReportAllocs()
}
