package sqlread

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// A query that a connection has prepared answers as a new one, also after changes of rows and schema, and few are kept.
func TestPreparedConn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oms.db")
	writer, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	reader := sql.OpenDB(&sqliteConnector{dsn: config.EnvSecret(path)})
	reader.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, change := range []string{
		"CREATE TABLE t (id TEXT)", "INSERT INTO t VALUES ('b')", "ALTER TABLE t ADD COLUMN n INTEGER", "INSERT INTO t VALUES ('c', 7)",
	} {
		if _, err := writer.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		for n := range mostPrepared + 3 {
			var count, most int
			query := fmt.Sprintf("SELECT COUNT(*), %d FROM t WHERE id > ?", n)
			if err := reader.QueryRowContext(t.Context(), query, "a").Scan(&count, &most); err != nil {
				t.Fatal(err)
			}
			if want := (i + 1) / 2; count != want || most != n {
				t.Errorf("after %s: got %d, %d, want %d, %d", change, count, most, want, n)
			}
		}
	}
	if kept := prepared(t, reader); kept == 0 || kept > mostPrepared {
		t.Errorf("%d statements are kept", kept)
	}
}

// prepared counts the statements that the connection keeps.
func prepared(t *testing.T, db *sql.DB) (count int) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // back to the pool
	err = conn.Raw(func(c any) error {
		count = len(c.(*preparedConn).prepared) //nolint:forcetypeassert // the connector makes no other
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}
