package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// newFake is an OMS without anything in it.
func newFake() *omstest.Fake {
	return &omstest.Fake{Facts: omstest.Facts{
		Instance: oms.Instance{Generation: oms.GenerationOFBiz}, Orders: oms.Orders{Open: oms.Known([]oms.OpenOrders{})},
	}}
}

// hang lets each question about orders wait until its context ends, which it returns as soon as it is asked.
func hang(src *omstest.Fake) <-chan context.Context {
	asked := make(chan context.Context, 1)
	src.Before = func(ctx context.Context, collector string) error {
		if collector != "orders" {
			return nil
		}
		asked <- ctx
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return asked
}

// omsCollectors lists the collectors of a client that has an OMS, and neither drop folders nor reports.
func omsCollectors() []string {
	bare := collector.NewClient(collector.Options{Collectors: collector.All()}, config.Client{}, collector.Sources{OMS: newFake()})
	var names []string
	for _, s := range bare.Status() {
		names = append(names, s.Collector)
	}
	return names
}

// A bench is a server over fake sources.
type bench struct {
	*server
	cfg     *config.Config // what a reload finds
	err     error          // or fails with
	sources map[string]*omstest.Fake
}

// newBench returns a server for the named clients. Sources that are not in sources before are made as they are opened.
func newBench(t testing.TB, s options, sources map[string]*omstest.Fake, names ...string) *bench {
	t.Helper()
	if sources == nil {
		sources = map[string]*omstest.Fake{}
	}
	b := &bench{cfg: configOf(names...), sources: sources}
	load := func() (*config.Config, error) { return b.cfg, b.err }
	open := func(c config.Client) (collector.Sources, *sql.DB, error) {
		if b.sources[c.Name] == nil || b.sources[c.Name].Closed() > 0 {
			b.sources[c.Name] = newFake()
		}
		return collector.Sources{OMS: b.sources[c.Name]}, nil, nil
	}
	if s.collectors == nil {
		s.collectors = collector.All()
	}
	var err error
	if b.server, err = newServer(t.Context(), slog.New(slog.DiscardHandler), s, load, open); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.clients.close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b
}

// configOf has clients of these names, each of which may have a zone: NAME@ZONE.
func configOf(names ...string) *config.Config {
	cfg := &config.Config{TimeoutOffset: 500 * time.Millisecond}
	for _, name := range names {
		name, place, _ := strings.Cut(name, "@")
		zone, err := time.LoadLocation(place) // "" is UTC
		if err != nil {
			panic(err)
		}
		cfg.Clients = append(cfg.Clients, config.Client{Name: name, Timezone: zone})
	}
	return cfg
}

// ask sends one request straight to the server's handler. Headers are "Name: value".
func (b *bench) ask(ctx context.Context, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.handler().ServeHTTP(w, r)
	return w
}

// wantLines fails unless each line stands in the body by itself.
func wantLines(t *testing.T, body string, lines ...string) {
	t.Helper()
	all := strings.Split(body, "\n")
	for _, line := range lines {
		if !slices.Contains(all, line) {
			t.Errorf("the line %q is missing in\n%s", line, omsLines(all))
		}
	}
}

// omsLines leaves out what is not about clients or the configuration.
func omsLines(all []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(all), func(l string) bool { return !strings.HasPrefix(l, "oms_") }), "\n")
}

// fetch gets a page over the network.
func fetch(t *testing.T, client *http.Client, r *http.Request) (status int, body string) {
	t.Helper()
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close())
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// closeAtEnd closes c when the test is over.
func closeAtEnd(t *testing.T, c io.Closer) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
