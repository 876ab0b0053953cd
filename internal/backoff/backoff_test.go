package backoff_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/backoff"
)

// TestBackoff fails again and again: the wait doubles up to five minutes, the error stays the same while it lasts, and a
// clock that is set back ends it.
func TestBackoff(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	var b backoff.Backoff
	expect := func(at time.Duration, want time.Duration, words string) {
		t.Helper()
		wait, err := b.Wait(now.Add(at))
		if wait != want || (err != nil) != (words != "") || err != nil && err.Error() != words {
			t.Errorf("%s later: wait %s, %v, want %s, %q", at, wait, err, want, words)
		}
	}
	expect(0, 0, "")
	refused := errors.New("refused")
	for _, delay := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		delay *= time.Second
		err := b.Fail(now, refused)
		words := "refused; the next attempt is at " + now.Add(delay).Format(time.TimeOnly) + " UTC"
		if err.Error() != words || !errors.Is(err, refused) {
			t.Errorf("error %v, want %q", err, words)
		}
		expect(0, delay, words)
		expect(delay-time.Second, time.Second, words)
		expect(delay, 0, "")
		expect(-time.Second, 0, "")
		now = now.Add(delay)
	}
	b.Reset()
	expect(0, 0, "")
	_ = b.Fail(now, refused)
	expect(10*time.Second, 0, "")
}
