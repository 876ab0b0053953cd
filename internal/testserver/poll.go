package testserver

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// Eventually calls f until it returns nil, and fails the test with f's last error when that takes longer than timeout.
func Eventually(tb testing.TB, timeout time.Duration, f func() error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	defer cancel()
	if err := poll(ctx, f); err != nil {
		tb.Fatal(err)
	}
}

// poll calls f until it returns nil, at first after a millisecond, then after up to ten. When the context ends first, poll returns f's
// last error and why it gave up.
func poll(ctx context.Context, f func() error) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 10*time.Millisecond) {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}
