package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// guideChecks are the checks of the operations guide: those of which clients are told.
var guideChecks = []string{"orders", "jobs", "data_manager", "reset_inventory"}

// A rule is an alerting rule; a recording rule has no Alert.
type rule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

// loadRules reads the alerting rules, by name, once: every test needs them. Of an alert that is a ticket at first and later a page it
// has the page.
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
				earlier, twice := rules[r.Alert]
				if twice && r.Alert != "" && (earlier.Labels["severity"] != "ticket" || r.Labels["severity"] != "page") {
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
