//go:build bench

package bench

import (
	"database/sql"
	"testing"
)

// work is what a server counts: what it has looked at, in its own unit, and the statements it was sent.
type work struct{ examined, statements float64 }

// countMariaDB counts the calls by which the storage engine is asked for a row.
func countMariaDB(tb testing.TB, db *sql.DB) work {
	tb.Helper()
	var w work
	check(tb, db.QueryRowContext(tb.Context(), `SELECT
		SUM(CASE WHEN variable_name LIKE 'HANDLER\_READ\_%' THEN variable_value ELSE 0 END),
		SUM(CASE WHEN variable_name = 'QUESTIONS' THEN variable_value ELSE 0 END)
		FROM information_schema.global_status`).Scan(&w.examined, &w.statements))
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
