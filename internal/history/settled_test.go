package history_test

import (
	"context"
	"fmt"
	"testing"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// rereadTable gives out the rows of one name with every pass, however old they are, and counts the windows of backfills.
type rereadTable struct {
	historytest.Table
	name    string
	windows int
}

func (t *rereadTable) LatestUnstamped(_ context.Context, put func(*history.Row)) error {
	for _, r := range t.Rows {
		if r.Attributes().Name == t.name {
			copied := *r
			put(&copied)
		}
	}
	return nil
}

func (t *rereadTable) Changes(ctx context.Context, from, to time.Time, put func(*history.Row)) error {
	if to.Sub(from) <= 2*time.Hour {
		t.windows++
	}
	return t.Table.Changes(ctx, from, to, put)
}

// TestSettled has files that ended within five days, one each five minutes, half of which are read again and again. Each counts for a day,
// once, with the record that it refused; and nothing is read anew because of them, but where one that is settled changes.
func TestSettled(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &rereadTable{name: "again", Table: historytest.Table{Rows: map[string]*history.Row{}}}
	for i := range 5 * 24 * 12 {
		end := walltime.Wall(now.Add(-time.Duration(i)*5*time.Minute), time.UTC)
		table.Rows[fmt.Sprint(10_000-i)] = &history.Row{
			ID: fmt.Sprint(10_000 - i), Attrs: unique.Make(history.Attributes{Name: []string{"again", "once"}[i%2], Outcome: "finished"}),
			Start: end, End: end, Stamp: end, Records: history.Records{Failed: history.Noted(i%2, true)},
		}
	}
	host := &historytest.Host{Reader: table}
	f := history.NewFollower("test", host, func() *history.History {
		return history.New(time.UTC, func(_ map[string]*history.Row, base, _ time.Time, k *history.Retained) {
			k.CountSince(base.Add(-24*time.Hour), table.name)
		})
	})
	look := func() *history.History {
		h, err := f.Advance(t.Context(), table, now, nil, nil)
		host.Settle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	_, _ = f.Advance(t.Context(), table, now, nil, nil) // which begins the backfill
	host.Settle(t.Context())
	windows := table.windows
	for range 3 * 6 {
		counts := map[string]history.Tally{}
		for attrs, ended := range look().CountedSince(now.Add(-12*time.Hour), now) {
			counts[attrs.Value().Name] = *ended
		}
		want := 0
		for _, r := range table.Rows {
			if r.Attributes().Name == "once" && !r.End.Latest().Before(now.Add(-12*time.Hour)) {
				want++
			}
		}
		if again, once := counts["again"].Rows, counts["once"]; once != (history.Tally{Rows: want, Refused: want}) || again < want || again > want+1 {
			t.Errorf("at %s: counted are %v, want %d each", now, counts, want)
		}
		now = now.Add(10 * time.Minute)
	}
	if table.windows != windows {
		t.Errorf("%d windows were read, want no more than the first backfill's %d", table.windows, windows)
	}

	changed := *table.Rows["9929"] // of six hours ago
	changed.Attrs, changed.Stamp = unique.Make(history.Attributes{Name: "once", Outcome: "failed"}), walltime.Wall(now, time.UTC)
	table.Rows["9929"] = &changed
	look()
	if table.windows == windows {
		t.Error("nothing was read anew, although a row changed that is not known any more")
	}
	failed := 0
	for attrs, ended := range look().CountedSince(now.Add(-12*time.Hour), now) {
		if attrs.Value().Outcome == "failed" {
			failed += ended.Rows
		}
	}
	if failed != 1 {
		t.Errorf("%d rows failed, want 1", failed)
	}
}
