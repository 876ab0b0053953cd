package history_test

import (
	"fmt"
	"testing"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// TestNames has rows of more names than are known, as one transaction may write them: what is known are those written last, and
// it is told that there were more, until a backfill finds that there are not.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{jobs, files} {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			testNames(t, k)
		})
	}
}

func testNames(t *testing.T, k kind) {
	t.Helper()
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &historytest.Table{Rows: map[string]*history.Row{}}
	write := func(id, name string, at time.Time) {
		stamp := walltime.Wall(at, newYork)
		table.Rows[id] = &history.Row{
			ID: id, Attrs: unique.Make(history.Attributes{Name: name, Outcome: "ok"}), Start: stamp, End: stamp, Stamp: stamp,
		}
	}
	const more = 4000
	for i := range history.MostNames {
		write(fmt.Sprint(100_000+i), fmt.Sprint("old ", i), now.Add(-12*time.Hour))
		write(fmt.Sprint(300_000+i), fmt.Sprint("old ", i), now.Add(-13*time.Hour)) // which only counts
	}
	for i := range more {
		write(fmt.Sprint(200_000+i), fmt.Sprint("new ", i), now.Add(-time.Hour))
	}
	host := &historytest.Host{Reader: table}
	f := history.NewFollower("test", host, k.newHistory)
	look := func() (names, counted map[string]int, forgot bool) {
		_, _ = f.Advance(t.Context(), table, now, nil, nil) // which may begin a backfill
		host.Settle(t.Context())
		h, err := f.Advance(t.Context(), table, now, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		names, counted = map[string]int{}, map[string]int{}
		for _, r := range h.Rows() {
			names[r.Attributes().Name]++
			counted[r.Attributes().Name]++
		}
		for a, ended := range h.CountedSince(now.Add(-day), now) {
			counted[a.Value().Name] += ended.Rows
		}
		return names, counted, h.Forgot()
	}
	for range 2 {
		names, counted, forgot := look()
		if len(names) != history.MostNames || len(counted) != history.MostNames || !forgot {
			t.Errorf("%d names have rows, %d are counted, want %d; told %t, want true", len(names), len(counted), history.MostNames, forgot)
		}
		for i := range more {
			if name := fmt.Sprint("new ", i); names[name] != 1 || counted[name] != 1 {
				t.Fatalf("%s has %d rows and counts %d times, want 1", name, names[name], counted[name])
			}
		}
		now = now.Add(time.Hour)
	}
	for i := range more {
		delete(table.Rows, fmt.Sprint(100_000+i))
		delete(table.Rows, fmt.Sprint(300_000+i))
	}
	now = now.Add(25 * time.Hour)
	if names, _, forgot := look(); len(names) != history.MostNames || forgot {
		t.Errorf("%d names have rows after a new backfill, want %d; told %t, want false", len(names), history.MostNames, forgot)
	}
}
