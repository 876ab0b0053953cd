package sqlread

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// A dialect is what differs between the database servers.
type dialect struct {
	driver config.Driver
	// connector makes connections for a client, which log in by logins.
	connector func(*slog.Logger, config.Database, *logins) driver.Connector
	// target returns what a DSN says. Of one that does not parse the whole is taken for the password.
	target func(dsn string) target
	// catalogue asks which of :tables there are, and their columns.
	catalogue string
	// around are the statements that it sends beside those of statements.sql.
	around []StatementText
	// collated says that it also asks for the columns' collations, and that two columns compare only where those agree.
	collated bool
	zoned    bool // OFBiz' times have a zone here
	// begin returns what begins a transaction, in one round trip: no writes, and one state for all its statements. Where the
	// server can limit all of them at once (PostgreSQL), it gives up on each after the time that ctx has. MySQL's connection
	// adds the time that remains to each instead, and SQLite is in this process.
	begin       func(ctx context.Context, zone *time.Location) string
	quote       func(name string) string
	placeholder func(n int) string
	// time turns an instant, or a stored value, into a parameter.
	time func(t time.Time) any
	// kill returns what ends the connection's running statement on the server, and says whether it surely has; nil where the
	// driver itself sees to it when a context ends (SQLite is interrupted).
	kill func(conn *sql.Conn) (func(context.Context) (done bool, err error), error)
}

func dialectOf(d config.Driver) (dialect, error) {
	switch d {
	case config.MySQL:
		return mysqlDialect(), nil
	case config.Postgres:
		return postgresDialect(), nil
	case config.SQLite:
		return sqliteDialect(), nil
	}
	return dialect{}, fmt.Errorf("driver %q is none of mysql, postgres, sqlite", d)
}

// quoteWith quotes a name.
func quoteWith(mark string) func(string) string {
	return func(name string) string { return mark + strings.ReplaceAll(name, mark, mark+mark) + mark }
}

func questionMark(int) string { return "?" }

// stored writes a wall clock as MySQL and SQLite compare it.
func stored(t time.Time) any { return t.Format("2006-01-02 15:04:05.999999") }
