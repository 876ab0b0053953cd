package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

var (
	// What the demo does not have: a reconciliation, files of so many days that they are a habit, and within a minute yesterday's orders.
	notInDemo = regexp.MustCompile(`\boms_orders_missing\b|\boms_reset_inventory_usual_(processed_seconds|records)\b|\boms:orders_import_(expected|due)\b`)
	// What is there when a file has come, a job runs for longer than usual, a deadline has passed or an incident has ended: TestServiceLevels
	// has the last two.
	takesTime = regexp.MustCompile(`\boms_job_usual_duration_seconds\b|\bchanges\(oms:reset_inventory_last_processed|\boms:reset_inventory_deadline_(met|unknown)\b|\boms:incident_seconds\b|\boms:orders_(approved|unfillable)\b`)
	// What is there only when something is wrong.
	onlyFaulty = regexp.MustCompile(`^max by \(client, severity, alertname\) \(oms:problem|_failure_timestamp_seconds|and on \(client, job_name\) oms_job_consecutive_failures > 0|^topk.*oms:reset_inventory_missed_seconds`)
)

// a sample of an answer.
type sample struct {
	Metric map[string]string
	Value  [2]any // the time and, as text, the value
}

var ownInterval = regexp.MustCompile(`(?m)^    interval: .+\n`)

// monitored is a demo, and a Prometheus that scrapes it, with the shipped rules. All of them are evaluated every second.
type monitored struct{ demo, prometheus string }

func newMonitored(t *testing.T) monitored {
	t.Helper()
	testserver.Tool(t, "prometheus")
	files, err := filepath.Glob("../rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules := t.TempDir()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		soon := ownInterval.ReplaceAll(content, nil)
		if err := os.WriteFile(filepath.Join(rules, filepath.Base(file)), soon, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	demo := testserver.Demo(t)
	return monitored{demo, testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - {job_name: oms, honor_labels: true, http_sd_configs: [{url: "%s/sd"}]}
  - {job_name: oms_exporter, honor_labels: true, metrics_path: /metrics/exporter, static_configs: [{targets: [%q]}]}
`, filepath.Join(rules, "*.yml"), demo, strings.TrimPrefix(demo, "http://")))}
}

// everybody selects all clients, as the dashboards do when they are opened.
const everybody = ".+"

// query evaluates an expression as Grafana does.
func (m monitored) query(ctx context.Context, client, expr string) ([]sample, error) {
	expr = strings.NewReplacer("$client", client, "$__rate_interval", "10s").Replace(expr)
	var answer struct {
		Status, Error string
		Data          struct{ Result []sample }
	}
	if err := call(ctx, http.MethodGet, m.prometheus+"/api/v1/query?query="+url.QueryEscape(expr), &answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", answer.Error, expr)
	}
	return answer.Data.Result, nil
}

// call sends a request, and reads an answer in JSON if one is expected.
func call(ctx context.Context, method, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if into == nil {
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", address, response.Status)
		}
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// TestDemo evaluates every expression in a real Prometheus: in a healthy system all of them have data, and then the daily
// check turns red where something is wrong.
func TestDemo(t *testing.T) {
	t.Parallel()
	m := newMonitored(t)
	t.Run("healthy", m.healthy)
	t.Run("faulty", m.faulty)
}

func (m monitored) healthy(t *testing.T) {
	for what, expr := range expressions(t) {
		switch {
		case takesTime.MatchString(expr):
			if _, err := m.query(t.Context(), everybody, expr); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		case notInDemo.MatchString(expr):
			// It parses, and the day it has data the test can demand them.
			if found, err := m.query(t.Context(), everybody, expr); err != nil || len(found) > 0 && !strings.Contains(expr, " or ") {
				t.Errorf("%s has %v, error %v", what, found, err)
			}
		case !onlyFaulty.MatchString(expr):
			m.expectData(t, what, expr)
			m.expectNobodyElse(t, what, expr)
		}
	}
	for _, d := range all(shipped(t)) {
		for _, p := range d.all() {
			m.expectColumns(t, p)
		}
	}
	for _, c := range collector.Checks() {
		for _, client := range []string{"KREWE", "UCG", "ADOC", "NEWERA"} {
			if c.Name == "reset_inventory" {
				m.expectState(t, client, c.Name, ok, near) // a file is soon due at some hours of the day
			} else {
				m.expectState(t, client, c.Name, ok)
			}
		}
	}
}

// expressions returns every expression, by where it stands.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, d := range all(shipped(t)) {
		for _, p := range d.all() {
			for _, q := range p.Targets {
				found[name+": "+p.Title+", query "+q.RefID] = q.Expr
			}
		}
		for _, a := range d.Annotations.List {
			found[name+": "+a.Name] = a.Expr
		}
	}
	return found
}

// expectData waits until an expression has data.
func (m monitored) expectData(t *testing.T, what, expr string) {
	t.Helper()
	testserver.Eventually(t, time.Minute, func() error {
		found, err := m.query(t.Context(), everybody, expr)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s has no data: %s", what, expr)
		}
		return err
	})
}

// expectColumns wants a column of the table for every label of its queries: Grafana would add one.
func (m monitored) expectColumns(t *testing.T, p panel) {
	t.Helper()
	if p.Type != "table" {
		return
	}
	for _, q := range p.Targets {
		found, err := m.query(t.Context(), everybody, q.Expr)
		if err != nil {
			t.Error(err)
		}
		for _, s := range found {
			for label := range s.Metric {
				if p.arranged().RenameByName[label] == "" {
					t.Errorf("%s has no column for %s of %s", p.Title, label, q.Expr)
				}
			}
		}
	}
}

// expectNobodyElse wants only what is of the selected client, or of none.
func (m monitored) expectNobodyElse(t *testing.T, what, expr string) {
	t.Helper()
	found, err := m.query(t.Context(), "KREWE", expr)
	if err != nil {
		t.Error(err)
	}
	for _, s := range found {
		if client := s.Metric["client"]; client != "" && client != "KREWE" && !strings.EqualFold(client, "all") {
			t.Errorf("%s shows %s, who is not selected: %s", what, client, expr)
		}
	}
}

func (m monitored) faulty(t *testing.T) {
	// By which check each fault of the demo is seen; the others are in TestStates.
	const sick, mute = "KREWE", "UCG"
	faults := map[string]string{
		"order-stuck": "created", "order-unfulfilled": "brokering",
		"job-stuck": "job_running", "job-failing": "job_failing", "scheduler-down": "scheduler", "file-missing": "reset_inventory",
		"file-invalid": "sftp", "dm-pending": "files_pending", "dm-failed": "files_failed", "chart-error": "reports",
	}
	for fault := range faults {
		m.set(t, sick, fault)
	}
	m.set(t, "ADOC", "file-failed")
	m.set(t, "ADOC", "unfillable") // of one client with order-unfulfilled it would look like a routing that retries
	m.set(t, mute, "db-hung")
	for what, expr := range expressions(t) {
		if onlyFaulty.MatchString(expr) {
			m.expectData(t, what, expr)
		}
	}
	for _, check := range faults {
		m.expectState(t, sick, check, broken)
		if check != "reset_inventory" {
			m.expectState(t, "NEWERA", check, ok)
		}
	}
	m.expectState(t, "ADOC", "parking", broken)
	m.expectState(t, mute, "created", unknown)
	m.expectState(t, mute, "measurement", broken)
	m.expectWorstFirst(t, sick)
}

// set switches a fault of the demo on.
func (m monitored) set(t *testing.T, client, fault string) {
	t.Helper()
	query := url.Values{"client": {client}, "name": {fault}, "on": {"true"}}
	if err := call(t.Context(), http.MethodPost, m.demo+"/demo/fault?"+query.Encode(), nil); err != nil {
		t.Fatal(err)
	}
}

// expectState waits until a check's state of a client is among those wanted.
func (m monitored) expectState(t *testing.T, client, check string, want ...int) {
	t.Helper()
	expr := stateOf(t, check)
	testserver.Eventually(t, 2*time.Minute, func() error {
		found, err := m.query(t.Context(), everybody, expr)
		if err != nil {
			return err
		}
		for _, s := range found {
			if s.Metric["client"] != client {
				continue
			}
			for _, w := range want {
				if s.Value[1] == strconv.Itoa(w) {
					return nil
				}
			}
		}
		return fmt.Errorf("%s of %s is not among %d: %v", check, client, want, found)
	})
}

// expectWorstFirst wants the client whose checks are worst to have the greatest number by which the table is sorted.
func (m monitored) expectWorstFirst(t *testing.T, client string) {
	t.Helper()
	found, err := m.query(t.Context(), everybody, "topk(1, "+worst+")")
	if err != nil || len(found) != 1 || found[0].Metric["client"] != client {
		t.Errorf("the worst client is %v, error %v, want %s", found, err, client)
	}
}

// The states of a check, as rules/check_state.yml records them.
const (
	ok = iota
	near
	broken
	unknown
	unwatched
)

// stateOf returns the expression of a check's sign.
func stateOf(t *testing.T, check string) string {
	t.Helper()
	for _, q := range checksTable().Targets {
		if q.RefID == check {
			return q.Expr
		}
	}
	t.Fatalf("there is no check %s", check)
	return ""
}
