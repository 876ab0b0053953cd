package collector

import (
	"errors"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/flight"
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
}

// Status returns the state of every enabled collector.
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
	if fmt.Sprint(s.Err) != fmt.Sprint(out.err) {
		c.log(t, out)
	}
	s.Ran, s.Success = true, out.err == nil
	s.LastRun, s.Duration, s.Err = out.now, out.duration, out.err
	if s.Success {
		s.LastSuccess = out.now
	}
	return *s
}

func (c *Client) log(t *task, out outcome) {
	logger := c.opts.Logger.With("client", c.cfg.Name, "collector", t.Name(), "duration_seconds", out.duration.Seconds())
	if out.err == nil {
		logger.Info("the collector works again")
		return
	}
	text := out.err.Error()
	if p, ok := errors.AsType[*flight.PanicError](out.err); ok {
		text += "\n" + string(p.Stack)
	}
	logger.Warn("the collector failed", "err", text)
}
