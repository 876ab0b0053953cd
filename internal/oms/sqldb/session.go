package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
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
	r := &reader{source: s, tx: tx}
	if r.schema, r.texts, err = s.look(ctx, r, now); err == nil {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if !reflect.DeepEqual(sch, s.schema) {
		texts, err := render(s.dialect, sch, s.client.Orders.CreatedExclude.MissingAttributes)
		if err != nil {
			return nil, nil, err
		}
		s.texts = texts
	}
	if s.schema == nil || len(s.schema.missing) != len(sch.missing) {
		for _, c := range sch.missing {
			s.logger.Info("missing in this database: the metrics that need it are absent", "table", c.Table, "column", c.Column)
		}
	}
	s.schema, s.probed = sch, now
	return sch, s.texts, nil
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
		a.forget()
	}
	return err
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
