// Package e2e runs the shipped rules and configurations with the real Prometheus, Alertmanager and exporter, and looks at
// what arrives at a webhook. Only the times are shortened, and a test says so. The long part needs the build tag e2e.
package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

const (
	root               = "../../"
	rulesFolder        = root + "rules"
	prometheusFile     = root + "deploy/prometheus/prometheus.yml"
	alertmanagerFolder = root + "deploy/alertmanager"

	// What is an hour takes a minute, but nothing takes less than a few scrapes.
	speed    = 60
	shortest = 2 * time.Second
	scrape   = "1s"
)

// addresses say where the servers of a test listen, and where its rules lie.
type addresses struct{ exporter, alertmanager, rules, receiver string }

// A change returns what comes in the place of a value, by the key under which it stands.
type change func(key string, value any) any

// rewrite returns a YAML tree with every value changed, the outer ones first.
func rewrite(tree any, change change) any {
	switch v := tree.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = rewrite(change(key, value), change)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = rewrite(value, change)
		}
		return out
	default:
		return v
	}
}

var ranges = regexp.MustCompile(`(\[|offset )([0-9a-z]+)`)

func shortenRules(t *testing.T) change {
	return func(key string, value any) any {
		switch key {
		case "for", "keep_firing_for", "interval":
			return shorten(t, value.(string))
		case "expr":
			return ranges.ReplaceAllStringFunc(value.(string), func(r string) string {
				parts := ranges.FindStringSubmatch(r)
				return parts[1] + shorten(t, parts[2])
			})
		}
		return value
	}
}

func shortenPrometheus(at addresses) change {
	moved := strings.NewReplacer("localhost:9942", at.exporter, "localhost:9093", at.alertmanager)
	return func(key string, value any) any {
		switch key {
		case "scrape_interval", "scrape_timeout", "evaluation_interval":
			return scrape
		case "rule_files":
			return []any{filepath.Join(at.rules, "*.yml")}
		case "url":
			return moved.Replace(value.(string))
		case "targets":
			var targets []any
			for _, target := range value.([]any) {
				targets = append(targets, moved.Replace(target.(string)))
			}
			return targets
		}
		return value
	}
}

// shortenAlertmanager also gives every receiver, even one that tells nobody, a webhook of its own.
func shortenAlertmanager(at addresses) change {
	return func(key string, value any) any {
		switch key {
		case "group_wait", "group_interval":
			return model.Duration(shortest).String()
		case "receivers":
			var receivers []any
			for _, receiver := range value.([]any) {
				name := receiver.(map[string]any)["name"].(string)
				hook := map[string]any{"url": at.receiver + "/" + name, "send_resolved": true}
				receivers = append(receivers, map[string]any{"name": name, "webhook_configs": []any{hook}})
			}
			return receivers
		}
		return value
	}
}

func shorten(t *testing.T, duration string) string {
	t.Helper()
	d, err := model.ParseDuration(duration)
	check(t, err)
	return model.Duration(max(time.Duration(d)/speed, shortest)).String()
}

// readYAML returns the tree of a YAML file.
func readYAML(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	var tree any
	check(t, yaml.Unmarshal(text, &tree))
	return tree
}

// writeYAML writes a changed YAML file.
func writeYAML(t *testing.T, from, to string, change change) {
	t.Helper()
	text, err := yaml.Marshal(rewrite(readYAML(t, from), change))
	check(t, err)
	check(t, os.WriteFile(to, text, 0o600))
}

// ruleFiles lists the shipped rules.
func ruleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(rulesFolder, "*.yml"))
	check(t, err)
	if len(files) == 0 {
		t.Fatalf("no rules in %s", rulesFolder)
	}
	return files
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
