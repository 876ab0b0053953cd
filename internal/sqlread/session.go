package sqlread

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/trace"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

var errClosed = errors.New("the source is closed")

// rollbackTimeout is how long a server may take to end a transaction before its connection is closed.
const rollbackTimeout = 2 * time.Second

// A Reader sends the statements of one run, in one read-only transaction.
type Reader struct {
	// Schema is what is known of the database's schema. Some of its tables can be used.
	Schema *Schema

	db         *DB
	conn       *sql.Conn
	statements map[string]*statement
}

// Read runs fn in a transaction of its own on the lane's one connection. The error that it returns is for people: in plain
// words, without secrets, and naming the client.
func (db *DB) Read(ctx context.Context, l Lane, now time.Time, fn func(context.Context, *Reader) error) error {
	return db.withConn(ctx, l, func(ctx context.Context) error { return db.ReadHeld(ctx, now, fn) })
}

const ping = "SELECT 1"

// Ping asks the server on the lane's one connection whether it is there.
func (db *DB) Ping(ctx context.Context, l Lane, now time.Time) error {
	return db.withConn(ctx, l, func(ctx context.Context) error {
		conn, err := db.connect(ctx, now, func(conn *sql.Conn) error {
			_, err := conn.ExecContext(ctx, ping) // the driver's own would not tell the server's words
			return err
		})
		if err != nil {
			return db.Describe(ctx, err)
		}
		_ = conn.Close() // back to the pool
		return nil
	})
}

// withConn runs fn while nobody else may use the lane's one connection. The context that fn gets also ends with the database.
func (db *DB) withConn(ctx context.Context, l Lane, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(db.closing, func() { cancel(errClosed) })()
	if err := l.Acquire(ctx); err != nil {
		return db.Describe(ctx, err)
	}
	defer l.Release()
	return fn(ctx)
}

// ReadHeld is Read for callers that have acquired the lane already.
func (db *DB) ReadHeld(ctx context.Context, now time.Time, fn func(context.Context, *Reader) error) error {
	conn, err := db.connect(ctx, now, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, db.dialect.begin(ctx, db.config.Timezone))
		return err
	})
	if err != nil {
		return db.Describe(ctx, err)
	}
	defer func() { _ = conn.Close() }() // back to the pool, or already broken
	defer db.killOnCancel(ctx, conn)()
	defer rollBack(ctx, conn)
	r := &Reader{db: db, conn: conn}
	switch r.Schema, r.statements, err = db.currentSchema(ctx, r, now); {
	case err != nil:
	case len(r.Schema.tables) == 0:
		db.SuspectSchema()
		err = MissingError("the database has no OMS tables, or its user is not allowed to read any")
	default:
		err = fn(ctx, r)
	}
	return db.Describe(ctx, err)
}

// connect takes a connection from the pool and sends the first command on it. One that the server, or something on the way
// to it, has closed meanwhile is found out by that, and the next one is taken; a new one has no such excuse.
func (db *DB) connect(ctx context.Context, now time.Time, first func(*sql.Conn) error) (*sql.Conn, error) {
	db.logins.at(now)
	for {
		rested := db.pool.Stats().Idle > 0
		conn, err := db.pool.Conn(ctx)
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

// killOnCancel has the connection's statement killed on the server if the context ends before the returned function is called.
func (db *DB) killOnCancel(ctx context.Context, conn *sql.Conn) func() {
	if db.dialect.kill == nil {
		return func() {}
	}
	kill, err := db.dialect.kill(conn)
	if err != nil {
		db.logger.Warn("no way to cancel statements", "err", err)
		return func() {}
	}
	if !db.addBackground() {
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() {
		defer db.background.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
		defer cancel()
		// A statement that is on its way, or still being parsed, does not hear the first call. The connection is given up
		// anyway, so that further ones hit nobody.
		for range kills {
			var done bool
			err := flight.Run(func() (err error) { done, err = kill(ctx); return err })
			if err != nil {
				db.logger.Debug("the statement could not be cancelled", "err", db.Describe(ctx, err))
			}
			if done || err != nil {
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
			db.background.Done()
			return
		}
		// The kill may come when somebody else has the connection: nobody shall.
		discard(conn)
	}
}

// Has says whether this OMS version has what the statement needs.
func (r *Reader) Has(statement string) bool { return r.statements[statement] != nil }

// Text returns the statement's text, or nothing where this OMS version does not have what it needs.
func (r *Reader) Text(statement string) string {
	if st := r.statements[statement]; st != nil {
		return st.text
	}
	return ""
}

// Query sends a statement of the catalogue and calls fn for each row. Where this OMS version does not have what the statement needs, the
// error is a MissingError.
func (r *Reader) Query(ctx context.Context, statement string, named Args, fn func(Record)) error {
	if !r.Has(statement) {
		return MissingError("the database does not have a table or column that the statement " + statement + " reads")
	}
	err := r.send(ctx, statement, r.statements[statement], named, fn)
	if err != nil && ctx.Err() == nil {
		r.db.SuspectSchema()
	}
	return err
}

func (r *Reader) send(ctx context.Context, name string, st *statement, named Args, fn func(Record)) (err error) {
	text, values, err := st.bind(r.db.dialect, named)
	if err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	start, n := time.Now(), 0
	defer func() {
		if err != nil {
			err = fmt.Errorf("statement %s: %w", name, err)
		}
		trace.From(ctx)(name, time.Since(start), n, r.db.Describe(ctx, err))
	}()
	rows, err := r.conn.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // each reports what matters
	n, err = st.each(rows, r.db.config.Timezone, fn)
	return err
}

// Time makes a parameter of an instant that is compared with a stored time.
func (r *Reader) Time(t time.Time) any { return r.db.dialect.time(t.In(r.db.config.Timezone)) }

// Stored makes a parameter of a time as it is stored, see walltime.Moment.
func (r *Reader) Stored(t time.Time) any { return r.db.dialect.time(t) }

// Floor makes a parameter with which a stored time is compared that must surely be earlier than t: in the hour that an
// autumn change repeats, the reading that makes the younger age counts.
func (r *Reader) Floor(t time.Time) any {
	if r.db.dialect.zoned {
		return r.Time(t)
	}
	return r.Stored(walltime.Moment{}.Floor(t, r.db.config.Timezone))
}
