package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

func postgresDialect() dialect {
	return dialect{
		driver: config.Postgres,
		connector: func(db config.Database) (driver.Connector, error) {
			return &postgresConnector{dsn: db.DSN, zone: db.Timezone}, nil
		},
		password: func(dsn string) string {
			cfg, err := pgx.ParseConfig(dsn)
			if err != nil {
				return dsn
			}
			return cfg.Password
		},
		catalogue: `SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) AND LOWER(table_name) IN (:tables)`,
		around: []StatementText{
			{"begin", "Before each run: one state for all its statements, no writes, and the time that it has. A scrape that gives " +
				"up sends a cancel request.", postgresBegin + postgresLimit + "<milliseconds>"},
			{"rollback", "After each run.", "ROLLBACK"},
		},
		zoned: true,
		begin: func(ctx context.Context) string {
			deadline, ok := ctx.Deadline()
			if !ok {
				return postgresBegin
			}
			return postgresBegin + postgresLimit + strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10)
		},
		quote:       quoteWith(`"`),
		placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
		// pgx sends an instant for TIMESTAMPTZ, and for TIMESTAMP what the clock of the value's zone shows.
		time: func(t time.Time) any { return t },
		kill: postgresKill,
	}
}

const (
	postgresBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	postgresLimit = "; SET LOCAL statement_timeout = "
)

// postgresKill sends a cancel request. The driver does so too when a context ends, but once only.
func postgresKill(conn *sql.Conn) (cancel func(context.Context) error, err error) {
	err = conn.Raw(func(c any) error {
		victim, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected connection type %T", c)
		}
		cancel = victim.Conn().PgConn().CancelRequest
		return nil
	})
	return cancel, err
}

// postgresConnector opens connections with the secret of the moment.
type postgresConnector struct {
	dsn  config.Secret
	zone *time.Location
}

func (c *postgresConnector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	dsn, err := c.dsn.Read()
	if err != nil {
		return nil, err
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN is not of the form postgres://user:password@host:5432/database")
	}
	// Where a TIMESTAMPTZ of OFBiz meets a TIMESTAMP of Moqui, the server compares them in this zone.
	cfg.RuntimeParams["timezone"] = c.zone.String()
	cfg.RuntimeParams["default_transaction_read_only"] = "on"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "oms_exporter"
	}
	// To begin a transaction shows whether the server is still there: the driver need not ask before.
	never := func(context.Context, stdlib.ShouldPingParams) bool { return false }
	// Each takes memory in each connection, for as many statements as it may hold; only one is in use.
	if cfg.DefaultQueryExecMode == pgx.QueryExecModeCacheDescribe {
		cfg.StatementCacheCapacity = 0
	} else {
		cfg.DescriptionCacheCapacity = 0
	}
	cfg.StatementCacheCapacity = min(cfg.StatementCacheCapacity, mostPrepared)
	cfg.DescriptionCacheCapacity = min(cfg.DescriptionCacheCapacity, mostPrepared)
	return stdlib.GetConnector(*cfg, stdlib.OptionShouldPing(never)).Connect(ctx)
}
