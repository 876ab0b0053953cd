package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// withSuperset adds a dashboard to the configuration of a client, seen by User with the password in the environment.
func withSuperset(client, url, dashboard string, more ...string) string {
	return client + fmt.Sprintf("    superset:\n      url: %s\n      username: %s\n      password: ${SUPERSET_PASSWORD}\n      dashboards: [%s]\n",
		url, testserver.User, dashboard) + strings.Join(more, "")
}

// TestReports has the exporter look at real dashboards on a real Superset.
func TestReports(t *testing.T) {
	t.Setenv("SUPERSET_PASSWORD", testserver.Password)
	s, pg := testserver.Superset(t), testserver.Postgres(t)
	uri := "postgresql+psycopg2" + strings.TrimPrefix(pg.NewDatabase(t, "oms"), "postgres")
	dataset := s.NewDataset(t, s.NewDatabase(t, "KREWE OMS", uri, map[string]any{}), "orders", "public", "SELECT order_id FROM order_header")
	dashboard := s.NewDashboard(t, "KREWE Order Sync", "krewe-order-sync")
	count := map[string]any{"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "orders"}
	s.NewChart(t, dashboard, dataset, "Open", "big_number_total", map[string]any{"columns": []any{}, "metrics": []any{count}})
	s.NewChart(t, dashboard, dataset, "Listed", "table", map[string]any{"columns": []any{"order_id"}, "row_limit": 10})
	s.NewChart(t, dashboard, dataset, "Broken", "table", map[string]any{"columns": []any{"no_such_column"}, "row_limit": 10})

	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, file, withSuperset(sqliteClient(t, "KREWE"), s.URL, "krewe-order-sync"), sqliteClient(t, "UCG"))
	p := start(t, "--config.file="+file)
	const ofChart = `{chart="%s",client="KREWE",dashboard="krewe-order-sync"%s} %s`
	page := p.get(t, "/probe?client=KREWE", timeoutHeader+": 30")
	for _, line := range []string{
		`oms_collector_success{client="KREWE",collector="reports"} 1`,
		`oms_report_dashboard_success{client="KREWE",dashboard="krewe-order-sync"} 1`,
		`oms_report_chart_success` + fmt.Sprintf(ofChart, "Open", "", "1"),
		`oms_report_chart_value` + fmt.Sprintf(ofChart, "Open", `,metric="orders"`, "0"),
		`oms_report_chart_rows` + fmt.Sprintf(ofChart, "Listed", "", "0"),
		`oms_report_chart_info` + fmt.Sprintf(ofChart, "Broken", `,data_source="KREWE OMS"`, "1"),
		`oms_report_chart_success` + fmt.Sprintf(ofChart, "Broken", "", "0"),
		`oms_report_chart_error` + fmt.Sprintf(ofChart, "Broken", `,reason="query"`, "1"),
		`oms_report_chart_consecutive_failures` + fmt.Sprintf(ofChart, "Broken", "", "1"),
	} {
		wantLines(t, page, line)
	}
	if read := value(t, page, `oms_report_chart_cached_timestamp_seconds{chart="Listed",client="KREWE",dashboard="krewe-order-sync"}`); time.Since(time.Unix(int64(read), 0)) > time.Minute {
		t.Errorf("the data were read at %f", read)
	}
	for path, want := range map[string]string{
		"/client?name=KREWE": "dashboard krewe-order-sync: chart Broken: query: Error: Columns missing in dataset: [&#39;no_such_column&#39;]",
		"/probe?client=KREWE&collector=reports&debug=true": "1 rows: POST /api/v1/chart/data (Open)",
	} {
		if page := p.get(t, path); !strings.Contains(page, want) {
			t.Errorf("%s lacks %q:\n%s", path, want, page)
		}
	}
	if page := p.get(t, "/metrics"); strings.Contains(page, `client="UCG",collector="reports"`) {
		t.Errorf("a client without reports has some:\n%s", page)
	}

	var stdout, stderr strings.Builder
	if status := run(t.Context(), []string{"check", "--config.file=" + file, "--client=KREWE"}, &stdout, &stderr); status != 1 ||
		!strings.Contains(stdout.String(), `KREWE: superset krewe-order-sync: WRONG: chart "Broken": `) || strings.Contains(stdout.String(), `chart "Open"`) {
		t.Errorf("check: status %d:\n%s%s", status, &stdout, &stderr)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(testserver.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	_, dsn, _ := strings.Cut(sqliteClient(t, "NEW"), "dsn: \"")
	dsn, _, _ = strings.Cut(dsn, "\"")
	stdout.Reset()
	if status := run(t.Context(), []string{
		"discover", "--name=KREWE", "--driver=sqlite", "--dsn=" + dsn, "--timeout=5s",
		"--superset.url=" + s.URL, "--superset.username=" + testserver.User, "--superset.password-file=" + password,
	}, &stdout, &stderr); status != 0 || !strings.Contains(stdout.String(), "krewe-order-sync") {
		t.Errorf("discover: status %d:\n%s%s", status, &stdout, &stderr)
	}
}

// TestReportsShareAndSurvive has clients share a login, also over reloads, and a Superset that falls silent.
func TestReportsShareAndSurvive(t *testing.T) {
	t.Setenv("SUPERSET_PASSWORD", testserver.Password)
	s := newLooseSuperset(t)
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	krewe, ucg := sqliteClient(t, "KREWE"), sqliteClient(t, "UCG")
	writeConfig(t, file, withSuperset(krewe, s.URL, "d"), withSuperset(ucg, s.URL+"/", "d"))
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	var seen strings.Builder
	get := func(path string) string {
		t.Helper()
		page := p.get(t, path, timeoutHeader+": 3")
		seen.WriteString(page)
		return page
	}
	reload := func() {
		t.Helper()
		if status, body := p.ask(t, "POST", "/-/reload"); status != 200 {
			t.Fatalf("status %d: %s", status, body)
		}
	}
	for _, client := range []string{"KREWE", "UCG"} {
		wantLines(t, get("/metrics"), `oms_report_chart_error{chart="c",client="`+client+`",dashboard="d",reason="query"} 1`)
	}
	writeConfig(t, file, withSuperset(krewe, s.URL, "d", "      interval: 1h\n"), withSuperset(ucg, s.URL, "d", "      interval: 1h\n"))
	reload()
	wantLines(t, get("/metrics"), `oms_collector_success{client="KREWE",collector="reports"} 1`)
	for _, path := range []string{"/client?name=KREWE", "/probe?client=KREWE&collector=reports&debug=true"} {
		if page := get(path); !strings.Contains(page, "solr") {
			t.Errorf("%s does not say why the chart fails:\n%s", path, page)
		}
	}
	if n := s.logins.Load(); n != 1 {
		t.Errorf("%d logins, want one for both clients, kept over a reload", n)
	}

	s.silent.Store(true)
	wantLines(t, get("/metrics"), `oms_report_chart_success{chart="c",client="KREWE",dashboard="d"} 0`) // still the last run's
	writeConfig(t, file, withSuperset(krewe, s.URL, "d", "      interval: 2h\n"), ucg)
	reload() // a first run again
	begin := time.Now()
	page := get("/metrics")
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("the answer took %s", took)
	}
	wantLines(t, page, `oms_collector_success{client="KREWE",collector="reports"} 0`)
	wantOthersQuick(t, page)
	s.silent.Store(false)
	writeConfig(t, file, withSuperset(krewe, s.URL, "d")) // ends the silent run
	reload()
	testserver.Eventually(t, 30*time.Second, func() error {
		page := get("/metrics")
		if !strings.Contains(page, `oms_collector_success{client="KREWE",collector="reports"} 1`) {
			return errors.New(page)
		}
		return nil
	})
	wantNoSecrets(t, p, seen.String())
}
