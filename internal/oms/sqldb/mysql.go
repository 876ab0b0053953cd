package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

func mysqlDialect() dialect {
	return dialect{
		driver: config.MySQL,
		connector: func(db config.Database) (driver.Connector, error) {
			return &mysqlConnector{dsn: db.DSN}, nil
		},
		password: func(dsn string) string {
			cfg, err := mysql.ParseDSN(dsn)
			if err != nil {
				return dsn
			}
			return cfg.Passwd
		},
		catalogue: `SELECT /*limit*/ table_name, column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND LOWER(table_name) IN (:tables)`,
		around: []StatementText{
			{"connect", "Once per connection: its id, for KILL QUERY, and whether it is MariaDB.", mysqlConnect},
			{"session", "Once per connection: one state for all statements of a run, and no writes.", mysqlSession},
			{"begin", "Before each run.", mysqlBegin},
			{"limit", "Around each statement, the time that remains.",
				"MariaDB: SET STATEMENT max_statement_time = <seconds> FOR <statement>\n" +
					"MySQL: SELECT /*+ MAX_EXECUTION_TIME(<milliseconds>) */ …"},
			{"kill", "On a connection of its own, when a scrape gives up.", "KILL QUERY <id>"},
			{"rollback", "After each run.", "ROLLBACK"},
		},
		begin:       func(context.Context) string { return mysqlBegin },
		quote:       quoteWith("`"),
		placeholder: questionMark,
		time:        stored,
		kill:        mysqlKill,
	}
}

const (
	mysqlConnect = "SELECT CONNECTION_ID(), VERSION()"
	mysqlSession = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
	mysqlBegin   = "START TRANSACTION READ ONLY"
)

// mysqlConnector opens connections with the secret of the moment.
type mysqlConnector struct{ dsn config.Secret }

func (c *mysqlConnector) Driver() driver.Driver { return mysql.MySQLDriver{} }

func (c *mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	if err := conn.identify(ctx); err != nil {
		return nil, joinClose(err, conn)
	}
	if _, err := conn.ExecContext(ctx, mysqlSession, nil); err != nil {
		return nil, joinClose(err, conn)
	}
	return conn, nil
}

func (c *mysqlConnector) dial(ctx context.Context) (*mysqlConn, error) {
	dsn, err := c.dsn.Read()
	if err != nil {
		return nil, err
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN is not of the form user:password@tcp(host:3306)/database")
	}
	cfg.ParseTime = false // a DATETIME has no zone: record.moment reads it
	cfg.MultiStatements = false
	cfg.InterpolateParams = true // one round trip instead of three
	cfg.Logger = &mysql.NopLogger{}
	if cfg.ConnectionAttributes == "" {
		cfg.ConnectionAttributes = "program_name:oms_exporter"
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(mysqlDriverConn)
	if !ok {
		return nil, joinClose(fmt.Errorf("the MySQL driver's connection lacks a method"), conn)
	}
	return &mysqlConn{mysqlDriverConn: full, connector: c}, nil
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

// mysqlConn is a connection that knows its id and its server.
type mysqlConn struct {
	mysqlDriverConn
	connector *mysqlConnector
	id        string
	mariaDB   bool
}

func (c *mysqlConn) identify(ctx context.Context) error {
	rows, err := c.mysqlDriverConn.QueryContext(ctx, mysqlConnect, nil)
	if err != nil {
		return err
	}
	values := make([]driver.Value, 2)
	if err := rows.Next(values); err != nil {
		return joinClose(err, rows)
	}
	rec := record{values: []any{values[0], values[1]}}
	if id, ok := values[0].(uint64); ok {
		rec.values[0] = int64(id) //nolint:gosec // a connection id is far below 2^63
	}
	c.id = rec.text(0)
	c.mariaDB = strings.Contains(rec.text(1), "MariaDB")
	return rows.Close()
}

// QueryContext gives the statement the time that remains as its limit on the server.
func (c *mysqlConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if deadline, ok := ctx.Deadline(); ok {
		query = mysqlLimit(query, time.Until(deadline), c.mariaDB)
	}
	return c.mysqlDriverConn.QueryContext(ctx, query, args)
}

func mysqlLimit(query string, remaining time.Duration, mariaDB bool) string {
	remaining = max(remaining, time.Millisecond)
	if mariaDB {
		return fmt.Sprintf("SET STATEMENT max_statement_time = %.3f FOR %s", remaining.Seconds(), query)
	}
	return strings.Replace(query, "/*limit*/", fmt.Sprintf("/*+ MAX_EXECUTION_TIME(%d) */", remaining.Milliseconds()), 1)
}

// mysqlKill ends a statement from a connection of its own: when a context ends, the driver only hangs up, and the
// server goes on until it has an answer to send.
func mysqlKill(conn *sql.Conn) (func(context.Context) error, error) {
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
	return func(ctx context.Context) error {
		killer, err := victim.connector.dial(ctx)
		if err != nil {
			return err
		}
		_, err = killer.ExecContext(ctx, "KILL QUERY "+victim.id, nil)
		return joinClose(err, killer)
	}, nil
}

// joinClose closes c after err.
func joinClose(err error, c io.Closer) error {
	if closeErr := c.Close(); err == nil {
		return closeErr
	}
	return err
}
