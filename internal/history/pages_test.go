package history_test

import (
	"fmt"
	"maps"
	"testing"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// TestPages has more rows without a timestamp than a page: all are found.
func TestPages(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &historytest.Table{Rows: map[string]*history.Row{}}
	const rows = 3 * history.Page
	for i := range rows {
		id := fmt.Sprint(10_000 + i)
		table.Rows[id] = &history.Row{
			ID: id, Attrs: unique.Make(history.Attributes{Name: "N" + id, Outcome: "ok"}), End: walltime.Wall(now.Add(-time.Hour), time.UTC),
		}
	}
	if h := historytest.Complete(t, table, now, jobs.newHistory); len(h.Rows()) != rows {
		t.Errorf("%d of %d rows are found", len(h.Rows()), rows)
	}
}

// TestRareRun has some thousand runs a day of a job, and one of another as long ago as counts.
func TestRareRun(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &historytest.Sequence{Table: historytest.Table{Rows: map[string]*history.Row{}}}
	const every = 20 * time.Second
	run := func(name string, ago time.Duration) {
		at := walltime.Wall(now.Add(-ago), time.UTC)
		id := fmt.Sprint(900_000 - int(ago/every)) // in the order of time
		table.Rows[id] = &history.Row{ID: id, Attrs: unique.Make(history.Attributes{Name: name, Outcome: "ok"}), Start: at, End: at, Stamp: at}
	}
	for ago := every; ago < 9*day; ago += every {
		run("often", ago)
	}
	run("rare", history.Remembered-every)
	for _, r := range historytest.Complete(t, table, now, runs.newHistory).Rows() {
		if r.Attributes().Name == "rare" {
			return
		}
	}
	t.Error("the run of almost a week ago is not known")
}

// TestDigitsInPrefixes has servers whose ids seem to have one prefix, as M1 and M2 or as none and 2 have, and runs of each, now and a
// while ago: every run is known, and counts once, whenever the exporter began to look.
func TestDigitsInPrefixes(t *testing.T) {
	for _, prefixes := range [][]string{{"M1", "M2"}, {"", "2"}, {"A3-", "A1", "A2"}} {
		t.Run(fmt.Sprint(prefixes), func(t *testing.T) {
			now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
			table := &historytest.Sequence{Table: historytest.Table{Rows: map[string]*history.Row{}}}
			next := map[string]int{}
			run := func(prefix string, at time.Time) {
				moment := walltime.Wall(at, newYork)
				id := prefix + fmt.Sprint(100_000+next[prefix])
				next[prefix]++
				table.Rows[id] = &history.Row{
					ID: id, Attrs: unique.Make(history.Attributes{Name: "of " + prefix, Outcome: "ok"}), Start: moment, End: moment, Stamp: moment,
				}
			}
			for ago := 16 * day; ago > 0; ago -= 5 * time.Minute {
				for _, prefix := range prefixes {
					run(prefix, now.Add(-ago))
				}
			}
			host := &historytest.Host{Reader: table}
			f := history.NewFollower("test", host, runs.newHistory)
			_, _ = f.Advance(t.Context(), table, now, nil, nil) // which begins the backfill
			host.Settle(t.Context())
			steps := host.Steps
			for range 20 {
				now = now.Add(time.Minute)
				for _, prefix := range prefixes {
					run(prefix, now)
				}
				h, err := f.Advance(t.Context(), table, now, nil, nil)
				if err != nil || h.Strange() != "" {
					t.Fatal(err, h.Strange())
				}
				counted := map[string]int{}
				for _, r := range h.Rows() {
					counted[r.Attributes().Name]++
				}
				for a, ended := range h.CountedSince(now.Add(-day), now) {
					counted[a.Value().Name] += ended.Rows
				}
				want := map[string]int{}
				for _, r := range table.Rows {
					if !r.End.Latest().Before(now.Add(-day)) {
						want[r.Attributes().Name]++
					}
				}
				if !maps.Equal(counted, want) {
					t.Fatalf("at %s: %v count, want %v", now, counted, want)
				}
			}
			if steps > 20 || host.Steps > steps {
				t.Errorf("the backfill took %d steps, and %d more followed", steps, host.Steps-steps)
			}
		})
	}
}
