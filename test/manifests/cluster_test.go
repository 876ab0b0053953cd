package manifests

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"sigs.k8s.io/yaml"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// service is the address of the Service.
const service = name + "." + namespace + ".svc"

// replica is the address of a replica of the StatefulSet.
func replica(i int) string { return fmt.Sprintf("%s-%d.%s:%d", name, i, service, port) }

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
			if !slices.Equal(sd.Names, []string{service}) || *sd.Port != port || *sd.Type != "A" {
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
	status, text, err := testserver.Fetch(t.Context(), http.MethodGet, address)
	check(t, err)
	return status, []byte(text)
}
