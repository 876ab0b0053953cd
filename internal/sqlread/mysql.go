package sqlread

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

func mysqlDialect() dialect {
	return dialect{
		driver: config.MySQL,
		connector: func(logger *slog.Logger, db config.Database, logins *logins) driver.Connector {
			return &mysqlConnector{logins, db.Timezone, db.TLS, sync.OnceFunc(func() {
				logger.Warn("the database server does not know the time zone and has TIMESTAMP columns: times from before the last "+
					"change of the clock are off by it; fill its tables of time zones by mysql_tzinfo_to_sql", "timezone", db.Timezone.String())
			})}
		},
		target: func(dsn string) target {
			cfg, err := mysql.ParseDSN(dsn)
			if err != nil {
				return target{password: dsn}
			}
			return target{cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName}
		},
		catalogue: `SELECT /*limit*/ table_name, column_name, character_set_name, collation_name, column_key FROM information_schema.columns
WHERE table_schema = DATABASE() AND LOWER(table_name) IN (:tables)`,
		collated: true,
		around: []StatementText{
			{Name: "connect", Purpose: "Once per connection: what the server is, and whether it knows the time zone.", SQL: mysqlConnect},
			{Name: "session", Purpose: "Once per connection, whatever the account and the DSN say: one state for all statements of a run, no writes, " +
				"all rows, and times in database.timezone, whose offset stands in the place of a name that the server does not know.",
				SQL: fmt.Sprintf(mysqlSession, "transaction_isolation", "transaction_read_only", ":zone") + "\nMariaDB, MySQL 5: tx_isolation, tx_read_only"},
			{Name: "begin", Purpose: "Before each run.", SQL: mysqlBegin},
			{Name: "limit", Purpose: "Around each statement: the time that remains, and a random number by which it is found to be killed.",
				SQL: "MariaDB: SET STATEMENT max_statement_time = <seconds> FOR SELECT /* <mark> */ …\n" +
					"MySQL: SELECT /*+ MAX_EXECUTION_TIME(<milliseconds>) */ /* <mark> */ …"},
			{Name: "kill", Purpose: "On a connection of its own, when a scrape gives up. Where a balancer leads to another server, nothing has the mark.",
				SQL: mysqlLook + ";\n" + fmt.Sprintf(mysqlFind, "<mark>") + ";\n" + mysqlKillFound},
			{Name: "rollback", Purpose: "After each run.", SQL: "ROLLBACK"},
		},
		begin:       func(context.Context, *time.Location) string { return mysqlBegin },
		quote:       quoteWith("`"),
		placeholder: questionMark,
		time:        stored,
		kill:        mysqlKill,
	}
}

const (
	// A zone that the server does not know converts to NULL. Few have their tables of time zones filled.
	mysqlConnect = "SELECT VERSION(), CONVERT_TZ('2000-01-01 00:00:00', '+00:00', :zone) IS NOT NULL"
	// TIMESTAMP columns, unlike DATETIME, are shown and compared in the session's zone. In a mode, empty texts may be NULL.
	mysqlSession = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, sql_mode = '', sql_big_selects = ON, sql_select_limit = 18446744073709551615, " +
		"%s = 'REPEATABLE-READ', %s = ON, time_zone = %s"
	mysqlBegin = "START TRANSACTION READ ONLY"
	// With a max_join_size, MariaDB would refuse to look for it.
	mysqlLook = "SET sql_big_selects = ON"
	// The variable is NULL unless the session that kills is on the server that has the statement, whatever pooler is between them.
	mysqlFind = "SET @oms_exporter = (SELECT id FROM information_schema.processlist " +
		"WHERE info LIKE '%%/* %s */%%' AND id <> CONNECTION_ID())"
	mysqlKillFound = "KILL QUERY @oms_exporter"
)

// mysqlConnector opens connections with the secret of the moment.
type mysqlConnector struct {
	logins *logins
	zone   *time.Location
	tls    *config.TLS
	warn   func() // that times may be wrong
}

func (c *mysqlConnector) Driver() driver.Driver { return mysql.MySQLDriver{} }

func (c *mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	return c.logins.open(ctx, func(ctx context.Context, dsn string) (driver.Conn, error) {
		conn, err := c.dial(ctx, dsn)
		if err != nil {
			return nil, err
		}
		if err := conn.prepare(ctx); err != nil {
			return nil, joinClose(err, conn)
		}
		return conn, nil
	})
}

func (c *mysqlConnector) dial(ctx context.Context, dsn string) (*mysqlConn, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN is not of the form user:password@tcp(host:3306)/database")
	}
	cfg.ParseTime = false // a DATETIME has no zone: Record.Moment reads it
	cfg.MultiStatements = false
	cfg.InterpolateParams = true // one round trip instead of three
	cfg.Collation = ""           // the session's statement sets it
	var lost lostError
	cfg.Logger = &lost
	if cfg.ConnectionAttributes == "" {
		cfg.ConnectionAttributes = "program_name:oms_exporter"
	}
	mysqlTLS(cfg, c.tls)
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, brokenOff(c.tls, lost.with(err))
	}
	full, ok := conn.(mysqlDriverConn)
	if !ok {
		return nil, joinClose(fmt.Errorf("the MySQL driver's connection lacks a method"), conn)
	}
	return &mysqlConn{mysqlDriverConn: full, connector: c, mark: rand.Text()}, nil
}

// mysqlDriverConn is what database/sql uses of the driver's connection.
type mysqlDriverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// mysqlConn is a connection that knows its server.
type mysqlConn struct {
	mysqlDriverConn
	connector *mysqlConnector
	mark      string // in each statement, and in no other connection's
	mariaDB   bool
	until     time.Time // when the offset that stands for the zone changes; zero where the server knows the zone
}

// prepare sets the session up.
func (c *mysqlConn) prepare(ctx context.Context) error {
	zone := c.connector.zone
	rows, err := c.mysqlDriverConn.QueryContext(ctx, strings.Replace(mysqlConnect, ":zone", "?", 1),
		[]driver.NamedValue{{Ordinal: 1, Value: zone.String()}})
	if err != nil {
		return err
	}
	values := make([]driver.Value, 2)
	if err := rows.Next(values); err != nil {
		return joinClose(err, rows)
	}
	version, named := textOf(values[0]), textOf(values[1]) == "1"
	c.mariaDB = strings.Contains(version, "MariaDB")
	if err := rows.Close(); err != nil {
		return err
	}
	name := zone.String()
	if !named {
		now := c.connector.logins.time().In(zone)
		name = now.Format("-07:00")
		_, c.until = now.ZoneBounds()
	}
	isolation, readOnly := "transaction_isolation", "transaction_read_only"
	if c.mariaDB || strings.HasPrefix(version, "5.") {
		isolation, readOnly = "tx_isolation", "tx_read_only"
	}
	_, err = c.ExecContext(ctx, fmt.Sprintf(mysqlSession, isolation, readOnly, "'"+name+"'"), nil)
	return err
}

// ResetSession gives the connection up when the clock of a zone which the server does not know has changed.
func (c *mysqlConn) ResetSession(ctx context.Context) error {
	if !c.until.IsZero() && !c.connector.logins.time().Before(c.until) {
		return driver.ErrBadConn
	}
	return c.mysqlDriverConn.ResetSession(ctx)
}

// QueryContext gives the statement the time that remains as its limit on the server, and the connection's mark.
func (c *mysqlConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if deadline, ok := ctx.Deadline(); ok {
		query = mysqlLimit(query, time.Until(deadline), c.mariaDB)
	}
	rows, err := c.mysqlDriverConn.QueryContext(ctx, strings.Replace(query, "/*limit*/", "/* "+c.mark+" */", 1), args)
	if types, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok && err == nil && !c.until.IsZero() {
		for i := range rows.Columns() {
			if types.ColumnTypeDatabaseTypeName(i) == "TIMESTAMP" {
				c.connector.warn()
			}
		}
	}
	return rows, err
}

// mysqlLimit leaves the comment in which the mark comes.
func mysqlLimit(query string, remaining time.Duration, mariaDB bool) string {
	remaining = max(remaining, time.Millisecond)
	if mariaDB {
		return fmt.Sprintf("SET STATEMENT max_statement_time = %.3f FOR %s", remaining.Seconds(), query)
	}
	return strings.Replace(query, "/*limit*/", fmt.Sprintf("/*+ MAX_EXECUTION_TIME(%d) */ /*limit*/", remaining.Milliseconds()), 1)
}

// mysqlKill ends a statement from a connection of its own: when a context ends, the driver only hangs up, and the server
// goes on until it has an answer to send. An id would not do: behind a balancer, another server's connection may have it.
func mysqlKill(conn *sql.Conn) (func(context.Context) (bool, error), error) {
	var victim *mysqlConn
	err := conn.Raw(func(c any) error {
		var ok bool
		if victim, ok = c.(*mysqlConn); !ok {
			return fmt.Errorf("unexpected connection type %T", c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (bool, error) {
		killer, err := victim.connector.logins.open(ctx, func(ctx context.Context, dsn string) (driver.Conn, error) {
			return victim.connector.dial(ctx, dsn)
		})
		if err != nil {
			return false, err
		}
		err = victim.killBy(ctx, killer.(*mysqlConn)) //nolint:forcetypeassert // dial makes no other
		if isMySQL(err, mysqlNoSuchThread) {
			return false, joinClose(nil, killer)
		}
		return err == nil, joinClose(err, killer)
	}, nil
}

const mysqlNoSuchThread = 1094

// killBy kills what has the connection's mark.
func (c *mysqlConn) killBy(ctx context.Context, killer *mysqlConn) error {
	for _, statement := range []string{mysqlLook, fmt.Sprintf(mysqlFind, c.mark), mysqlKillFound} {
		if _, err := killer.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	return nil
}

// joinClose closes c after err.
func joinClose(err error, c io.Closer) error {
	if closeErr := c.Close(); err == nil {
		return closeErr
	}
	return err
}
