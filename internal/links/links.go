// Package links reads where the links in alerts, dashboards and notifications lead.
package links

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is the one place where the links are set, in the module's folder.
const File = "deploy/links.yml"

// Links are addresses without a slash at their end.
type Links struct {
	// Runbooks has a page for each alert: its name and .md follow.
	Runbooks string `yaml:"runbooks"`
	// Grafana has the dashboards.
	Grafana string `yaml:"grafana"`
}

// Read reads the file below the module's folder. The error names the file, the key and what to write.
func Read(root string) (Links, error) {
	var l Links
	content, err := os.ReadFile(filepath.Join(root, File))
	if err != nil {
		return l, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&l); err != nil {
		return l, fmt.Errorf("%s: %w", File, err)
	}
	for key, value := range map[string]string{"runbooks": l.Runbooks, "grafana": l.Grafana} {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.HasSuffix(value, "/") || strings.ContainsAny(value, `"'{} `) {
			return l, fmt.Errorf("%s: %s is not an address: write one such as https://wiki.example.com/oms, without a slash at its end", File, key)
		}
	}
	return l, nil
}

// Runbook is the page of an alert.
func (l Links) Runbook(alert string) string { return l.Runbooks + "/" + alert + ".md" }

// ClientDashboard is the dashboard of a client, whose name follows.
func (l Links) ClientDashboard() string { return l.Grafana + "/d/oms-client?var-client=" }
