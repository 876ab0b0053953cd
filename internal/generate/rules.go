package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ruleFiles are the files of rules with their links, by their path.
func ruleFiles(root string) (map[string]string, error) {
	return linkedFiles(filepath.Join(root, "rules"), root)
}

// runbookIndex has a row for each alert.
func runbookIndex(root, before string) (string, error) {
	all, err := alerts(root)
	if err != nil {
		return "", err
	}
	rows := make([]string, 0, len(all))
	for _, a := range all {
		rows = append(rows, fmt.Sprintf("| [%s](%s.md) | %s | %s | %s |\n", a.name, a.name, a.severity, a.check, a.happened))
	}
	return between(before, begin, "| alert | severity | check | what happened |\n|---|---|---|---|\n"+strings.Join(rows, ""))
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
