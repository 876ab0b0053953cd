package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/flight"
)

// A state is what Prometheus' rules make of a check: the values of oms:check_state.
type state string

const (
	stateOK         state = "ok"
	stateNear       state = "near"
	stateBroken     state = "broken"
	stateUnknown    state = "unknown"
	stateNotWatched state = "not watched"
	stateUnjudged   state = "" // Prometheus is not asked
)

// stateOf reads a value of oms:check_state. What it does not know is unknown.
func stateOf(value string) state {
	switch value {
	case "0":
		return stateOK
	case "1":
		return stateNear
	case "2":
		return stateBroken
	case "4":
		return stateNotWatched
	default:
		return stateUnknown
	}
}

// rank orders the states: the one to look at first is the greatest.
func (s state) rank() int {
	return slices.Index([]state{stateNotWatched, stateOK, stateUnjudged, stateUnknown, stateNear, stateBroken}, s)
}

// Mark is the sign in its colour, and the state for who cannot see that. There may be thousands on a page.
func (s state) Mark() template.HTML {
	switch s {
	case stateOK:
		return `<b class="ok" aria-hidden="true">✓</b><span class="hidden">ok</span> `
	case stateNear:
		return `<b class="near" aria-hidden="true">!</b><span class="hidden">near</span> `
	case stateBroken:
		return `<b class="broken" aria-hidden="true">✗</b><span class="hidden">broken</span> `
	case stateUnknown:
		return `<b class="unknown" aria-hidden="true">?</b><span class="hidden">unknown</span> `
	case stateNotWatched:
		return `<b class="not-watched" aria-hidden="true">–</b><span class="hidden">not watched</span> `
	default:
		return ""
	}
}

// Class is the state as a class of the style sheet.
func (s state) Class() string { return strings.ReplaceAll(string(s), " ", "-") }

func worse(a, b state) state {
	if a.rank() > b.rank() {
		return a
	}
	return b
}

// An alert is one that fires in Prometheus. Whether Alertmanager inhibits it, Prometheus does not know.
type alert struct {
	Name        string     `json:"alert"`
	Severity    string     `json:"severity"`
	Summary     string     `json:"summary"` // without the client's name
	Description string     `json:"description,omitempty"`
	Since       time.Time  `json:"since"`
	Recovering  *time.Time `json:"recovering_since,omitempty"` // since when its condition is no longer true
	Runbook     string     `json:"runbook,omitempty"`
	Dashboard   string     `json:"dashboard,omitempty"` // of the client
}

// compare puts alerts that page somebody first, and of these the oldest.
func (a alert) compare(b alert) int {
	return cmp.Or(strings.Compare(a.Severity, b.Severity), a.Since.Compare(b.Since), strings.Compare(a.Summary, b.Summary))
}

// A verdict is what Prometheus says about all clients.
type verdict struct {
	states map[string]map[string]state // by client and check; nil where they are not known
	alerts map[string][]alert          // by client, in order
	// dashboards is the address of a client's dashboard but for the client's name at its end; empty where it is not known.
	dashboards string
	// trouble says in words what is not known, and why.
	trouble []string
}

// What a page may cost Prometheus, and Prometheus a page.
const (
	askEvery      = 5 * time.Second // for all who look at a page
	answerWithin  = 2 * time.Second
	answerAtMost  = 8 << 20 // bytes
	stateQuery    = "oms:check_state"
	watchdogAlert = "OMSWatchdog"
	vanishedAlert = "OMSClientVanished"
)

// A judge asks a Prometheus for its verdict. It is safe for concurrent use.
type judge struct {
	base   string
	client *http.Client
	within time.Duration

	flight flight.Flight[verdict]
	mu     sync.Mutex
	last   verdict
	asked  time.Time
}

// newJudge takes the base URL of the Prometheus, without a slash at its end.
func newJudge(base string) *judge {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // it is seldom asked
	return &judge{base: base, within: answerWithin, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// prometheusURL says what is wrong with a value of the flag, or returns it without a slash at its end.
func prometheusURL(flag, text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return "", errors.New(flag + " must be a URL such as http://prometheus.example.com:9090")
	case u.User != nil:
		return "", errors.New(flag + " must not contain a user or password: it is shown on the status page and in messages")
	}
	return strings.TrimSuffix(text, "/"), nil
}

// verdict returns what Prometheus said within the last seconds, or asks it.
func (j *judge) verdict(ctx context.Context) verdict {
	ctx, cancel := context.WithTimeout(ctx, 2*j.within) // more than the run takes
	defer cancel()
	v, err := j.flight.Do(ctx, func(ctx context.Context) (verdict, error) {
		j.mu.Lock()
		defer j.mu.Unlock() // nobody else has it: runs are shared
		if age := time.Since(j.asked); j.asked.IsZero() || age < 0 || age >= askEvery {
			j.last = j.ask(ctx)
			j.asked = time.Now()
		}
		return j.last, nil
	})
	if err != nil {
		return verdict{trouble: []string{"Prometheus was not asked: " + err.Error()}}
	}
	return v
}

// ask asks for states and alerts, both at once.
func (j *judge) ask(ctx context.Context) verdict {
	// Others may have the answer of a viewer who hangs up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.within)
	defer cancel()
	var v verdict
	var noStates, noAlerts error
	var wg sync.WaitGroup
	wg.Go(func() { noStates = flight.Run(func() (err error) { v.states, err = j.states(ctx); return err }) })
	wg.Go(func() {
		noAlerts = flight.Run(func() (err error) { v.alerts, v.dashboards, err = j.alerts(ctx); return err })
	})
	wg.Wait()
	if noStates != nil && noAlerts != nil && noStates.Error() == noAlerts.Error() {
		v.trouble = []string{"No check states and no alerts: " + noStates.Error() + "."}
		return v
	}
	if noStates != nil {
		v.trouble = append(v.trouble, "No check states: "+noStates.Error()+".")
	}
	if noAlerts != nil {
		v.trouble = append(v.trouble, "No alerts: "+noAlerts.Error()+".")
	}
	return v
}

// states asks for oms:check_state.
func (j *judge) states(ctx context.Context) (map[string]map[string]state, error) {
	var data struct {
		Result []struct {
			Metric struct{ Client, Check string }
			Value  [2]any // the time and, as text, the value
		}
	}
	if err := j.get(ctx, "/api/v1/query?query="+url.QueryEscape(stateQuery), &data); err != nil {
		return nil, err
	}
	if len(data.Result) == 0 {
		return nil, errors.New("the series " + stateQuery + ", which the rules of the exporter record, is not in Prometheus")
	}
	states := map[string]map[string]state{}
	for _, r := range data.Result {
		if states[r.Metric.Client] == nil {
			states[r.Metric.Client] = map[string]state{}
		}
		value, _ := r.Value[1].(string)
		s := stateOf(value)
		if other, twice := states[r.Metric.Client][r.Metric.Check]; twice {
			s = worse(s, other)
		}
		states[r.Metric.Client][r.Metric.Check] = s
	}
	return states, nil
}

// checks are those of the guide, and behind them any others that newer rules judge of these clients.
func (v verdict) checks(g *generation) []collector.Check {
	checks := collector.Checks()
	for _, c := range g.clients {
		for _, name := range slices.Sorted(maps.Keys(v.states[c.Name()])) {
			if !slices.ContainsFunc(checks, func(c collector.Check) bool { return c.Name == name }) {
				checks = append(checks, collector.Check{Name: name, Title: name})
			}
		}
	}
	return checks
}

// dashboard is the address of a client's dashboard, if it is known.
func (v verdict) dashboard(client string) string {
	if v.dashboards == "" {
		return ""
	}
	return v.dashboards + url.QueryEscape(client)
}

// alerts asks for the alerts of the rules that page somebody or open a ticket, and where the dashboards of clients are: the alert that
// always fires says it.
func (j *judge) alerts(ctx context.Context) (map[string][]alert, string, error) {
	var data struct {
		Alerts []struct {
			Labels, Annotations map[string]string
			State               string
			ActiveAt            time.Time
			KeepFiringSince     *time.Time
		}
	}
	if err := j.get(ctx, "/api/v1/alerts", &data); err != nil {
		return nil, "", err
	}
	alerts, dashboards, evaluated := map[string][]alert{}, "", false
	for _, a := range data.Alerts {
		name, client, severity := a.Labels["alertname"], a.Labels["client"], a.Labels["severity"]
		if name == watchdogAlert {
			evaluated, dashboards = true, address(a.Annotations["client_dashboard_url"])
		}
		if a.State != "firing" || !strings.HasPrefix(name, "OMS") || severity != "page" && severity != "ticket" {
			continue
		}
		alerts[client] = append(alerts[client], alert{
			Name: name, Severity: severity, Since: a.ActiveAt, Recovering: a.KeepFiringSince,
			Summary:     cut(strings.TrimPrefix(cmp.Or(a.Annotations["summary"], name), client+": "), 300),
			Description: cut(a.Annotations["description"], 3000),
			Runbook:     address(a.Annotations["runbook_url"]),
		})
	}
	for _, those := range alerts {
		slices.SortFunc(those, alert.compare)
	}
	if !evaluated {
		return alerts, "", errors.New("the alert " + watchdogAlert + ", which always fires, is not in Prometheus: it does not evaluate the rules of the exporter")
	}
	return alerts, dashboards, nil
}

// get reads what the API answers, within the time of ctx and the size that it may have. An error is a part of a sentence.
func (j *judge) get(ctx context.Context, path string, data any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.base+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := j.client.Do(request)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the answer of Prometheus has the status %s", response.Status)
		}
		body := struct {
			Status string
			Data   any
		}{Data: data}
		err = json.NewDecoder(http.MaxBytesReader(nil, response.Body, answerAtMost)).Decode(&body)
		if err == nil && body.Status != "success" {
			err = fmt.Errorf("its status is %s", strconv.Quote(cut(body.Status, 40)))
		}
	}
	var transport *url.Error
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("no answer from Prometheus within %s", collector.Span(j.within))
	case errors.As(err, &transport):
		return fmt.Errorf("the connection to Prometheus failed: %w", transport.Err)
	case errors.As(err, &tooLarge):
		return fmt.Errorf("the answer of Prometheus is larger than %d MiB", answerAtMost>>20)
	default:
		return fmt.Errorf("what answers is not the API of Prometheus: %w", err)
	}
}

// address returns a text that a browser may be sent to, or nothing.
func address(text string) string {
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return text
	}
	return ""
}

// cut keeps a text to so many letters.
func cut(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:most]) + "…"
}
