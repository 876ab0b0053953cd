package manifests

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"sigs.k8s.io/yaml"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestScrape has a real Prometheus scrape real replicas as the ScrapeConfigs say: each client is asked of exactly one, and
// every replica is watched, by the jobs that the rules know.
func TestScrape(t *testing.T) {
	t.Parallel()
	testserver.Tool(t, "prometheus") // before the exporter is built in vain
	binary := build(t)
	rendered, _ := workloads(t)
	for overlay, addresses := range map[string][]string{
		operator: {fmt.Sprintf("%s:%d", service, port)},
		sharded:  {replica(0), replica(1), replica(2)},
	} {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			clients, file := twelveClients(t)
			var servers []string
			for range addresses {
				servers = append(servers, testserver.Exporter(t, "/-/ready", binary, "--config.file="+file).URL)
			}
			proxy := newCluster(t, addresses, servers)
			prometheus := testserver.Prometheus(t, configuration(t, rendered[overlay], proxy, addresses))

			once := map[string]string{}
			for _, client := range clients {
				once[client] = "1"
			}
			each := map[string]string{}
			for _, address := range addresses {
				each[address] = "1"
			}
			for _, want := range []struct {
				query, label string
				answer       map[string]string
			}{
				{`count by (client) (up{job="oms"} == 1)`, "client", once},
				{`count by (client) (up{job="oms"})`, "client", once},
				{`count by (client) (oms_client_info)`, "client", once},
				{`group by (instance) (up{job="oms"})`, "instance", each},
				{`count by (instance) (up{job="oms_exporter"} == 1)`, "instance", each},
				{`count by (instance) (oms_exporter_config_last_reload_successful == 1)`, "instance", each},
			} {
				testserver.Eventually(t, time.Minute, func() error {
					got, err := query(t, prometheus, want.query, want.label)
					if err == nil && !maps.Equal(got, want.answer) {
						err = fmt.Errorf("%s is %v, want %v", want.query, got, want.answer)
					}
					return err
				})
			}
			for _, server := range servers {
				for _, path := range []string{"/-/healthy", "/-/ready"} {
					if status, body := fetch(t, server+path); status != http.StatusOK {
						t.Errorf("%s: status %d: %s", path, status, body)
					}
				}
			}
		})
	}
}

// job is what is the same of a scrape job wherever Prometheus runs.
type job struct {
	Name     string `json:"job_name"`
	Honor    bool   `json:"honor_labels"`
	Interval string `json:"scrape_interval"`
	Timeout  string `json:"scrape_timeout"`
	Path     string `json:"metrics_path"`
}

// The jobs are those of prometheus.yml, but for where they look.
func TestScrapeJobs(t *testing.T) {
	t.Parallel()
	var shipped struct {
		Jobs []job `json:"scrape_configs"`
	}
	check(t, yaml.Unmarshal([]byte(read(t, root+"deploy/prometheus/prometheus.yml")), &shipped))
	for _, overlay := range []string{operator, sharded} {
		var jobs []job
		for _, s := range all[*monitoringv1alpha1.ScrapeConfig](render(t, root, overlay)) {
			j := job{*s.Spec.JobName, *s.Spec.HonorLabels, string(*s.Spec.ScrapeInterval), string(*s.Spec.ScrapeTimeout), ""}
			if s.Spec.MetricsPath != nil {
				j.Path = *s.Spec.MetricsPath
			}
			jobs = append(jobs, j)
		}
		if !slices.Equal(jobs, shipped.Jobs) {
			t.Errorf("%s: the jobs are %v, want %v", overlay, jobs, shipped.Jobs)
		}
	}
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
