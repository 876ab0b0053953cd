package deploy_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A notification is what Alertmanager's templates get: its template.Data.
type notification struct {
	Status            string            `json:"status"`
	Alerts            []notified        `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
}

// notified is an alert in a notification.
type notified struct {
	Status       string            `json:"status"`
	Labels       labels            `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// What every receiver of a notification reads, as golden files in alertmanager/testdata.
func TestTemplates(t *testing.T) {
	t.Parallel()
	operations := []string{"pager", "chat", "ticket"}
	client := []string{"client-notice"}
	created, shop2, waits := stuckInCreated(t, "UCG", "4h 0m 0s"), stuckInCreated(t, "UCG_2", "3h 5m 0s"), waitsForBrokering(t)
	failing, failingToo := jobFailing(t, "JOB_IMP_ORD"), jobFailing(t, "JOB_IMP_ORD")
	notReceived, notProcessed := inventoryNotReceived(t), inventoryNotProcessed(t)
	for _, c := range []struct {
		name      string
		receivers []string
		groupBy   string
		alerts    []notified
	}{
		{"page", operations, "alertname", []notified{created}},
		{"page_resolved", operations, "alertname", []notified{resolved(created)}},
		{"pages", operations, "alertname", []notified{created, shop2, resolved(stuckInCreated(t, "UCG_3", "3h 15m 0s"))}},
		{"ticket", operations[1:], "alertname", []notified{jobOverdue(t)}},
		{"info", operations[1:2], "alertname", []notified{recordsRefused(t)}},
		{"client", client, "check", []notified{created, shop2, waits}},
		{"client_unreachable", client, "check", []notified{databaseUnreachable(t)}},
		{"client_resolved", client, "check", []notified{resolved(created), resolved(waits)}},
		{"client_one_for_another", client, "check", []notified{notProcessed, resolved(notReceived)}},
		{"client_same_words", client, "check", []notified{failing, failingToo}},
		{"client_not_critical", client, "check", []notified{withSeverity(created, "ticket")}},
		{"client_not_critical_resolved", client, "check", []notified{resolved(withSeverity(created, "ticket"))}},
		{"hostile", operations, "alertname", []notified{hostile(t), resolved(hostile(t))}},
		{"hostile_resolved", operations, "alertname", []notified{resolved(hostile(t))}},
		{"client_hostile", client, "check", []notified{hostile(t)}},
		{"client_hostile_resolved", client, "check", []notified{resolved(hostile(t))}},
		{"many", operations, "alertname", many(t, 23)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := render(t, c.receivers, notify(c.groupBy, c.alerts))
			golden := filepath.Join("alertmanager/testdata", c.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, golden); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", golden, got, want)
			}
		})
	}
}

// notify makes the notification of a group of alerts, grouped by client and one more label.
func notify(groupBy string, alerts []notified) notification {
	first := alerts[0]
	n := notification{
		Status: "resolved", Alerts: alerts, ExternalURL: "http://alertmanager.example.com",
		GroupLabels:  labels{"client": first.Labels["client"], groupBy: first.Labels[groupBy]},
		CommonLabels: maps.Clone(first.Labels), CommonAnnotations: maps.Clone(first.Annotations),
	}
	for _, alert := range alerts {
		if alert.Status == "firing" {
			n.Status = "firing"
		}
		maps.DeleteFunc(n.CommonLabels, func(name, value string) bool { return alert.Labels[name] != value })
		maps.DeleteFunc(n.CommonAnnotations, func(name, value string) bool { return alert.Annotations[name] != value })
	}
	return n
}

// render returns all templates in the configuration of the receivers, with their texts for a notification.
func render(t *testing.T, receivers []string, n notification) string {
	t.Helper()
	var config struct {
		Receivers []yaml.Node
	}
	parse(t, read(t, alertmanagerFile), &config)
	var text strings.Builder
	for _, node := range config.Receivers {
		for _, receiver := range receivers {
			if node.Content[1].Value == receiver {
				collect(&text, receiver, &node)
			}
		}
	}
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return tool(t, "amtool", "template", "render", "--template.glob="+templates, "--template.text="+text.String(),
		"--template.data="+write(t, "data.json", string(data)))
}

// collect writes every template below a node of the configuration, each below its path.
func collect(text *strings.Builder, path string, node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			collect(text, path+" "+node.Content[i].Value, node.Content[i+1])
		}
	case yaml.SequenceNode:
		for _, child := range node.Content {
			collect(text, path, child)
		}
	default:
		if strings.Contains(node.Value, "{{") {
			_, _ = fmt.Fprintf(text, "=== %s\n%s\n", path, node.Value)
		}
	}
}
