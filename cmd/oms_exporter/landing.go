package main

import (
	"bytes"
	_ "embed"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/common/version"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

//go:embed landing.html
var landingHTML string

// A section is one client on the landing page.
type section struct {
	Name, Timezone string
	Faults         []config.SecretFault
	Missing        []oms.Column
	Collectors     []health
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
		return "looking back"
	default:
		return "failing"
	}
}

// Succeeded is when the last good run was.
func (h health) Succeeded() string {
	if h.LastSuccess.IsZero() {
		return "never"
	}
	return h.now.Sub(h.LastSuccess).Round(time.Second).String() + " ago"
}

// Took is how long the last run was.
func (h health) Took() string {
	if !h.Ran {
		return ""
	}
	return h.Duration.Round(100 * time.Microsecond).String()
}

// landing answers "why is this red?" for every client.
func (s *server) landing(w http.ResponseWriter, _ *http.Request, g *generation) {
	now := time.Now()
	page := struct {
		Program, Version string
		Clients          []section
	}{Program: program, Version: version.Version}
	for _, c := range g.clients {
		shown := section{Name: c.Name(), Timezone: c.Config().Timezone.String(), Faults: c.SecretFaults(), Missing: c.Missing()}
		for _, status := range c.Status() {
			shown.Collectors = append(shown.Collectors, health{status, now})
		}
		page.Clients = append(page.Clients, shown)
	}
	var html bytes.Buffer // a page that fails must not begin as a good one
	if err := s.page.Execute(&html, page); err != nil {
		s.logger.Error("the landing page failed", "err", err)
		http.Error(w, "the landing page failed; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = html.WriteTo(w) // whoever hung up does not miss it
}
