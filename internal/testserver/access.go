package testserver

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oms-exporter/oms_exporter/deploy/database"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// access splits the statements of deploy/database into those that create User with Password, for the whole server, and the
// grants in a database.
func access(statements string) (user, grants string) {
	first := strings.Index(statements, "\nGRANT ")
	return strings.ReplaceAll(statements[:first], "<password>", "'"+Password+"'"), statements[first:]
}

var onTable = regexp.MustCompile(` ON (\w+) TO `)

// Grant lets User read what the exporter reads as the database is now: it executes deploy/database's grants again, as that
// tells one to do after an upgrade, and goes on where there is no such table or column. MySQL knows tables that were
// renamed to upper case by the names of before; PostgreSQL follows them.
func (db Database) Grant(tb testing.TB) {
	tb.Helper()
	var grants string
	switch db.Config.Driver {
	case config.MySQL:
		_, grants = access(database.MySQL)
		grants += onTable.ReplaceAllStringFunc(grants, strings.ToUpper)
	case config.Postgres:
		_, grants = access(database.Postgres)
	case config.SQLite: // knows no users
	}
	for _, statement := range omsschema.Statements(comment.ReplaceAllString(grants, "")) {
		if _, err := db.Admin.ExecContext(tb.Context(), statement); err != nil && !lacks(err) {
			tb.Fatalf("%v in %s", err, statement)
		}
	}
}

var (
	self  = regexp.MustCompile(`\b` + User + `\b`)
	grant = regexp.MustCompile(`(?m)^GRANT SELECT \(([^)]*)\) ON (?:public\.)?(\w+) TO \w+;$`)
)

// As makes another user, who may read what User may but for some tables, and columns as table.column, and returns how the exporter
// comes as that one: it sees the database as if it did not have them. SQLite knows no users.
func (db Database) As(tb testing.TB, name string, without []string) config.Database {
	tb.Helper()
	statements := database.Postgres
	if db.Config.Driver == config.MySQL {
		statements = database.MySQL + "GRANT EXECUTE ON * TO " + User + ";" // who has no right at all in a database may not enter it
	}
	user, grants := access(self.ReplaceAllLiteralString(statements, name))
	rights := map[string][]string{}
	grants = grant.ReplaceAllStringFunc(grants, func(statement string) string {
		found := grant.FindStringSubmatch(statement)
		for column := range strings.SplitSeq(found[1], ", ") {
			if table := found[2]; !slices.Contains(without, table) && !slices.Contains(without, table+"."+column) {
				rights[table] = append(rights[table], column)
			}
		}
		return ""
	})
	for table, columns := range rights { // each statement costs MySQL much
		grants += "GRANT SELECT (" + strings.Join(columns, ", ") + ") ON " + table + " TO " + name + ";"
	}
	Execute(tb, db.Admin, user+grants)
	dsn, err := db.Config.DSN.Read()
	check(tb, err)
	path := filepath.Join(tb.TempDir(), name+".dsn")
	check(tb, os.WriteFile(path, []byte(strings.Replace(dsn, User+":", name+":", 1)), 0o600))
	as := db.Config
	as.DSN = config.FileSecret(path)
	return as
}

// lacks says whether the server misses a table or column.
func lacks(err error) bool {
	var my *mysql.MySQLError
	if errors.As(err, &my) {
		return slices.Contains([]uint16{1146, 1054}, my.Number) // ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains([]string{"42P01", "42703"}, pg.Code) // undefined_table, undefined_column
}
