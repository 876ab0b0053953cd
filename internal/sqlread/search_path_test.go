package sqlread

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSearchPath has tables of the same names in two schemas of PostgreSQL: what is known is what the statements meet, which is in the
// first schema that has the name.
func TestSearchPath(t *testing.T) {
	server := testserver.Postgres(t)
	of := server.Database(t, "paths", "America/New_York")
	testserver.Execute(t, of.Admin, "CREATE SCHEMA krewe; GRANT USAGE ON SCHEMA krewe TO exporter; ALTER ROLE exporter SET search_path = krewe, public")
	for _, c := range []struct {
		name, do, undo string
		missing        []Column // that twoTables name
	}{
		{"nothing", "", "", nil},
		{
			"a view with fewer columns",
			"CREATE VIEW krewe.order_item AS SELECT order_id FROM public.order_item; GRANT SELECT ON krewe.order_item TO exporter", "DROP VIEW krewe.order_item",
			[]Column{{"order_item", "ship_group_seq_id"}},
		},
		{"a table that may not be read", "CREATE TABLE krewe.order_item (order_id TEXT)", "DROP TABLE krewe.order_item", []Column{{"order_item", ""}}},
		{
			"a table that may be written only", "CREATE TABLE krewe.order_item AS TABLE public.order_item; GRANT INSERT ON krewe.order_item TO exporter",
			"DROP TABLE krewe.order_item", []Column{{"order_item", ""}},
		},
		{
			"a materialized view", "ALTER TABLE order_item RENAME TO away; CREATE MATERIALIZED VIEW krewe.order_item AS TABLE away; GRANT SELECT ON krewe.order_item TO exporter",
			"DROP MATERIALIZED VIEW krewe.order_item; ALTER TABLE away RENAME TO order_item", nil,
		},
		{
			"a column that was dropped", "CREATE TABLE krewe.order_item AS TABLE public.order_item; ALTER TABLE krewe.order_item DROP ship_group_seq_id; GRANT SELECT ON krewe.order_item TO exporter",
			"DROP TABLE krewe.order_item", []Column{{"order_item", "ship_group_seq_id"}},
		},
		{"a schema that is not looked in", "CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO exporter; ALTER TABLE order_item SET SCHEMA other", "ALTER TABLE other.order_item SET SCHEMA public", []Column{{"order_item", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			testserver.Execute(t, of.Admin, c.do)
			defer testserver.Execute(t, of.Admin, c.undo)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := openTwoTables(t, testLogger(t), of).Read(ctx, NewLane("items"), time.Now(), func(ctx context.Context, r *Reader) error {
				if !slices.Equal(r.Schema.Missing, c.missing) {
					t.Errorf("missing %v, want %v", r.Schema.Missing, c.missing)
				}
				return r.Query(ctx, "items", nil, func(Record) {})
			})
			if lost := slices.Contains(c.missing, Column{Table: "order_item"}); err != nil != lost || lost && !strings.Contains(err.Error(), "does not have a table") {
				t.Error(err)
			}
		})
	}
}
