// Package flight lets several callers share one run of a function: each keeps its own deadline, and the run is
// cancelled when the last of them has gone, or when it takes too long for those who come. A run that panics has failed, and
// nothing else has.
package flight

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A Flight shares runs of one function. The zero value is ready to use.
type Flight[T any] struct {
	mu  sync.Mutex
	run *run[T]
}

// run is a shared run.
type run[T any] struct {
	ctx    *sharedContext
	cancel context.CancelCauseFunc
	done   chan struct{}
	value  T
	err    error

	flight   *Flight[T]
	waiters  int
	started  time.Time
	began    time.Time     // the deadline with which it began
	late     bool          // it was too slow for a waiter
	replaced chan struct{} // closed when its waiters are to wait for another run
}

// sharedContext is the context of a shared run. Its deadline is the latest of those of its waiters, which come and go, so it
// cannot be a plain context.WithDeadline. It knows nothing of the run: a database driver may hold the context of what it did
// last for long.
type sharedContext struct {
	context.Context // without the first caller's cancellation, but with its values

	mu       sync.Mutex
	deadline time.Time
}

// extend makes the deadline that of one more waiter, if that is later.
func (p *sharedContext) extend(limit time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit.After(p.deadline) {
		p.deadline = limit
	}
}

// Deadline returns the latest deadline of those who have waited so far.
func (p *sharedContext) Deadline() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline, !p.deadline.IsZero()
}

// PanicError is what a run that panicked gives to its waiters. Its text is fit to be shown; the stack is for the log.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Stack returns the stack of the panic that err wraps, to be logged below the error, or nothing.
func Stack(err error) string {
	if p, ok := errors.AsType[*PanicError](err); ok {
		return "\n" + string(p.Stack)
	}
	return ""
}

// Run runs fn and returns its error, or a PanicError where it panics. A caller that starts a goroutine for a run has it run this:
// nothing else stands between a panic there and the end of the process, which is the end of all clients.
func Run(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// Do runs fn, or joins the run that is under way, and waits for its result or for the end of ctx, whichever comes
// first; in the latter case the error is ctx's cause. A panic of fn is returned as a PanicError: one broken collector
// must not end the exporter.
//
// A run that was too slow for a waiter, and has taken longer than a new caller can wait, may never end: a connection can die
// silently. It is cancelled, and those who still wait for it share the caller's run: the most patient does not decide for
// how long the others fail.
//
// What fn hands on of its deadline, such as a server's time limit, is settled when it begins. So a caller who joined
// a run that then failed, and who can wait longer than the one who began it, has another run.
func (f *Flight[T]) Do(ctx context.Context, fn func(context.Context) (T, error)) (T, error) {
	for {
		value, again, err := f.once(ctx, fn)
		if !again {
			return value, err
		}
	}
}

// once runs fn, or joins a run, and says whether another is due.
func (f *Flight[T]) once(ctx context.Context, fn func(context.Context) (T, error)) (value T, again bool, err error) {
	limit, _ := ctx.Deadline()
	f.mu.Lock()
	r := f.run
	if r != nil && r.stale(limit) {
		close(r.replaced)
		r.cancel(errReplaced)
		r = nil
	}
	if r == nil {
		base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		r = &run[T]{
			ctx: &sharedContext{Context: base, deadline: limit}, cancel: cancel, done: make(chan struct{}),
			flight: f, started: time.Now(), began: limit, replaced: make(chan struct{}),
		}
		f.run = r
		go r.do(fn)
	}
	r.waiters++
	r.ctx.extend(limit)
	f.mu.Unlock()

	select {
	case <-r.done:
	case <-r.replaced:
		return value, ctx.Err() == nil, context.Cause(ctx)
	case <-ctx.Done():
		f.leave(r, context.Cause(ctx))
	}
	select {
	case <-r.done: // also when both came at once
		return r.value, r.err != nil && !r.began.IsZero() && limit.After(r.began) && ctx.Err() == nil, r.err
	default:
		return value, false, context.Cause(ctx)
	}
}

var errReplaced = errors.New("another run was due")

// stale says whether a caller who can wait until then should not join the run.
func (r *run[T]) stale(limit time.Time) bool {
	return r.late && !limit.IsZero() && time.Since(r.started) >= time.Until(limit)
}

func (r *run[T]) do(fn func(context.Context) (T, error)) {
	r.err = Run(func() (err error) {
		r.value, err = fn(r.ctx)
		return err
	})
	r.flight.mu.Lock()
	if r.flight.run == r {
		r.flight.run = nil
	}
	r.flight.mu.Unlock()
	close(r.done)
	r.cancel(nil)
}

// leave counts a waiter out. The last one cancels the run and makes room for the next: a run that does not heed its
// cancellation must not catch those who come later.
func (f *Flight[T]) leave(r *run[T], cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.late = r.late || errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, errReplaced) // a run above this one
	if r.waiters--; r.waiters == 0 {
		r.cancel(cause)
		if f.run == r {
			f.run = nil
		}
	}
}
