// Package sqldb is an oms.Source over an SQL database: MySQL or MariaDB, PostgreSQL, or SQLite.
//
// It is a guest there. It reads in read-only transactions whose statements have a time limit on the server and are
// cancelled on the server when the caller gives up. All statements stand in statements.sql.
package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	probeEvery  = 5 * time.Minute
	killTimeout = 5 * time.Second
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
	instance, orders, jobs, files *area
	// The two collectors that read data_manager_log share one refresh of it.
	dataManager flight.Flight[fileFacts]
	imports     imports
	skew        skew

	mu     sync.Mutex
	schema *schema
	texts  map[string]string
	probed time.Time

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
		instance: newArea("instance", nil), imports: imports{counts: map[oms.Channel]uint64{}},
	}
	s.orders = newArea("orders", func() *history { return newHistory("orders", decodeOrder, keepOrders) })
	s.jobs = newArea("jobs", func() *history { return newHistory("jobs", decodeJob, keepJobs) })
	s.files = newArea("files", s.newFileHistory)
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
	s.stop()
	err := s.db.Close()
	s.background.Wait()
	return err
}

var errClosed = errors.New("the source is closed")

// A reader sends the statements of one run, in one read-only transaction.
type reader struct {
	source *Source
	tx     *sql.Tx
	schema *schema
	texts  map[string]string
}

// read runs fn in a transaction of its own on the area's one connection.
func (s *Source) read(ctx context.Context, a *area, now time.Time, fn func(*reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.closing, func() { cancel(errClosed) })()
	if err := a.acquire(ctx); err != nil {
		return s.plain(ctx, err)
	}
	defer a.release()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return s.plain(ctx, fmt.Errorf("connect: %w", err))
	}
	defer func() { _ = conn.Close() }() // back to the pool, or already broken
	defer s.guard(ctx, conn)()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation, ReadOnly: true})
	if err != nil {
		return s.plain(ctx, fmt.Errorf("begin: %w", err))
	}
	defer func() { _ = tx.Rollback() }() // nothing to keep
	r := &reader{source: s, tx: tx}
	if r.schema, r.texts, err = s.look(ctx, r, now); err == nil {
		err = fn(r)
	}
	return s.plain(ctx, err)
}

// guard has the connection's statement killed on the server if the context ends before the returned function is called.
func (s *Source) guard(ctx context.Context, conn *sql.Conn) func() {
	if s.dialect.kill == nil {
		return func() {}
	}
	kill, err := s.dialect.kill(conn)
	if err != nil {
		s.logger.Warn("no way to cancel statements", "err", err)
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() {
		s.background.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
			defer cancel()
			if err := kill(ctx); err != nil {
				s.logger.Debug("kill query", "err", s.mask(err.Error()))
			}
		})
	})
	return func() {
		if !stop() { // the kill may come when somebody else has the connection: nobody shall
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
}

// look returns the schema, probing for it at first and from time to time.
func (s *Source) look(ctx context.Context, r *reader, now time.Time) (*schema, map[string]string, error) {
	s.mu.Lock()
	sch, texts, age := s.schema, s.texts, now.Sub(s.probed)
	s.mu.Unlock()
	if sch != nil && age >= 0 && age < probeEvery {
		return sch, texts, nil
	}
	sch, err := s.dialect.probe(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if texts, err = render(s.dialect, sch, s.client.Orders.CreatedExclude.MissingAttributes); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schema == nil || len(s.schema.missing) != len(sch.missing) {
		for _, c := range sch.missing {
			s.logger.Info("missing in this database: the metrics that need it are absent", "table", c.Table, "column", c.Column)
		}
	}
	s.schema, s.texts, s.probed = sch, texts, now
	return sch, texts, nil
}

// forget has the schema looked at again: a statement failed, so it may have changed.
func (s *Source) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probed = time.Time{}
}

// need returns an error unless the area's table can be used. Then what is held of it is worth nothing any more, and the
// next run looks whether it is back.
func (r *reader) need(a *area, table string) error {
	err := r.schema.need(table)
	if err != nil {
		r.source.forget()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.history = nil
		if !a.running {
			a.next = nil
		}
	}
	return err
}

// can says whether this vintage has what the statement needs.
func (r *reader) can(statement string) bool { return r.texts[statement] != "" }

// query sends a statement of statements.sql and calls fn for each row.
func (r *reader) query(ctx context.Context, statement string, named args, fn func(record)) error {
	err := r.send(ctx, statement, r.texts[statement], named, fn)
	if err != nil && ctx.Err() == nil {
		r.source.forget()
	}
	return err
}

func (r *reader) send(ctx context.Context, name, text string, named args, fn func(record)) (err error) {
	d := r.source.dialect
	text, values, err := d.bind(text, named)
	if err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	start, n := time.Now(), 0
	defer func() {
		if err != nil {
			err = fmt.Errorf("statement %s: %w", name, err)
		}
		oms.TraceFrom(ctx)(name, time.Since(start), n, r.source.plain(ctx, err))
	}()
	if deadline, ok := ctx.Deadline(); ok && d.limit != nil {
		if err := d.limit(ctx, r.tx, time.Until(deadline)); err != nil {
			return err
		}
	}
	rows, err := r.tx.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // each reports what matters
	n, err = each(rows, r.source.client.Database.Timezone, fn)
	return err
}

// time makes a parameter of an instant that is compared with a stored time.
func (r *reader) time(t time.Time) any {
	return r.source.dialect.time(t.In(r.source.client.Database.Timezone))
}

// floor makes a parameter with which a stored time is compared that must surely be earlier than t: in the hour that an
// autumn change repeats, the reading that makes the younger age counts.
func (r *reader) floor(t time.Time) any {
	if r.source.dialect.zoned {
		return r.time(t)
	}
	return r.source.dialect.time(moment{}.floor(t, r.source.client.Database.Timezone))
}

// plain says in plain words what went wrong, for people: without secrets, and naming the client.
func (s *Source) plain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("client %s: gave up: %w (%s)", s.client.Name, context.Cause(ctx), s.mask(err.Error()))
	}
	return &plainError{text: fmt.Sprintf("client %s: %s", s.client.Name, s.mask(err.Error())), err: err}
}

// plainError prints masked. It answers errors.Is and As, but does not unwrap: what it wraps is not masked.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string        { return e.text }
func (e *plainError) Is(target error) bool { return errors.Is(e.err, target) }
func (e *plainError) As(target any) bool   { return errors.As(e.err, target) }

// mask removes what a driver or a server quotes of the secret.
func (s *Source) mask(text string) string {
	dsn, err := s.client.Database.DSN.Read()
	if err != nil {
		return text
	}
	password := s.dialect.password(dsn)
	for _, secret := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "<secret>")
		}
	}
	return text
}

// An area is a part of the OMS that has one connection at a time and, unless it is the instance itself, a history.
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
