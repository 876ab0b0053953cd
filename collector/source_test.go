package collector_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is what the exporter's clock says in these tests: 13:00 in Chicago, daylight saving time.
var now = time.Date(2026, 3, 10, 18, 0, 0, 0, time.UTC)

type (
	fake  = omstest.Fake
	facts = omstest.Facts
)

// newClient makes a client in Chicago with the named collectors, or all of them.
func newClient(t *testing.T, name string, src *fake, names ...string) *collector.Client {
	return newClientWith(t, collector.Options{Logger: slog.New(slog.DiscardHandler), MaxSeries: 500}, name, src, names...)
}

func newClientWith(t *testing.T, opts collector.Options, name string, src *fake, names ...string) *collector.Client {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	opts.Now = func() time.Time { return now }
	for _, c := range collector.All() {
		if len(names) == 0 || slices.Contains(names, c.Name()) {
			opts.Collectors = append(opts.Collectors, c)
		}
	}
	cfg := config.Client{Name: name, Timezone: zone, Labels: map[string]string{"brand": "krewe", "region": "us"}}
	sources := collector.Sources{OMS: src}
	for _, l := range src.Facts.DropFolders {
		cfg.SFTP = append(cfg.SFTP, config.SFTP{Location: l.Location, Source: l.Source, Path: "/in", Archive: "archive", Failed: "failed"})
		sources.DropFolders = omstest.DropFolders{Fake: src}
	}
	if src.Facts.Reports != nil {
		sources.Reports = omstest.Reports{Fake: src}
	}
	return collector.NewClient(opts, cfg, sources)
}

// exposition is what a scrape of g answers. It fails unless client_golang would say the same: it checks the names and
// types, that no series is there twice, and the order.
func exposition(t *testing.T, g prometheus.Gatherer) string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	checked, err := prometheus.Gatherers{prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got, want := encode(t, families), encode(t, checked)
	if got != want {
		t.Errorf("got\n%s\nclient_golang says\n%s", got, want)
	}
	return got
}

func encode(t *testing.T, families []*dto.MetricFamily) string {
	t.Helper()
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// scrape is the answer to a scrape of the clients that ends within timeout.
func scrape(t *testing.T, timeout time.Duration, clients []*collector.Client, names ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return exposition(t, collector.Gather(ctx, clients, names))
}

// want fails the test unless each line is in the exposition; a line that begins with "!" must be no part of it.
func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if absent, ok := strings.CutPrefix(line, "!"); ok {
			if strings.Contains(text, absent) {
				t.Errorf("%q is there, in\n%s", absent, text)
			}
		} else if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}
