package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A server that cannot be reached is tried again after firstDelay, then after twice as long, and so on: a server that refuses
// a login may lock the account if it is asked too often.
const (
	firstDelay = 10 * time.Second
	lastDelay  = 5 * time.Minute
)

// server is a user's account on an SFTP server, and the connection to it.
type server struct {
	logger    *slog.Logger
	config    config.SFTP // of its first location
	locations []*location
	slot      chan struct{} // whoever fills it has what follows, and the locations

	conn  *connection // nil unless there is one
	delay time.Duration
	retry time.Time // before that no connection is tried, because of failure
	cause error
}

func newServer(logger *slog.Logger, c config.SFTP) *server {
	return &server{logger: logger, config: c, slot: make(chan struct{}, 1)}
}

// look looks at the server's locations, one after another.
func (s *server) look(ctx context.Context, now time.Time) map[*location]sight {
	sights := make(map[*location]sight, len(s.locations))
	err := s.hold(ctx, now, func(c *connection) {
		for _, l := range s.locations {
			sights[l] = l.look(ctx, c, now)
		}
	})
	if err != nil {
		for _, l := range s.locations {
			sights[l] = sight{l.nothing(), err}
		}
	}
	return sights
}

// hold calls fn with the connection, which ends with the context. It is kept only if nothing is left under way on it.
func (s *server) hold(ctx context.Context, now time.Time, fn func(*connection)) error {
	select {
	case s.slot <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("the one connection to %s is busy", s.config.Address)
	}
	defer func() { <-s.slot }()
	if s.conn != nil && s.conn.isLost() {
		s.drop()
	}
	if s.conn == nil {
		if err := s.connect(ctx, now); err != nil {
			return err
		}
	}
	release := s.conn.under(ctx)
	fn(s.conn)
	if release(); ctx.Err() != nil || s.conn.isLost() {
		s.drop()
	}
	return nil
}

// connect makes a connection, unless it is too early to try again. Until then the error is that of the last attempt, word for
// word: who logs each new one shall not log one at each look.
func (s *server) connect(ctx context.Context, now time.Time) error {
	if wait := s.retry.Sub(now); s.cause != nil && 0 < wait && wait <= s.delay { // else the clock was set back
		oms.TraceFrom(ctx)("no connection to "+s.config.Address+" for another "+wait.Round(time.Second).String(), 0, 0, nil)
		return s.cause
	}
	start := time.Now()
	conn, err := dial(ctx, s.config)
	oms.TraceFrom(ctx)("connect to "+s.config.Address, time.Since(start), 0, mask(s.config.Password, err))
	if err == nil {
		s.logger.Debug("connected")
		s.conn, s.delay, s.cause = conn, 0, nil
		return nil
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // which is the caller's doing
		s.delay = min(max(firstDelay, 2*s.delay), lastDelay)
		err = fmt.Errorf("%w; the next attempt is %s after this one", err, s.delay)
		s.retry, s.cause = now.Add(s.delay), err
	}
	return err
}

func (s *server) drop() {
	s.conn.close()
	s.conn = nil
	s.logger.Debug("the connection is given up")
}

// close closes the connection for good: nobody gets the slot any more.
func (s *server) close() {
	s.slot <- struct{}{}
	if s.conn != nil {
		s.drop()
	}
}
