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

// A reader sends the statements of one run, in one read-only transaction.
type reader struct {
	source *Source
	tx     *sql.Tx
	schema *schema
	texts  map[string]string
}

// read runs fn in a transaction of its own on the area's one connection. The context that fn gets also ends with the
// source.
func (s *Source) read(ctx context.Context, a *area, now time.Time, fn func(context.Context, *reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.closing, func() { cancel(errClosed) })()
	if err := a.acquire(ctx); err != nil {
		return s.plain(ctx, err)
	}
	defer a.release()
	return s.readHeld(ctx, now, fn)
}

// readHeld is read for whoever has the area's connection already.
func (s *Source) readHeld(ctx context.Context, now time.Time, fn func(context.Context, *reader) error) error {
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
	if deadline, ok := ctx.Deadline(); ok && s.dialect.limit != nil {
		if err := s.dialect.limit(ctx, tx, time.Until(deadline)); err != nil {
			return s.plain(ctx, fmt.Errorf("limit: %w", err))
		}
	}
	r := &reader{source: s, tx: tx}
	switch r.schema, r.texts, err = s.look(ctx, r, now); {
	case err != nil:
	case len(r.schema.tables) == 0:
		s.doubt()
		err = lackError("no table of an OMS is in the database, or its user may not read any")
	default:
		err = fn(ctx, r)
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
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// can says whether this vintage has what the statement needs.
func (r *reader) can(statement string) bool { return r.texts[statement] != "" }

// query sends a statement of statements.sql and calls fn for each row.
func (r *reader) query(ctx context.Context, statement string, named args, fn func(record)) error {
	if !r.can(statement) {
		return lackError("the database lacks what the statement " + statement + " reads")
	}
	err := r.send(ctx, statement, r.texts[statement], named, fn)
	if err != nil && ctx.Err() == nil {
		r.source.doubt()
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
