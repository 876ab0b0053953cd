package main

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/collector"
)

func TestPages(t *testing.T) {
	b := newBench(t, options{collectors: collector.All()[:4]}, nil, "KREWE", "UCG")
	everyClient := []string{
		`oms_collector_success{client="KREWE",collector="orders"} 1`,
		`oms_collector_success{client="UCG",collector="orders"} 1`,
	}
	itself := []string{"oms_exporter_config_last_reload_successful 1", `promhttp_metric_handler_errors_total{cause="gathering"} 0`}
	for _, tc := range []struct {
		method, target string
		status         int
		want, never    []string
	}{
		{"GET", "/metrics", 200, append(everyClient, itself...), nil},
		{"GET", "/metrics/exporter", 200, itself, []string{"oms_collector", "oms_client"}},
		{"GET", "/probe?client=UCG", 200, everyClient[1:], []string{"KREWE", "oms_exporter", "go_"}},
		{"GET", "/probe?client=UCG&collector=jobs&collector=client", 200,
			[]string{`oms_collector_success{client="UCG",collector="jobs"} 1`, `oms_collector_success{client="UCG",collector="client"} 1`},
			[]string{`collector="orders"`}},
		{"GET", "/probe?client=UCG&collector=jobs&debug=true", 200, []string{"# client UCG, collector jobs: succeeded after"}, nil},
		{"GET", "/probe", 400, []string{"specify one client"}, nil},
		{"GET", "/probe?client=ucg", 404, []string{`there is no client "ucg"`}, nil},
		{"GET", "/probe?client=UCG&collector=job", 400, []string{`collector "job" is unknown or disabled`, "client, orders, last_mile, jobs"}, nil},
		{"GET", "/probe?client=UCG&collector=data_manager", 400, []string{`"data_manager" is unknown or disabled`}, nil},
		{"GET", "/client", 400, []string{"specify one client: /client?name=NAME"}, nil},
		{"GET", "/client?name=ucg", 404, []string{`there is no client "ucg"`}, nil},
		{"GET", "/client?name=UCG", 200, []string{"UCG <small>"}, []string{"KREWE"}},
		{"GET", "/status.json", 200, []string{`"name":"UCG"`, `"name":"KREWE"`}, nil},
		{"GET", "/-/healthy", 200, []string{"healthy"}, nil},
		{"GET", "/-/ready", 200, []string{"ready"}, nil},
		{"GET", "/-/reload", 405, nil, nil},
		{"POST", "/-/reload", 403, []string{"--web.enable-lifecycle"}, nil},
		{"POST", "/demo/fault?client=UCG&name=order-stuck&on=true", 404, nil, nil},
		{"GET", "/elsewhere", 404, nil, nil},
		{"POST", "/metrics", 405, nil, nil},
	} {
		t.Run(tc.method+" "+tc.target, func(t *testing.T) {
			w := b.ask(t.Context(), tc.method, tc.target)
			if w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			for _, want := range tc.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("%q is missing in\n%s", want, w.Body)
				}
			}
			for _, never := range tc.never {
				if strings.Contains(w.Body.String(), never) {
					t.Errorf("%q must not stand in\n%s", never, w.Body)
				}
			}
		})
	}
}

// TestEachFamilyOnce is about the families of the clients and those of the exporter itself, which are put side by side.
func TestEachFamilyOnce(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE", "UCG")
	var names []string
	for line := range strings.Lines(b.ask(t.Context(), "GET", "/metrics").Body.String()) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, name)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(names))); len(names) < 50 || !slices.Equal(names, sorted) {
		t.Errorf("got\n%q\nwant each once and in order:\n%q", names, sorted)
	}
}

func TestReady(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	if w := b.ask(t.Context(), "GET", "/-/ready"); w.Code != http.StatusOK {
		t.Errorf("with a configuration: status %d", w.Code)
	}
	if err := b.clients.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/-/ready", "/metrics", "/", "/client?name=KREWE", "/status.json"} {
		if w := b.ask(t.Context(), "GET", path); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s without a configuration: status %d", path, w.Code)
		}
	}
	if w := b.ask(t.Context(), "GET", "/-/healthy"); w.Code != http.StatusOK {
		t.Errorf("healthy without a configuration: status %d", w.Code)
	}
}

func TestDiscovery(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE", "ADOC-SV")
	for _, scheme := range []string{"", "https"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://exporter.example:9942/sd", nil)
		want := map[string]string{"client": "ADOC-SV", "__param_client": "ADOC-SV", "__metrics_path__": "/probe"}
		if scheme != "" {
			r.TLS = &tls.ConnectionState{}
			want["__scheme__"] = scheme
		}
		w := httptest.NewRecorder()
		b.handler().ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type %q", got)
		}
		var groups []struct {
			Targets []string
			Labels  map[string]string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &groups); err != nil {
			t.Fatal(err)
		}
		if len(groups) != 2 {
			t.Fatalf("%d groups, want one per client", len(groups))
		}
		if g := groups[1]; len(g.Targets) != 1 || g.Targets[0] != "exporter.example:9942" || !reflect.DeepEqual(g.Labels, want) {
			t.Errorf("group %v, want labels %v", g, want)
		}
	}
}
