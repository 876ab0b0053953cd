//go:build bench

package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
)

// A share is what one statement contributes.
type share struct {
	calls, rows int
	took        time.Duration
}

const (
	// An hour of scrapes, so that what is done every 5 and every 15 minutes has its part.
	simulated = time.Hour
	interval  = 30 * time.Second
)

// TestStatements shows which statements a scrape consists of: those of an hour of scrapes, without the waiting between
// them, and the peer's queries.
func TestStatements(t *testing.T) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			dir := dataFolder(t, e)
			text, err := os.ReadFile(filepath.Join(dir, anchorFile))
			check(t, err)
			end, err := time.Parse(time.RFC3339, string(text))
			check(t, err)
			server := e.start(t, dir, e.run...)
			secret := filepath.Join(t.TempDir(), "dsn")
			for _, size := range sizes(t) {
				check(t, os.WriteFile(secret, []byte(server.UserDSN(size.database)), 0o600))
				source, err := sqldb.Open(slog.New(slog.NewTextHandler(os.Stderr, nil)), config.Client{
					Name: "C", Timezone: time.UTC,
					Database: config.Database{Driver: e.driver, DSN: config.FileSecret(secret), Timezone: time.UTC, MaxConnections: 5},
					Orders:   config.Orders{CreatedExclude: config.CreatedExclude{Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"}}},
					ResetInventory: []config.ResetSource{
						{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}}, {Source: "shopify", ConfigIDs: []string{"SYNC_SHOPIFY_INV"}},
					},
				})
				check(t, err)
				now := end
				_, lookBack := trace(t, source, now, true)
				cpu, n := server.CPU(t), 0
				total := map[string]share{}
				for ; now.Before(end.Add(simulated)); now = now.Add(interval) {
					shares, _ := trace(t, source, now, false)
					for name, s := range shares {
						sum := total[name]
						total[name] = share{sum.calls + s.calls, sum.rows + s.rows, sum.took + s.took}
					}
					n++
				}
				cpu = server.CPU(t) - cpu
				t.Logf("%s, look back %s; %d scrapes, database CPU %.2f ms each\n%s", size.database, lookBack, n, cpu.Seconds()*1000/float64(n), tabulate(total, n))
				check(t, source.Close())
			}
		})
	}
}

// trace makes a scrape, or as many as it takes until the look back is complete, and returns what its statements took.
func trace(t *testing.T, source oms.Source, now time.Time, complete bool) (map[string]share, time.Duration) {
	t.Helper()
	began := time.Now()
	for {
		var mu sync.Mutex
		shares := map[string]share{}
		ctx := oms.WithTrace(oms.WithScrape(t.Context()), func(name string, took time.Duration, rows int, _ error) {
			mu.Lock()
			defer mu.Unlock()
			s := shares[name]
			shares[name] = share{s.calls + 1, s.rows + rows, s.took + took}
		})
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		var errs error
		for _, ask := range []func() error{
			func() error { _, err := source.Instance(ctx, now); return err },
			func() error { _, err := source.Orders(ctx, now); return err },
			func() error { _, err := source.Jobs(ctx, now); return err },
			func() error { _, err := source.DataManager(ctx, now); return err },
			func() error { _, err := source.ResetInventory(ctx, now); return err },
			func() error { _, err := source.SystemMessages(ctx, now); return err },
		} {
			errs = errors.Join(errs, ask())
		}
		cancel()
		if errs == nil {
			return shares, time.Since(began)
		}
		if !complete || !errors.Is(errs, oms.ErrLookBack) {
			t.Fatal(errs)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(errs)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func tabulate(total map[string]share, scrapes int) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(table, "statement\tcalls\trows\tms\t\n")
	names := slices.SortedFunc(maps.Keys(total), func(a, b string) int { return int(total[b].took - total[a].took) })
	var sum time.Duration
	calls := 0
	for _, name := range names {
		s := total[name]
		sum += s.took
		calls += s.calls
		_, _ = fmt.Fprintf(table, "%s\t%.2f\t%.1f\t%.2f\t\n", name, float64(s.calls)/float64(scrapes), float64(s.rows)/float64(scrapes),
			s.took.Seconds()*1000/float64(scrapes))
	}
	_, _ = fmt.Fprintf(table, "all\t%.2f\t\t%.2f\t\n", float64(calls)/float64(scrapes), sum.Seconds()*1000/float64(scrapes))
	_ = table.Flush()
	return text.String()
}
