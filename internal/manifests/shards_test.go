package manifests

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestScrape has a real Prometheus scrape real replicas as the ScrapeConfigs say: each client is asked of exactly one, and
// every replica is watched, by the jobs that the rules know.
func TestScrape(t *testing.T) {
	t.Parallel()
	testserver.Tool(t, "prometheus") // before the exporter is built in vain
	binary := build(t)
	for overlay, replicas := range map[string]int32{operator: 1, sharded: 3} {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			rendered := render(t, overlay)
			addresses := []string{fmt.Sprintf("%s.%s.svc:9942", name, namespace)}
			if overlay == sharded {
				set := get[*appsv1.StatefulSet](t, rendered, "StatefulSet/"+name)
				if *set.Spec.Replicas != replicas {
					t.Fatalf("%d replicas", *set.Spec.Replicas)
				}
				addresses = nil
				for i := range replicas {
					addresses = append(addresses, replica(i))
				}
			}
			clients, file := twelveClients(t)
			var servers []string
			for range addresses {
				servers = append(servers, testserver.Exporter(t, binary, "--config.file="+file))
			}
			proxy := newCluster(t, addresses, servers)
			prometheus := testserver.Prometheus(t, configuration(t, rendered, proxy, addresses))

			once := map[string]string{}
			for _, client := range clients {
				once[client] = "1"
			}
			watched, asked := map[string]string{}, map[string]string{}
			for _, address := range addresses {
				watched[address], asked[address] = "1", "1"
			}
			for _, want := range []struct {
				query, label string
				answer       map[string]string
			}{
				{`count by (client) (up{job="oms"} == 1)`, "client", once},
				{`count by (client) (up{job="oms"})`, "client", once},
				{`count by (client) (oms_client_info)`, "client", once},
				{`group by (instance) (up{job="oms"})`, "instance", asked},
				{`count by (instance) (up{job="oms_exporter"} == 1)`, "instance", watched},
				{`count by (instance) (oms_exporter_config_last_reload_successful == 1)`, "instance", watched},
			} {
				testserver.Eventually(t, time.Minute, func() error {
					got, err := query(t, prometheus, want.query, want.label)
					if err == nil && !maps.Equal(got, want.answer) {
						err = fmt.Errorf("%s is %v, want %v", want.query, got, want.answer)
					}
					return err
				})
			}
			pod := probes(t, rendered)
			for _, server := range servers {
				for _, path := range pod {
					if status, body := fetch(t, server+path); status != http.StatusOK {
						t.Errorf("%s: status %d: %s", path, status, body)
					}
				}
			}
		})
	}
}

// probes returns what the kubelet asks.
func probes(t *testing.T, rendered objects) []string {
	t.Helper()
	var containers []corev1.Container
	for _, d := range all[*appsv1.Deployment](rendered) {
		containers = append(containers, d.Spec.Template.Spec.Containers...)
	}
	for _, s := range all[*appsv1.StatefulSet](rendered) {
		containers = append(containers, s.Spec.Template.Spec.Containers...)
	}
	if len(containers) != 1 {
		t.Fatalf("%d containers", len(containers))
	}
	return []string{containers[0].LivenessProbe.HTTPGet.Path, containers[0].ReadinessProbe.HTTPGet.Path}
}

// twelveClients returns names, and a configuration in which nothing of any client can be reached: that is no matter of
// discovery.
func twelveClients(t *testing.T) (names []string, file string) {
	t.Helper()
	dir := t.TempDir()
	text := "clients:\n"
	for i := range 12 {
		client := fmt.Sprintf("CLIENT-%d", i)
		names = append(names, client)
		text += fmt.Sprintf("  - {name: %s, timezone: UTC, database: {driver: sqlite, dsn: %q, timezone: UTC}}\n",
			client, filepath.Join(dir, client+".db"))
	}
	file = filepath.Join(dir, "oms_exporter.yml")
	write(t, file, text)
	return names, file
}

// newCluster returns the URL of a proxy that knows the addresses inside a cluster, whose servers are on loopback. The
// Service's own address leads to each in turn.
func newCluster(t *testing.T, addresses, servers []string) string {
	t.Helper()
	var turn atomic.Int64
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			i := slices.Index(addresses, r.In.Host)
			if strings.HasPrefix(r.In.Host, name+".") {
				i = int(turn.Add(1)) % len(servers)
			}
			if i < 0 {
				r.Out.URL.Host = "unknown.invalid" // answered with an error
				return
			}
			r.Out.URL.Host = strings.TrimPrefix(servers[i], "http://")
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// configuration is the Prometheus configuration that the operator makes of the ScrapeConfigs, but that everything goes by the
// proxy, every second, and that what DNS would say is there already.
func configuration(t *testing.T, rendered objects, proxy string, addresses []string) string {
	t.Helper()
	var jobs []map[string]any
	for _, s := range all[*monitoringv1alpha1.ScrapeConfig](rendered) {
		job := map[string]any{
			"job_name": *s.Spec.JobName, "honor_labels": *s.Spec.HonorLabels, "proxy_url": proxy,
			"scrape_interval": "1s", "scrape_timeout": "1s",
			"relabel_configs": relabelConfigs(s.Spec.RelabelConfigs),
		}
		if s.Spec.MetricsPath != nil {
			job["metrics_path"] = *s.Spec.MetricsPath
		}
		for _, sd := range s.Spec.HTTPSDConfigs {
			job["http_sd_configs"] = []map[string]any{{"url": sd.URL, "proxy_url": proxy, "refresh_interval": "1s"}}
		}
		for _, sd := range s.Spec.DNSSDConfigs {
			service := fmt.Sprintf("%s.%s.svc", name, namespace)
			if !slices.Equal(sd.Names, []string{service}) || *sd.Port != 9942 || *sd.Type != "A" {
				t.Errorf("%s looks for %v, port %d, type %s", s.Name, sd.Names, *sd.Port, *sd.Type)
			}
			job["static_configs"] = []map[string]any{{"targets": addresses}}
		}
		jobs = append(jobs, job)
	}
	text, err := yaml.Marshal(map[string]any{"scrape_configs": jobs})
	check(t, err)
	return string(text)
}

// relabelConfigs spells relabelling as Prometheus does.
func relabelConfigs(from []monitoringv1.RelabelConfig) []map[string]any {
	configs := []map[string]any{}
	for _, r := range from {
		c := map[string]any{"source_labels": r.SourceLabels, "target_label": r.TargetLabel}
		if r.Action != "" {
			c["action"] = strings.ToLower(r.Action)
		}
		if r.Regex != "" {
			c["regex"] = r.Regex
		}
		if r.Modulus != 0 {
			c["modulus"] = r.Modulus
		}
		if r.Replacement != nil {
			c["replacement"] = *r.Replacement
		}
		configs = append(configs, c)
	}
	return configs
}

// query asks Prometheus, and returns the value of each series of the answer by one label.
func query(t *testing.T, prometheus, expr, label string) (map[string]string, error) {
	t.Helper()
	status, body := fetch(t, prometheus+"/api/v1/query?query="+url.QueryEscape(expr))
	if status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", status, body)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, series := range answer.Data.Result {
		values[series.Metric[label]] = fmt.Sprint(series.Value[1])
	}
	return values, nil
}

func fetch(t *testing.T, address string) (status int, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	check(t, err)
	response, err := http.DefaultClient.Do(request)
	check(t, err)
	body, err = io.ReadAll(response.Body)
	check(t, err)
	check(t, response.Body.Close())
	return response.StatusCode, body
}
