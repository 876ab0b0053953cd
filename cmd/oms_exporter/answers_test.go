package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// logged has what the server logs from here on written down.
func logged(b *bench) *bytes.Buffer {
	log := new(bytes.Buffer)
	b.logger = slog.New(slog.NewTextHandler(log, nil))
	b.clients.logger, b.noise = b.logger, newQuiet(b.logger)
	return log
}

// TestAnswers has the whole answers of pages that are short.
func TestAnswers(t *testing.T) {
	b := newBench(t, options{lifecycle: true, collectors: collector.All()[:1]}, nil, "KREWE", "UCG")
	b.faults = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { writeLine(w, r.Method) })
	log := logged(b)
	const which = "specify one client: /probe?client=NAME (their names are on the status page and in /sd)\n"
	for _, tc := range []struct {
		method, target string
		status         int
		want           string // of the answer, or "…" and what is part of it
	}{
		{"GET", "/-/healthy", 200, "healthy\n"},
		{"GET", "/-/ready", 200, "ready\n"},
		{"GET", "/probe?client=", 400, which},
		{"GET", "/probe?client=KREWE&client=UCG", 400, which},
		{"GET", "/probe?client=KREWE&debug=true", 200, "…# client KREWE, collector client: succeeded"},
		{"GET", "/probe?client=KREWE&debug=0", 200, "…\noms_collector_success{"},
		{"GET", "/probe?client=KREWE&debug=maybe", 200, "…\noms_collector_success{"},
		{"GET", "/probe?client=KREWE&collector=client&collector=sftp", 400, "collector \"sftp\" is unknown or disabled; enabled are: client\n"},
		{"GET", "/demo/fault", 200, "GET\n"},
		{"POST", "/demo/fault", 200, "POST\n"},
		{"POST", "/-/reload", 200, "reloaded\n"},
		{"PUT", "/-/reload", 200, "reloaded\n"},
	} {
		if w := b.ask(t.Context(), tc.method, tc.target); w.Code != tc.status || !matches(w.Body.String(), tc.want) {
			t.Errorf("%s %s: status %d, want %d and %q:\n%s", tc.method, tc.target, w.Code, tc.status, tc.want, w.Body)
		}
	}
	if n := strings.Count(log.String(), `msg="configuration loaded" clients=2`); n != 2 {
		t.Errorf("two reloads are logged as\n%s", log)
	}
	b.err = errors.New("oms_exporter.yml:3: unknown key")
	w := b.ask(t.Context(), "POST", "/-/reload")
	if want := "configuration not loaded, the old one stays in use: oms_exporter.yml:3: unknown key\n"; w.Code != 500 || w.Body.String() != want {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if want := `msg="configuration not loaded, the old one stays in use" err="oms_exporter.yml:3: unknown key"`; !strings.Contains(log.String(), want) {
		t.Errorf("logged %s", log)
	}
	const loaded = "oms_exporter_config_last_reload_success_timestamp_seconds "
	if line := lineOf(b.ask(t.Context(), "GET", "/metrics").Body.String(), loaded); !strings.HasPrefix(line, loaded) || line == loaded+"0" {
		t.Errorf("the configuration was loaded at %s", line)
	}
	nameless := httptest.NewRequestWithContext(t.Context(), "GET", "/sd", nil)
	nameless.Host = ""
	answer := httptest.NewRecorder()
	if b.handler().ServeHTTP(answer, nameless); answer.Code != 400 || !strings.Contains(answer.Body.String(), "the Host header must be") {
		t.Errorf("without a host: status %d: %s", answer.Code, answer.Body)
	}
}

func matches(text, want string) bool {
	if part, ok := strings.CutPrefix(want, "…"); ok {
		return strings.Contains(text, part)
	}
	return text == want
}

// TestCompression shows which pages come compressed, and only to those who take that.
func TestCompression(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	for target, want := range map[string]string{
		"/metrics": "gzip", "/metrics/exporter": "gzip", "/probe?client=KREWE": "gzip", "/": "gzip", "/client?name=KREWE": "gzip", "/status.json": "gzip", "/sd": "",
	} {
		for accept, want := range map[string]string{"gzip": want, "zstd": "", "": ""} {
			w := b.ask(t.Context(), "GET", target, "Accept-Encoding: "+accept)
			if got := w.Header().Get("Content-Encoding"); w.Code != 200 || got != want || w.Body.Len() == 0 {
				t.Errorf("%s for %q: status %d, %d bytes of %q, want %q", target, accept, w.Code, w.Body.Len(), got, want)
			}
		}
	}
}

// TestScraperGone has nobody wait for the answer any more: nothing is written, and that is no error.
func TestScraperGone(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if w := b.ask(gone, "GET", "/metrics/exporter"); w.Body.Len() > 0 {
		t.Errorf("got\n%s", w.Body)
	}
	wantLines(t, b.ask(t.Context(), "GET", "/metrics").Body.String(), `promhttp_metric_handler_errors_total{cause="gathering"} 0`)
}

// TestBrokenFamily has a metric that cannot be collected. It costs no other, and is counted.
func TestBrokenFamily(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	broken := prometheus.NewDesc("broken", "Cannot be collected.", nil, nil)
	b.registry.MustRegister(prometheus.CollectorFunc(func(c chan<- prometheus.Metric) {
		c <- prometheus.NewInvalidMetric(broken, errors.New("broken"))
	}))
	for range 2 {
		w := b.ask(t.Context(), "GET", "/metrics")
		if w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
		wantLines(t, w.Body.String(), `oms_collector_success{client="KREWE",collector="orders"} 1`, "oms_exporter_config_last_reload_successful 1")
	}
	b.ask(t.Context(), "GET", "/metrics/exporter") // is not counted as a scrape
	wantLines(t, b.ask(t.Context(), "GET", "/metrics").Body.String(),
		`promhttp_metric_handler_errors_total{cause="gathering"} 3`, `promhttp_metric_handler_requests_total{code="200"} 2`,
		"promhttp_metric_handler_requests_in_flight 1")
}

// TestOddTimeouts shows which scrape timeouts are taken for ones, and that the others are logged.
func TestOddTimeouts(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"0.0001": minTimeout, "1": 500 * time.Millisecond, "3599": maxTimeout - 500*time.Millisecond, "60": maxTimeout - 500*time.Millisecond, "3600": defaultTimeout, "0": defaultTimeout, "": defaultTimeout,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, options{}, nil, "KREWE")
			log := logged(b)
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
			r.Header.Set(timeoutHeader, header)
			ctx, cancel := b.scrapeContext(r, b.clients.current)
			defer cancel()
			deadline, _ := ctx.Deadline()
			if got := time.Until(deadline); got != want {
				t.Errorf("%s: %s, want %s", header, got, want)
			}
			odd := fmt.Sprintf("level=WARN msg=%q header=%s\n", "ignored a scrape timeout that is not a number of seconds within the hour", header)
			if header == "" || want != defaultTimeout {
				odd = ""
			}
			if _, got, _ := strings.Cut(log.String(), " "); got != odd {
				t.Errorf("%s: logged %q, want %q", header, got, odd)
			}
		})
	}
}

// TestHealth shows how a collector does in words.
func TestHealth(t *testing.T) {
	now := time.Date(2026, 3, 10, 18, 0, 0, 0, time.UTC)
	for want, status := range map[string]collector.Status{
		"idle|never|":              {},
		"ok|1 min ago|1.2ms":       {Ran: true, Success: true, LastSuccess: now.Add(-62600 * time.Millisecond), Duration: 1234567},
		"misconfigured|0 s ago|0s": {Ran: true, Success: true, LastSuccess: now, Misconfigured: true},
		"failing|never|2s":         {Ran: true, Err: errors.New("refused"), Duration: 2*time.Second + 49*time.Microsecond},
		"backfilling|1 h ago|0s":   {Ran: true, Err: fmt.Errorf("KREWE: %w", oms.ErrIncomplete), LastSuccess: now.Add(-time.Hour)},
	} {
		h := health{status, now}
		if got := h.State() + "|" + h.Succeeded() + "|" + h.Took(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestBrokenStatus has a page that fails when half of it is there.
func TestBrokenStatus(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	log := logged(b)
	b.pages = template.Must(template.New("status").Parse("half of {{.Nonsense}}"))
	if w := b.ask(t.Context(), "GET", "/"); w.Code != 500 || w.Body.String() != "the status page failed; the log says why\n" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), `level=ERROR msg="the status page failed" err=`) {
		t.Errorf("logged %s", log)
	}
}
