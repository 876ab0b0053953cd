package sqlread

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// Describe says in plain words what went wrong, for people: without secrets, and naming the client.
func (db *DB) Describe(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var t target
	if dsn, readErr := db.config.DSN.Read(); readErr == nil {
		t = db.dialect.target(dsn)
	}
	if words := t.explain(err); words != "" {
		err = fmt.Errorf("%s: %w", words, err)
	}
	err = config.Redact(err, t.password, url.QueryEscape(t.password), url.PathEscape(t.password))
	if ctx.Err() != nil {
		return fmt.Errorf("client %s: gave up: %w (%s)", db.client, context.Cause(ctx), err.Error())
	}
	return fmt.Errorf("client %s: %w", db.client, err)
}

// StatementRefused says whether the server refused a statement for what it says, of tables as they are: it will refuse it
// again. Limits, locks and lost connections are none of this.
func StatementRefused(err error) bool {
	if my, is := errors.AsType[*mysql.MySQLError](err); is {
		limited := slices.Contains([]uint16{1203, 1226}, my.Number) // ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
		// What cannot be compared has no SQLSTATE of its own: ER_CANT_AGGREGATE_2COLLATIONS, _3COLLATIONS, _NCOLLATIONS.
		collations := slices.Contains([]uint16{1267, 1270, 1271}, my.Number)
		// A view that is broken, or whose definer has lost its grants or is gone; one who is logged in is not refused a login:
		// ER_ACCESS_DENIED_ERROR, ER_VIEW_INVALID, ER_NO_SUCH_USER.
		views := slices.Contains([]uint16{1045, 1356, 1449}, my.Number)
		return strings.HasPrefix(string(my.SQLState[:]), "42") && !limited || collations || views
	}
	pg, is := errors.AsType[*pgconn.PgError](err) // 42 is for syntax and access, 22 for data, 0A for what is not supported
	return is && slices.Contains([]string{"42", "22", "0A"}, pg.Code[:min(2, len(pg.Code))])
}

// A MissingError says what the database does not have.
type MissingError string

func (e MissingError) Error() string { return string(e) }
