package history_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// burstTable counts the changes that it gives out.
type burstTable struct {
	historytest.Table
	read int
}

func (t *burstTable) Changes(ctx context.Context, from, to time.Time, put func(*history.Row)) error {
	return t.Table.Changes(ctx, from, to, func(r *history.Row) {
		t.read++
		put(r)
	})
}

// TestBurst writes thousands of rows at once, in one transaction or in some seconds, and then now and then one more: each is read
// once, until the passes read them again for what was committed late. Nothing is missed for longer than until then.
func TestBurst(t *testing.T) {
	for _, c := range []struct {
		name string
		over time.Duration
	}{{"in one transaction", 0}, {"in half a minute", 30 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
			table := &burstTable{Table: historytest.Table{Rows: map[string]*history.Row{}}}
			ids := 0
			write := func(count int, at time.Time, over time.Duration) {
				for i := range count {
					ids++
					stamp := walltime.Wall(at.Add(over*time.Duration(i)/time.Duration(count)).Truncate(time.Second), time.UTC)
					table.Rows[fmt.Sprint(1_000_000+ids)] = &history.Row{
						ID: fmt.Sprint(1_000_000 + ids), Attrs: unique.Make(history.Attributes{Name: "N", Outcome: "finished"}), End: stamp, Stamp: stamp,
					}
				}
			}
			write(1, now.Add(-time.Hour), 0)
			host := &historytest.Host{Reader: table}
			f := history.NewFollower("test", host, func() *history.History {
				return history.New(time.UTC, func(_ map[string]*history.Row, base, _ time.Time, k *history.Retained) {
					k.CountSince(base.Add(-24 * time.Hour))
				})
			})
			// refresh returns how many rows were read, and how many are known.
			refresh := func(after time.Duration) (read, known int) {
				t.Helper()
				now = now.Add(after)
				table.read = 0
				h, err := f.Advance(t.Context(), table, now, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				known = len(h.Rows())
				for _, ended := range h.CountedSince(now.Add(-time.Hour*24), now) {
					known += ended.Rows
				}
				return table.read, known
			}
			_, _ = f.Advance(t.Context(), table, now, nil, nil) // which begins the backfill
			host.Settle(t.Context())
			refresh(0)
			want := func(name string, after time.Duration, most, rows int) {
				t.Helper()
				if read, known := refresh(after); read > most || known != rows {
					t.Errorf("%s: %d rows were read, want no more than %d; %d are known, want %d", name, read, most, known, rows)
				}
			}
			const all = 50_000
			began := now
			write(all, now, c.over)
			want("the burst", 31*time.Second, all+1, all+1)
			want("once more, where all have one stamp", 30*time.Second, all+1, all+1)
			want("nothing new", 30*time.Second, 2000, all+1)
			write(1, now.Add(-time.Second), 0)
			want("a row more", 30*time.Second, 2001, all+2)
			write(1, began.Add(-time.Second), 0) // committed late
			want("a late row is passed over", 30*time.Second, 2002, all+2)
			want("the pass", 4*time.Minute, all+10, all+3)
			want("nothing new after the pass", 30*time.Second, 2002, all+3)
		})
	}
}

// brokenTable breaks off the first time that changes are read from somewhere on, after all of their rows came.
type brokenTable struct {
	historytest.Table
	read map[time.Time]bool
}

func (t *brokenTable) Changes(ctx context.Context, from, to time.Time, put func(*history.Row)) error {
	err := t.Table.Changes(ctx, from, to, put)
	if first := !t.read[from]; first {
		t.read[from] = true
		return errors.New("broken off")
	}
	return err
}

// TestBrokenOff has each window of the backfill break off when most of its rows were looked through: those that are read again do not
// count twice.
func TestBrokenOff(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	table := &brokenTable{historytest.Table{Rows: map[string]*history.Row{}}, map[time.Time]bool{}}
	const rows = 20 * 60
	for i := range rows {
		end := walltime.Wall(now.Add(-time.Duration(i)*time.Minute), time.UTC)
		id := fmt.Sprint(10_000 - i)
		table.Rows[id] = &history.Row{ID: id, Attrs: unique.Make(history.Attributes{Name: "N", Outcome: "finished"}), End: end, Stamp: end}
	}
	host := &historytest.Host{Reader: table}
	f := history.NewFollower("test", host, func() *history.History {
		return history.New(time.UTC, func(_ map[string]*history.Row, base, _ time.Time, k *history.Retained) {
			k.CountSince(base.Add(-24 * time.Hour))
		}).LookThrough(10)
	})
	var h *history.History
	for range 500 {
		if h, _ = f.Advance(t.Context(), table, now, nil, nil); h != nil {
			break
		}
		host.Settle(t.Context())
	}
	if h == nil || host.Delays < 7*12 {
		t.Fatalf("the backfill broke off %d times, and is complete: %t", host.Delays, h != nil)
	}
	for _, ended := range h.CountedSince(now.Add(-24*time.Hour), now) {
		if ended.Rows != rows {
			t.Errorf("%d rows count, want %d", ended.Rows, rows)
		}
	}
}
