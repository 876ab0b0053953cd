package history_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
)

// breaking is a host whose step panics, of which nothing may be left to say so.
type breaking struct {
	historytest.Host
	broken bool
}

func (b *breaking) Step(ctx context.Context, now time.Time, fn func(context.Context, history.Reader) error) (time.Duration, error) {
	if b.broken {
		panic("boom")
	}
	return b.Host.Step(ctx, now, fn)
}

// TestPanic shows that a backfill that panics is one that failed: it is told, and goes on at the next scrape.
func TestPanic(t *testing.T) {
	table := &historytest.Table{Rows: map[string]*history.Row{}}
	host := &breaking{Host: historytest.Host{Reader: table}, broken: true}
	f := history.NewFollower("jobs", host, func() *history.History {
		return history.New(time.UTC, func(map[string]*history.Row, time.Time, time.Time, *history.Retained) {})
	})
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	for range 2 {
		_, _ = f.Advance(t.Context(), table, now, nil, nil)
		host.Settle(t.Context())
	}
	_, err := f.Advance(t.Context(), table, now, nil, nil)
	if !errors.Is(err, history.ErrIncomplete) || !strings.Contains(err.Error(), "last attempt: panic: boom") || host.Delays != 2 {
		t.Errorf("%d delays, %v", host.Delays, err)
	}
	host.broken = false
	host.Settle(t.Context())
	if _, err := f.Advance(t.Context(), table, now, nil, nil); err != nil {
		t.Error(err)
	}
}
