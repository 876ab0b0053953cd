package deploy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const (
	// haste is how much faster than shipped the servers here live: an hour takes 12 seconds.
	haste = 300

	// starting is how long Alertmanager itself may take to start, which is in no haste, and counts.
	starting = 2 * time.Second

	// prompt is how soon the watchdog must be missed: five minutes.
	prompt = 5 * time.Minute / haste
)

// While servers are stopped nobody is told that anything is resolved, nor a second time that it is wrong, and only the last
// Prometheus takes the watchdog with it.
func TestStoppedServers(t *testing.T) {
	t.Parallel()
	for name, servers := range map[string][]string{"single": {"prometheus"}, "pair": {"prometheus", "prometheus-2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, servers)
			s.untold(t, "while all run")
			for i := range s.servers {
				if len(s.servers) == 1 {
					break
				}
				s.servers[i].Stop(t)
				s.outlast(t)
				s.beats(t)
				s.untold(t, "while "+servers[i]+" is stopped")
				s.servers[i].Restart(t)
			}

			for _, server := range s.servers {
				server.Stop(t)
			}
			s.silent(t)
			s.outlast(t)
			s.untold(t, "while nothing is measured")
			for _, server := range s.servers {
				server.Restart(t)
			}
			s.beats(t)
			s.outlast(t)
			s.untold(t, "when it is measured again")

			s.alertmanager.Stop(t)
			s.alertmanager.Restart(t)
			s.beats(t)
			s.knows(t, newAlert(t, "OMSJobStuck", "KREWE", "job_id=68855"))
			s.outlast(t)
			s.untold(t, "when Alertmanager was restarted")
			if requests := s.about("UCG"); len(servers) > 1 && len(requests) > 0 {
				t.Errorf("what is silenced is told to a restarted Alertmanager's receivers: %q", requests)
			}

			s.stuck.Store(0)
			awaitMail(t, s.mails, "[KREWE] Resolved: issue with background jobs", "- The background job is running normally again.")
		})
	}
}

// The server that keeps alerts does so for an hour after it last sent them, with some minutes in which they fire again. The other one
// has told a restarted Alertmanager everything when that begins to tell.
func TestDelays(t *testing.T) {
	t.Parallel()
	const evaluations = 15 * time.Second
	long, short := flagged(t, "prometheus", resendDelay), flagged(t, "prometheus-2", resendDelay)
	if kept := 3*long - evaluations; kept < 65*time.Minute {
		t.Errorf("an alert ends %s after Prometheus", kept)
	}
	if told, start := short+evaluations, flagged(t, "alertmanager", "--dispatch.start-delay"); start < told || start > 100*time.Second {
		t.Errorf("Alertmanager tells what it knows after %s, and knows all after %s", start, told)
	}
}

const resendDelay = "--rules.alert.resend-delay"

// flagged returns what the compose file says of a duration, or Prometheus' default of a resend delay.
func flagged(t *testing.T, service, flag string) time.Duration {
	t.Helper()
	var file struct {
		Services map[string]struct{ Command []string }
	}
	parse(t, read(t, "docker-compose.yml"), &file)
	for _, argument := range file.Services[service].Command {
		if value, found := strings.CutPrefix(argument, flag+"="); found {
			duration, err := model.ParseDuration(value)
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(duration)
		}
	}
	if len(file.Services[service].Command) == 0 {
		t.Fatalf("there is no service %s", service)
	}
	return time.Minute
}

// A stack is servers of which a client has a fault, and all who are told.
type stack struct {
	*services

	mails        <-chan delivered
	alertmanager *testserver.HTTPServer
	servers      []*testserver.HTTPServer
	control      *testserver.HTTPServer // without flags, for an alert of its own: what it does the others would do without theirs
	stuck, down  atomic.Int64           // what the exporter measures
}

// newStack starts servers with the flags of services of the compose file, and waits until a client was told of a fault.
func newStack(t *testing.T, servers []string) *stack {
	t.Helper()
	s := &stack{services: newServices(t)}
	smtp, mails := mailServer(t)
	s.mails = mails
	s.alertmanager = testserver.StartAlertmanager(t, deliveryConfig(t, s.URL, smtp),
		fmt.Sprint("--dispatch.start-delay=", flagged(t, "alertmanager", "--dispatch.start-delay")/haste+starting))
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "stuck %d\ndown %d\n", s.stuck.Load(), s.down.Load())
	}))
	t.Cleanup(exporter.Close)
	for i, service := range servers {
		s.servers = append(s.servers, s.prometheus(t, fmt.Sprint("replica-", i), exporter.URL, faultRules(t), flagged(t, service, resendDelay)))
	}
	s.control = s.prometheus(t, "control", exporter.URL, []map[string]any{
		{"alert": "OMSJobStuck", "expr": "vector(1)", "labels": ruleLabels(t, "OMSJobStuck", "ADOC")},
	}, time.Minute)
	s.beats(t)
	s.down.Store(1)
	s.knows(t, newAlert(t, "OMSExporterDown", "UCG"))
	s.stuck.Store(1)
	awaitMail(t, mails, "[KREWE] Issue with background jobs", "We have identified an issue and are looking into it.")
	return s
}

// faultRules are the shipped watchdog in haste, and alerts for what the exporter measures. An evaluation without a scrape before
// it ends none of them.
func faultRules(t *testing.T) []map[string]any {
	t.Helper()
	watchdog := alertRules(t)["OMSWatchdog"]
	if watchdog.Expr != "minute()\n" {
		t.Fatalf("the watchdog is %q", watchdog.Expr)
	}
	rule := func(name, client, metric string, annotations map[string]string, further ...string) map[string]any {
		return map[string]any{
			"alert": name, "expr": "max(last_over_time(" + metric + "[1m])) == 1", "annotations": annotations,
			"labels": ruleLabels(t, name, client, further...),
		}
	}
	return []map[string]any{
		{"alert": "OMSWatchdog", "expr": fmt.Sprintf("minute(vector(time() * %d))", haste), "labels": watchdog.Labels},
		rule("OMSExporterDown", "UCG", "down", nil),
		rule("OMSJobStuck", "UCG", "stuck", nil),
		rule("OMSJobStuck", "KREWE", "stuck", map[string]string{
			"summary":        "KREWE: a job has been running for long",
			"client_notice":  "A background job has been running for long.",
			"client_outcome": "The background job is running normally again.",
		}, "job_id=68855"),
	}
}

// ruleLabels are an alert's labels but for its name, which Prometheus adds.
func ruleLabels(t *testing.T, name, client string, further ...string) labels {
	t.Helper()
	alert := newAlert(t, name, client, further...)
	delete(alert, "alertname")
	return alert
}

// prometheus starts a server that alerts as the shipped configuration says.
func (s *stack) prometheus(t *testing.T, replica, exporter string, rules []map[string]any, delay time.Duration) *testserver.HTTPServer {
	t.Helper()
	var config map[string]any
	parse(t, read(t, prometheusFile), &config)
	config["global"] = map[string]any{
		"scrape_interval": "100ms", "evaluation_interval": "100ms", "external_labels": map[string]string{"replica": replica},
	}
	var groups []any // one for each, so that Alertmanager is not told of all at once
	for i, rule := range rules {
		groups = append(groups, map[string]any{"name": fmt.Sprint("group-", i), "rules": []any{rule}})
	}
	config["rule_files"] = []string{write(t, "rules.yml", encode(t, map[string]any{"groups": groups}))}
	target := func(url string) any {
		return []any{map[string]any{"targets": []string{strings.TrimPrefix(url, "http://")}}}
	}
	alerting, _ := config["alerting"].(map[string]any)
	alerting["alertmanagers"] = []any{map[string]any{"static_configs": target(s.alertmanager.URL)}}
	config["scrape_configs"] = []any{map[string]any{"job_name": "oms", "static_configs": target(exporter)}}
	return testserver.StartPrometheus(t, encode(t, config), fmt.Sprintf("%s=%dms", resendDelay, (delay/haste).Milliseconds()))
}

// about returns what the pager was told of the stuck job of a client.
func (s *stack) about(client string) []string {
	var found []string
	for _, request := range s.requests("POST /pager") {
		if !missesAny(request, []string{`"source":"` + client + `"`, `"class":"OMSJobStuck"`}) {
			found = append(found, request)
		}
	}
	return found
}

// untold fails when anybody has been told more of the client's fault than that it is there.
func (s *stack) untold(t *testing.T, when string) {
	t.Helper()
	testserver.Eventually(t, patience, func() error { // the pager may be told after the mail
		if len(s.about("KREWE")) == 0 {
			return fmt.Errorf("the pager is not told")
		}
		return nil
	})
	if requests := s.about("KREWE"); len(requests) != 1 {
		t.Errorf("%s the pager is told %q", when, requests)
	}
	select {
	case d := <-s.mails:
		t.Errorf("%s the client gets a mail: %s", when, d.message.Header.Get("Subject"))
	default:
	}
}

// outlast stops the control for as long as it takes until its alert is resolved, and told so.
func (s *stack) outlast(t *testing.T) {
	t.Helper()
	s.knows(t, newAlert(t, "OMSJobStuck", "ADOC"))
	told := func() (resolved int) {
		for _, request := range s.about("ADOC") {
			resolved += strings.Count(request, `"event_action":"resolve"`)
		}
		return resolved
	}
	before := told()
	s.control.Stop(t)
	testserver.Eventually(t, patience, func() error {
		if told() == before {
			return fmt.Errorf("nobody was told that the control's alert is resolved")
		}
		return nil
	})
	s.control.Restart(t)
}

// knows waits until Alertmanager has an alert.
func (s *stack) knows(t *testing.T, alert labels) {
	t.Helper()
	testserver.Eventually(t, patience, func() error {
		known, err := inhibited(t, s.alertmanager.URL)
		if _, found := known[alert.String()]; err == nil && !found {
			err = fmt.Errorf("Alertmanager has no %s", alert)
		}
		return err
	})
}

// beats waits until the watchdog has come thrice more.
func (s *stack) beats(t *testing.T) {
	t.Helper()
	before := len(s.requests("POST /watchdog"))
	testserver.Eventually(t, patience, func() error {
		if got := len(s.requests("POST /watchdog")); got < before+3 {
			return fmt.Errorf("the watchdog came %d times, %d of them before", got, before)
		}
		return nil
	})
}

// silent waits until the watchdog is missed, which must be soon.
func (s *stack) silent(t *testing.T) {
	t.Helper()
	came, last, stopped := len(s.requests("POST /watchdog")), time.Now(), time.Now()
	testserver.Eventually(t, patience, func() error {
		if now := len(s.requests("POST /watchdog")); now != came {
			came, last = now, time.Now()
		}
		if time.Since(last) < prompt {
			return fmt.Errorf("the watchdog still came %s after the last server", last.Sub(stopped))
		}
		return nil
	})
	if late := last.Sub(stopped); late > prompt {
		t.Errorf("the watchdog came for %s after the last server", late)
	}
}
