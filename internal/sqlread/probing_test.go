package sqlread

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// TestProbing has all areas ask, at once or one after the other, again and again: one of them looks at the catalogue when
// it is time, and the log says what is missing when that is news.
func TestProbing(t *testing.T) {
	db := testserver.Engines()[0].Start(t)(t, "probing", "UTC")
	testserver.Execute(t, db.Admin, "ALTER TABLE order_item DROP COLUMN ship_group_seq_id")
	var log bytes.Buffer
	opened := openTwoTables(t, slog.New(slog.NewTextHandler(&log, nil)), db)
	jobs, items, other := NewLane("jobs"), NewLane("items"), NewLane("other")
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	looks := func(together bool) int {
		var n atomic.Int64
		ctx, cancel := context.WithTimeout(trace.With(t.Context(), func(statement string, _ time.Duration, _ int, _ error) {
			if statement == "columns" {
				n.Add(1)
			}
		}), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		read := func(l Lane, fn func(context.Context, *Reader) error) func() {
			return func() { _ = opened.Read(ctx, l, now, fn) }
		}
		for _, ask := range []func(){
			read(items, func(ctx context.Context, r *Reader) error {
				if !r.Has("items") {
					return nil
				}
				return r.Query(ctx, "items", nil, func(Record) {})
			}),
			read(jobs, func(ctx context.Context, r *Reader) error {
				if !r.Schema.Has("job_sandbox") { // which is a fault
					opened.SuspectSchema()
					return r.Schema.MissingTable("job_sandbox")
				}
				return r.Query(ctx, "jobs", nil, func(Record) {})
			}),
			read(other, func(context.Context, *Reader) error { return nil }),
		} {
			if wg.Go(ask); !together {
				wg.Wait()
			}
		}
		wg.Wait()
		return int(n.Load())
	}
	const lacks, complete = "tables or columns are missing in this database", "all tables and columns of this database can be read again"
	for _, step := range []struct {
		change   string
		after    time.Duration
		together bool
		looks    int
		lines    []string
	}{
		{"", 0, true, 1, []string{lacks, "order_item.ship_group_seq_id"}},
		{"", 4 * time.Minute, true, 0, nil},
		{"", time.Minute, true, 1, nil},
		{"", time.Hour, true, 1, nil},
		{"", -10 * time.Hour, true, 1, nil}, // our clock was set back
		// A table that some may do without: seen when it is time, or soon after a statement failed of it.
		{"ALTER TABLE order_item RENAME TO gone", time.Minute, false, 0, nil},
		{"", time.Minute, false, 1, []string{lacks, "order_item"}},
		{"ALTER TABLE gone ADD ship_group_seq_id VARCHAR(20)", 4 * time.Minute, false, 0, nil},
		{"ALTER TABLE gone RENAME TO order_item", time.Minute, false, 1, []string{complete}},
		// A column that nobody does without: looked for every other minute.
		{"ALTER TABLE job_sandbox RENAME COLUMN pool_id TO gone", time.Minute, false, 0, nil},
		{"", time.Minute, false, 1, []string{lacks, "job_sandbox.pool_id"}},
		{"", time.Minute, false, 0, nil},
		{"", time.Minute, false, 1, nil},
		{"ALTER TABLE job_sandbox RENAME COLUMN gone TO pool_id", time.Minute, false, 0, nil},
		{"", time.Minute, false, 1, []string{complete}},
		{"", 4 * time.Minute, false, 0, nil},
	} {
		if step.change != "" {
			testserver.Execute(t, db.Admin, step.change)
		}
		now = now.Add(step.after)
		log.Reset()
		if n := looks(step.together); n != step.looks {
			t.Errorf("%+v: %d looks", step, n)
		}
		var said []string
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "this database") {
				said = append(said, line)
			}
		}
		if got := strings.Join(said, ""); len(said) != min(1, len(step.lines)) || !containsAll(got, step.lines) {
			t.Errorf("%+v: the log says %q", step, got)
		}
	}
}

func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}
