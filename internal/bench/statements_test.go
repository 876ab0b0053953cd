//go:build bench

package bench

import (
	"cmp"
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
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
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

// An hourOf scrapes is what they cost without the waiting between them.
type hourOf struct {
	scrapes  int
	lookBack time.Duration
	database time.Duration // processor time
	shares   map[string]share
}

// cpu is the processor time of the database server for each scrape, in milliseconds.
func (h hourOf) cpu() float64 { return h.database.Seconds() * 1000 / float64(h.scrapes) }

// anHour makes the scrapes of an hour by a clock of its own, which begins where the data end.
func anHour(t *testing.T, e engine, server *testserver.Server, database string, end time.Time) hourOf {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "dsn")
	check(t, os.WriteFile(secret, []byte(server.UserDSN(database)), 0o600))
	source, err := sqldb.Open(slog.New(slog.DiscardHandler), config.Client{
		Name: "C", Timezone: time.UTC,
		Database: config.Database{Driver: e.driver, DSN: config.FileSecret(secret), Timezone: time.UTC, MaxConnections: config.DefaultMaxConnections},
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
		ResetInventory: []config.ResetSource{
			{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}}, {Source: "shopify", ConfigIDs: []string{"SYNC_SHOPIFY_INV"}},
		},
	})
	check(t, err)
	h := hourOf{shares: map[string]share{}}
	_, h.lookBack = traced(t, source, end, true)
	before := server.CPU(t)
	for now := end; now.Before(end.Add(simulated)); now = now.Add(interval) {
		shares, _ := traced(t, source, now, false)
		for name, s := range shares {
			sum := h.shares[name]
			h.shares[name] = share{sum.calls + s.calls, sum.rows + s.rows, sum.took + s.took}
		}
		h.scrapes++
	}
	h.database = server.CPU(t) - before
	check(t, source.Close())
	return h
}

// traced makes a scrape, or as many as it takes until the backfill is complete, and returns what its statements took.
func traced(t *testing.T, source oms.Source, now time.Time, complete bool) (map[string]share, time.Duration) {
	t.Helper()
	began := time.Now()
	for {
		var mu sync.Mutex
		shares := map[string]share{}
		ctx := trace.With(oms.WithScrape(t.Context()), func(name string, took time.Duration, rows int, _ error) {
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
		if !complete || !errors.Is(errs, oms.ErrIncomplete) {
			t.Fatal(errs)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(errs)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// table shows what each statement contributes to a scrape, the most expensive first.
func (h hourOf) table() string {
	var text strings.Builder
	text.WriteString("| statement | sent | rows | ms |\n|---|--:|--:|--:|\n")
	each := func(sum float64) float64 { return sum / float64(h.scrapes) }
	for _, name := range slices.SortedFunc(maps.Keys(h.shares), func(a, b string) int { return cmp.Compare(h.shares[b].took, h.shares[a].took) }) {
		s := h.shares[name]
		fmt.Fprintf(&text, "| %s | %.2f | %.1f | %.2f |\n", name, each(float64(s.calls)), each(float64(s.rows)), each(s.took.Seconds()*1000))
	}
	return text.String()
}
