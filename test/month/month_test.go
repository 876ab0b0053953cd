// Package month proves the shipped rules in simulation: quiet while the simulated clients are well, prompt when they are
// not. The exporter's own code scrapes the clients every third minute of a time with a daylight-saving change in its midst,
// and Prometheus' own engine evaluates the rules.
package month

import (
	"cmp"
	"context"
	"flag"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// step is the interval of scrapes and evaluations: every third one of those that Prometheus makes of most rules.
	step = 3 * time.Minute
	// health has each hour of a day, the change of the clocks in its midst. The days before and after are those of the faulty life, in
	// which an alert that no fault explains is as wrong.
	health = 24 * time.Hour
	// enough is about the least time in which the clients have every fault among them, each at an hour that suits it.
	enough = 72 * time.Hour
)

var (
	span = flag.Duration("span", 0, "how long to simulate, once in health and once with faults, in place of some days")
	seed = flag.Uint64("seed", 1, "decides what the clients live through, and when which fault comes")
)

// clockChange is when daylight saving starts in most of the United States: the same night for three of the clients.
var clockChange = time.Date(2026, 3, 8, 8, 0, 0, 0, time.UTC)

func TestMonth(t *testing.T) {
	// Most of what is allocated lives for one step, and little for longer.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	around := func(span time.Duration) (start, end time.Time) {
		start = clockChange.Add(-span / 2).Truncate(time.Hour)
		return start, start.Add(span)
	}
	t.Run("healthy", func(t *testing.T) {
		start, end := around(cmp.Or(*span, health))
		live(t, newExporter(t, start, *seed), start, end, nil)
	})
	t.Run("faulty", func(t *testing.T) {
		start, end := around(cmp.Or(*span, enough))
		e := newExporter(t, start, *seed)
		faults, err := schedule(*seed, e.configs, start, end)
		if err != nil {
			t.Fatal(err)
		}
		live(t, e, start, end, faults)
	})
}

// A moment is a step of the exporter's life.
type moment struct {
	now     time.Time
	scrapes []scrape
}

// live lets clients, exporter and Prometheus live from start to end, and compares what fired with the faults.
func live(t *testing.T, e *exporter, start, end time.Time, faults []fault) {
	t.Helper()
	began, s, r := time.Now(), newServer(t), newRecord()
	if err := e.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Prometheus looks at a step while the exporter lives through the next ones.
	both, ctx := errgroup.WithContext(t.Context())
	moments := make(chan moment, 4)
	both.Go(func() error {
		defer close(moments)
		return e.live(ctx, start, end, faults, moments)
	})
	both.Go(func() error { return s.live(ctx, moments, r) })
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	delays, wrongs := r.judge(faults, s.lingers(), start.Add(step), end)
	for _, wrong := range wrongs {
		t.Error(wrong)
	}
	t.Logf("%s of %d clients in %s: %d steps, %d samples stored, %d rules evaluated",
		end.Sub(start), len(e.configs), time.Since(began).Round(time.Second), end.Sub(start)/step, s.samples, s.evaluations)
	t.Log(summary(faults, delays, r))
}

// live lets the clients and the exporter live from start to end.
func (e *exporter) live(ctx context.Context, start, end time.Time, faults []fault, moments chan<- moment) error {
	for now := start.Add(step); !now.After(end); now = now.Add(step) {
		if err := e.advance(ctx, now, faults); err != nil {
			return err
		}
		scrapes, err := e.scrape(ctx)
		if err != nil {
			return err
		}
		select {
		case moments <- moment{now, scrapes}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// live takes over what the exporter tells, and notes what fires.
func (s *server) live(ctx context.Context, moments <-chan moment, r *record) error {
	for m := range moments {
		if err := s.store(ctx, m.now, m.scrapes); err != nil {
			return err
		}
		firing, err := s.evaluate(ctx, m.now)
		if err != nil {
			return err
		}
		r.note(m.now, firing)
	}
	return nil
}
