// Package flight lets several callers share one run of a function: each keeps its own deadline, and the run is
// cancelled when the last of them has gone.
package flight

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A Flight shares runs of one function. The zero value is ready to use.
type Flight[T any] struct {
	mu   sync.Mutex
	run  *run[T]
	runs sync.WaitGroup
}

// run is the context of a shared run. Its deadline is the latest of those of its waiters, which come and go, so it
// cannot be a plain context.WithDeadline.
type run[T any] struct {
	context.Context // without the first caller's cancellation, but with its values
	cancel          context.CancelCauseFunc
	done            chan struct{}
	value           T
	err             error

	flight   *Flight[T]
	waiters  int
	deadline time.Time
}

// Deadline returns the latest deadline of those who have waited so far.
func (r *run[T]) Deadline() (time.Time, bool) {
	r.flight.mu.Lock()
	defer r.flight.mu.Unlock()
	return r.deadline, !r.deadline.IsZero()
}

// PanicError is what a run that panicked gives to its waiters. Its text is fit to be shown; the stack is for the log.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Do runs fn, or joins the run that is under way, and waits for its result or for the end of ctx, whichever comes
// first; in the latter case the error is ctx's cause. A panic of fn is returned as a PanicError: one broken collector
// must not end the exporter.
func (f *Flight[T]) Do(ctx context.Context, fn func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	r := f.run
	if r == nil {
		base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		r = &run[T]{Context: base, cancel: cancel, done: make(chan struct{}), flight: f}
		f.run = r
		f.runs.Go(func() { r.do(fn) })
	}
	r.waiters++
	if d, ok := ctx.Deadline(); ok && d.After(r.deadline) {
		r.deadline = d
	}
	f.mu.Unlock()

	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
	}
	f.leave(r, context.Cause(ctx))
	var none T
	return none, context.Cause(ctx)
}

// Wait returns when no run is under way.
func (f *Flight[T]) Wait() { f.runs.Wait() }

func (r *run[T]) do(fn func(context.Context) (T, error)) {
	defer func() {
		if p := recover(); p != nil {
			r.err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		r.flight.mu.Lock()
		if r.flight.run == r {
			r.flight.run = nil
		}
		r.flight.mu.Unlock()
		close(r.done)
		r.cancel(nil)
	}()
	r.value, r.err = fn(r)
}

// leave counts a waiter out. The last one cancels the run and makes room for the next: a run that does not heed its
// cancellation must not catch those who come later.
func (f *Flight[T]) leave(r *run[T], cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.waiters--; r.waiters == 0 {
		r.cancel(cause)
		if f.run == r {
			f.run = nil
		}
	}
}
