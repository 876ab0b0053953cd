// Package behaviour proves what the exporter measures on real databases: rows go in, and the whole exposition comes out.
package behaviour

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
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
	cfg := config.Client{
		Name: "KREWE", Timezone: testserver.Zone(t, "America/Chicago"), Labels: map[string]string{"brand": "krewe"}, Database: db,
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
		ResetInventory: []config.ResetSource{
			{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}},
			{Source: "shopify", ConfigIDs: []string{"SYNC_SHOPIFY_INV", "SYNC_INV_SHPF_MLTTHD"}},
			{Source: "never", ConfigIDs: []string{"NEVER"}},
		},
	}
	logger := slog.New(slog.DiscardHandler)
	source, err := sqldb.Open(logger, cfg)
	if err != nil {
		t.Fatal(err)
	}
	client := collector.NewClient(collector.Options{
		Logger: logger, Collectors: collector.All(), MaxSeries: 500, Now: func() time.Time { return *now },
	}, cfg, collector.Sources{OMS: source})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestRowsInMetricsOut executes each scenario of testdata on each engine, and compares the whole exposition at each of
// its times with one golden file for all engines.
func TestRowsInMetricsOut(t *testing.T) {
	scenarios, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(scenarios) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			newDatabase := engine.Start(t)
			for _, path := range scenarios {
				name := strings.TrimSuffix(filepath.Base(path), ".sql")
				t.Run(name, func(t *testing.T) {
					got := play(t, path, newDatabase(t, name, "America/New_York"))
					golden := strings.TrimSuffix(path, ".sql") + ".prom"
					if *update && engine.Name == "sqlite" {
						if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					want, err := os.ReadFile(golden)
					if err != nil {
						t.Fatal(err)
					}
					if diff := diff(string(want), got); diff != "" {
						t.Errorf("%s differs (-want +got):\n%s", golden, diff)
					}
				})
			}
		})
	}
}

var moment = regexp.MustCompile(`(?m)^-- at (\S+): (.*)$`)

// play executes the statements up to each "-- at TIME: TITLE" and looks at the metrics then.
func play(t *testing.T, path string, db testserver.Database) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var now time.Time
	client := newClient(t, db.Config, &now)
	var out strings.Builder
	from := 0
	for _, m := range moment.FindAllSubmatchIndex(text, -1) {
		testserver.Execute(t, db.Admin, string(text[from:m[0]]))
		from = m[1]
		if now, err = time.Parse(time.RFC3339, string(text[m[2]:m[3]])); err != nil {
			t.Fatal(err)
		}
		settled(t, client)
		fmt.Fprintf(&out, "# %s\n%s\n", text[m[0]+3:m[1]], settled(t, client)) // the clock check tells of the scrape before
	}
	return out.String()
}

// settled scrapes until every collector succeeds, which they do when the look back is complete.
func settled(t *testing.T, client *collector.Client) string {
	t.Helper()
	var text string
	testserver.Eventually(t, 30*time.Second, func() error {
		text = scrape(t, client)
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "oms_collector_success{") && strings.HasSuffix(line, " 0\n") {
				return fmt.Errorf("%s%v", line, client.Status())
			}
		}
		return nil
	})
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	return text
}

// scrape returns the exposition of one scrape, without what differs from run to run.
func scrape(t *testing.T, client *collector.Client) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	families, err := collector.Gather(ctx, []*collector.Client{client}, nil).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, family := range families {
		if family.GetName() == "oms_collector_duration_seconds" {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// diff lists the lines that only one of two texts has, in their order.
func diff(want, got string) string {
	count := map[string]int{}
	for line := range strings.Lines(want) {
		count[line]++
	}
	var out strings.Builder
	for line := range strings.Lines(got) {
		if count[line]--; count[line] < 0 {
			out.WriteString("+" + line)
		}
	}
	for line := range strings.Lines(want) {
		if count[line] > 0 {
			count[line]--
			out.WriteString("-" + line)
		}
	}
	if out.Len() == 0 && want != got {
		return "the same lines in another order"
	}
	return out.String()
}
