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
)

// facts are what a fakeSource knows.
type facts struct {
	orders         oms.Orders
	jobs           oms.Jobs
	dataManager    oms.DataManager
	systemMessages []oms.OpenMessages
}

// A fakeSource is an OMS without anything in it, unless somebody gives it facts.
type fakeSource struct {
	err     error // of every answer
	missing []oms.Column
	facts   facts                // what it knows of orders, jobs, files and messages
	hang    chan context.Context // where set, Orders sends its context here and answers when that ends
	closed  chan struct{}        // closed by Close
}

func newFakeSource() *fakeSource {
	return &fakeSource{closed: make(chan struct{}), facts: facts{orders: oms.Orders{Open: []oms.OpenOrders{}}}}
}

func (f *fakeSource) Instance(context.Context, time.Time) (oms.Instance, error) {
	return oms.Instance{Generation: oms.GenerationOFBiz, Missing: f.missing}, f.err
}

func (f *fakeSource) Orders(ctx context.Context, _ time.Time) (oms.Orders, error) {
	if f.hang != nil {
		f.hang <- ctx
		<-ctx.Done()
		return oms.Orders{}, context.Cause(ctx)
	}
	return f.facts.orders, f.err
}

func (f *fakeSource) Jobs(context.Context, time.Time) (oms.Jobs, error) { return f.facts.jobs, f.err }

func (f *fakeSource) DataManager(context.Context, time.Time) (oms.DataManager, error) {
	return f.facts.dataManager, f.err
}

func (f *fakeSource) ResetInventory(context.Context, time.Time) (oms.ResetInventory, error) {
	return oms.ResetInventory{}, f.err
}

func (f *fakeSource) SystemMessages(context.Context, time.Time) ([]oms.OpenMessages, error) {
	return f.facts.systemMessages, f.err
}

func (f *fakeSource) Close() error {
	close(f.closed)
	return nil
}

// isClosed tells whether the exporter has closed the source.
func (f *fakeSource) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// A bench is a server over fake sources.
type bench struct {
	*server
	cfg     *config.Config // what a reload finds
	err     error          // or fails with
	sources map[string]*fakeSource
}

// newBench returns a server for the named clients. Sources that are not in sources before are made as they are opened.
func newBench(t testing.TB, s settings, sources map[string]*fakeSource, names ...string) *bench {
	t.Helper()
	if sources == nil {
		sources = map[string]*fakeSource{}
	}
	b := &bench{cfg: configOf(names...), sources: sources}
	load := func() (*config.Config, error) { return b.cfg, b.err }
	open := func(c config.Client) (collector.Sources, *sql.DB, error) {
		if b.sources[c.Name] == nil || b.sources[c.Name].isClosed() {
			b.sources[c.Name] = newFakeSource()
		}
		return collector.Sources{OMS: b.sources[c.Name]}, nil, nil
	}
	if s.collectors == nil {
		s.collectors = collector.All()
	}
	var err error
	if b.server, err = newServer(slog.New(slog.DiscardHandler), s, load, open); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.clients.close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b
}

func configOf(names ...string) *config.Config {
	cfg := &config.Config{TimeoutOffset: 500 * time.Millisecond}
	for _, name := range names {
		cfg.Clients = append(cfg.Clients, config.Client{Name: name, Timezone: time.UTC})
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
