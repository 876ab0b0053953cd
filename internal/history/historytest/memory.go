// Package historytest has tables in memory, for tests of what follows a table and of what sums up a history.
package historytest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// A Table is a history.Table in memory. A test changes its rows between two reads.
type Table struct {
	Rows map[string]*history.Row
	// Columns is the table's version: another value shows another schema.
	Columns string
	// Fails, where set, is called before every read, which fails with its error, and after all rows of Changes.
	Fails func() error
}

// Version implements history.Reader.
func (t *Table) Version() string { return t.Columns }

// ByID implements history.Reader.
func (t *Table) ByID(_ context.Context, ids []string, put func(*history.Row)) error {
	if err := t.fails(); err != nil {
		return err
	}
	for _, id := range ids {
		t.put(id, put)
	}
	return nil
}

func (t *Table) fails() error {
	if t.Fails == nil {
		return nil
	}
	return t.Fails()
}

// put gives out a copy, as a database does.
func (t *Table) put(id string, put func(*history.Row)) {
	if r := t.Rows[id]; r != nil {
		copied := *r
		put(&copied)
	}
}

// Newest implements history.Table.
func (t *Table) Newest(context.Context) (newest walltime.Moment, err error) {
	for _, r := range t.Rows {
		if r.Stamp.Stored().After(newest.Stored()) && r.Stamp.Stored().Before(walltime.Never) {
			newest = r.Stamp
		}
	}
	return newest, t.fails()
}

// Changes implements history.Table.
func (t *Table) Changes(_ context.Context, from, to time.Time, put func(*history.Row)) error {
	if err := t.fails(); err != nil {
		return err
	}
	var ids []string
	for id, r := range t.Rows {
		if at := r.Stamp.Stored(); !r.Stamp.IsZero() && !at.Before(from) && at.Before(to) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(t.Rows[a].Stamp.Stored().Compare(t.Rows[b].Stamp.Stored()), cmp.Compare(a, b))
	})
	for _, id := range ids {
		t.put(id, put)
	}
	return t.fails()
}

// Unstamped implements history.Table.
func (t *Table) Unstamped(_ context.Context, after string, put func(*history.Row)) error {
	if err := t.fails(); err != nil {
		return err
	}
	ids := t.unstamped()
	ids = slices.DeleteFunc(ids, func(id string) bool { return id <= after })
	for _, id := range ids[:min(len(ids), history.Page)] {
		t.put(id, put)
	}
	return nil
}

// LatestUnstamped implements history.Table.
func (t *Table) LatestUnstamped(_ context.Context, put func(*history.Row)) error {
	if err := t.fails(); err != nil {
		return err
	}
	ids := t.unstamped()
	for _, id := range ids[max(0, len(ids)-500):] {
		t.put(id, put)
	}
	return nil
}

// unstamped returns the ids of the rows without a timestamp, in order.
func (t *Table) unstamped() []string {
	var ids []string
	for id, r := range t.Rows {
		if r.Stamp.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// A Sequence is a history.Sequence in memory.
type Sequence struct {
	Table
	// InUse are the ids that Locked returns.
	InUse map[string]bool
}

// Between implements history.Sequence.
func (s *Sequence) Between(_ context.Context, from, to string, put func(*history.Row)) error {
	if err := s.fails(); err != nil {
		return err
	}
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Rows)), func(id string) bool {
		return len(id) != len(from) || id < from || id > to
	})
	for _, id := range ids[max(0, len(ids)-history.SequencePage):] {
		s.put(id, put)
	}
	return nil
}

// Last implements history.Sequence.
func (s *Sequence) Last(_ context.Context, from, to string) (last string, err error) {
	for id := range s.Rows {
		if id >= from && id < to {
			last = max(last, id)
		}
	}
	return last, s.fails()
}

// Locked implements history.Sequence.
func (s *Sequence) Locked(context.Context) (map[string]bool, error) { return s.InUse, s.fails() }

// A Host is a history.Host that runs its background work only when asked to.
type Host struct {
	Reader history.Reader
	// Steps counts the steps of all backfills, Delays those that failed.
	Steps, Delays int

	background []func(context.Context)
}

// Go implements history.Host.
func (h *Host) Go(fn func(context.Context)) bool {
	h.background = append(h.background, fn)
	return true
}

// Step implements history.Host.
func (h *Host) Step(ctx context.Context, _ time.Time, fn func(context.Context, history.Reader) error) (time.Duration, error) {
	h.Steps++
	return 0, fn(ctx, h.Reader)
}

// Advanced implements history.Host.
func (h *Host) Advanced(walltime.Moment, time.Time) {}

// Delayed implements history.Host.
func (h *Host) Delayed(error) { h.Delays++ }

// Settle does all that is to be done in the background.
func (h *Host) Settle(ctx context.Context) {
	for len(h.background) > 0 {
		fn := h.background[0]
		h.background = h.background[1:]
		fn(ctx)
	}
}

// Of returns the complete history of these rows.
func Of(tb testing.TB, rows []*history.Row, now time.Time, newHistory func() *history.History) *history.History {
	tb.Helper()
	t := &Table{Rows: map[string]*history.Row{}}
	for i, r := range rows {
		t.Rows[cmp.Or(r.ID, strconv.Itoa(i))] = r
	}
	return Complete(tb, t, now, newHistory)
}

// Complete returns the complete history of a table.
func Complete(tb testing.TB, src history.Reader, now time.Time, newHistory func() *history.History) *history.History {
	tb.Helper()
	host := &Host{Reader: src}
	f := history.NewFollower("test", host, newHistory)
	for range 2 {
		h, err := f.Advance(tb.Context(), src, now, nil, nil)
		if h != nil {
			return h
		}
		if host.Settle(tb.Context()); host.Delays > 0 {
			tb.Fatal(err)
		}
	}
	tb.Fatal("the backfill does not end")
	return nil
}
