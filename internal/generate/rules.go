package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ruleFiles are the files of rules with their links, by their path.
func ruleFiles(root string) (map[string]string, error) {
	return linkedFiles(filepath.Join(root, "rules"), root)
}

// summary is the first paragraph of a runbook, which says in bold what has happened.
var summary = regexp.MustCompile(`(?m)\A# \w+\n\n\*\*(.*)\*\*$`)

// runbookIndex has a row for each alert.
func runbookIndex(root, before string) (string, error) {
	files, err := ruleFiles(root)
	if err != nil {
		return "", err
	}
	var rows []string
	for path, content := range files {
		var parsed struct {
			Groups []struct {
				Rules []struct {
					Alert  string
					Labels map[string]string
				}
			}
		}
		if err := yaml.Unmarshal([]byte(content), &parsed); err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		for _, group := range parsed.Groups {
			for _, r := range group.Rules {
				if r.Alert == "" {
					continue
				}
				page, err := os.ReadFile(filepath.Join(root, "rules", "runbooks", r.Alert+".md"))
				if err != nil {
					return "", err
				}
				says := summary.FindSubmatch(page)
				if says == nil {
					return "", fmt.Errorf("the runbook of %s does not begin with its name and a paragraph in bold", r.Alert)
				}
				check := r.Labels["check"]
				if strings.Contains(check, "$labels.collector") {
					check = "the collector"
				}
				rows = append(rows, fmt.Sprintf("| [%s](%s.md) | %s | %s | %s |\n", r.Alert, r.Alert, r.Labels["severity"], check, says[1]))
			}
		}
	}
	slices.Sort(rows)
	return between(before, "| alert | severity | check | what happened |\n|---|---|---|---|\n"+strings.Join(rows, ""))
}

var lineStart = regexp.MustCompile(`(?m)^(.)`)

// kubernetesRules has a PrometheusRule for each file of rules, which says the resource's spec as it stands. Kustomize
// cannot make one of a file.
func kubernetesRules(root, _ string) (string, error) {
	files, err := ruleFiles(root)
	if err != nil {
		return "", err
	}
	var all []string
	for path, content := range files {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), ".yml"), "_", "-")
		all = append(all, "---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"+
			"metadata: {name: oms-"+name+", namespace: oms-exporter}\nspec:\n"+lineStart.ReplaceAllString(content, "  $1"))
	}
	slices.Sort(all)
	return strings.Join(all, ""), nil
}
