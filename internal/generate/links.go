package main

import (
	"os"
	"path/filepath"
	"regexp"

	"github.com/oms-exporter/oms_exporter/internal/links"
)

// The links of alerts in a file of rules.
var (
	runbookURL   = regexp.MustCompile(`(?m)^( +runbook_url: )\S+/(\w+)\.md$`)
	dashboardURL = regexp.MustCompile(`(?m)^( +client_dashboard_url: )\S+$`)
)

// linkedFiles are the YAML files of a folder with their links, by their path.
func linkedFiles(folder, root string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil {
		return nil, err
	}
	to, err := links.Read(root)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files[path] = linked(to, string(content))
	}
	return files, nil
}

// linked puts the links into rules.
func linked(to links.Links, rules string) string {
	rules = runbookURL.ReplaceAllString(rules, "${1}"+to.Runbook("${2}"))
	return dashboardURL.ReplaceAllString(rules, "${1}"+to.ClientDashboard())
}

// linkTemplates are those of Alertmanager's notifications.
func linkTemplates(root, _ string) (string, error) {
	to, err := links.Read(root)
	return `{{/* make generate writes this from ` + links.File + ` */}}

{{/* The dashboard of the client that a notification is about. "all" are the alerts that no client has. */}}
{{ define "oms.dashboard.url" }}` + to.Grafana + `/d/{{ if eq .GroupLabels.client "all" "" }}oms-daily-check{{ else }}oms-client?var-client={{ .GroupLabels.client | reReplaceAll "[^A-Za-z0-9._-]" "" }}{{ end }}{{ end }}
`, err
}
