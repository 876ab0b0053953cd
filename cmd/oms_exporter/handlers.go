package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/collector"
)

// handler returns every page.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.forPeople(s.compress(s.withGeneration(s.status))))
	mux.HandleFunc("GET /status.json", s.forPeople(s.compress(s.withGeneration(s.statusJSON))))
	mux.HandleFunc("GET /client", s.forPeople(s.compress(s.withGeneration(s.clientPage))))
	mux.Handle("GET /metrics", promhttp.InstrumentMetricHandler(s.registry, s.atMost(s.compress(s.withGeneration(s.metrics)))))
	mux.Handle("GET /metrics/exporter", s.atMost(s.compress(s.withGeneration(s.exporter))))
	mux.Handle("GET "+probePath, s.atMost(s.compress(s.withGeneration(s.probe))))
	mux.HandleFunc("GET /sd", s.withGeneration(s.discovery))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { writeLine(w, "healthy") })
	mux.HandleFunc("GET /-/ready", s.withGeneration(s.ready))
	mux.HandleFunc("POST /-/reload", s.postReload)
	mux.HandleFunc("PUT /-/reload", s.postReload)
	if s.faults != nil {
		mux.Handle("/demo/fault", s.faults)
	}
	// A page that a browser shows must not have it reload or break anything here.
	return http.NewCrossOriginProtection().Handler(s.fromMemory(mux))
}

// withGeneration calls a page with the current configuration, whose clients stay open until the page is written.
func (s *server) withGeneration(page func(http.ResponseWriter, *http.Request, *generation)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g := s.clients.acquire()
		if g == nil {
			http.Error(w, "no configuration is loaded", http.StatusServiceUnavailable)
			return
		}
		defer g.release()
		page(w, r, g)
	}
}

// metrics shows every client and the exporter itself.
func (s *server) metrics(w http.ResponseWriter, r *http.Request, g *generation) {
	ctx, cancel := s.scrapeContext(r, g)
	defer cancel()
	// The exporter comes last, so that its pool metrics include this scrape.
	s.expose(w, r, collector.Gather(ctx, g.measured(), nil), s.registry, g.pools)
}

// exporter shows the exporter itself.
func (s *server) exporter(w http.ResponseWriter, r *http.Request, g *generation) {
	s.expose(w, r, s.registry, g.pools)
}

// probe shows one client, or some collectors of it: the multi-target pattern.
func (s *server) probe(w http.ResponseWriter, r *http.Request, g *generation) {
	c := g.asked(w, r, "client")
	if c == nil {
		return
	}
	query := r.URL.Query()
	names, enabled := query["collector"], s.options.collectorNames()
	for _, n := range names {
		if !slices.Contains(enabled, n) {
			http.Error(w, fmt.Sprintf("collector %q is unknown or disabled; enabled are: %s", n, strings.Join(enabled, ", ")),
				http.StatusBadRequest)
			return
		}
	}
	ctx, cancel := s.scrapeContext(r, g)
	defer cancel()
	probed := c.Client
	if debug, _ := strconv.ParseBool(query.Get("debug")); debug {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		collector.Debug(ctx, probed, names, w)
		return
	}
	s.expose(w, r, collector.Gather(ctx, []*collector.Client{probed}, names))
}

// asked returns the client that a parameter of the request names, or answers what is wrong with it and returns nil.
func (g *generation) asked(w http.ResponseWriter, r *http.Request, parameter string) *client {
	names := r.URL.Query()[parameter]
	if len(names) != 1 || names[0] == "" {
		http.Error(w, fmt.Sprintf("specify one client: %s?%s=NAME (their names are on the status page and in /sd)", r.URL.Path, parameter),
			http.StatusBadRequest)
		return nil
	}
	i := slices.IndexFunc(g.clients, func(c *client) bool { return c.Name() == names[0] })
	if i < 0 {
		http.Error(w, fmt.Sprintf("there is no client %q in the configuration", names[0]), http.StatusNotFound)
		return nil
	}
	return g.clients[i]
}

// expose writes what the gatherers give. None has a family of another: client_golang's Gatherers, which would merge them,
// check every series to find that out.
func (s *server) expose(w http.ResponseWriter, r *http.Request, from ...prometheus.Gatherer) {
	gather := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		var families []*dto.MetricFamily
		var errs error
		for _, g := range from {
			some, err := g.Gather()
			families, errs = append(families, some...), errors.Join(errs, err)
		}
		slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
		select {
		case <-r.Context().Done(): // the scraper hung up
			return nil, nil
		default:
			return families, errs
		}
	})
	promhttp.HandlerFor(gather, s.metricsOpts).ServeHTTP(w, r)
}

// Where Prometheus says how long it waits, and how long a scraper that does not say so is taken to wait.
const (
	timeoutHeader  = "X-Prometheus-Scrape-Timeout-Seconds"
	defaultTimeout = 10 * time.Second
	// maxTimeout is how long a scrape may take whatever the scraper says: what waits takes memory, and a place.
	maxTimeout = time.Minute
	// minTimeout is how long a scrape may take at least: nobody is to read that a client fails because somebody did not wait at all.
	minTimeout = 200 * time.Millisecond
)

// scrapeContext ends when the scraper has gone or shortly before it gives up. A header that makes no sense costs a line
// in the log, not the scrape.
func (s *server) scrapeContext(r *http.Request, g *generation) (context.Context, context.CancelFunc) {
	timeout := defaultTimeout
	if header := r.Header.Get(timeoutHeader); header != "" {
		seconds, err := strconv.ParseFloat(header, 64)
		if err == nil && seconds > 0 && seconds < time.Hour.Seconds() {
			limit := min(time.Duration(seconds*float64(time.Second)), maxTimeout)
			timeout = max(limit-g.TimeoutOffset, limit/2, minTimeout)
		} else {
			s.noise.Warn("ignored a scrape timeout that is not a number of seconds within the hour", "header", header)
		}
	}
	return context.WithTimeout(r.Context(), timeout)
}

// discovery lists the clients for Prometheus' HTTP service discovery, complete: no relabelling is needed.
func (s *server) discovery(w http.ResponseWriter, r *http.Request, g *generation) {
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	if !hostPort.MatchString(r.Host) {
		http.Error(w, "the Host header must be the name or address of this exporter, optionally with a port",
			http.StatusBadRequest)
		return
	}
	groups := []group{}
	for _, c := range g.clients {
		labels := map[string]string{"client": c.Name(), "__param_client": c.Name(), "__metrics_path__": "/probe"}
		if r.TLS != nil {
			labels["__scheme__"] = "https"
		}
		groups = append(groups, group{[]string{r.Host}, labels})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // nobody else may know this exporter under that name
	if err := json.NewEncoder(w).Encode(groups); err != nil {
		s.logger.Debug("service discovery was not answered", "err", err)
	}
}

// ready tells that a configuration is loaded. While stopping, nothing listens any more.
func (s *server) ready(w http.ResponseWriter, _ *http.Request, _ *generation) { writeLine(w, "ready") }

// postReload loads the configuration again.
func (s *server) postReload(w http.ResponseWriter, r *http.Request) {
	if !s.options.lifecycle {
		http.Error(w, "reload by HTTP is disabled: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
		return
	}
	if err := s.reload(r.Context()); err != nil {
		http.Error(w, "configuration not loaded, the old one stays in use: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writeLine(w, "reloaded")
}

// writeLine answers with one word. A client that hung up does not need it.
func writeLine(w io.Writer, word string) { _, _ = io.WriteString(w, word+"\n") }
