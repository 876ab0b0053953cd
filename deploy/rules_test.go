package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// guideChecks are the checks of the operations guide: those of which clients are told.
var guideChecks = []string{"orders", "jobs", "data_manager", "reset_inventory"}

// A rule is an alerting rule; a recording rule has no Alert.
type rule struct {
	Alert               string
	Labels, Annotations map[string]string
}

// loadRules reads the alerting rules, by name, once: every test needs them.
var loadRules = sync.OnceValues(func() (map[string]rule, error) {
	files, err := filepath.Glob(ruleFiles)
	if err != nil {
		return nil, err
	}
	rules := map[string]rule{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var parsed struct {
			Groups []struct{ Rules []rule }
		}
		if err := yaml.Unmarshal(content, &parsed); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, group := range parsed.Groups {
			for _, r := range group.Rules {
				if _, twice := rules[r.Alert]; twice && r.Alert != "" {
					return nil, fmt.Errorf("%s: %s is there twice", file, r.Alert)
				}
				rules[r.Alert] = r
			}
		}
	}
	delete(rules, "")
	return rules, nil
})

// alertRules returns the alerting rules by name.
func alertRules(t *testing.T) map[string]rule {
	t.Helper()
	rules, err := loadRules()
	if err != nil || len(rules) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	return rules
}

// What routes and inhibition rules need of an alert. That the label client is on it only a real alert can prove; here its
// summary has to name it.
func TestAlertsCanBeRouted(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"severity":   {"page", "ticket", "info"},
		"check":      append([]string{"client", "exporter", "{{ $labels.collector }}"}, guideChecks...),
		"depends_on": {"database", "exporter", `{{ if eq $labels.collector "sftp" }}sftp{{ else }}database{{ end }}`},
	}
	for name, r := range alertRules(t) {
		for label, values := range allowed {
			if !slices.Contains(values, r.Labels[label]) {
				t.Errorf("%s: %s is %q, want one of %q", name, label, r.Labels[label], values)
			}
		}
		if r.Labels["client"] == "" && !strings.Contains(r.Annotations["summary"], "$labels.client") {
			t.Errorf("%s: neither a label client nor a summary that names it", name)
		}
		wanted := []string{"summary", "description", "runbook_url"}
		if r.Labels["severity"] == "page" && slices.Contains(guideChecks, r.Labels["check"]) {
			wanted = append(wanted, "client_notice", "client_outcome", "client_cause")
		}
		if got := slices.Collect(maps.Keys(r.Annotations)); len(got) != len(wanted) {
			t.Errorf("%s: annotations %q, want %q", name, got, wanted)
		}
		for _, annotation := range wanted {
			if strings.TrimSpace(r.Annotations[annotation]) == "" {
				t.Errorf("%s: no %s", name, annotation)
			}
		}
		if !strings.HasSuffix(r.Annotations["runbook_url"], "/"+name+".md") {
			t.Errorf("%s: runbook %s", name, r.Annotations["runbook_url"])
		}
	}
}
