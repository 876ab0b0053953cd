package sqlread

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

func postgresDialect() dialect {
	return dialect{
		driver: config.Postgres,
		connector: func(_ *slog.Logger, db config.Database, logins *logins) driver.Connector {
			return &postgresConnector{logins, db.TLS}
		},
		target: func(dsn string) target {
			cfg, err := pgx.ParseConfig(dsn)
			if err != nil {
				return target{password: dsn}
			}
			return target{postgresAddress(cfg), cfg.User, cfg.Password, cfg.Database}
		},
		// It finds what a statement reads, by search_path: tables, partitioned tables, views, foreign tables, and materialized views,
		// which information_schema leaves out.
		catalogue: `SELECT relname, attname FROM pg_class c JOIN pg_attribute ON attrelid = c.oid
WHERE LOWER(relname) IN (:tables) AND relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid)
  AND attnum > 0 AND NOT attisdropped AND has_column_privilege(c.oid, attnum, 'SELECT')`,
		around: []StatementText{
			{Name: "begin", Purpose: "Before each run: one state for all its statements, no writes, the time that it has, and a session that any pooler " +
				"may share. A scrape that gives up sends a cancel request.", SQL: postgresBegin + ":zone" + postgresLimit + "'<milliseconds>'" + postgresBegun},
			{Name: "rollback", Purpose: "After each run.", SQL: "ROLLBACK"},
		},
		zoned: true,
		begin: func(ctx context.Context, zone *time.Location) string {
			text := postgresBegin + "'" + zone.String() + "'"
			if deadline, ok := ctx.Deadline(); ok {
				text += postgresLimit + "'" + strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10) + "'"
			}
			return text + postgresBegun
		},
		quote:       quoteWith(`"`),
		placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
		// Of this text the server takes the instant for TIMESTAMPTZ, and for TIMESTAMP what the clock of the value's zone shows.
		time: func(t time.Time) any { return t.Format("2006-01-02 15:04:05.999999-07:00:00") },
		kill: postgresKill,
	}
}

// All settings are the transaction's: a pooler may have another server connection for the next one, and takes few settings
// when a client connects. Where a TIMESTAMPTZ of OFBiz meets a TIMESTAMP of Moqui, the server compares them in the zone. A database in
// SQL_ASCII holds any bytes: asked for UTF-8, the server refuses to send what is none, and to be sent it. One SELECT sets all of them:
// monitoring counts statements.
const (
	postgresBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT set_config('client_encoding', " +
		"CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, true), " +
		"set_config('datestyle', 'ISO', true), set_config('timezone', "
	postgresLimit = ", true), set_config('statement_timeout', "
	postgresBegun = ", true)"
)

// postgresKill sends a cancel request. The driver does so too when a context ends, but once only. Whether it was heard the
// server does not say; it has a key, so it meets nobody else.
func postgresKill(conn *sql.Conn) (cancel func(context.Context) (bool, error), err error) {
	err = conn.Raw(func(c any) error {
		victim, ok := c.(*postgresConn)
		if !ok {
			return fmt.Errorf("unexpected connection type %T", c)
		}
		cancel = func(ctx context.Context) (bool, error) { return false, victim.pg().CancelRequest(ctx) }
		return nil
	})
	return cancel, err
}

// postgresConnector opens connections with the secret of the moment.
type postgresConnector struct {
	logins *logins
	tls    *config.TLS
}

func (c *postgresConnector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	return c.logins.open(ctx, c.dial)
}

func (c *postgresConnector) dial(ctx context.Context, dsn string) (driver.Conn, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN is not of the form postgres://user:password@host:5432/database")
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "oms_exporter"
	}
	postgresTLS(cfg, c.tls)
	// To begin a transaction shows whether the server is still there: the driver need not ask before.
	never := func(context.Context, stdlib.ShouldPingParams) bool { return false }
	// What a driver prepares by name is on one server connection, and with a pooler the next transaction is on another. What it
	// describes is kept by each connection. The server finds the types of the parameters, which are text.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity = 0, 0
	conn := &postgresConn{}
	cfg.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		conn.newFrontend = func() *pgproto3.Frontend { return pgproto3.NewFrontend(r, w) }
		return conn.newFrontend()
	}
	opened, err := stdlib.GetConnector(*cfg, stdlib.OptionShouldPing(never)).Connect(ctx)
	if err != nil {
		return nil, brokenOff(c.tls, err)
	}
	conn.Conn = opened.(*stdlib.Conn) //nolint:forcetypeassert // the connector makes nothing else
	return conn, nil
}

// A postgresConn has no buffers while it is idle in the pool, as most are most of the time: each area of each client has one.
type postgresConn struct {
	*stdlib.Conn
	newFrontend func() *pgproto3.Frontend // with buffers, for the same connection
	idle        bool
}

func (c *postgresConn) pg() *pgconn.PgConn { return c.Conn.Conn().PgConn() }

// IsValid is called when the connection goes back to the pool. The buffers stay where something is in them that the server sent unasked.
func (c *postgresConn) IsValid() bool {
	if c.pg().IsClosed() {
		return false
	}
	if f := c.pg().Frontend(); f.ReadBufferLen() == 0 {
		*f, c.idle = pgproto3.Frontend{}, true
	}
	return true
}

// ResetSession is called when the connection leaves the pool.
func (c *postgresConn) ResetSession(ctx context.Context) error {
	c.wake()
	return c.Conn.ResetSession(ctx)
}

// Close needs the buffers too: it tells the server.
func (c *postgresConn) Close() error {
	c.wake()
	return c.Conn.Close()
}

func (c *postgresConn) wake() {
	if c.idle {
		*c.pg().Frontend(), c.idle = *c.newFrontend(), false
	}
}

// postgresAddress names the host, or all of them.
func postgresAddress(cfg *pgx.ConnConfig) string {
	all := []string{net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))}
	for _, f := range cfg.Fallbacks {
		if address := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return strings.Join(all, ", ")
}
