package demo

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// claim creates the client's database file in dir, empty. One that is already there is an error.
func (p profile) claim(dir string) error {
	path := filepath.Join(dir, p.file())
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("%s: create the database: %w", p.name, err)
	}
	return nil
}

// create fills the client's database in dir and lets its past happen, until start. The indexes come last: it is much
// faster so.
func (c *client) create(ctx context.Context, dir string, start time.Time) error {
	// Nothing is lost that matters, so nothing waits for the disk.
	db, err := sql.Open("sqlite", filepath.Join(dir, c.file())+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(10000)"+
		"&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(8000)")
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(1)
	c.db = db
	var indexes []string
	for _, statement := range omsschema.Statements(omsschema.SQLite) {
		if strings.HasPrefix(statement, "CREATE INDEX") {
			indexes = append(indexes, statement)
		} else if _, err := c.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create a table: %w", err)
		}
	}
	if err := c.advance(ctx, start); err != nil {
		return err
	}
	for _, statement := range indexes {
		if _, err := c.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create an index: %w", err)
		}
	}
	return nil
}

// flush lets the world see what has changed.
func (c *client) flush(ctx context.Context) error {
	err := c.write(ctx)
	if err == nil {
		c.publish()
	}
	return err
}

// write writes what has changed, in one transaction, unless the replica has stopped that the exporter reads.
func (c *client) write(ctx context.Context) error {
	if c.on[replicaStopped] || len(c.unwritten) == 0 && c.purge.IsZero() {
		return nil
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	// Each statement takes microseconds. Watching the context in each would cost more than the statement itself.
	whole := context.WithoutCancel(ctx)
	zone := c.writingZone()
	for _, r := range c.unwritten {
		cells := slices.Concat(r.values(), r.meta().values(r.table()))
		for i, cell := range cells {
			cells[i] = stored(cell, zone)
		}
		name := r.table().name
		insert := tx.StmtContext(whole, c.insert[name]) //nolint:sqlclosecheck // the transaction closes it
		if _, err := insert.ExecContext(whole, cells...); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	if !c.purge.IsZero() {
		if _, err := tx.ExecContext(whole, purgeJobs, stored(c.purge, zone)); err != nil {
			return fmt.Errorf("purge jobs: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, r := range c.unwritten {
		r.meta().unwritten = false
		if c.on[timezoneWrong] {
			c.misdated = append(c.misdated, r)
		}
	}
	c.unwritten, c.purge = c.unwritten[:0], time.Time{}
	return nil
}

// prepare prepares the statements that write needs. There is one connection, so this cannot wait until it is in use.
func (c *client) prepare(ctx context.Context) error {
	for _, r := range c.unwritten {
		into := r.table()
		if c.insert[into.name] != nil {
			continue
		}
		insert, err := c.db.PrepareContext(ctx, into.upsert()) //nolint:sqlclosecheck // the database closes it
		if err != nil {
			return fmt.Errorf("prepare %s: %w", into.name, err)
		}
		c.insert[into.name] = insert
	}
	return nil
}
