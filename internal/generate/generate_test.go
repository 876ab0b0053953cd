package main

import (
	"os"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/links"
)

func TestUpToDate(t *testing.T) {
	written, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range written {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is out of date: make generate", path)
		}
	}
}

// TestLinked has the links of rules lead to another place.
func TestLinked(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(root+"/deploy", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/deploy/links.yml", []byte("runbooks: https://wiki.example.com/oms\ngrafana: http://grafana:3000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const before, after = "          runbook_url: https://example.org/a/OMSJobStuck.md\n          client_dashboard_url: https://example.org/\n",
		"          runbook_url: https://wiki.example.com/oms/OMSJobStuck.md\n          client_dashboard_url: http://grafana:3000/d/oms-client?var-client=\n"
	to, err := links.Read(root)
	if got := linked(to, before); got != after || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := linkTemplates(root, ""); !strings.Contains(got, "http://grafana:3000/d/") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
