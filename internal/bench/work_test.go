//go:build bench

package bench

import (
	"database/sql"
	"testing"
)

// work is what a server counts: what it has looked at, in its own unit, and the statements it was sent.
type work struct{ examined, statements float64 }

// countMySQL counts the calls by which the storage engine of MySQL or MariaDB is asked for a row.
func countMySQL(tb testing.TB, db *sql.DB) work {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), `SHOW GLOBAL STATUS WHERE variable_name LIKE 'Handler\_read\_%' OR variable_name = 'Questions'`)
	check(tb, err)
	defer func() { check(tb, rows.Close()) }()
	var w work
	for rows.Next() {
		var name string
		var n float64
		check(tb, rows.Scan(&name, &n))
		if name == "Questions" {
			w.statements = n
		} else {
			w.examined += n
		}
	}
	check(tb, rows.Err())
	return w
}

// countPostgres counts the blocks that the statements touched: PostgreSQL counts rows too late, and not by statement.
func countPostgres(tb testing.TB, db *sql.DB) work {
	tb.Helper()
	var w work
	check(tb, db.QueryRowContext(tb.Context(), `SELECT COALESCE(SUM(shared_blks_hit + shared_blks_read), 0), COALESCE(SUM(calls), 0)
		FROM pg_stat_statements`).Scan(&w.examined, &w.statements))
	return w
}
