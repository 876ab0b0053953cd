package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// ErrIncomplete is wrapped by the error of a Follower whose first backfill is not complete yet.
var ErrIncomplete = errors.New("the history is not complete yet")

// incompleteError says why there is no history yet.
type incompleteError struct {
	name, progress string
	failed         error
}

func (e incompleteError) Error() string {
	text := fmt.Sprintf("the backfill of the history of %s is not complete: %s", e.name, e.progress)
	if e.failed != nil {
		text += ", last attempt: " + e.failed.Error()
	}
	return text
}

func (e incompleteError) Is(target error) bool {
	return target == ErrIncomplete || errors.Is(e.failed, target)
}

// A Host has the table that a Follower follows.
type Host interface {
	// Go runs fn in the background, unless the host is closing. Its context ends when that begins.
	Go(fn func(ctx context.Context)) bool
	// Step runs fn while nobody else reads the table, with a statement limit of StepTimeout, and returns how long that took.
	Step(ctx context.Context, now time.Time, fn func(ctx context.Context, src Reader) error) (took time.Duration, err error)
	// Advanced is called with the newest timestamp whenever a complete history has been brought up to date.
	Advanced(newest walltime.Moment, now time.Time)
	// Delayed is called when a step of the backfill failed; it goes on with the next Advance.
	Delayed(err error)
}

// A Follower keeps the history of a table, and rebuilds it when it must.
type Follower struct {
	name       string
	host       Host
	newHistory func() *History

	mu       sync.Mutex // guards what follows
	history  *History   // the complete one
	next     *History   // the one that a backfill is filling
	running  bool       // whether that backfill is under way
	progress string
	failed   error
}

// NewFollower returns a follower of a table of the host; the name says in errors what the history is of.
func NewFollower(name string, host Host, newHistory func() *History) *Follower {
	return &Follower{name: name, host: host, newHistory: newHistory}
}

// Forget drops what is known: the table is not there any more.
func (f *Follower) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.history = nil
	if !f.running {
		f.next = nil
	}
}

// Rows returns the rows on which the history rests, none before it is complete. Callers that may read the table may use them.
func (f *Follower) Rows() map[string]*Row {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.history == nil {
		return nil
	}
	return f.history.rows
}

// Advance returns the history, brought up to date, for callers that may read the table: open is what waits or is in progress now,
// extra is what the caller read besides. Until the backfill is complete it returns nil and an error that wraps
// ErrIncomplete, and sees to it that the backfill goes on.
func (f *Follower) Advance(ctx context.Context, src Reader, now time.Time, open, extra map[string]*Row) (*History, error) {
	f.mu.Lock()
	h := f.history
	f.mu.Unlock()
	if h == nil {
		return nil, f.startBackfill(now)
	}
	if err := h.refresh(ctx, src, now, open, extra); err != nil {
		return nil, err
	}
	f.host.Advanced(h.newest, now)
	if lost := !h.invalidSince.IsZero(); lost || walltime.Due(now, h.completed, renewEvery) {
		// Until the new backfill is complete, the facts are those of before the loss, without what was lost.
		if err := f.startBackfill(now); lost && now.Sub(h.invalidSince) > staleFor {
			return h, err
		}
	}
	return h, nil
}

// startBackfill starts filling a new history in the background, or goes on with it after a failure, and says how far it is.
func (f *Follower) startBackfill(now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == nil {
		f.next, f.progress, f.failed = f.newHistory(), "it has just started", nil
		if f.history != nil && !f.history.invalidSince.IsZero() {
			f.next.edited = maps.Clone(f.history.edited)
		}
	}
	if !f.running {
		f.running = f.host.Go(func(ctx context.Context) { f.runBackfill(ctx, now) })
	}
	return incompleteError{name: f.name, progress: f.progress, failed: f.failed}
}

// runBackfill reads window by window, each with the table for itself, so that scrapes come in between. After a failure it goes on at
// the next scrape.
func (f *Follower) runBackfill(ctx context.Context, now time.Time) {
	begin := time.Now()
	for h, more := f.next, true; more; {
		err := flight.Run(func() error { return f.runStep(ctx, h, now.Add(time.Since(begin)), &more) })

		f.mu.Lock()
		f.failed = err
		if left := h.backfill.to.Sub(h.backfill.from); left > 0 {
			f.progress = daysLeft(left)
		}
		if f.running = err == nil && more; err == nil && !more {
			f.history, f.next, h.completed = h, nil, now
		}
		f.mu.Unlock()
		if err != nil {
			if ctx.Err() == nil {
				f.host.Delayed(err)
			}
			return
		}
	}
}

// daysLeft rounds up.
func daysLeft(left time.Duration) string {
	if days := int((left + 24*time.Hour - 1) / (24 * time.Hour)); days > 1 {
		return fmt.Sprintf("%d days left", days)
	}
	return "1 day left"
}

func (f *Follower) runStep(ctx context.Context, h *History, now time.Time, more *bool) error {
	took, err := f.host.Step(ctx, now, func(ctx context.Context, src Reader) (err error) {
		if version := src.Version(); version != h.version { // it begins, or must begin again
			edited := h.edited
			*h = *f.newHistory()
			h.version, h.edited = version, edited
		}
		*more, err = h.step(ctx, src, now)
		return err
	})
	h.backfill.pace(took, err)
	return err
}
