// Package superset is an oms.Reports over the REST API of Apache Superset 4, 5 and 6, which HotWax calls Tathya.
//
// It sends the same queries as the dashboard would, no more often than the configuration says, never with
// force, so that cached answers are used, and few at a time. Nothing is read of the data but their number and single values.
//
// What a person does on the dashboard is left out: filters that somebody sets, those whose default is the first value that
// there is, cross-filters, and the filters of a permalink.
package superset

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var errClosed = errors.New("the reports are closed")

// firstRunError says that there is no run yet that has ended. It is an oms.ErrIncomplete.
type firstRunError struct{}

func (firstRunError) Error() string {
	return "the first run is in progress, charts not reached yet are missing"
}

func (firstRunError) Is(target error) bool { return target == oms.ErrIncomplete }

// Reports asks for one client's reports. It implements oms.Reports.
type Reports struct {
	logger     *slog.Logger
	client     string
	dashboards []string
	interval   time.Duration
	timeout    time.Duration // with a chart's data
	account    *account
	pool       *Pool
	streaks    streaks

	closing    context.Context
	stop       context.CancelFunc
	background sync.WaitGroup
	closed     sync.Once

	mu      sync.Mutex
	current *run // the last that began
	last    *run // the last that ended
}

var _ oms.Reports = (*Reports)(nil)

// newReports owns the account.
func newReports(logger *slog.Logger, client config.Client, a *account, p *Pool) *Reports {
	r := &Reports{
		logger: logger.With("client", client.Name, "collector", "reports"), client: client.Name,
		dashboards: client.Superset.Dashboards, interval: client.Superset.Interval, timeout: p.timeouts.data, account: a, pool: p,
		streaks: streaks{failing: map[item]streak{}},
	}
	r.closing, r.stop = context.WithCancel(context.Background())
	return r
}

// Latest implements oms.Reports.
func (r *Reports) Latest(ctx context.Context, now time.Time) (oms.ReportRun, error) {
	current, last := r.advance(now)
	if last == nil && current != nil {
		select {
		case <-current.done:
			last = current
		case <-ctx.Done():
		case <-r.closing.Done():
		}
	}
	if r.closing.Err() != nil {
		return oms.ReportRun{}, fmt.Errorf("client %s: %w", r.client, errClosed)
	}
	if last == nil {
		found, err := current.snapshot(ctx, now)
		return found, fmt.Errorf("client %s: %w", r.client, errors.Join(firstRunError{}, err))
	}
	found, err := last.snapshot(ctx, now)
	if err != nil {
		err = fmt.Errorf("client %s: %w", r.client, err)
	}
	return found, err
}

// advance begins a run when it is time, and returns the last that began and the last that ended.
func (r *Reports) advance(now time.Time) (current, last *run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing.Err() != nil {
		return nil, nil
	}
	if r.current != nil {
		age := now.Sub(r.current.began)
		if due := age >= r.interval || age < 0; r.current != r.last || !due { // it is under way, or young enough
			return r.current, r.last
		}
	}
	next := newRun(now)
	r.current = next
	r.background.Go(func() {
		next.protect(func() { r.do(next) })
		r.mu.Lock()
		r.last = next
		r.mu.Unlock()
		close(next.done)
	})
	return r.current, r.last
}

// Close implements oms.Reports.
func (r *Reports) Close() error {
	r.mu.Lock()
	r.stop()
	r.mu.Unlock()
	r.background.Wait()
	r.closed.Do(func() { r.pool.release(r.account) })
	return nil
}
