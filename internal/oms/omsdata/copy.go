package omsdata

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/stdlib"
)

// copyMariaDB has the server read the rows as a file of the client's.
func copyMariaDB(ctx context.Context, db *sql.DB, t table) error {
	name := fmt.Sprintf("%s of %p", t.name, db) // the driver knows all the readers of the process by their names
	mysql.RegisterReaderHandler(name, t.stream)
	defer mysql.DeregisterReaderHandler(name)
	return execute(ctx, db, fmt.Sprintf("SET unique_checks = 0, foreign_key_checks = 0; "+
		"LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s (%s)", name, t.name, t.columns))
}

func copyPostgres(ctx context.Context, db *sql.DB, t table) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	return conn.Raw(func(c any) error {
		pg := c.(*stdlib.Conn).Conn().PgConn()
		// In the transaction that emptied the table, rows need no log, and are frozen at once.
		if _, err := pg.Exec(ctx, "BEGIN; TRUNCATE "+t.name).ReadAll(); err != nil {
			return err
		}
		if _, err := pg.CopyFrom(ctx, t.stream(), fmt.Sprintf("COPY %s (%s) FROM STDIN (FREEZE)", t.name, t.columns)); err != nil {
			return err
		}
		_, err := pg.Exec(ctx, "COMMIT").ReadAll()
		return err
	})
}

// copySQLite writes the fields into the statements: to bind each of them would be more work than to parse it.
func copySQLite(ctx context.Context, db *sql.DB, t table) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // unless it is committed
	var rows strings.Builder
	send := func() {
		if err == nil && rows.Len() > 0 {
			_, err = tx.ExecContext(ctx, "INSERT INTO "+t.name+" ("+t.columns+") VALUES "+rows.String())
		}
		rows.Reset()
	}
	t.rows(func(fields ...string) {
		if rows.Len() > 0 {
			rows.WriteString(", ")
		}
		rows.WriteString(strings.ReplaceAll("('"+strings.Join(fields, "', '")+"')", "''", "NULL"))
		if rows.Len() > 1<<16 {
			send()
		}
	})
	if send(); err != nil {
		return err
	}
	return tx.Commit()
}
