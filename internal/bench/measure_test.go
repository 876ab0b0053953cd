//go:build bench

package bench

import (
	"database/sql"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A result is what a number of scrapes cost, as sums.
type result struct {
	latencies []time.Duration
	elapsed   time.Duration
	// database and exporter are processor time.
	database, exporter time.Duration
	work               work
	bytes              int
	memory, peak       float64
}

// A measurement is of one page of one side, in blocks.
type measurement struct {
	side    *side
	path    string
	timeout time.Duration
	loops   int // as many scrape at the same time
	result
}

// block scrapes so many times, or until the time is over, and adds what that cost.
func (m *measurement) block(tb testing.TB, e engine, server *testserver.Server, admin *sql.DB, scrapes int, budget time.Duration) {
	tb.Helper()
	before, work := e.counters(tb, admin), m.work
	database, exporter, began := server.CPU(tb), testserver.ProcessCPU(tb, m.side.pid), time.Now()
	var mu sync.Mutex
	var loops sync.WaitGroup
	for range m.loops {
		loops.Go(func() {
			for n := 0; n == 0 || n < scrapes/m.loops && time.Since(began) < budget; n++ {
				start := time.Now()
				page, err := m.side.get(tb.Context(), m.path, m.timeout)
				took := time.Since(start)
				mu.Lock()
				if err != nil {
					tb.Errorf("%s: %v", m.side.name, err)
				}
				m.latencies = append(m.latencies, took)
				m.bytes = len(page)
				mu.Unlock()
			}
		})
	}
	loops.Wait()
	m.elapsed += time.Since(began)
	m.database += server.CPU(tb) - database
	m.exporter += testserver.ProcessCPU(tb, m.side.pid) - exporter
	after := e.counters(tb, admin)
	m.work.examined = work.examined + after.examined - before.examined
	m.work.statements = work.statements + after.statements - before.statements - 1 // the one that counts
	m.memory, m.peak = m.side.memory(tb)
}

// quantile returns the latency that so large a part of the scrapes did not exceed.
func (r *result) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.latencies))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// each is a sum's part of each scrape.
func (r *result) each(sum float64) float64 { return sum / float64(len(r.latencies)) }

// alternate measures all in turns, so that what else the machine does hits all alike.
func alternate(
	tb testing.TB, e engine, server *testserver.Server, admin *sql.DB, scrapes, blocks int, budget time.Duration, all ...*measurement,
) {
	tb.Helper()
	for range blocks {
		for _, m := range all {
			m.block(tb, e, server, admin, max(scrapes/blocks, m.loops), budget/time.Duration(blocks))
		}
	}
}
