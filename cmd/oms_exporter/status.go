package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

//go:embed status.html
var statusHTML string

const (
	// staleAfter is how old what was measured may be to be taken for what is now: as old as a sample may be for Prometheus.
	staleAfter = 5 * time.Minute
	// What as many clients have in common is said once.
	sharedBy = 3
	// So many lines of a client are on the status page, and so many clients are named that share one.
	mostLines, mostNames = 4, 30
)

// A status is the daily check: what is known of all clients, and what Prometheus makes of it, at a time.
type status struct {
	Time       time.Time `json:"time"`
	Version    string    `json:"version"`
	Prometheus string    `json:"prometheus,omitempty"` // its URL
	// Trouble says what is not known from Prometheus, and why.
	Trouble []string `json:"trouble,omitempty"`
	// General are the alerts that are about no client of this exporter.
	General []alert        `json:"general,omitempty"`
	Clients []clientStatus `json:"clients"` // those first that are to be looked at first

	Judged bool     `json:"-"` // the signs are those of Prometheus
	Shared []shared `json:"-"`
	Titles []string `json:"-"` // of the checks
	Still  bool     `json:"-"` // the page does not refresh itself
}

// clientStatus is what is known of one client.
type clientStatus struct {
	Name     string    `json:"name"`
	State    state     `json:"state,omitempty"` // the worst of its checks
	Timezone string    `json:"timezone"`
	Local    time.Time `json:"local_time"`
	// LastLook is when the oldest run began of which something is shown; nil if there is a collector that has not run yet.
	LastLook   *time.Time `json:"last_look"`
	Checks     []cell     `json:"checks"`
	Dashboard  string     `json:"dashboard,omitempty"`
	Alerts     []alert    `json:"alerts"`
	Collectors []health   `json:"collectors"`
	// Faults are what is wrong with the client's secrets.
	Faults []string `json:"configuration_errors,omitempty"`
	// Missing are the tables and columns that its OMS does not have.
	Missing []string `json:"missing,omitempty"`

	Now   time.Time `json:"-"`
	Lines []line    `json:"-"`
	More  int       `json:"-"` // lines that are only on the client's own page
}

// A cell is a check of a client.
type cell struct {
	Check string   `json:"check"`
	Title string   `json:"title"`
	State state    `json:"state,omitempty"`
	Facts []string `json:"facts"`

	Short string `json:"-"`
}

// HTML is the cell on the status page, which may have thousands of them: the template would take three times as long.
func (c cell) HTML() template.HTML {
	title := ""
	if len(c.Facts) > 0 {
		title = `" title="` + template.HTMLEscapeString(strings.Join(c.Facts, "; "))
	}
	return template.HTML(`<td class="` + c.State.Class() + `" data-of="` + template.HTMLEscapeString(c.Title) + title + `">` + //nolint:gosec // what is no constant is escaped
		string(c.State.Mark()) + template.HTMLEscapeString(c.Short) + `</td>`)
}

// A line says what is wrong with a client.
type line struct {
	Text, Note string
	State      state
	Runbook    string
	Dashboard  string
}

// A shared line is about several clients.
type shared struct {
	line
	Clients []string
	More    int
}

// health is how one collector of a client does, in words.
type health struct {
	collector.Status
	now time.Time
}

// State is in words, the last of which is also the colour's name.
func (h health) State() string {
	switch {
	case !h.Ran:
		return "idle"
	case h.Success && h.Misconfigured:
		return "misconfigured"
	case h.Success:
		return "ok"
	case errors.Is(h.Err, oms.ErrIncomplete):
		return "backfilling"
	default:
		return "failing"
	}
}

// Judged is the state as that of a check.
func (h health) Judged() state {
	switch h.State() {
	case "ok":
		return stateOK
	case "idle", "backfilling":
		return stateUnknown
	default:
		return stateBroken
	}
}

// Succeeded is when the last good run was.
func (h health) Succeeded() string {
	if h.LastSuccess.IsZero() {
		return "never"
	}
	return collector.Span(h.now.Sub(h.LastSuccess)) + " ago"
}

// Took is how long the last run was.
func (h health) Took() string {
	if !h.Ran {
		return ""
	}
	return h.Duration.Round(100 * time.Microsecond).String()
}

// current says whether the last run is about now.
func (h health) current() bool { return h.Ran && h.now.Sub(h.LastRun) < staleAfter }

// MarshalJSON leaves out what is not known.
func (h health) MarshalJSON() ([]byte, error) {
	said := struct {
		Collector   string     `json:"collector"`
		State       string     `json:"state"`
		LastRun     *time.Time `json:"last_run"`
		LastSuccess *time.Time `json:"last_success"`
		Duration    float64    `json:"duration_seconds"`
		Error       string     `json:"error,omitempty"`
		Remarks     []string   `json:"remarks,omitempty"`
	}{Collector: h.Collector, State: h.State(), LastRun: known(h.LastRun), LastSuccess: known(h.LastSuccess), Duration: h.Duration.Seconds(), Remarks: h.Remarks}
	if h.Err != nil {
		said.Error = h.Err.Error()
	}
	return json.Marshal(said)
}

// known is nil for a time that is not known.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// newStatus puts together what the last runs found and what Prometheus says. It asks no client.
func (s *server) newStatus(r *http.Request, g *generation) *status {
	now := time.Now().UTC()
	page := &status{Time: now, Version: version.Version, Prometheus: s.options.prometheus, Still: r.URL.Query().Get("refresh") == "off"}
	var v verdict
	if s.judge != nil {
		v = s.judge.verdict(r.Context())
		page.Trouble, page.Judged = v.trouble, v.states != nil
	}
	page.Clients = make([]clientStatus, 0, len(g.clients))
	others := map[string]bool{}
	for client := range v.alerts {
		others[client] = true
	}
	checks := v.checks(g)
	for _, check := range checks {
		page.Titles = append(page.Titles, check.Title)
	}
	for _, c := range g.clients {
		delete(others, c.Name())
		page.Clients = append(page.Clients, newClientStatus(c, checks, v, now))
	}
	for client := range others { // other exporters' clients are on their pages
		for _, a := range v.alerts[client] {
			if client == "all" || client == "" {
				page.General = append(page.General, a)
			} else if a.Name == vanishedAlert {
				a.Summary = client + ": " + a.Summary
				page.General = append(page.General, a)
			}
		}
	}
	slices.SortFunc(page.General, alert.compare)
	slices.SortStableFunc(page.Clients, func(a, b clientStatus) int {
		return cmp.Or(b.State.rank()-a.State.rank(), strings.Compare(a.Name, b.Name))
	})
	return page
}

// newClientStatus is about one client.
func newClientStatus(c *client, checks []collector.Check, v verdict, now time.Time) clientStatus {
	this := clientStatus{
		Name: c.Name(), Timezone: c.Config().Timezone.String(), Local: now.In(c.Config().Timezone), Now: now,
		Dashboard: v.dashboard(c.Name()),
	}
	for _, a := range v.alerts[c.Name()] { // others have the same answer
		a.Dashboard = this.Dashboard
		this.Alerts = append(this.Alerts, a)
	}
	for _, m := range c.Missing() {
		this.Missing = append(this.Missing, m.String())
	}
	for _, f := range c.SecretFaults() {
		this.Faults = append(this.Faults, f.Text)
	}
	oldest, all := now, true
	for _, s := range c.Status() {
		this.Collectors = append(this.Collectors, health{s, now})
		all = all && s.Ran
		if s.Ran && s.LastRun.Before(oldest) {
			oldest = s.LastRun
		}
	}
	if all && len(this.Collectors) > 0 {
		this.LastLook = known(oldest)
	}
	this.addChecks(checks, v.states)
	this.State = stateNotWatched
	for _, check := range this.Checks {
		this.State = worse(this.State, check.State)
	}
	if worst, _ := this.health(); worst == stateBroken { // also before Prometheus knows
		this.State = worse(this.State, stateUnknown)
	}
	if v.states == nil && this.State.rank() < stateUnjudged.rank() {
		this.State = stateUnjudged
	}
	if slices.ContainsFunc(this.Alerts, func(a alert) bool { return a.Recovering == nil }) {
		this.State = worse(this.State, stateNear)
	}
	this.addLines()
	return this
}

// addChecks adds the cells of all checks, judged by the states of all clients, if these are known.
func (c *clientStatus) addChecks(checks []collector.Check, states map[string]map[string]state) {
	of := states[c.Name]
	for _, check := range checks {
		this := cell{Check: check.Name, Title: check.Title, State: stateNotWatched, Facts: []string{}}
		if check.Name == "measurement" {
			this.State, this.Short = c.health()
			this.Facts = []string{this.Short + " collectors succeed"}
		}
		for _, h := range c.Collectors {
			if h.Collector != check.Collector {
				continue
			}
			for _, f := range h.Facts {
				if f.Check == check.Name {
					this.Facts = append(this.Facts, f.Text)
					this.Short = cmp.Or(this.Short, f.Short)
				}
			}
			switch {
			case !h.Success || !h.current():
				this.State = stateUnknown
			case len(this.Facts) > 0:
				this.State = stateUnjudged
			}
		}
		if states != nil {
			this.State = cmp.Or(of[check.Name], stateUnknown)
		}
		c.Checks = append(c.Checks, this)
	}
}

// health is the worst state of the client's collectors, and how many of them do well.
func (c *clientStatus) health() (state, string) {
	worst, well := stateNotWatched, 0
	for _, h := range c.Collectors {
		s := h.Judged()
		if s == stateOK {
			well++
			if !h.current() {
				s = stateUnknown
			}
		}
		worst = worse(worst, s)
	}
	if len(c.Faults) > 0 {
		worst = stateBroken
	}
	return worst, fmt.Sprintf("%d of %d", well, len(c.Collectors))
}

// addLines says what is wrong: what fires, what is wrong with the configuration, and what the collectors failed of, once for all of
// them that failed of the same.
func (c *clientStatus) addLines() {
	for _, a := range c.Alerts {
		c.Lines = append(c.Lines, a.Line(c.Now))
	}
	for _, f := range c.Faults {
		c.Lines = append(c.Lines, line{Text: f, Note: "configuration", State: stateBroken})
	}
	at := map[string]int{}
	for _, h := range c.Collectors {
		var texts []string
		if h.Err != nil { // several errors are on several lines
			texts = strings.Split(strings.ReplaceAll(h.Err.Error(), "client "+c.Name+": ", ""), "\n")
		}
		if h.Misconfigured {
			texts = append(texts, h.Remarks...)
		}
		for _, text := range texts {
			if i, said := at[text]; said {
				c.Lines[i].Note += ", " + h.Collector
			} else {
				at[text] = len(c.Lines)
				c.Lines = append(c.Lines, line{Text: text, Note: h.Collector, State: h.Judged()})
			}
		}
	}
}

// Line puts an alert on a line.
func (a alert) Line(now time.Time) line {
	l := line{Text: a.Summary, Note: a.Severity + ", " + a.Lasts(now), State: stateNear, Runbook: a.Runbook, Dashboard: a.Dashboard}
	if a.Severity == "page" {
		l.State = stateBroken
	}
	return l
}

// Lasts says for how long the alert has been firing, or recovering.
func (a alert) Lasts(now time.Time) string {
	if a.Recovering != nil {
		return "recovering for " + collector.Span(now.Sub(*a.Recovering))
	}
	return "firing for " + collector.Span(now.Sub(a.Since))
}

// share takes the lines that several clients have away from them, to say them once, and cuts the others short.
func (s *status) share() {
	by := map[string][]string{}
	for _, c := range s.Clients {
		for _, l := range c.Lines {
			by[l.Text] = append(by[l.Text], c.Name)
		}
	}
	for _, a := range s.General {
		s.Shared = append(s.Shared, shared{line: a.Line(s.Time)})
	}
	said := map[string]bool{}
	for i := range s.Clients {
		c := &s.Clients[i]
		c.Lines = slices.DeleteFunc(c.Lines, func(l line) bool {
			names := by[l.Text]
			if len(names) < sharedBy {
				return false
			}
			if !said[l.Text] {
				said[l.Text] = true
				most := min(len(names), mostNames)
				l.Dashboard = "" // of one of them
				s.Shared = append(s.Shared, shared{l, names[:most], len(names) - most})
			}
			return true
		})
		c.More = max(0, len(c.Lines)-mostLines)
		c.Lines = c.Lines[:len(c.Lines)-c.More]
	}
}

// Count says how many clients there are of each state, the worst first.
func (s *status) Count() string {
	var parts []string
	for _, which := range []state{stateBroken, stateNear, stateUnknown, stateUnjudged, stateOK, stateNotWatched} {
		n := 0
		for _, c := range s.Clients {
			if c.State == which {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, cmp.Or(string(which), "not evaluated")))
		}
	}
	return fmt.Sprintf("Clients: %s", cmp.Or(strings.Join(parts, ", "), "none"))
}

// Columns says how many the table has.
func (s *status) Columns() int { return 3 + len(s.Titles) }

// Clock is the client's, with the day where it has another than UTC.
func (c clientStatus) Clock() string {
	if c.Local.Weekday() != c.Now.Weekday() {
		return c.Local.Format("Mon 15:04")
	}
	return c.Local.Format("15:04")
}

// Age says when that was.
func (c clientStatus) Age() string {
	if c.LastLook == nil {
		return "never"
	}
	return collector.Span(c.Now.Sub(*c.LastLook)) + " ago"
}

// Stale says whether that is too long ago.
func (c clientStatus) Stale() bool { return c.LastLook == nil || c.Now.Sub(*c.LastLook) >= staleAfter }

// status shows a row for each client.
func (s *server) status(w http.ResponseWriter, r *http.Request, g *generation) {
	page := s.newStatus(r, g)
	page.share()
	s.show(w, "status", page)
}

// clientPage shows all that is known of a client, and answers "why is this red?".
func (s *server) clientPage(w http.ResponseWriter, r *http.Request, g *generation) {
	asked := g.asked(w, r, "name")
	if asked == nil {
		return
	}
	page := s.newStatus(r, &generation{Config: g.Config, clients: []*client{asked}})
	s.show(w, "client", page)
}

// statusJSON is the status page for programs.
func (s *server) statusJSON(w http.ResponseWriter, r *http.Request, g *generation) {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(s.newStatus(r, g)); err != nil {
		s.failed(w, err)
		return
	}
	s.write(w, "application/json", &text)
}

func (s *server) show(w http.ResponseWriter, name string, page *status) {
	var html bytes.Buffer // a page that fails must not begin as a good one
	if err := s.pages.ExecuteTemplate(&html, name, page); err != nil {
		s.failed(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	s.write(w, "text/html; charset=utf-8", &html)
}

func (s *server) failed(w http.ResponseWriter, err error) {
	s.logger.Error("the status page failed", "err", err)
	http.Error(w, "the status page failed; the log says why", http.StatusInternalServerError)
}

func (s *server) write(w http.ResponseWriter, kind string, text *bytes.Buffer) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = text.WriteTo(w) // a client that hung up does not need it
}
