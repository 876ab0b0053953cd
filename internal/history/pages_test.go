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

// complete follows a table until its backfill is complete.
func complete(t *testing.T, src history.Reader, now time.Time, newHistory func() *history.History) *history.History {
	t.Helper()
	host := &historytest.Host{Reader: src}
	f := history.NewFollower("test", host, newHistory)
	_, _ = f.Advance(t.Context(), src, now, nil, nil) // which begins the backfill
	host.Settle(t.Context())
	h, err := f.Advance(t.Context(), src, now, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

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
	if h := complete(t, table, now, jobs.newHistory); len(h.Rows()) != rows {
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
	for _, r := range complete(t, table, now, runs.newHistory).Rows() {
		if r.Attributes().Name == "rare" {
			return
		}
	}
	t.Error("the run of almost a week ago is not known")
}
