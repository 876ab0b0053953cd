package dropfolder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/backoff"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// server is a user's account on an SFTP server, and the connection to it.
type server struct {
	logger    *slog.Logger
	config    config.SFTP // of its first location
	locations []*location
	slot      chan struct{} // the caller that fills it owns what follows, and the locations

	conn    *connection       // nil unless there is one
	tried   [sha256.Size]byte // of what the configuration's files held at the last attempt
	backoff backoff.Backoff
	hasty   time.Duration // what the last attempt was given, if it ended because of that

	unreadable string // the lines of the known_hosts file that were warned of
}

func newServer(logger *slog.Logger, c config.SFTP) *server {
	return &server{logger: logger, config: c, slot: make(chan struct{}, 1)}
}

// look looks at the server's locations, one after another. A panic there is theirs: the other servers go on.
func (s *server) look(ctx context.Context, now time.Time) map[*location]observation {
	sights := make(map[*location]observation, len(s.locations))
	err := flight.Run(func() error {
		return s.hold(ctx, now, func(c *connection) {
			for _, l := range s.locations {
				sights[l] = l.look(ctx, c, now)
			}
		})
	})
	if err != nil {
		for _, l := range s.locations {
			sights[l] = observation{l.nothing(), err}
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
	release := s.conn.bindContext(ctx)
	complete := false
	defer func() {
		if release(); !complete || ctx.Err() != nil || s.conn.isLost() {
			s.drop()
		}
	}()
	fn(s.conn)
	complete = true // no panic
	return nil
}

// connect makes a connection, unless it is too early to try again. Until then the error is that of the last attempt, but for who has much
// more time than that had.
func (s *server) connect(ctx context.Context, now time.Time) error {
	start, given := time.Now(), time.Duration(math.MaxInt64)
	if deadline, limited := ctx.Deadline(); limited {
		given = deadline.Sub(start)
	}
	if held := s.held(); held != s.tried { // it may be right now
		s.tried = held
		s.backoff.Reset()
	}
	if wait, cause := s.backoff.Wait(now); cause != nil && (s.hasty == 0 || given/2 < s.hasty) {
		trace.From(ctx)("no connection to "+s.config.Address+" for another "+wait.Round(time.Second).String(), 0, 0, nil)
		return cause
	}
	conn, err := s.dial(ctx)
	trace.From(ctx)("connect to "+s.config.Address, time.Since(start), 0, redact(s.config.Password, err))
	if err == nil {
		s.logger.Debug("connected")
		s.conn = conn
		s.backoff.Reset()
		return nil
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // which is the caller's doing
		err = s.backoff.Fail(now, err)
		if s.hasty = 0; time.Since(start) >= given { // the connection may notice before ctx does
			s.hasty = given
		}
	}
	return err
}

// held tells apart what the login depends on.
func (s *server) held() [sha256.Size]byte {
	c := s.config
	return config.Digest(c.Password, c.PrivateKey, c.PrivateKey.Beside(certificate), c.Passphrase, c.KnownHosts)
}

// dial makes a connection, and warns once of what the known_hosts file has that is not read.
func (s *server) dial(ctx context.Context) (*connection, error) {
	hosts, err := readKnownHosts(s.config.KnownHosts)
	if err != nil {
		return nil, err
	}
	lines := hosts.unreadable()
	if lines != "" && lines != s.unreadable {
		s.logger.Warn("lines of the known_hosts file are ignored, because they do not contain a readable host key: correct or remove them",
			"file", hosts.path, "lines", lines)
	}
	s.unreadable = lines
	return dial(ctx, s.config, hosts)
}

func (s *server) drop() {
	s.conn.close()
	s.conn = nil
	s.logger.Debug("the connection is closed")
}

// close closes the connection for good: nobody gets the slot any more.
func (s *server) close() {
	s.slot <- struct{}{}
	if s.conn != nil {
		s.drop()
	}
}
