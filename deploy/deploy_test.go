// Package deploy_test proves the configuration that this folder ships, with the servers that read it.
package deploy_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const (
	alertmanagerFile = "alertmanager/alertmanager.yml"
	prometheusFile   = "prometheus/prometheus.yml"
	templates        = "alertmanager/templates/*.tmpl"
	ruleFiles        = "../rules/*.yml"

	// patience is how long anything may take that Alertmanager does at once.
	patience = 30 * time.Second
)

func TestAlertmanagerAcceptsConfig(t *testing.T) {
	t.Parallel()
	if output := tool(t, "amtool", "check-config", alertmanagerFile); strings.Contains(output, "WARN") {
		t.Error(output)
	}
}

func TestPrometheusAcceptsConfig(t *testing.T) {
	t.Parallel()
	output := tool(t, "promtool", "check", "config", prometheusFile)
	files, err := filepath.Glob(ruleFiles)
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		if !strings.Contains(output, filepath.Base(file)) {
			t.Errorf("%s does not load %s:\n%s", prometheusFile, file, output)
		}
	}
}

// The example in docs/deploy.md has the jobs that the rules know.
func TestPrometheusConfigIsDocumented(t *testing.T) {
	t.Parallel()
	type config struct {
		Jobs []map[string]any `yaml:"scrape_configs"`
	}
	var shipped config
	parse(t, read(t, prometheusFile), &shipped)
	jobs := map[any]map[string]any{}
	for _, job := range shipped.Jobs {
		jobs[job["job_name"]] = job
	}

	_, example, found := strings.Cut(read(t, "../docs/deploy.md"), "```yaml\nscrape_configs:")
	example, _, closed := strings.Cut(example, "```")
	if !found || !closed {
		t.Fatal("docs/deploy.md shows no scrape_configs")
	}
	var documented config
	parse(t, "scrape_configs:"+example, &documented)
	if len(documented.Jobs) != len(jobs) {
		t.Errorf("docs/deploy.md shows %d jobs of %d", len(documented.Jobs), len(jobs))
	}
	for _, job := range documented.Jobs {
		// What the example leaves to the reader's global section is the same for all jobs here.
		want := maps.Clone(job)
		for _, key := range []string{"scrape_interval", "scrape_timeout"} {
			want[key] = documented.Jobs[0][key]
		}
		if got, want := encode(t, jobs[job["job_name"]]), encode(t, want); got != want {
			t.Errorf("job %v is\n%s\nin docs/deploy.md\n%s", job["job_name"], got, want)
		}
	}
}

// Besides its jobs Prometheus has the rules, which hold a value from one evaluation to the next (5 minutes apart at most), and the
// Alertmanager beside it.
func TestPrometheusConfigIsComplete(t *testing.T) {
	t.Parallel()
	var shipped map[string]any
	parse(t, read(t, prometheusFile), &shipped)
	delete(shipped, "scrape_configs")
	var want map[string]any
	parse(t, `
global: {evaluation_interval: 15s}
rule_files: [../../rules/*.yml]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: "(prometheus_)?replica"}]
  alertmanagers: [{static_configs: [{targets: [localhost:9093]}]}]`, &want)
	if got, want := encode(t, shipped), encode(t, want); got != want {
		t.Errorf("%s has\n%s\nwant\n%s", prometheusFile, got, want)
	}
}

// tool runs a program of Prometheus' family and returns its output.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testserver.Tool(t, name), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, output, &stderr)
	}
	return string(output)
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// write writes a file for the length of the test and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func parse(t *testing.T, content string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(content), into); err != nil {
		t.Fatal(err)
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	content, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
