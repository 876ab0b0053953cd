// Package backoff says when to try again what failed, for logins above all: a server that refuses one may lock the account
// if it is asked too often.
package backoff

import (
	"fmt"
	"time"
)

const (
	firstDelay = 10 * time.Second
	lastDelay  = 5 * time.Minute
)

// A Backoff waits after a failure: firstDelay, then twice as long each time, and lastDelay at most. The zero Backoff has seen
// no failure. It is not safe for concurrent use.
type Backoff struct {
	delay time.Duration
	next  time.Time
	cause error
}

// Wait returns what Fail returned and how long it still holds, or nil when it is time to try.
func (b *Backoff) Wait(now time.Time) (time.Duration, error) {
	if wait := b.next.Sub(now); b.cause != nil && 0 < wait && wait <= b.delay { // else the clock was set back
		return wait, b.cause
	}
	return 0, nil
}

// Fail notes that an attempt has failed, and adds to its error when the next one is made. The words stay the same until
// then: who logs each new error does not log one at each scrape.
func (b *Backoff) Fail(now time.Time, err error) error {
	b.delay = min(max(firstDelay, 2*b.delay), lastDelay)
	b.next = now.Add(b.delay)
	b.cause = fmt.Errorf("%w; the next attempt is at %s", err, b.next.UTC().Format("15:04:05 UTC"))
	return b.cause
}

// Reset forgets all failures.
func (b *Backoff) Reset() { *b = Backoff{} }
