package history_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// rereadTable gives out the rows of one name with every pass, however old they are.
type rereadTable struct {
	historytest.Table
	name string
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

// TestSettled has files that ended within five days, one each five minutes, half of which are read again and again. Each counts for a day,
// once, with the record that it refused; and there is no further backfill because of them, but one where one that is settled changes.
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
	steps := host.Steps
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
		if again, once := counts["again"].Rows, counts["once"]; once.Rows != want || once.Refused != want || again < want || again > want+1 {
			t.Errorf("at %s: counted are %v, want %d each", now, counts, want)
		}
		now = now.Add(10 * time.Minute)
	}
	changed := *table.Rows["9929"] // of six hours ago
	changed.Attrs, changed.Stamp = unique.Make(history.Attributes{Name: "once", Outcome: "failed"}), walltime.Wall(now, time.UTC)
	table.Rows["9929"] = &changed
	if host.Steps != steps {
		t.Errorf("%d steps of backfills, want no more than the first %d", host.Steps, steps)
	}
	look() // and the backfill is repeated
	for range 12 {
		counts := map[string]int{}
		for attrs, ended := range look().CountedSince(now.Add(-12*time.Hour), now) {
			if a := attrs.Value(); a.Name == "once" {
				counts[a.Outcome] += ended.Rows
			}
		}
		want := 0
		for _, r := range table.Rows {
			if r.Attributes().Name == "once" && r.ID != changed.ID && !r.End.Latest().Before(now.Add(-12*time.Hour)) {
				want++
			}
		}
		if counts["failed"] != 1 || counts["finished"] != want {
			t.Errorf("at %s: counted are %v, want 1 that failed and %d that finished", now, counts, want)
		}
		now = now.Add(10 * time.Minute)
	}
	if host.Steps != 2*steps {
		t.Errorf("%d steps of backfills, want those of two, %d", host.Steps, 2*steps)
	}
}

// TestTouched edits rows that are settled, or never ended before: the backfill is repeated where the row may have counted already, and
// that once, however often it is touched. Each counts as it does for who reads the whole table. An order comes only then, though it was made before.
func TestTouched(t *testing.T) {
	start := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	ago := func(now time.Time, d time.Duration) walltime.Moment { return walltime.Wall(now.Add(-d), time.UTC) }
	const hour, order = time.Hour, "made 8 hours ago, and comes now"
	for _, c := range []struct {
		name                string
		created, began, end time.Duration
		edit                func(r *history.Row, now time.Time)
		every               time.Duration // again and again
		backfills           int
	}{
		{"ended 5 days ago", 5 * day, 5 * day, 5 * day, nil, 0, 0},
		{"ended 20 days ago", 20 * day, 20 * day, 20 * day, nil, 0, 0},
		{"ended 8 hours ago, touched now and then", 8 * hour, 8 * hour, 8 * hour, nil, 20 * time.Minute, 1},
		{"pending for 2 days, and cancelled without a date", 2 * day, 0, 0,
			func(r *history.Row, _ time.Time) { r.Attrs, r.End = attrs("cancelled"), r.Created }, 0, 0},
		{"pending for 5 hours, and cancelled without a date", 5 * hour, 0, 0,
			func(r *history.Row, _ time.Time) { r.Attrs, r.End = attrs("cancelled"), r.Created }, 0, 0},
		{"in progress for 9 days", 9 * day, 9 * day, 0, nil, 30 * time.Minute, 0},
		{"in progress for 6 hours, and then finished", 6 * hour, 6 * hour, 0,
			func(r *history.Row, now time.Time) { r.Attrs, r.End = attrs("finished"), ago(now, 0) }, 0, 0},
		{"ended 7 hours ago, and pending again", 8 * hour, 8 * hour, 7 * hour,
			func(r *history.Row, _ time.Time) {
				r.Attrs, r.Start, r.End = attrs(""), walltime.Moment{}, walltime.Moment{}
			}, 10 * time.Minute, 1},
		{"ended 7 hours ago, and once more", 8 * hour, 8 * hour, 7 * hour,
			func(r *history.Row, now time.Time) { r.Attrs, r.End = attrs("failed"), ago(now, 0) }, 0, 1},
		{order, 8 * hour, 0, 0,
			func(r *history.Row, now time.Time) { r.Attrs, r.End = attrs("entered"), ago(now, 0) }, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := start
			table := &historytest.Table{Rows: map[string]*history.Row{}}
			for i := range 5 * 24 * 12 { // others
				end := ago(now, time.Duration(i)*5*time.Minute)
				id := fmt.Sprint(10_000 - i)
				table.Rows[id] = &history.Row{ID: id, Attrs: attrs("finished"), Created: end, Start: end, End: end, Stamp: end}
			}
			moment := func(d time.Duration) walltime.Moment {
				if d == 0 {
					return walltime.Moment{}
				}
				return ago(now, d+time.Second) // not that of another
			}
			r := history.Row{ID: "7", Attrs: attrs(""), Created: moment(c.created), Start: moment(c.began), End: moment(c.end)}
			if c.end != 0 {
				r.Attrs = attrs("finished")
			}
			r.Stamp = walltime.FirstSet(r.End, r.Start, r.Created)
			if c.name != order {
				table.Rows["7"] = &r
			}
			host := &historytest.Host{Reader: table}
			f := history.NewFollower("test", host, func() *history.History {
				return history.New(time.UTC, func(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
					maps.DeleteFunc(rows, func(_ string, r *history.Row) bool {
						return r.End.Latest().Before(floor) && r.Created.Latest().Before(floor)
					})
					k.Latest(rows, func(r *history.Row) history.Group { return history.Group{Kind: "ended", Name: r.Attributes().Name} }, history.EndOf)
					k.CountSince(base.Add(-30 * hour))
				})
			})
			look := func() int {
				t.Helper()
				open := map[string]*history.Row{}
				if r := table.Rows["7"]; r != nil && r.End.IsZero() {
					open["7"] = r
				}
				h, err := f.Advance(t.Context(), table, now, open, nil)
				host.Settle(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				counted := 0
				for _, ended := range h.CountedSince(now.Add(-day), now) {
					counted += ended.Rows
				}
				for _, r := range h.Rows() {
					if !r.End.IsZero() && !r.End.Latest().Before(now.Add(-day)) {
						counted++
					}
				}
				return counted
			}
			_, _ = f.Advance(t.Context(), table, now, nil, nil) // which begins the backfill
			host.Settle(t.Context())
			first := host.Steps
			touched := time.Time{}
			for i := range 5 * 60 {
				if i == 60 || i > 60 && c.every > 0 && now.Sub(touched) >= c.every {
					edited := r
					if edited.Stamp = ago(now, 0); c.edit != nil {
						c.edit(&edited, now)
					}
					r, touched = edited, now
					table.Rows["7"] = &edited
				}
				counted := look()
				if i == 60 {
					counted = look() // after a backfill
				}
				want := 0
				for _, r := range table.Rows {
					if !r.End.IsZero() && !r.End.Latest().Before(now.Add(-day)) {
						want++
					}
				}
				if counted != want {
					t.Fatalf("after %d minutes %d rows ended within a day, want %d", i, counted, want)
				}
				now = now.Add(time.Minute)
			}
			if want := (c.backfills + 1) * first; host.Steps != want {
				t.Errorf("%d steps of backfills, want %d: %d backfills beside the first", host.Steps, want, c.backfills)
			}
		})
	}
}

// TestTouchedInTurn edits settled rows of one name, one after the other: the backfill is repeated with the first only.
func TestTouchedInTurn(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &historytest.Table{Rows: map[string]*history.Row{}}
	for i := range 5 * 24 * 12 {
		end := walltime.Wall(now.Add(-time.Duration(i)*5*time.Minute), time.UTC)
		id := fmt.Sprint(10_000 - i)
		table.Rows[id] = &history.Row{ID: id, Attrs: attrs("finished"), Start: end, End: end, Stamp: end}
	}
	host := &historytest.Host{Reader: table}
	f := history.NewFollower("test", host, func() *history.History {
		return history.New(time.UTC, func(_ map[string]*history.Row, base, _ time.Time, k *history.Retained) {
			k.CountSince(base.Add(-30 * time.Hour))
		})
	})
	look := func() {
		_, _ = f.Advance(t.Context(), table, now, nil, nil)
		host.Settle(t.Context())
	}
	look()
	first := host.Steps
	for i := range 12 {
		look()
		now = now.Add(20 * time.Minute)
		edited := *table.Rows[fmt.Sprint(9_900-i)] // of eight hours ago
		edited.Stamp = walltime.Wall(now, time.UTC)
		table.Rows[edited.ID] = &edited
		look()
	}
	if host.Steps != 2*first {
		t.Errorf("%d steps of backfills, want those of two, %d", host.Steps, 2*first)
	}
}

func attrs(outcome string) unique.Handle[history.Attributes] {
	return unique.Make(history.Attributes{Name: "FILE", Outcome: outcome})
}

// TestSettledRuns has a Sequence with the runs of three days, of which more come: they are read in one backfill.
func TestSettledRuns(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &historytest.Sequence{Table: historytest.Table{Rows: map[string]*history.Row{}}}
	ids := 100_000
	run := func(at time.Time) {
		ids++
		end := walltime.Wall(at, time.UTC)
		table.Rows[fmt.Sprint(ids)] = &history.Row{ID: fmt.Sprint(ids), Attrs: attrs("finished"), Start: end, End: end, Stamp: end}
	}
	for i := range 3 * 24 * 60 {
		run(now.Add(time.Duration(i-3*24*60) * time.Minute))
	}
	host := &historytest.Host{Reader: table}
	f := history.NewFollower("test", host, func() *history.History {
		return history.NewSequenced(time.UTC, func(_ map[string]*history.Row, base, _ time.Time, k *history.Retained) {
			k.CountSince(base.Add(-30 * time.Hour))
		})
	})
	_, _ = f.Advance(t.Context(), table, now, nil, nil) // which begins the backfill
	host.Settle(t.Context())
	steps := host.Steps
	for range 3 * 60 {
		run(now)
		h, err := f.Advance(t.Context(), table, now, nil, nil)
		host.Settle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counted := 0
		for _, ended := range h.CountedSince(now.Add(-24*time.Hour), now) {
			counted += ended.Rows
		}
		if want := 24*60 + 1; counted+len(h.Rows()) != want {
			t.Fatalf("at %s %d runs are counted and %d held, want %d", now, counted, len(h.Rows()), want)
		}
		now = now.Add(time.Minute)
	}
	if host.Steps != steps {
		t.Errorf("%d steps of backfills, want no more than the first %d", host.Steps, steps)
	}
}
