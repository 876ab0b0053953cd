package collector

import (
	"errors"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// Status tells how one collector of a client fares.
type Status struct {
	Collector string
	// Ran is false until the first run has ended; Success is that of the last run.
	Ran, Success bool
	// LastRun and LastSuccess are when the last run, and the last good one, began.
	LastRun, LastSuccess time.Time
	// Duration is how long the last run took, or was waited for.
	Duration time.Duration
	// Err is what the last run failed of. A run that was not ready in time has an error too, although it may go on for
	// somebody else.
	Err error
	// Remarks are what the last run measured and should be known in words, also of a good run.
	Remarks []string
	// Misconfigured says that one of them is about a fault of the client's configuration, by which something is not watched.
	Misconfigured bool
	// Facts are what the last run found for the checks of the guide.
	Facts []Fact
}

// Status returns the state of every collector of the client.
func (c *Client) Status() []Status {
	all := make([]Status, 0, len(c.tasks))
	for _, t := range c.tasks {
		t.mu.Lock()
		all = append(all, t.status)
		t.mu.Unlock()
	}
	return all
}

// record keeps the outcome in the task's status, which it returns, and logs a failure that is another than before.
func (c *Client) record(t *task, out outcome) Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.status
	if !sameFailure(s.Err, out.err) {
		c.log(t, out)
	}
	s.Ran, s.Success = true, out.err == nil
	s.LastRun, s.Duration, s.Err, s.Remarks, s.Misconfigured = out.now, out.duration, out.err, out.remarks, out.misfit
	s.Facts = out.facts
	if s.Success {
		s.LastSuccess = out.now
	}
	return *s
}

// sameFailure says whether there is nothing new to log. Those who wait for the same run may have different patience, and
// a backfill makes progress.
func sameFailure(before, now error) bool {
	for _, kind := range []func(error) bool{
		func(err error) bool { return errors.As(err, new(noAnswerError)) },
		func(err error) bool { return errors.Is(err, oms.ErrIncomplete) },
	} {
		if kind(before) && kind(now) {
			return true
		}
	}
	return fmt.Sprint(before) == fmt.Sprint(now)
}

func (c *Client) log(t *task, out outcome) {
	logger := c.opts.Logger.With("client", c.cfg.Name, "collector", t.Name(), "duration_seconds", out.duration.Seconds())
	switch {
	case out.err == nil:
		logger.Info("the collector works")
		return
	case errors.Is(out.err, oms.ErrIncomplete):
		logger.Info("the collector works, but its backfill is not complete", "err", out.err.Error())
		return
	}
	logger.Warn("the collector failed", "err", out.err.Error()+flight.Stack(out.err))
}
