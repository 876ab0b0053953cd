package sqlread

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

func sqliteDialect() dialect {
	return dialect{
		driver: config.SQLite,
		connector: func(_ *slog.Logger, db config.Database, _ *logins) driver.Connector {
			return &sqliteConnector{dsn: db.DSN}
		},
		target: func(string) target { return target{} },
		catalogue: `SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' AND LOWER(m.name) IN (:tables)`,
		around: []StatementText{{Name: "begin", Purpose: "Before each run, on a file opened read-only.", SQL: sqliteBegin},
			{Name: "rollback", Purpose: "After each run.", SQL: "ROLLBACK"}},
		begin:       func(context.Context, *time.Location) string { return sqliteBegin },
		quote:       quoteWith(`"`),
		placeholder: questionMark,
		time:        stored,
	}
}

const sqliteBegin = "BEGIN"

// sqliteConnector opens a database file read-only.
type sqliteConnector struct{ dsn config.Secret }

func (c *sqliteConnector) Driver() driver.Driver { return &sqlite.Driver{} }

func (c *sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	dsn, err := c.dsn.Read()
	if err != nil {
		return nil, err
	}
	path, query, _ := strings.Cut(dsn, "?")
	if uri, ok := strings.CutPrefix(path, "file:"); ok {
		if path, err = url.PathUnescape(uri); err != nil {
			return nil, err
		}
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	values.Set("mode", "ro")
	values.Add("_pragma", "query_only(1)")
	values.Add("_pragma", "busy_timeout(1000)")
	conn, err := c.Driver().Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + values.Encode())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &preparedConn{conn.(sqliteConn), map[string]driver.Stmt{}}, nil //nolint:forcetypeassert // fixed by the driver's version
}
