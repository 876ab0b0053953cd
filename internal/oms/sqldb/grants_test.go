package sqldb

import (
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/deploy/database"
	"github.com/oms-exporter/oms_exporter/internal/config"
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
			t.Errorf("deploy/database/%s does not grant what the statements read: go test ./internal/oms/sqldb -run TestGrants -update", file.name)
		}
	}
}

// grants are the statements that allow to read the wanted columns.
func grants(schema string) string {
	var text strings.Builder
	for _, t := range wanted() {
		for _, columns := range append([]string{strings.Join(strings.Fields(t.required), ", ")}, strings.Fields(t.optional)...) {
			fmt.Fprintf(&text, "GRANT SELECT (%s) ON %s%s TO exporter;\n", columns, schema, t.name)
		}
	}
	return text.String()
}

// TestNoGrantTooMany takes each column from the user, which must bar at least one statement.
func TestNoGrantTooMany(t *testing.T) {
	onServers(t, "grants", func(t *testing.T, _ *testserver.Server, s *Source, db testserver.Database) {
		dsn, err := db.Config.DSN.Read()
		if err != nil {
			t.Fatal(err)
		}
		user, err := sql.Open(map[config.Driver]string{config.MySQL: "mysql", config.Postgres: "pgx"}[db.Config.Driver], dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = user.Close() })
		rendered, err := render(s.dialect, s.dialect.complete(), []string{"ATTRIBUTE"})
		if err != nil {
			t.Fatal(err)
		}
		barred := func(column string) bool {
			return slices.ContainsFunc(slices.Collect(maps.Values(rendered)), func(st *statement) bool {
				if !strings.Contains(st.text.Value(), column) {
					return false
				}
				_, err := user.ExecContext(t.Context(), "EXPLAIN "+parameter.ReplaceAllString(st.text.Value(), "NULL"))
				if err != nil && !strings.Contains(err.Error(), "denied") {
					t.Errorf("%v in %s", err, st.text.Value())
				}
				return err != nil
			})
		}
		if barred("") {
			t.Error("a statement is barred though all columns are granted")
		}
		for _, table := range wanted() {
			for _, column := range strings.Fields(table.required + " " + table.optional) {
				right := " SELECT (" + column + ") ON " + table.name
				testserver.Execute(t, db.Admin, "REVOKE"+right+" FROM "+testserver.User)
				if !barred(column) {
					t.Errorf("nothing reads %s.%s, so nobody needs to be granted it", table.name, column)
				}
				testserver.Execute(t, db.Admin, "GRANT"+right+" TO "+testserver.User)
			}
		}
	})
}
