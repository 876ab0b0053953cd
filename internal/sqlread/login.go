package sqlread

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/backoff"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	loginTimeout = 10 * time.Second // of one login, whatever time its caller has: others wait for what it finds out
	loginHolds   = 10 * time.Second // how long others need not wait after a login was accepted
)

// logins is how all connections to a client's database log in: those of every lane, and those that cancel statements. A
// server may lock an account whose logins it has refused too often. So after a refusal there is no attempt before the
// back-off is over, or the DSN or a file of TLS has changed; and as long as it is unknown whether a login is accepted, one
// tries it and the others wait.
type logins struct {
	dsn   config.Secret
	tls   *config.TLS
	alone chan struct{} // held while a login is tried

	mu       sync.Mutex // guards what follows
	now      time.Time  // when the last run began
	tried    [sha256.Size]byte
	backoff  backoff.Backoff
	accepted time.Time
}

func newLogins(db config.Database) *logins {
	return &logins{dsn: db.DSN, tls: db.TLS, alone: make(chan struct{}, 1)}
}

// at notes that a run begins.
func (l *logins) at(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = now
}

// time returns when the last run began.
func (l *logins) time() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// A loginError is what prevented a connection.
type loginError struct{ err error }

func (e loginError) Error() string { return e.err.Error() }
func (e loginError) Unwrap() error { return e.err }

// open returns a new connection, which dial makes with the DSN of the moment.
func (l *logins) open(ctx context.Context, dial func(ctx context.Context, dsn string) (driver.Conn, error)) (driver.Conn, error) {
	conn, err := l.try(ctx, dial)
	if err != nil {
		return nil, loginError{err}
	}
	return conn, nil
}

func (l *logins) try(ctx context.Context, dial func(ctx context.Context, dsn string) (driver.Conn, error)) (driver.Conn, error) {
	dsn, err := l.dsn.Read()
	if err != nil {
		return nil, err
	}
	digest := l.digest(dsn)
	if !l.known(digest) {
		select {
		case l.alone <- struct{}{}:
		case <-ctx.Done():
			return nil, errors.New("another login has not been answered yet")
		}
		release := sync.OnceFunc(func() { <-l.alone })
		defer release()
		if l.known(digest) { // the one before has found it out
			release()
		}
	}
	now, err := l.wait(digest)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	conn, err := dial(ctx, dsn)
	return conn, l.answered(digest, now, err)
}

// digest tells apart what a login depends on.
func (l *logins) digest(dsn string) [sha256.Size]byte {
	all := []string{dsn}
	if l.tls != nil {
		for _, s := range []config.Secret{l.tls.CA, l.tls.Cert, l.tls.Key} {
			value, _ := s.Read() // the login itself says why it cannot be read
			all = append(all, value)
		}
	}
	return sha256.Sum256([]byte(strings.Join(all, "\x00")))
}

// known says whether the DSN has been accepted, or refused, only just.
func (l *logins) known(digest [sha256.Size]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if digest != l.tried {
		return false
	}
	_, refused := l.backoff.Wait(l.now)
	return refused != nil || !walltime.Due(l.now, l.accepted, loginHolds)
}

// wait returns the error of the last attempt as long as it is too early for another, else the time of the attempt.
func (l *logins) wait(digest [sha256.Size]byte) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if digest != l.tried {
		l.tried, l.accepted = digest, time.Time{}
		l.backoff.Reset()
	}
	_, refused := l.backoff.Wait(l.now)
	return l.now, refused
}

// answered notes how an attempt ended, and returns its error.
func (l *logins) answered(digest [sha256.Size]byte, now time.Time, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case digest != l.tried: // somebody has tried another since
	case err == nil:
		l.accepted = now
		l.backoff.Reset()
	case refuses(err):
		l.accepted = time.Time{}
		if _, refused := l.backoff.Wait(now); refused != nil { // of several at once, the first counts
			return refused
		}
		return l.backoff.Fail(now, err)
	}
	return err
}
