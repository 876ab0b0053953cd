package sqldb

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/deploy/database"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

var update = flag.Bool("update", false, "write the grants of deploy/database anew")

// TestGrants compares the grants that a database administrator is given with the columns that the exporter looks for.
func TestGrants(t *testing.T) {
	for _, file := range []struct{ name, text, schema string }{
		{"mysql.sql", database.MySQL, ""}, {"postgres.sql", database.Postgres, "public."},
	} {
		head, _, _ := strings.Cut(file.text, "GRANT SELECT (")
		want := head + grants(file.schema)
		if *update {
			if err := os.WriteFile("../../../deploy/database/"+file.name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if file.text != want {
			t.Errorf("deploy/database/%s does not grant what the statements read: make generate", file.name)
		}
	}
}

// grants are the statements that allow to read the wanted columns.
func grants(schema string) string {
	var text strings.Builder
	for _, t := range tables() {
		for _, columns := range append([]string{strings.Join(strings.Fields(t.Required), ", ")}, strings.Fields(t.Optional+" "+t.Probed)...) {
			fmt.Fprintf(&text, "GRANT SELECT (%s) ON %s%s TO exporter;\n", columns, schema, t.Name)
		}
	}
	return text.String()
}

// TestAccounts executes the statements for a client's account twice, as an administrator does to set another password and limit:
// the second holds, and another client's account is not touched.
func TestAccounts(t *testing.T) {
	for _, engine := range testserver.Engines()[1:] { // SQLite has no users
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "accounts", "America/New_York")
			statements := map[config.Driver]string{config.MySQL: database.MySQL, config.Postgres: database.Postgres}[engine.Driver]
			statements = regexp.MustCompile(`\bexporter\b`).ReplaceAllString(statements, "exporter_krewe")
			run := func(password, limit string) {
				t.Helper()
				text := strings.NewReplacer("<password>", "'"+password+"'", " 24", " "+limit).Replace(statements)
				for _, statement := range omsschema.Statements(regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(text, "")) {
					if _, err := db.Admin.ExecContext(t.Context(), statement); err != nil && !strings.Contains(err.Error(), "already exists") {
						t.Errorf("%v in %s", err, statement)
					}
				}
			}
			dsn, err := db.Config.DSN.Read()
			if err != nil {
				t.Fatal(err)
			}
			// in says whether the account is let in.
			in := func(user, password string) error {
				db := db.Config
				db.DSN = config.EnvSecret(strings.Replace(dsn, testserver.User+":"+testserver.Password, user+":"+password, 1))
				source, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = source.Close() }()
				_, err = source.Instance(t.Context(), time.Now())
				return err
			}
			run("first", "3")
			if err := in("exporter_krewe", "first"); err != nil {
				t.Error(err)
			}
			run("second", "7")
			if err := in("exporter_krewe", "second"); err != nil {
				t.Error(err)
			}
			if in("exporter_krewe", "first") == nil {
				t.Error("the first password is still good")
			}
			if err := in(testserver.User, testserver.Password); err != nil {
				t.Error(err)
			}
			limits := "SELECT user, max_user_connections FROM mysql.user WHERE user LIKE 'exporter%' ORDER BY user"
			if engine.Driver == config.Postgres {
				limits = "SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE 'exporter%' ORDER BY rolname"
			}
			if got, want := fmt.Sprint(rowsOf(t, db.Admin, limits)), "[exporter 24 exporter_krewe 7]"; got != want {
				t.Errorf("limits %s, want %s", got, want)
			}
		})
	}
}

// rowsOf returns the rows of two columns as text.
func rowsOf(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			t.Fatal(err)
		}
		all = append(all, a+" "+b)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	selects    = regexp.MustCompile(`^(SELECT|WITH) `)
	parameters = regexp.MustCompile(`:[a-z_]+[0-9]*`)
)

// TestNoGrantTooMany takes each column from the user, which must bar at least one statement.
func TestNoGrantTooMany(t *testing.T) {
	for _, engine := range testserver.Engines()[1:] { // SQLite has no users
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "grants", "America/New_York")
			dsn, err := db.Config.DSN.Read()
			if err != nil {
				t.Fatal(err)
			}
			user, err := sql.Open(map[config.Driver]string{config.MySQL: "mysql", config.Postgres: "pgx"}[db.Config.Driver], dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = user.Close() })
			statements, err := Statements(db.Config.Driver)
			if err != nil {
				t.Fatal(err)
			}
			barred := func(column string) bool {
				return slices.ContainsFunc(statements, func(st sqlread.StatementText) bool {
					if !selects.MatchString(st.SQL) || !strings.Contains(st.SQL, column) {
						return false
					}
					_, err := user.ExecContext(t.Context(), "EXPLAIN "+parameters.ReplaceAllString(st.SQL, "NULL"))
					if err != nil && !strings.Contains(err.Error(), "denied") {
						t.Errorf("%v in %s", err, st.SQL)
					}
					return err != nil
				})
			}
			if barred("") {
				t.Error("a statement is barred though all columns are granted")
			}
			for _, table := range tables() {
				for _, column := range strings.Fields(table.Required + " " + table.Optional + " " + table.Probed) {
					right := " SELECT (" + column + ") ON " + table.Name
					testserver.Execute(t, db.Admin, "REVOKE"+right+" FROM "+testserver.User)
					if !barred(column) {
						t.Errorf("nothing reads %s.%s, so nobody needs to be granted it", table.Name, column)
					}
					testserver.Execute(t, db.Admin, "GRANT"+right+" TO "+testserver.User)
				}
			}
		})
	}
}
