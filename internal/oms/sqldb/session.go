package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var errClosed = errors.New("the source is closed")

// rollbackTimeout is how long a server may take to end a transaction before its connection is closed.
const rollbackTimeout = 2 * time.Second

// A reader sends the statements of one run, in one read-only transaction.
type reader struct {
	source     *Source
	conn       *sql.Conn
	schema     *schema
	statements map[string]*statement
}

// read runs fn in a transaction of its own on the area's one connection.
func (s *Source) read(ctx context.Context, a *area, now time.Time, fn func(context.Context, *reader) error) error {
	return s.hold(ctx, a, func(ctx context.Context) error { return s.readHeld(ctx, now, fn) })
}

// ping asks the server on the area's one connection whether it is there.
func (s *Source) ping(ctx context.Context, a *area) error {
	return s.hold(ctx, a, func(ctx context.Context) error {
		conn, err := s.connect(ctx, func(conn *sql.Conn) error {
			_, err := conn.ExecContext(ctx, "SELECT 1") // a ping would not tell the server's own words
			return err
		})
		if err != nil {
			return s.plain(ctx, err)
		}
		_ = conn.Close() // back to the pool
		return nil
	})
}

// hold runs fn while nobody else may use the area's one connection. The context that fn gets also ends with the source.
func (s *Source) hold(ctx context.Context, a *area, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.closing, func() { cancel(errClosed) })()
	if err := a.acquire(ctx); err != nil {
		return s.plain(ctx, err)
	}
	defer a.release()
	return fn(ctx)
}

// readHeld is read for whoever has the area's connection already.
func (s *Source) readHeld(ctx context.Context, now time.Time, fn func(context.Context, *reader) error) error {
	conn, err := s.connect(ctx, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, s.dialect.begin(ctx))
		return err
	})
	if err != nil {
		return s.plain(ctx, err)
	}
	defer func() { _ = conn.Close() }() // back to the pool, or already broken
	defer s.guard(ctx, conn)()
	defer rollBack(ctx, conn)
	r := &reader{source: s, conn: conn}
	switch r.schema, r.statements, err = s.look(ctx, r, now); {
	case err != nil:
	case len(r.schema.tables) == 0:
		s.doubt()
		err = lackError("no table of an OMS is in the database, or its user may not read any")
	default:
		err = fn(ctx, r)
	}
	return s.plain(ctx, err)
}

// connect takes a connection from the pool and sends the first command on it. One that the server, or something on the way
// to it, has closed meanwhile is found out by that, and the next one is taken; a new one has no such excuse.
func (s *Source) connect(ctx context.Context, first func(*sql.Conn) error) (*sql.Conn, error) {
	for {
		rested := s.db.Stats().Idle > 0
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		if err = first(conn); err == nil {
			return conn, nil
		}
		discard(conn)
		if !rested || ctx.Err() != nil {
			return nil, fmt.Errorf("first command: %w", err)
		}
	}
}

// rollBack ends the transaction, in which there is nothing to keep, also where ctx has ended. Nobody gets the connection
// with the transaction still open.
func rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		discard(conn)
	}
}

// discard closes the connection instead of giving it back to the pool.
func discard(conn *sql.Conn) { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }

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
	if !s.begin() {
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() {
		defer s.background.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
		defer cancel()
		// A statement that is on its way, or still being parsed, does not hear the first call. The connection is given up
		// anyway, so that further ones hit nobody.
		for range kills {
			if err := kill(ctx); err != nil {
				s.logger.Debug("the statement could not be cancelled", "err", s.mask(err))
				return
			}
			select {
			case <-time.After(killAgain):
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		if stop() {
			s.background.Done()
			return
		}
		// The kill may come when somebody else has the connection: nobody shall.
		discard(conn)
	}
}

// can says whether this vintage has what the statement needs.
func (r *reader) can(statement string) bool { return r.statements[statement] != nil }

// text returns the statement's text, or nothing where this vintage lacks what it needs.
func (r *reader) text(statement string) string {
	if st := r.statements[statement]; st != nil {
		return st.text.Value()
	}
	return ""
}

// query sends a statement of statements.sql and calls fn for each row.
func (r *reader) query(ctx context.Context, statement string, named args, fn func(record)) error {
	if !r.can(statement) {
		return lackError("the database lacks what the statement " + statement + " reads")
	}
	err := r.send(ctx, statement, r.statements[statement], named, fn)
	if err != nil && ctx.Err() == nil {
		r.source.doubt()
	}
	return err
}

func (r *reader) send(ctx context.Context, name string, st *statement, named args, fn func(record)) (err error) {
	text, values, err := st.bind(r.source.dialect, named)
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
	rows, err := r.conn.QueryContext(ctx, text, values...)
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
