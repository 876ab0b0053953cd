package e2e

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// TestNothingElseDiffers compares what the long test runs with what is shipped: but for times, addresses and the
// transports of the receivers they are the same.
func TestNothingElseDiffers(t *testing.T) {
	at := addresses{exporter: "127.0.0.1:1", alertmanager: "127.0.0.1:2", rules: "/rules", receiver: "http://127.0.0.1:3"}
	type file struct {
		path         string
		change, mask change
	}
	files := []file{
		{prometheusFile, shortenPrometheus(at), maskPrometheus},
		{filepath.Join(alertmanagerFolder, "alertmanager.yml"), shortenAlertmanager(at), maskAlertmanager},
	}
	for _, path := range ruleFiles(t) {
		files = append(files, file{path, shortenRules(t), maskRules})
	}
	for _, f := range files {
		shortened := filepath.Join(t.TempDir(), "shortened.yml")
		writeYAML(t, f.path, shortened, f.change)
		shipped, used := readYAML(t, f.path), readYAML(t, shortened)
		for _, d := range differences("", rewrite(shipped, f.mask), rewrite(used, f.mask)) {
			t.Errorf("%s%s", filepath.Base(f.path), d)
		}
		if reflect.DeepEqual(shipped, used) && filepath.Base(f.path) != "limits.yml" {
			t.Errorf("%s is not shortened", f.path)
		}
	}
}

const masked = "***"

var selectors = regexp.MustCompile(`(\[|offset )(\d+(ms|[smhdwy]))+`)

func maskRules(key string, value any) any {
	switch key {
	case "for", "keep_firing_for", "interval":
		return masked
	case "expr":
		return selectors.ReplaceAllString(value.(string), masked)
	}
	return value
}

func maskPrometheus(key string, value any) any {
	switch key {
	case "scrape_interval", "scrape_timeout", "evaluation_interval", "rule_files":
		return masked
	case "url":
		return regexp.MustCompile(`//[^/]+/`).ReplaceAllString(value.(string), masked)
	case "targets":
		return len(value.([]any))
	}
	return value
}

func maskAlertmanager(key string, value any) any {
	switch key {
	case "group_wait", "group_interval":
		return masked
	case "receivers":
		var names []any
		for _, receiver := range value.([]any) {
			names = append(names, receiver.(map[string]any)["name"])
		}
		return names
	}
	return value
}

// differences names each place at which two YAML trees differ.
func differences(path string, shipped, used any) []string {
	var found []string
	switch s := shipped.(type) {
	case map[string]any:
		if u, ok := used.(map[string]any); ok && len(u) == len(s) {
			for key := range s {
				found = append(found, differences(path+"."+key, s[key], u[key])...)
			}
			return found
		}
	case []any:
		if u, ok := used.([]any); ok && len(u) == len(s) {
			for i := range s {
				found = append(found, differences(fmt.Sprintf("%s[%d]", path, i), s[i], u[i])...)
			}
			return found
		}
	}
	if !reflect.DeepEqual(shipped, used) {
		found = append(found, fmt.Sprintf("%s: used %v, shipped %v", path, used, shipped))
	}
	return found
}
