package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// mostPrepared is how many statements a connection keeps: all there are, also with a few lengths of their lists.
const mostPrepared = 64

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// A preparedConn prepares each query once: parsing and planning cost as much as most answers. SQLite plans again by itself
// when the schema changes. A query must be read to its end before the same one is sent again.
type preparedConn struct {
	sqliteConn
	prepared map[string]driver.Stmt
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt := c.prepared[query]
	if stmt == nil {
		if len(c.prepared) == mostPrepared {
			if err := c.forget(); err != nil {
				return nil, err
			}
		}
		var err error
		if stmt, err = c.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		c.prepared[query] = stmt
	}
	queryer, can := stmt.(driver.StmtQueryContext)
	if !can {
		return nil, fmt.Errorf("a statement of the driver cannot query: %T", stmt)
	}
	return queryer.QueryContext(ctx, args)
}

// forget closes the statements.
func (c *preparedConn) forget() error {
	var errs []error
	for _, stmt := range c.prepared {
		errs = append(errs, stmt.Close())
	}
	clear(c.prepared)
	return errors.Join(errs...)
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error { return errors.Join(c.forget(), c.sqliteConn.Close()) }
