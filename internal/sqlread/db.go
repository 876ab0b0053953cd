// Package sqlread reads a database in read-only transactions, whose statements have a time limit on the server and are
// cancelled on the server when the caller gives up. It knows no table of the OMS: it is given a Catalogue.
package sqlread

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	probeEvery  = 5 * time.Minute
	probeAgain  = 2 * time.Minute // after something went wrong
	killTimeout = 3 * time.Second
	kills       = 3
	killAgain   = 300 * time.Millisecond
	idleTimeout = 10 * time.Minute
	lifetime    = 30 * time.Minute // so that a new secret, or another server behind the same name, comes into use
)

// A DB is one client's database. Its methods are safe for concurrent use.
type DB struct {
	logger    *slog.Logger
	client    string
	config    config.Database
	catalogue Catalogue
	dialect   dialect
	logins    *logins
	connector driver.Connector
	pool      *sql.DB

	probing chan struct{} // held while the catalogue is read

	mu         sync.Mutex // guards what follows, and that nothing begins in the background after Close
	schema     *Schema
	statements map[string]*statement
	probed     time.Time
	suspect    bool // something went wrong since

	background sync.WaitGroup // what Go started, and kills
	closing    context.Context
	stop       context.CancelFunc
}

// Open returns the database of the named client. It does not connect: that is done, with the secret read again, when a
// connection is first needed.
func Open(logger *slog.Logger, client string, cfg config.Database, catalogue Catalogue) (*DB, error) {
	d, err := dialectOf(cfg.Driver)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", client, err)
	}
	logins := newLogins(cfg)
	db := &DB{
		logger: logger, client: client, config: cfg, catalogue: catalogue, dialect: d, logins: logins,
		connector: d.connector(logger, cfg, logins), probing: make(chan struct{}, 1),
	}
	db.openPool(db.connector)
	db.closing, db.stop = context.WithCancel(context.Background())
	return db, nil
}

// Intercept has all connections made by what wrap returns, for who counts what they do; it must be called before the
// first is made. No statement is then cancelled on a server other than by its limit: only the drivers' own connections
// know how.
func (db *DB) Intercept(wrap func(driver.Connector) driver.Connector) error {
	err := db.pool.Close()
	db.openPool(wrap(db.connector))
	db.dialect.kill = nil
	return err
}

func (db *DB) openPool(connector driver.Connector) {
	db.pool = sql.OpenDB(connector)
	db.pool.SetMaxOpenConns(db.config.MaxConnections)
	db.pool.SetMaxIdleConns(db.config.MaxConnections)
	db.pool.SetConnMaxIdleTime(idleTimeout)
	db.pool.SetConnMaxLifetime(lifetime)
}

// Pool returns the connection pool, for its statistics.
func (db *DB) Pool() *sql.DB { return db.pool }

// Close ends running statements and what Go started, and closes the connections.
func (db *DB) Close() error {
	db.mu.Lock()
	db.stop()
	db.mu.Unlock()
	err := db.pool.Close()
	db.background.Wait()
	return err
}

// Go runs fn in the background, unless Close was called. Close ends fn's context and waits for fn.
func (db *DB) Go(fn func(ctx context.Context)) bool {
	if !db.addBackground() {
		return false
	}
	go func() {
		defer db.background.Done()
		if err := flight.Run(func() error { fn(db.closing); return nil }); err != nil {
			db.logger.Error("the background run failed", "err", err.Error()+flight.Stack(err))
		}
	}()
	return true
}

// Wait waits for what was started in the background.
func (db *DB) Wait() { db.background.Wait() }

// addBackground counts something in for which Close must wait, unless Close has begun. It ends with background.Done.
func (db *DB) addBackground() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closing.Err() != nil {
		return false
	}
	db.background.Add(1)
	return true
}

// Known returns what is known of the schema, nil at first, and whether only Read can say more: it is time to probe again, or
// no table could be used.
func (db *DB) Known(now time.Time) (s *Schema, again bool) {
	s, _, again = db.known(now)
	return s, again || len(s.tables) == 0 // again is set where s is nil
}

// known is Known with the statements.
func (db *DB) known(now time.Time) (s *Schema, statements map[string]*statement, again bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	every := probeEvery
	if db.suspect {
		every = probeAgain
	}
	return db.schema, db.statements, db.schema == nil || walltime.Due(now, db.probed, every)
}

// SuspectSchema has the schema probed again soon: something is wrong, so it may have changed.
func (db *DB) SuspectSchema() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.suspect = true
}

// A Lane is the right to use one connection at a time, so that a locked table costs its own lane only. The zero Lane is of
// no use.
type Lane struct {
	name string
	sem  chan struct{}
}

// NewLane returns a lane; the name says in errors what it is for.
func NewLane(name string) Lane { return Lane{name, make(chan struct{}, 1)} }

// As returns the same lane under another name.
func (l Lane) As(name string) Lane { return Lane{name, l.sem} }

// Acquire waits until nobody else uses the lane.
func (l Lane) Acquire(ctx context.Context) error {
	select {
	case l.sem <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the one connection for %s is busy", l.name)
	}
}

// Release ends what Acquire began.
func (l Lane) Release() { <-l.sem }
