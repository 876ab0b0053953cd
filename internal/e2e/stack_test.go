//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// patience is for what comes in seconds. For a minute after a deadline no file can be late.
const patience = 2 * time.Minute

const watchdog = "OMSWatchdog"

// A stack is everything from the simulated databases to the webhook.
type stack struct {
	*exporter
	*inbox
	prometheus, alertmanager string
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{exporter: newExporter(t)}
	at := addresses{exporter: s.address, rules: t.TempDir()}
	s.inbox, at.receiver = newInbox(t)

	folder := t.TempDir()
	check(t, os.CopyFS(folder, os.DirFS(alertmanagerFolder))) // with the templates
	file := filepath.Join(folder, "alertmanager.yml")
	writeYAML(t, file, file, shortenAlertmanager(at))
	s.alertmanager = testserver.Alertmanager(t, file)
	at.alertmanager = strings.TrimPrefix(s.alertmanager, "http://")

	for _, path := range ruleFiles(t) {
		writeYAML(t, path, filepath.Join(at.rules, filepath.Base(path)), shortenRules(t))
	}
	configuration, err := yaml.Marshal(rewrite(readYAML(t, prometheusFile), shortenPrometheus(at)))
	check(t, err)
	s.prometheus = testserver.Prometheus(t, string(configuration))
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	s.discovered(t)
	return s
}

// discovered waits until Prometheus has found its targets. It takes 5 seconds for that, which cannot be shortened, and
// longer than the shortened OMSExporterDown waits.
func (s *stack) discovered(t *testing.T) {
	t.Helper()
	targets := len(clients()) + 1
	s.eventually(t, "all", func() error { return s.holds(fmt.Sprintf("count(up == 1) == %d", targets)) })
	for _, client := range append(clients(), "all") {
		s.eventually(t, client, func() error { return s.quiet(client) })
		s.take(client)
	}
}

// An alert is one that Prometheus or Alertmanager has.
type alert struct {
	Labels map[string]string
	State  string
}

func (a alert) String() string { return fmt.Sprintf("%s %v", a.State, a.Labels) }

// pending returns what Prometheus has of a client, firing or soon to.
func (s *stack) pending(client string) ([]alert, error) {
	var answer struct{ Data struct{ Alerts []alert } }
	if err := fetchJSON(s.prometheus+"/api/v1/alerts", &answer); err != nil {
		return nil, err
	}
	return ofClient(answer.Data.Alerts, client), nil
}

// routed returns what Alertmanager has of a client, active or suppressed.
func (s *stack) routed(client string) ([]alert, error) {
	var answer []struct {
		Labels map[string]string
		Status struct{ State string }
	}
	if err := fetchJSON(s.alertmanager+"/api/v2/alerts", &answer); err != nil {
		return nil, err
	}
	var alerts []alert
	for _, a := range answer {
		alerts = append(alerts, alert{a.Labels, a.Status.State})
	}
	return ofClient(alerts, client), nil
}

// ofClient picks the alerts of a client. The watchdog, which always fires, is of none.
func ofClient(alerts []alert, client string) []alert {
	return slices.DeleteFunc(alerts, func(a alert) bool {
		return a.Labels["client"] != client || a.Labels["alertname"] == watchdog
	})
}

// holds reports whether a query has an answer.
func (s *stack) holds(query string) error {
	var answer struct{ Data struct{ Result []any } }
	if err := fetchJSON(s.prometheus+"/api/v1/query?query="+url.QueryEscape(query), &answer); err != nil {
		return err
	}
	if len(answer.Data.Result) == 0 {
		return fmt.Errorf("not yet: %s", query)
	}
	return nil
}

func fetchJSON(address string, into any) error {
	page, err := fetch(http.MethodGet, address)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(page), into)
}

// situation says all that is known of a client.
func (s *stack) situation(client string) string {
	var text strings.Builder
	list := func(title string, alerts []alert, err error) {
		fmt.Fprintf(&text, "\n%s has (error %v):", title, err)
		for _, a := range alerts {
			fmt.Fprintf(&text, "\n  %s", a)
		}
	}
	pending, err := s.pending(client)
	list("Prometheus", pending, err)
	routed, err := s.routed(client)
	list("Alertmanager", routed, err)
	text.WriteString("\narrived:")
	for _, n := range s.of(client) {
		fmt.Fprintf(&text, "\n  %s", n)
	}
	return text.String()
}

// eventually waits for something about a client, and asks a few times a second.
func (s *stack) eventually(t *testing.T, client string, f func() error) {
	t.Helper()
	var err error
	var next time.Time
	testserver.Eventually(t, patience, func() error {
		if now := time.Now(); now.After(next) {
			next = now.Add(200 * time.Millisecond)
			err = f()
		}
		if err != nil {
			return situated{err, s, client}
		}
		return nil
	})
}

// situated is an error that tells the situation when it is shown, and costs nothing before.
type situated struct {
	error
	s      *stack
	client string
}

func (e situated) Error() string { return e.error.Error() + e.s.situation(e.client) }
