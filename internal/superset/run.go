package superset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// run asks for everything once.
type run struct {
	began time.Time // the clock of the caller
	done  chan struct{}

	mu         sync.Mutex
	dashboards []oms.Dashboard
	errs       []error
	trace      []exchange
}

// exchange is a request of the run, for its trace.
type exchange struct {
	what string
	took time.Duration
	rows int
	err  error
}

func newRun(now time.Time) *run { return &run{began: now, done: make(chan struct{})} }

// snapshot returns what the run has found so far, and reports its requests to the context's trace.
func (n *run) snapshot(ctx context.Context, now time.Time) (oms.ReportRun, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.trace {
		trace.From(ctx)(e.what, e.took, e.rows, e.err)
	}
	found := oms.ReportRun{Dashboards: slices.Clone(n.dashboards), Age: max(0, now.Sub(n.began))}
	for i, d := range found.Dashboards {
		found.Dashboards[i].Charts = slices.Clone(d.Charts)
	}
	return found, errors.Join(n.errs...)
}

// do does the run. It may take as long as the interval, and charts not reached by then are missing.
func (r *Reports) do(n *run) {
	ctx, cancel := context.WithTimeout(r.closing, r.interval)
	defer cancel()
	ctx = trace.With(ctx, func(what string, took time.Duration, rows int, err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.trace = append(n.trace, exchange{what, took, rows, err})
	})
	missed := 0
	for _, name := range r.dashboards {
		if !n.protect(func() { missed += r.visit(ctx, n, name) }) && !n.has(name) { // it must not go missing
			f := r.account.fail(oms.ReportBadAnswer, "the exporter failed at the dashboard, its log has the error")
			n.put(oms.Dashboard{Name: name, Failure: &f.ReportFailure, Failures: 1})
		}
	}
	if missed > 0 {
		n.note(fmt.Errorf("the run was stopped after %s before %d dashboards or charts were queried: increase superset.interval",
			r.interval, missed))
	}
}

// visit asks for the charts of a dashboard, and returns how many were not reached.
func (r *Reports) visit(ctx context.Context, n *run, name string) (missed int) {
	found, err := r.account.loadDashboard(ctx, name)
	if f, ok := errors.AsType[*failure](err); ok {
		now, _ := r.streaks.next(item{dashboard: name}, &f.ReportFailure)
		n.put(oms.Dashboard{Name: name, Failure: &f.ReportFailure, Failures: now.failures})
		n.note(fmt.Errorf("dashboard %s: %s: %w", name, f.Reason, f))
		return 0
	}
	if err != nil {
		return 1
	}
	r.streaks.next(item{dashboard: name}, nil)
	r.streaks.keep(name, found)
	n.put(oms.Dashboard{Name: name})
	for _, c := range found.gone {
		f := r.account.fail(oms.ReportDeleted, "the chart %d is deleted, remove it from the dashboard", c.id)
		r.add(n, name, oms.Chart{Name: c.name, Failure: &f.ReportFailure})
	}
	var mu sync.Mutex
	var workers sync.WaitGroup
	work := make(chan chart)
	for range parallel {
		workers.Go(func() {
			for c := range work {
				ok := n.protect(func() {
					measured, err := r.account.measure(ctx, c, r.timeout)
					if err == nil {
						r.add(n, name, measured)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					missed++
				})
				if !ok { // it must not go missing
					f := r.account.fail(oms.ReportBadAnswer, "the exporter failed at the chart, its log has the error")
					n.addChart(oms.Chart{Name: c.name, DataSource: c.dataSource, Failure: &f.ReportFailure, Failures: 1})
				}
			}
		})
	}
	for _, c := range found.charts {
		work <- c
	}
	close(work)
	workers.Wait()
	return missed
}

// add adds what was measured of a chart, and logs a failure that is another than before.
func (r *Reports) add(n *run, dashboard string, c oms.Chart) {
	now, before := r.streaks.next(item{dashboard, c.Name}, c.Failure)
	c.Failures = now.failures
	logger := r.logger.With("dashboard", dashboard, "chart", c.Name, "duration_seconds", c.Took.Seconds())
	switch {
	case c.Failure != nil && before.last != now.last:
		logger.Warn("the chart fails", "reason", string(c.Failure.Reason), "err", c.Failure.Text)
	case c.Failure == nil && before.failures > 0:
		logger.Info("the chart works")
	}
	n.addChart(c)
}

// addChart adds a chart to the last dashboard.
func (n *run) addChart(c oms.Chart) {
	n.mu.Lock()
	defer n.mu.Unlock()
	charts := &n.dashboards[len(n.dashboards)-1].Charts
	*charts = append(*charts, c)
}

func (n *run) put(d oms.Dashboard) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dashboards = append(n.dashboards, d)
}

func (n *run) has(dashboard string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(n.dashboards, func(d oms.Dashboard) bool { return d.Name == dashboard })
}

func (n *run) note(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.errs = append(n.errs, err)
}

// protect calls f, and says whether it came to its end: nobody else stands between a run's goroutines and the end of the process.
func (n *run) protect(f func()) (ok bool) {
	err := flight.Run(func() error { f(); return nil })
	if err != nil {
		n.note(err)
	}
	return err == nil
}
