//go:build bench

package bench

import (
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A result is what a number of scrapes cost, as sums.
type result struct {
	latencies []time.Duration
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
	before := e.counters(tb, admin)
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
	m.database += server.CPU(tb) - database
	m.exporter += testserver.ProcessCPU(tb, m.side.pid) - exporter
	after := e.counters(tb, admin)
	m.work.examined += after.examined - before.examined
	m.work.statements += after.statements - before.statements - 1 // the one that counts
	m.memory, m.peak = m.side.memory(tb)
}

// quantile returns the latency that so large a part of the scrapes did not exceed.
func (r *result) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.latencies))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// each is a sum's part of each scrape.
func (r *result) each(sum float64) float64 { return sum / float64(len(r.latencies)) }

// String is for the log.
func (m *measurement) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("%s: %d scrapes, p50 %s p95 %s p99 %s; a scrape: database CPU %.2f ms, examined %.0f, statements %.1f, CPU %.2f ms, "+
		"%d bytes; RSS %.1f MiB, peak %.1f MiB", m.side.name, len(m.latencies), m.quantile(0.5), m.quantile(0.95), m.quantile(0.99),
		m.each(m.database.Seconds()*1000), m.each(m.work.examined), m.each(m.work.statements), m.each(m.exporter.Seconds()*1000),
		m.bytes, m.memory/mib, m.peak/mib)
}
