//go:build bench

package bench

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// TestData fills each server with the databases that TestBench reads.
func TestData(t *testing.T) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			dir := dataFolder(t, e)
			check(t, os.RemoveAll(dir))
			server := e.start(t, dir, slices.Concat(e.run, e.load)...)
			end := anchor(t)
			for _, size := range sizes(t) {
				server.NewDatabase(t, size.database)
				began := time.Now()
				load(t, e, server.Admin(t, size.database), world{end, size.history})
				t.Logf("%s: %s in %s", e.name, size.database, time.Since(began).Round(time.Second))
			}
			if t.Failed() {
				return
			}
			check(t, os.WriteFile(filepath.Join(dir, anchorFile), []byte(end.Format(time.RFC3339)), 0o600))
		})
	}
}

// load fills the tables two at a time, as many as there are processors to spare. The indexes are made afterwards: sorted
// at once, not row by row.
func load(t *testing.T, e engine, db *sql.DB, w world) {
	t.Helper()
	todo := make(chan table)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for table := range todo {
				began := time.Now()
				for _, statement := range e.reindex(table, true) {
					execute(t, db, statement)
				}
				e.fill(t, db, table)
				filled := time.Now()
				for _, statement := range e.reindex(table, false) {
					execute(t, db, statement)
				}
				t.Logf("%s: rows %s, indexes %s", table.name, filled.Sub(began).Round(time.Second), time.Since(filled).Round(time.Second))
			}
		})
	}
	for _, table := range w.tables() {
		todo <- table
	}
	close(todo)
	workers.Wait()
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Errorf("%v in %s", err, statement)
	}
}

// stream returns the rows in the form that both servers take: fields between tabs, \N for NULL.
func (tb table) stream() io.Reader {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 1<<20)
		tb.rows(func(fields ...string) {
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

func fillMariaDB(tb testing.TB, db *sql.DB, t table) {
	tb.Helper()
	mysql.RegisterReaderHandler(t.name, t.stream)
	defer mysql.DeregisterReaderHandler(t.name)
	_, err := db.ExecContext(tb.Context(), fmt.Sprintf("SET unique_checks = 0, foreign_key_checks = 0; "+
		"LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s (%s)", t.name, t.name, t.columns))
	if err != nil {
		tb.Errorf("%s: %v", t.name, err)
	}
}

func reindexMariaDB(t table, drop bool) []string {
	var changes []string
	for _, index := range indexes(omsschema.MySQL, t.name) {
		if drop {
			changes = append(changes, "DROP INDEX "+index.name)
		} else {
			changes = append(changes, "ADD INDEX "+index.name+" "+index.columns)
		}
	}
	var statements []string
	if len(changes) > 0 {
		statements = append(statements, "ALTER TABLE "+t.name+" "+strings.Join(changes, ", "))
	}
	if !drop {
		statements = append(statements, "ANALYZE TABLE "+t.name)
	}
	return statements
}

func fillPostgres(tb testing.TB, db *sql.DB, t table) {
	tb.Helper()
	conn, err := db.Conn(tb.Context())
	if err == nil {
		err = conn.Raw(func(c any) error {
			pg := c.(*stdlib.Conn).Conn().PgConn()
			// In the transaction that emptied the table, rows need no log, and are frozen at once.
			if _, err := pg.Exec(tb.Context(), "BEGIN; TRUNCATE "+t.name).ReadAll(); err != nil {
				return err
			}
			if _, err := pg.CopyFrom(tb.Context(), t.stream(), fmt.Sprintf("COPY %s (%s) FROM STDIN (FREEZE)", t.name, t.columns)); err != nil {
				return err
			}
			_, err := pg.Exec(tb.Context(), "COMMIT").ReadAll()
			return err
		})
		_ = conn.Close()
	}
	if err != nil {
		tb.Errorf("%s: %v", t.name, err)
	}
}

func reindexPostgres(t table, drop bool) []string {
	var statements []string
	for _, index := range indexes(omsschema.Postgres, t.name) {
		if drop {
			statements = append(statements, "DROP INDEX "+index.name)
		} else {
			statements = append(statements, "CREATE INDEX "+index.name+" ON "+t.name+" "+index.columns)
		}
	}
	if !drop {
		statements = append(statements, "ANALYZE "+t.name)
	}
	return statements
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
