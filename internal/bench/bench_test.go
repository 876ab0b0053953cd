//go:build bench

package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A scenario is what is measured of all programs in turns.
type scenario struct {
	name    string
	tenth   bool // on the database with a tenth of the history
	clients int
	loops   int  // Prometheus servers that scrape at the same time
	own     bool // the page of one client
	dead    bool // a further client's database accepts connections and says nothing
	scrapes int  // so large a part of all
	timeout time.Duration
}

// scenarios has a generous timeout where nobody is dead, so that even what takes too long for a Prometheus is measured.
func scenarios() []scenario {
	const usual, generous = 10 * time.Second, 2 * time.Minute
	return []scenario{
		{name: "1 client", clients: 1, loops: 1, scrapes: 1, timeout: generous},
		{name: "1 client, a tenth of the history", tenth: true, clients: 1, loops: 1, scrapes: 1, timeout: generous},
		{name: "1 client, two Prometheus servers at once", clients: 1, loops: 2, scrapes: 2, timeout: generous},
		{name: "3 clients, the page of one", clients: 3, loops: 1, own: true, scrapes: 2, timeout: usual},
		{name: "the same beside a black-holed client", clients: 3, loops: 1, own: true, dead: true, scrapes: 2, timeout: usual},
		{name: "3 clients and a black-holed one, the page of all", clients: 3, loops: 1, dead: true, scrapes: 60, timeout: usual},
		{name: "10 clients", clients: 10, loops: 1, scrapes: 3, timeout: generous},
		{name: "50 clients", clients: 50, loops: 1, scrapes: 10, timeout: generous},
	}
}

const (
	blocks = 5
	// budget is how long one side may take for its scrapes in a scenario.
	budget = time.Minute
)

// TestBench measures all scenarios on the data of TestData, and writes BENCHMARK.md.
func TestBench(t *testing.T) {
	scrapes := 300
	if text := os.Getenv("SCRAPES"); text != "" {
		var err error
		scrapes, err = strconv.Atoi(text)
		check(t, err)
	}
	var r report
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			dir := dataFolder(t, e)
			text, err := os.ReadFile(filepath.Join(dir, anchorFile))
			if err != nil {
				t.Fatalf("run make bench-data first: %v", err)
			}
			end, err := time.Parse(time.RFC3339, string(text))
			check(t, err)
			server := e.start(t, dir, e.run...)
			admin := server.Admin(t, "tenth")
			if e.prepare != "" {
				_, err := admin.ExecContext(t.Context(), e.prepare)
				check(t, err)
			}
			r.begin(t, e, admin)
			for _, s := range scenarios() {
				t.Run(s.name, func(t *testing.T) { r.add(e, s, s.measure(t, e, server, admin, scrapes)) })
			}
			t.Run("an hour", func(t *testing.T) {
				r.hours(e, anHour(t, e, server, "tenth", end), anHour(t, e, server, "whole", end))
			})
		})
	}
	if !t.Failed() {
		check(t, os.WriteFile("../../BENCHMARK.md", []byte(r.text(t, scrapes)), 0o644))
	}
}

// measure starts all programs and lets them take turns.
func (s scenario) measure(t *testing.T, e engine, server *testserver.Server, admin *sql.DB, scrapes int) []*measurement {
	t.Helper()
	database := "whole"
	if s.tenth {
		database = "tenth"
	}
	dsns := map[string]string{}
	for i := range s.clients {
		dsns[fmt.Sprintf("C%02d", i+1)] = server.UserDSN(database)
	}
	if s.dead {
		dsns[deadClient] = blackHole(t, server.UserDSN(database))
	}
	var all []*measurement
	for _, p := range programs(t) {
		m := &measurement{side: p.start(t, e, dsns), path: "/metrics", timeout: s.timeout, loops: s.loops}
		if s.own {
			m.path = p.own + "C01"
		}
		if s.own && s.dead {
			scrapeOn(t, m.side, p.own+deadClient, s.timeout)
		}
		m.block(t, e, server, admin, 20, 10*time.Second) // warm up
		m.result = result{}
		all = append(all, m)
	}
	if !s.dead {
		agree(t, all)
	}
	for range blocks {
		for _, m := range all {
			m.block(t, e, server, admin, max(scrapes/s.scrapes/blocks, m.loops), budget/blocks)
		}
	}
	for _, m := range all {
		t.Log(m)
	}
	return all
}

// agree checks that what the peers found out is also what this exporter says: of a sample of the metrics, whose labels are
// the same.
func agree(t *testing.T, all []*measurement) {
	t.Helper()
	sample := regexp.MustCompile(`(?m)^oms_(orders_unfulfilled|orders_parked|data_manager_last_(success|failure)_timestamp_seconds)\{.*`)
	ours, err := all[0].side.get(t.Context(), all[0].path, all[0].timeout)
	check(t, err)
	for _, peer := range all[1:] {
		page, err := peer.side.get(t.Context(), peer.path, peer.timeout)
		check(t, err)
		found := sample.FindAllString(page, -1)
		if len(found) == 0 {
			t.Errorf("%s finds nothing", peer.side.name)
		}
		for _, line := range found {
			if !strings.Contains(ours, line) {
				t.Errorf("%s alone says %s", peer.side.name, line)
			}
		}
	}
}

// blackHole returns the DSN with the address of a listener that accepts connections and says nothing.
func blackHole(t *testing.T, dsn string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		var held []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				for _, conn := range held {
					_ = conn.Close()
				}
				return
			}
			held = append(held, conn)
		}
	}()
	return regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(dsn, listener.Addr().String())
}

// scrapeOn scrapes a page again and again until the end of the test, whatever comes.
func scrapeOn(t *testing.T, s *side, path string, timeout time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var loop sync.WaitGroup
	loop.Go(func() {
		for ctx.Err() == nil {
			_, _ = s.get(ctx, path, timeout)
		}
	})
	t.Cleanup(func() {
		cancel()
		loop.Wait()
	})
}
