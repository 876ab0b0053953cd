// Package sqldb is an oms.Source over an SQL database: MySQL or MariaDB, PostgreSQL, or SQLite.
//
// It is a guest there. It reads in read-only transactions whose statements have a time limit on the server and are
// cancelled on the server when the caller gives up. All statements stand in statements.sql.
package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
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

// Source reads one client's OMS database. It implements oms.Source.
type Source struct {
	logger  *slog.Logger
	client  config.Client
	dialect dialect
	db      *sql.DB

	// Each area of the OMS uses one connection at a time, whether for a scrape or for its look back, so that a locked
	// table costs its own area only.
	instance, orders, jobs, files, messages *area
	// The jobs of Moqui have a history of their own, on the connection of the other jobs.
	runs      *area
	schedules map[string]*schedule // of Moqui's jobs, by their cron expressions; read by whoever has that connection
	// The two collectors that read data_manager_log share one refresh of it, also one after the other in a scrape.
	dataManager flight.Flight[fileFacts]
	lastFiles   atomic.Pointer[fileFacts]
	fileStates  map[string]string // made once: every row of it is read by them
	imports     imports
	open        openOrders
	missing     missing
	skew        skew

	strangeFiles, strangeMessages strangers

	probing chan struct{} // held by whoever looks at the catalogue

	mu         sync.Mutex // guards what follows, and that nothing begins in the background after Close
	schema     *schema
	statements map[string]*statement
	probed     time.Time
	doubtful   bool // something went wrong since

	background sync.WaitGroup // look backs and kills
	closing    context.Context
	stop       context.CancelFunc
}

var _ oms.Source = (*Source)(nil)

// Open returns a Source for the client's database. It does not connect: that is done, with the secret read anew, when
// a connection is first needed.
func Open(logger *slog.Logger, client config.Client) (*Source, error) {
	d, err := dialectOf(client.Database.Driver)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", client.Name, err)
	}
	connector, err := d.connector(client.Database)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", client.Name, err)
	}
	s := &Source{
		logger: logger.With("client", client.Name), client: client, dialect: d, db: sql.OpenDB(connector),
		instance: newArea("instance", nil), messages: newArea("system messages", nil), imports: imports{counts: map[unique.Handle[traits]]uint64{}},
		skew: skew{stamps: map[string]moment{}}, fileStates: fileStates(),
		probing: make(chan struct{}, 1),
	}
	s.orders = newArea("orders", newOrderHistory)
	s.jobs = newArea("jobs", func() *history { return newHistory("jobs", decodeJob, keepJobs) })
	s.files = newArea("files", s.newFileHistory)
	s.runs = newArea("Moqui's jobs", newRunHistory)
	s.runs.slot = s.jobs.slot
	s.db.SetMaxOpenConns(client.Database.MaxConnections)
	s.db.SetMaxIdleConns(client.Database.MaxConnections)
	s.db.SetConnMaxIdleTime(idleTimeout)
	s.db.SetConnMaxLifetime(lifetime)
	s.closing, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// DB returns the pool, for its statistics.
func (s *Source) DB() *sql.DB { return s.db }

// Close implements oms.Source.
func (s *Source) Close() error {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	err := s.db.Close()
	s.background.Wait()
	return err
}

// begin counts something in for which Close must wait, unless Close has begun. It ends with background.Done.
func (s *Source) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return false
	}
	s.background.Add(1)
	return true
}

// An area is a part of the OMS that has one connection at a time and, apart from the instance and its messages, a history.
type area struct {
	name       string
	slot       chan struct{}
	newHistory func() *history

	mu       sync.Mutex // guards what follows
	history  *history   // the complete one
	next     *history   // the one that a look back is filling
	running  bool       // whether that look back is under way
	progress string
	failed   error
}

func newArea(name string, newHistory func() *history) *area {
	return &area{name: name, slot: make(chan struct{}, 1), newHistory: newHistory}
}

func (a *area) acquire(ctx context.Context) error {
	select {
	case a.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the one connection for %s is busy", a.name)
	}
}

func (a *area) release() { <-a.slot }

// forget drops what is known of the area: its table is not there any more.
func (a *area) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history = nil
	if !a.running {
		a.next = nil
	}
}

// held returns the rows on which the area's history rests, for whoever has its connection.
func (a *area) held() map[string]*row {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.history == nil {
		return nil
	}
	return a.history.rows
}
