package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestPrometheus has a real Prometheus find the clients by /sd and scrape them as docs/deploy.md says, on real databases of
// every kind.
func TestPrometheus(t *testing.T) {
	var clients, names []string
	for _, server := range []*testserver.Server{testserver.MariaDB(t), testserver.Postgres(t)} {
		for _, n := range []string{"a", "b"} {
			name := n + "_" + string(server.Driver())
			dsn := filepath.Join(t.TempDir(), "dsn")
			if err := os.WriteFile(dsn, []byte(server.NewDatabase(t, name)), 0o600); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
			clients = append(clients, fmt.Sprintf(
				"  - {name: %s, timezone: UTC, database: {driver: %s, dsn_file: %q, timezone: UTC}}\n", name, server.Driver(), dsn))
		}
	}
	names = append(names, "c_"+string(config.SQLite))
	path := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, path, append(clients, sqliteClient(t, names[4]))...)
	p := start(t, "--config.file="+path)
	base := testserver.Prometheus(t, "global: {scrape_interval: 3s, scrape_timeout: 3s}\n"+strings.NewReplacer(
		"localhost:9942", p.address, "scrape_interval: 30s", "scrape_interval: 3s", "scrape_timeout: 15s", "scrape_timeout: 3s",
	).Replace(documented(t, "deploy.md", "scrape_configs:")))
	slices.Sort(names)
	for query, want := range map[string][]string{
		`up{job="oms"} == 1`:                              names,
		`sum by (client) (oms_collector_success) == 7`:    names,
		`oms_client_info`:                                 names,
		`up{job="oms_exporter"} == 1`:                     {""},
		`oms_exporter_config_last_reload_successful == 1`: {""},
	} {
		testserver.Eventually(t, 2*time.Minute, func() error {
			got, err := queryClients(t, base, query)
			if err == nil && !slices.Equal(got, want) {
				err = fmt.Errorf("%s has clients %v, want %v", query, got, want)
			}
			return err
		})
	}
}

// queryClients asks Prometheus, and returns the label client of each series of the answer.
func queryClients(t *testing.T, base, query string) ([]string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/query?query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	status, body := fetch(t, http.DefaultClient, r)
	if status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", status, body)
	}
	var answer struct {
		Data struct {
			Result []struct{ Metric struct{ Client string } }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return nil, err
	}
	var clients []string
	for _, series := range answer.Data.Result {
		clients = append(clients, series.Metric.Client)
	}
	slices.Sort(clients)
	return clients, nil
}
