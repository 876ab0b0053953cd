package omsdata

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// Fill writes all the data into a database whose tables are empty, and makes its statistics. It logs how long each table
// takes. PostgreSQL must read times in UTC.
func Fill(tb testing.TB, driver config.Driver, db *sql.DB, w World) {
	tb.Helper()
	l := loaders()[driver]
	todo := make(chan table)
	var workers sync.WaitGroup
	for range l.workers {
		workers.Go(func() {
			for t := range todo {
				if err := l.load(tb, db, t); err != nil {
					tb.Errorf("fill %s: %v", t.name, err)
				}
			}
		})
	}
	for _, t := range w.tables() {
		todo <- t
	}
	close(todo)
	workers.Wait()
	if tb.Failed() {
		tb.FailNow()
	}
}

// A loader is how tables of a kind of database are filled fastest.
type loader struct {
	workers int // as many tables at a time
	// copy writes the rows of a table.
	copy func(ctx context.Context, db *sql.DB, t table) error
	// drop and create are the statements for some indexes of a table, analyze that for its statistics.
	schema       string
	drop, create func(table string, indexes []index) []string
	analyze      string
}

func loaders() map[config.Driver]loader {
	return map[config.Driver]loader{
		config.MySQL:    {2, copyMariaDB, omsschema.MySQL, dropTogether, createTogether, "ANALYZE TABLE "},
		config.Postgres: {2, copyPostgres, omsschema.Postgres, dropEach, createEach, "ANALYZE "},
		config.SQLite:   {1, copySQLite, omsschema.SQLite, dropEach, createEach, "ANALYZE "},
	}
}

// load fills a table. The indexes are made afterwards: sorted at once, not row by row.
func (l loader) load(tb testing.TB, db *sql.DB, t table) error {
	tb.Helper()
	ctx, began := tb.Context(), time.Now()
	all := indexes(l.schema, t.name)
	if err := execute(ctx, db, l.drop(t.name, all)...); err != nil {
		return err
	}
	if err := l.copy(ctx, db, t); err != nil {
		return err
	}
	copied := time.Now()
	if err := execute(ctx, db, append(l.create(t.name, all), l.analyze+t.name)...); err != nil {
		return err
	}
	tb.Logf("%s: rows %s, indexes %s", t.name, copied.Sub(began).Round(time.Millisecond), time.Since(copied).Round(time.Millisecond))
	return nil
}

func execute(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%w in %s", err, statement)
		}
	}
	return nil
}

type index struct{ name, columns string }

// indexes returns a table's indexes in the order of the schema.
func indexes(ddl, table string) []index {
	var found []index
	for _, statement := range omsschema.Statements(ddl) {
		rest, ok := strings.CutPrefix(statement, "CREATE INDEX ")
		if !ok {
			continue
		}
		name, on, _ := strings.Cut(rest, " ON ")
		if columns, ok := strings.CutPrefix(on, table+" "); ok {
			found = append(found, index{name, columns})
		}
	}
	return found
}

func dropEach(_ string, indexes []index) []string {
	var statements []string
	for _, i := range indexes {
		statements = append(statements, "DROP INDEX "+i.name)
	}
	return statements
}

func createEach(table string, indexes []index) []string {
	var statements []string
	for _, i := range indexes {
		statements = append(statements, "CREATE INDEX "+i.name+" ON "+table+" "+i.columns)
	}
	return statements
}

// dropTogether and createTogether make the server go through the table once.
func dropTogether(table string, indexes []index) []string {
	return alter(table, indexes, func(i index) string { return "DROP INDEX " + i.name })
}

func createTogether(table string, indexes []index) []string {
	return alter(table, indexes, func(i index) string { return "ADD INDEX " + i.name + " " + i.columns })
}

func alter(table string, indexes []index, change func(index) string) []string {
	if len(indexes) == 0 {
		return nil
	}
	var changes []string
	for _, i := range indexes {
		changes = append(changes, change(i))
	}
	return []string{"ALTER TABLE " + table + " " + strings.Join(changes, ", ")}
}

// stream returns the rows in the form that both servers take: fields between tabs, \N for NULL.
func (t table) stream() io.Reader {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 1<<20)
		t.rows(func(fields ...string) {
			for i, field := range fields {
				if i > 0 {
					_ = out.WriteByte('\t')
				}
				if field == "" {
					field = `\N`
				}
				_, _ = out.WriteString(field) // the error stays until Flush
			}
			_ = out.WriteByte('\n')
		})
		_ = w.CloseWithError(out.Flush())
	}()
	return r
}
