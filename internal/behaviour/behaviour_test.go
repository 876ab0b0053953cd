// Package behaviour proves what the exporter measures on real databases: rows go in, and the whole exposition comes out.
package behaviour

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient watches a database by a clock of the test's own.
func newClient(t *testing.T, db config.Database, now *time.Time) *collector.Client {
	t.Helper()
	cfg := watched(t, db)
	client := clientOf(cfg, openSource(t, cfg), now)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// watched is the client whom the tests watch.
func watched(t testing.TB, db config.Database) config.Client {
	t.Helper()
	return config.Client{
		Name: "KREWE", Timezone: testserver.Zone(t, "America/Chicago"), Labels: map[string]string{"brand": "krewe"}, Database: db,
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
		ResetInventory: []config.ResetSource{
			{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}},
			{Source: "shopify", ConfigIDs: []string{"SYNC_SHOPIFY_INV", "SYNC_INV_SHPF_MLTTHD"}},
			{Source: "never", ConfigIDs: []string{"NEVER"}},
		},
		LastMile: []config.LastMileTarget{
			{
				Target: "netsuite", IdentificationTypes: []string{"NETSUITE_ORDER_ID"}, Grace: 4 * time.Hour,
				Channels: []string{"WEB_SALES_CHANNEL", "POS_SALES_CHANNEL"},
			},
			{Target: "wms", Attributes: []string{"WMS_EXPORTED"}, ExternalID: true, Grace: time.Hour},
		},
	}
}

func openSource(t testing.TB, cfg config.Client) *sqldb.Source {
	t.Helper()
	source, err := sqldb.Open(slog.New(slog.DiscardHandler), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func clientOf(cfg config.Client, source *sqldb.Source, now *time.Time) *collector.Client {
	return collector.NewClient(collector.Options{
		Logger: slog.New(slog.DiscardHandler), Collectors: collector.All(), MaxSeries: 500, Now: func() time.Time { return *now },
	}, cfg, collector.Sources{OMS: source})
}

var (
	mark  = regexp.MustCompile(`(?m)^-- (at (\S+): .*)$`)
	about = regexp.MustCompile(`(?m)^-- collectors: (.*)$`)
)

// collectorsOfClinic are those that a clinic is about, which its line "-- collectors: NAME NAME" names.
func collectorsOfClinic(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line := about.FindSubmatch(text)
	if line == nil {
		t.Fatalf("%s lacks the line -- collectors: …", path)
	}
	return strings.Fields(string(line[1]))
}

// A moment of a clinic, and the exposition then.
type moment struct{ title, text string }

// play executes the statements of a clinic, in tables that it empties first, up to each "-- at TIME: TITLE", and looks at
// the metrics of its collectors then, for each vintage as it is seen.
func play(t *testing.T, path string, db testserver.Database, group []vintage, seen []config.Database) [][]moment {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(statements string) { group[0].write(t, db, statements) }
	for _, table := range omsTables() {
		write("DELETE FROM " + table)
	}
	var now time.Time
	var clients []*collector.Client
	for i := range group {
		clients = append(clients, newClient(t, seen[i], &now))
	}
	names := collectorsOfClinic(t, path)
	moments := make([][]moment, len(group))
	from := 0
	for _, m := range mark.FindAllSubmatchIndex(text, -1) {
		write(string(text[from:m[0]]))
		from = m[1]
		if now, err = time.Parse(time.RFC3339, string(text[m[4]:m[5]])); err != nil {
			t.Fatal(err)
		}
		for i, v := range group {
			unshow := v.show(t, db)
			settled(t, clients[i], names...)
			// The clock check reports the scrape before.
			moments[i] = append(moments[i], moment{string(text[m[2]:m[3]]), settled(t, clients[i], names...)})
			unshow()
		}
	}
	return moments
}

// settled scrapes until no collector is looking back any more.
func settled(t *testing.T, client *collector.Client, names ...string) string {
	t.Helper()
	text := lookedBack(t, client, names...)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	return text
}

// lookedBack is settled without a look at the form of the metrics.
func lookedBack(t *testing.T, client *collector.Client, names ...string) (text string) {
	t.Helper()
	testserver.Eventually(t, 30*time.Second, func() error {
		text = scrape(t, client, names...)
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "oms_collector_looking_back{") && strings.HasSuffix(line, " 1\n") {
				return fmt.Errorf("%s%v", line, client.Status())
			}
		}
		return nil
	})
	return text
}

// scrape returns the exposition of one scrape of the named collectors or, without names, of all; without what differs from
// run to run. What is known of a client without asking belongs to the collector client.
func scrape(t *testing.T, client *collector.Client, names ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	gather := func(names []string) []*dto.MetricFamily {
		families, err := collector.Gather(ctx, []*collector.Client{client}, names).Gather()
		if err != nil {
			t.Fatal(err)
		}
		return families
	}
	left := map[string]bool{"oms_collector_duration_seconds": true}
	if names != nil && !slices.Contains(names, "client") {
		for _, known := range gather([]string{}) {
			left[known.GetName()] = true
		}
	}
	var text bytes.Buffer
	for _, family := range gather(names) {
		if left[family.GetName()] {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}
