package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNiFi has promtool judge what is in the folder nifi: the rules with their tests, the scrape job beside the shipped ones, and what
// the dashboard asks for. Each alert has a runbook, and each runbook an alert.
func TestNiFi(t *testing.T) {
	t.Parallel()
	tool(t, "promtool", "check", "rules", "--lint=all", "--lint-fatal", "nifi/rules.yml")
	tool(t, "promtool", "test", "rules", "nifi/rules_test.yml")

	var shipped, added map[string]any
	parse(t, read(t, prometheusFile), &shipped)
	parse(t, read(t, "nifi/prometheus.yml"), &added)
	jobs, ok := added["scrape_configs"].([]any)
	if !ok || len(added) != 1 {
		t.Fatalf("nifi/prometheus.yml has %v, not scrape jobs alone", added)
	}
	shipped["scrape_configs"] = append(shipped["scrape_configs"].([]any), jobs...)
	rules, err := filepath.Abs("nifi/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	shipped["rule_files"] = []string{rules}
	config := strings.ReplaceAll(encode(t, shipped), "/etc/prometheus/secrets", t.TempDir())
	for _, file := range []string{"nifi_ca.pem", "nifi_client.pem", "nifi_client.key"} {
		if !strings.Contains(config, file) {
			t.Errorf("the job does not use %s", file)
		}
	}
	if output := tool(t, "promtool", "check", "config", "--syntax-only", write(t, "prometheus.yml", config)); !strings.Contains(output, "SUCCESS") {
		t.Error(output)
	}

	var groups struct {
		Groups []struct{ Rules []rule }
	}
	parse(t, read(t, "nifi/rules.yml"), &groups)
	var alerts []string
	for _, r := range groups.Groups[0].Rules {
		alerts = append(alerts, r.Alert)
		if got, want := r.Annotations["runbook_url"], "https://github.com/oms-exporter/oms_exporter/blob/main/deploy/nifi/runbooks/"+r.Alert+".md"; got != want {
			t.Errorf("%s has the runbook %s, want %s", r.Alert, got, want)
		}
		book := read(t, "nifi/runbooks/"+r.Alert+".md")
		for _, section := range []string{"Meaning", "Check", "Causes", "Actions", "Whom to tell", "Escalate"} {
			if !strings.HasPrefix(book, "# "+r.Alert+"\n\n**") || !strings.Contains(book, "\n## "+section+"\n\n") {
				t.Errorf("the runbook of %s has no section %s, or another title", r.Alert, section)
			}
		}
	}
	books, err := os.ReadDir("nifi/runbooks")
	if err != nil || len(books) != len(alerts) {
		t.Errorf("%d runbooks for %d alerts: %v", len(books), len(alerts), err)
	}

	// Grafana's variables are put in as Grafana does.
	var dashboard struct {
		Panels []struct {
			Title   string
			GridPos struct{ Y, H int } `yaml:"gridPos"`
			Targets []struct{ Expr string }
		}
	}
	parse(t, read(t, "nifi/dashboard.json"), &dashboard)
	var queries strings.Builder
	for i, panel := range dashboard.Panels {
		if panel.Title == "" || len(panel.Targets) != 1 || panel.GridPos.Y != i*panel.GridPos.H {
			t.Errorf("panel %d: %+v", i, panel)
			continue
		}
		fmt.Fprintf(&queries, "  - record: panel:%d\n    expr: %q\n", i, strings.ReplaceAll(panel.Targets[0].Expr, "$client", "KREWE|.+"))
	}
	tool(t, "promtool", "check", "rules", write(t, "panels.yml", "groups:\n- name: panels\n  rules:\n"+queries.String()))
	if !slices.Contains(alerts, "NiFiQueueFull") || len(dashboard.Panels) == 0 {
		t.Errorf("alerts %v, %d panels", alerts, len(dashboard.Panels))
	}
}
