// Package trace notes what a run asked of the outside: the answer to "why is this red?".
package trace

import (
	"context"
	"time"
)

// A Func is called for every statement or request of a run: with its name, how long it took, how many rows or entries it
// returned, and its error, in which secrets are masked.
type Func func(what string, took time.Duration, rows int, err error)

type key struct{}

// With returns a context whose runs report to f.
func With(ctx context.Context, f Func) context.Context { return context.WithValue(ctx, key{}, f) }

// From returns the context's Func, or one that does nothing.
func From(ctx context.Context) Func {
	if f, ok := ctx.Value(key{}).(Func); ok {
		return f
	}
	return func(string, time.Duration, int, error) {}
}
