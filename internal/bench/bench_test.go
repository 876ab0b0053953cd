//go:build bench

package bench

import (
	"cmp"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A scenario is what is measured of all programs in turns.
type scenario struct {
	name      string
	size      int // of the database: 0 is a tenth of the history
	clients   int
	loops     int  // Prometheus servers that scrape at the same time
	blackHole bool // one of the clients accepts connections and says nothing
	scrapes   int  // so large a part of all
}

func scenarios() []scenario {
	return []scenario{
		{name: "1 client", size: 1, clients: 1, loops: 1, scrapes: 1},
		{name: "1 client, a tenth of the history", size: 0, clients: 1, loops: 1, scrapes: 1},
		{name: "1 client, two Prometheus servers at once", size: 1, clients: 1, loops: 2, scrapes: 2},
		{name: "10 clients", size: 1, clients: 10, loops: 1, scrapes: 3},
		{name: "50 clients", size: 1, clients: 50, loops: 1, scrapes: 10},
	}
}

const (
	blocks = 5
	// budget is how long one side may take for its scrapes in a scenario.
	budget = 2 * time.Minute
	// timeout is generous, so that even what takes too long for a Prometheus is measured.
	timeout = 2 * time.Minute
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
			end, err := os.ReadFile(filepath.Join(dir, anchorFile))
			if err != nil {
				t.Fatalf("run make bench-data first: %v", err)
			}
			server := e.start(t, dir, e.run...)
			admin := server.Admin(t, "tenth")
			if e.prepare != "" {
				execute(t, admin, e.prepare)
			}
			r.begin(e, string(end))
			for _, s := range scenarios() {
				t.Run(s.name, func(t *testing.T) { r.add(s, s.measure(t, e, server, admin, scrapes)) })
			}
		})
	}
	if !t.Failed() {
		check(t, os.WriteFile("../../BENCHMARK.md", []byte(r.text(scrapes)), 0o600))
	}
}

// measure starts all programs and lets them take turns.
func (s scenario) measure(t *testing.T, e engine, server *testserver.Server, admin *sql.DB, scrapes int) []*measurement {
	t.Helper()
	dsns := map[string]string{}
	for i := range s.clients {
		dsns[fmt.Sprintf("C%02d", i+1)] = server.UserDSN(sizes(t)[s.size].database)
	}
	var all []*measurement
	for _, p := range programs(t) {
		m := &measurement{side: p.start(t, e, dsns), path: "/metrics", timeout: timeout, loops: s.loops}
		m.block(t, e, server, admin, 20, 10*time.Second) // warm up
		m.result = result{}
		all = append(all, m)
	}
	alternate(t, e, server, admin, cmp.Or(scrapes/s.scrapes, 1), blocks, budget, all...)
	for _, m := range all {
		t.Logf("%s: %d scrapes, p50 %s p95 %s p99 %s, database CPU %.2f ms, examined %.0f, statements %.1f, CPU %.2f ms, RSS %.1f MiB peak %.1f, %d bytes",
			m.side.name, len(m.latencies), m.quantile(0.5), m.quantile(0.95), m.quantile(0.99), m.each(m.database.Seconds())*1000,
			m.each(m.work.examined), m.each(m.work.statements), m.each(m.exporter.Seconds())*1000, m.memory/(1<<20), m.peak/(1<<20), m.bytes)
	}
	return all
}
