package superset

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the tests' first look is.
var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// secret is a file that holds a text.
func secret(tb testing.TB, text string) config.Secret {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "secret")
	must(tb, os.WriteFile(file, []byte(text), 0o600))
	return config.FileSecret(file)
}

// by is a user of a Superset.
func by(tb testing.TB, url, user string) config.SupersetAccount {
	tb.Helper()
	return config.SupersetAccount{URL: url, Provider: config.SupersetDB, Username: user, Password: secret(tb, testserver.Password)}
}

func open(tb testing.TB, p *Pool, a config.SupersetAccount, dashboards ...string) *Reports {
	tb.Helper()
	r, err := p.Open(slog.New(slog.DiscardHandler), config.Client{
		Name: "KREWE", Superset: config.Superset{Account: a, Dashboards: dashboards, Interval: 5 * time.Minute},
	})
	must(tb, err)
	tb.Cleanup(func() { must(tb, r.Close()) })
	return r
}

// look waits for the run that is due at a time after start, and returns what it found.
func look(tb testing.TB, r *Reports, after time.Duration) (oms.ReportRun, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	now := start.Add(after)
	_, _ = r.Latest(ctx, now)
	r.mu.Lock()
	under := r.current
	r.mu.Unlock()
	select {
	case <-under.done:
	case <-ctx.Done():
		tb.Fatal("the run does not end")
	}
	return r.Latest(ctx, now)
}

// failed says of each chart why it failed, or ok.
func failed(run oms.ReportRun) map[string]string {
	all := map[string]string{}
	for _, d := range run.Dashboards {
		if d.Failure != nil {
			all[d.Name] = string(d.Failure.Reason)
		}
		for _, c := range d.Charts {
			all[c.Name] = "ok"
			if c.Failure != nil {
				all[c.Name] = string(c.Failure.Reason)
			}
		}
	}
	return all
}

func compare(tb testing.TB, got, want map[string]string) {
	tb.Helper()
	for name, w := range want {
		if got[name] != w {
			tb.Errorf("%s: %q, want %q", name, got[name], w)
		}
	}
	for name := range got {
		if want[name] == "" {
			tb.Errorf("%s: %q, want nothing", name, got[name])
		}
	}
}

// charts returns the charts of a run by name.
func charts(run oms.ReportRun) map[string]oms.Chart {
	all := map[string]oms.Chart{}
	for _, d := range run.Dashboards {
		for _, c := range d.Charts {
			all[c.Name] = c
		}
	}
	return all
}

// orders is a PostgreSQL database of an OMS with nine sales orders, as Superset knows it; a statement may take 2 s.
func orders(tb testing.TB, s *testserver.SupersetServer, pg *testserver.Server, name string) (database int, execute func(string)) {
	tb.Helper()
	dsn := pg.NewDatabase(tb, name)
	db := pg.Admin(tb, name)
	execute = func(statement string) {
		tb.Helper()
		_, err := db.ExecContext(tb.Context(), statement)
		must(tb, err)
	}
	execute(`INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, grand_total)
		SELECT 'M' || i, 'SALES_ORDER', 'ORDER_CREATED', timestamp '2026-03-01' + i * interval '1 hour', 10 * i FROM generate_series(1, 9) i`)
	execute("GRANT SELECT ON order_header TO " + testserver.User) // charts show more than the exporter reads
	uri := "postgresql+psycopg2" + strings.TrimPrefix(dsn, "postgres")
	return s.NewDatabase(tb, "KREWE "+name, uri, map[string]any{"connect_args": map[string]any{"options": "-c statement_timeout=2000"}}), execute
}

// metric is a metric of a chart's query.
func metric(sql, label string) map[string]any {
	return map[string]any{"expressionType": "SQL", "sqlExpression": sql, "label": label}
}

func table(columns ...string) map[string]any {
	return map[string]any{"columns": columns, "row_limit": 1000, "orderby": []any{}}
}

func number(metrics ...map[string]any) map[string]any {
	return map[string]any{"columns": []any{}, "metrics": metrics, "filters": []any{}}
}

// TestCharts asks a real Superset for charts over a real PostgreSQL.
func TestCharts(t *testing.T) {
	s, pg := testserver.Superset(t), testserver.Postgres(t)
	well, changeWell := orders(t, s, pg, "well")
	vanishing, changeVanishing := orders(t, s, pg, "vanishing")
	created := s.NewDataset(t, well, "created", "public", "SELECT * FROM order_header")
	slow := s.NewDataset(t, well, "slow", "public", "SELECT order_id, pg_sleep(0.5)::text AS waited FROM order_header")
	changed := s.NewDataset(t, vanishing, "changed", "public", "SELECT * FROM order_header")

	sync := s.NewDashboard(t, "KREWE Order Sync's!", "krewe-order-sync")
	s.NewChart(t, sync, created, "Created orders", "table", table("order_id", "status_id"))
	s.NewChart(t, sync, created, "No order", "table", func() map[string]any {
		q := table("order_id")
		q["filters"] = []any{map[string]any{"col": "status_id", "op": "==", "val": "ORDER_HOLD"}}
		return q
	}())
	s.NewChart(t, sync, created, "Open", "big_number_total", number(metric("COUNT(*)", "orders")))
	s.NewChart(t, sync, created, "Totals", "table", number(metric("COUNT(*)", "orders"), metric("SUM(grand_total)", "worth"), metric("SUM(NULL::int)", "none")))
	s.NewChart(t, sync, created, "Trend", "big_number", map[string]any{
		"columns": []any{map[string]any{
			"timeGrain": "PT1H", "columnType": "BASE_AXIS", "sqlExpression": "entry_date", "label": "entry_date", "expressionType": "SQL",
		}},
		"metrics": []any{metric("SUM(grand_total)", "worth")}, "filters": []any{}, "orderby": []any{[]any{metric("SUM(grand_total)", "worth"), true}},
	})
	s.NewChart(t, sync, created, "Twice", "table", table("order_id"))
	s.NewChart(t, sync, created, "Twice", "table", table("order_id"))
	s.NewChart(t, sync, created, "Unsaved", "table", nil)
	s.NewChart(t, sync, slow, "Slow", "table", table("order_id", "waited"))
	s.NewChart(t, sync, changed, "Vanished column", "table", table("order_id", "grand_total"))
	deleted := s.NewChart(t, sync, created, "Deleted", "table", table("order_id"))
	place := func(chart int, name string) map[string]any {
		return map[string]any{"type": "CHART", "id": fmt.Sprint("CHART-", chart), "children": []any{}, "parents": []any{"ROOT_ID", "GRID_ID"},
			"meta": map[string]any{"chartId": chart, "sliceName": name}}
	}
	position, err := json.Marshal(map[string]any{"DASHBOARD_VERSION_KEY": "v2", "CHART-x": place(deleted, "Deleted")})
	must(t, err)
	s.Call(t, http.MethodPut, fmt.Sprint("/api/v1/dashboard/", sync), map[string]any{"position_json": string(position)})
	s.Call(t, http.MethodDelete, fmt.Sprint("/api/v1/chart/", deleted), nil)
	changeVanishing("ALTER TABLE order_header RENAME grand_total TO total")

	r := open(t, NewPool(func() time.Time { return start }), by(t, s.URL, testserver.User), "krewe-order-sync")
	run, err := look(t, r, 0)
	must(t, err)
	want := map[string]string{
		"Created orders": "ok", "No order": "ok", "Open": "ok", "Totals": "ok", "Trend": "ok", "Twice (6)": "ok", "Twice (7)": "ok",
		"Unsaved": "no_query_context", "Slow": "timeout", "Vanished column": "query", "Deleted": "deleted",
	}
	compare(t, failed(run), want)
	_, err = look(t, open(t, NewPool(time.Now), by(t, s.URL, testserver.User), "krewe-order"), 0)
	if seen := "who sees krewe-order-sync (\""; err == nil || !strings.Contains(err.Error(), seen) {
		t.Errorf("error %v, want %q", err, seen)
	}
	got := charts(run)
	for name, rows := range map[string]int{"Created orders": 9, "No order": 0, "Open": 1, "Trend": 9, "Twice (6)": 9} {
		if c := got[name]; c.Rows != rows || c.Took <= 0 || c.DataSource != "KREWE well" || !c.Read.Equal(start) && name != "Twice (7)" && name != "Twice (6)" {
			t.Errorf("%s: %+v, want %d rows of KREWE well, read at once", name, c, rows)
		}
	}
	for name, values := range map[string]string{
		"Created orders": "map[]", "Open": "map[orders:9]", "Totals": "map[orders:9 worth:450]", "Trend": "map[worth:90]",
	} {
		if c := got[name]; fmt.Sprint(c.Values) != values {
			t.Errorf("%s: %v, want %s", name, c.Values, values)
		}
	}
	if text := got["Vanished column"].Failure.Text; !strings.Contains(text, `column "grand_total" does not exist`) {
		t.Errorf("the vanished column: %s", text)
	}

	t.Run("cached", func(t *testing.T) {
		changeWell("DELETE FROM order_header WHERE order_id = 'M9'")
		run, err := look(t, r, 5*time.Minute)
		must(t, err)
		got := charts(run)
		if c := got["Created orders"]; c.Rows != 9 || time.Since(c.Read) > time.Minute || c.Read.After(time.Now()) {
			t.Errorf("%+v, want the cached rows", c)
		}
		if c := got["Slow"]; c.Failures != 2 || got["Open"].Failures != 0 {
			t.Errorf("%+v, want two failures", c)
		}
	})

	t.Run("titles and ids", func(t *testing.T) {
		// Who is no administrator finds only dashboards that have a chart for him.
		small := s.NewDashboard(t, "Small", "small")
		s.NewChart(t, small, created, "Only", "table", table("order_id"))
		for _, slug := range []string{"one", "two"} {
			s.NewChart(t, s.NewDashboard(t, "Two of a kind", slug), created, slug, "table", table("order_id"))
		}
		r := open(t, NewPool(time.Now), by(t, s.URL, testserver.User), "KREWE Order Sync's!", fmt.Sprint(small), "none/such", "Two of a kind")
		run, err := look(t, r, 0)
		compare(t, failed(oms.ReportRun{Dashboards: run.Dashboards[1:]}), map[string]string{"Only": "ok", "none/such": "not_found", "Two of a kind": "not_found"})
		if len(run.Dashboards) != 4 || len(run.Dashboards[0].Charts) != len(want) {
			t.Errorf("%+v", run)
		}
		for _, text := range []string{"dashboard none/such: not_found: ", "dashboard Two of a kind: ", "several dashboards with that title"} {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("error %v lacks %s", err, text)
			}
		}
	})

	t.Run("no permission", func(t *testing.T) {
		r := open(t, NewPool(time.Now), by(t, s.URL, testserver.Stranger), "krewe-order-sync")
		run, err := look(t, r, 0)
		if err == nil {
			t.Errorf("the stranger sees %+v", run)
		}
		compare(t, failed(run), map[string]string{"krewe-order-sync": "not_found"})
		// He may see one of the data sources, and the dashboard for its sake.
		gamma := s.Call(t, http.MethodGet, "/api/v1/security/roles/?q=(filters:!((col:name,opr:eq,value:Gamma)))", nil)["ids"].([]any)[0]
		rights := s.Call(t, http.MethodGet, fmt.Sprintf("/api/v1/security/roles/%v/permissions/", gamma), nil)["result"].([]any)
		ids := []any{}
		for _, p := range rights {
			ids = append(ids, p.(map[string]any)["id"])
		}
		ids = append(ids, rightOn(t, s, "[KREWE well].[created]"))
		s.Call(t, http.MethodPost, fmt.Sprintf("/api/v1/security/roles/%v/permissions", gamma), map[string]any{"permission_view_menu_ids": ids})
		run, err = look(t, r, 5*time.Minute)
		must(t, err)
		got := failed(run)
		if got["Created orders"] != "ok" || got["Slow"] != "permission" || got["Vanished column"] != "permission" {
			t.Errorf("%v", got)
		}
	})

	t.Run("filters", func(t *testing.T) { testFilters(t, s, created) })
	t.Run("TLS", func(t *testing.T) { testTLS(t, s) })
	t.Run("token expires", func(t *testing.T) { testExpiry(t, s) })

	t.Run("data source gone", func(t *testing.T) {
		gone := testserver.Postgres(t)
		database, execute := orders(t, s, gone, "gone")
		dataset := s.NewDataset(t, database, "gone", "public", "SELECT * FROM order_header")
		dashboard := s.NewDashboard(t, "Gone", "gone")
		for _, name := range []string{"One", "Two"} {
			s.NewChart(t, dashboard, dataset, name, "table", table("order_id"))
		}
		s.NewChart(t, dashboard, created, "Elsewhere", "table", table("order_id"))
		r := open(t, NewPool(time.Now), by(t, s.URL, testserver.User), "gone")
		execute("ALTER USER " + testserver.User + " PASSWORD 'another'")
		run, err := look(t, r, 0)
		must(t, err)
		compare(t, failed(run), map[string]string{"One": "data_source_auth", "Two": "data_source_auth", "Elsewhere": "ok"})
		gone.Stop(t)
		run, err = look(t, r, 5*time.Minute)
		must(t, err)
		compare(t, failed(run), map[string]string{"One": "data_source", "Two": "data_source", "Elsewhere": "ok"})
		if c := charts(run)["One"]; c.DataSource != "KREWE gone" || c.Failures != 2 {
			t.Errorf("%+v", c)
		}
	})
}

// rightOn returns the id of the right to see a dataset.
func rightOn(t *testing.T, s *testserver.SupersetServer, dataset string) any {
	t.Helper()
	for page := 0; ; page++ {
		all := s.Call(t, http.MethodGet, fmt.Sprintf("/api/v1/security/permissions-resources/?q=(page:%d,page_size:100)", page), nil)["result"].([]any)
		i := slices.IndexFunc(all, func(p any) bool {
			name := p.(map[string]any)["view_menu"].(map[string]any)["name"].(string)
			return strings.HasPrefix(name, dataset)
		})
		if i >= 0 {
			return all[i].(map[string]any)["id"]
		}
		if len(all) == 0 {
			t.Fatalf("nobody can be allowed to see %s", dataset)
		}
	}
}

// TestPermalink has a real Superset's permalink, which is no name of a dashboard.
func TestPermalink(t *testing.T) {
	s := testserver.Superset(t)
	sync := s.NewDashboard(t, "KREWE Links", "krewe-links")
	made := s.Call(t, http.MethodPost, fmt.Sprintf("/api/v1/dashboard/%d/permalink", sync), map[string]any{"dataMask": map[string]any{}})
	for name, want := range map[string]string{
		fmt.Sprint(made["url"]): `it is a link to the dashboard krewe-links ("KREWE Links"): write that slug or id`,
		fmt.Sprint(made["key"]): `it is a link to the dashboard krewe-links ("KREWE Links"): write that slug or id`,
		"krewe-link":            "; Superset lists no dashboard for that account", // it has no chart that the account may see
	} {
		run, err := look(t, open(t, NewPool(time.Now), by(t, s.URL, testserver.User), name), 0)
		compare(t, failed(run), map[string]string{name: "not_found"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}
