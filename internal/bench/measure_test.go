//go:build bench

package bench

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A result is what a number of scrapes cost, as sums.
type result struct {
	latencies []time.Duration
	failed    int // of these
	// database and exporter are processor time.
	database, exporter time.Duration
	work               work
	bytes              int
	memory, peak       int64
}

// A measurement is of pages of one side, in blocks.
type measurement struct {
	*side
	paths   []string // in turn
	dead    string   // what somebody else scrapes all the time, in vain
	mayFail bool     // because it is a peer that must answer in time for a client that is dead
	timeout time.Duration
	loops   int // as many scrape at the same time
	spent   time.Duration
	result
}

// measure starts all programs in all set-ups, and lets them take turns. There are no more clients than scrapes: with few
// scrapes one only wants to know whether all works.
func (h host) measure(t *testing.T, s scenario, scrapes int) [][]*measurement {
	t.Helper()
	compared := programs(t)
	if s.alone {
		compared = compared[:1]
	}
	total := max(1, int(s.share*float64(scrapes)))
	all := make([][]*measurement, len(s.setups))
	for i, setup := range s.setups {
		setup.clients = min(setup.clients, scrapes)
		for _, p := range compared {
			m := &measurement{side: p.start(t, h, setup), timeout: s.timeout, loops: s.loops}
			m.paths = m.side.paths(s.pages)
			if setup.dead && s.pages == ofFirst {
				m.dead = p.own + deadClient
			}
			m.mayFail = setup.dead && s.pages == ofAll && p.name != compared[0].name
			m.block(t, h, min(20, total), warmUp)
			m.result, m.spent = result{}, 0
			all[i] = append(all[i], m)
		}
		if !setup.dead {
			agree(t, all[i])
		}
	}
	for block := range blocks {
		part := total*(block+1)/blocks - total*block/blocks
		if part == 0 {
			continue
		}
		for m := range slices.Values(slices.Concat(all...)) {
			m.block(t, h, part, budget)
		}
	}
	for m := range slices.Values(slices.Concat(all...)) {
		m.memory, m.peak = m.Memory(t)
		t.Log(m)
	}
	return all
}

// block scrapes so many times, or until all blocks together have taken so long, and adds what that cost.
func (m *measurement) block(tb testing.TB, h host, scrapes int, budget time.Duration) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	var others sync.WaitGroup
	if m.dead != "" {
		others.Go(func() {
			for ctx.Err() == nil {
				_, _ = m.get(ctx, m.dead, time.Second)
			}
		})
	}
	before := h.counters(tb, h.admin)
	database, exporter, began := h.server.CPU(tb), m.CPU(tb), time.Now()
	var mu sync.Mutex
	var loops sync.WaitGroup
	var begun atomic.Int64
	for range m.loops {
		loops.Go(func() {
			for begun.Add(1) <= int64(scrapes) && m.spent+time.Since(began) < budget {
				mu.Lock()
				path := m.paths[len(m.latencies)%len(m.paths)]
				mu.Unlock()
				start := time.Now()
				page, err := m.get(ctx, path, m.timeout)
				took := time.Since(start)
				mu.Lock()
				switch {
				case err != nil && m.mayFail:
					m.failed++
				case err != nil:
					tb.Errorf("%s: %v", m.name, err)
				}
				m.latencies = append(m.latencies, took)
				m.bytes = len(page)
				mu.Unlock()
			}
		})
	}
	loops.Wait()
	m.spent += time.Since(began)
	cancel()
	others.Wait()
	m.database += h.server.CPU(tb) - database
	m.exporter += m.CPU(tb) - exporter
	after := h.counters(tb, h.admin)
	m.work.examined += after.examined - before.examined
	m.work.statements += after.statements - before.statements - 1 // the one that counts
}

// agree checks that what the peers found out is also what this exporter says: of a sample of the metrics, whose labels are
// the same.
func agree(t *testing.T, all []*measurement) {
	t.Helper()
	sample := regexp.MustCompile(`(?m)^oms_(orders_unfulfilled|orders_parked|data_manager_last_(success|failure)_timestamp_seconds)\{.*`)
	ours, err := all[0].get(t.Context(), all[0].paths[0], all[0].timeout)
	check(t, err)
	for _, peer := range all[1:] {
		page, err := peer.get(t.Context(), peer.paths[0], peer.timeout)
		check(t, err)
		// A real sql_exporter adds labels of its own.
		found := sample.FindAllString(regexp.MustCompile(`(job|target)="[^"]*",|,(job|target)="[^"]*"`).ReplaceAllString(page, ""), -1)
		if len(found) == 0 {
			t.Errorf("%s finds nothing", peer.name)
		}
		for _, line := range found {
			if !strings.Contains(ours, line) {
				t.Errorf("%s alone says %s", peer.name, line)
			}
		}
	}
}

// quantile returns the latency that so large a part of the scrapes did not exceed.
func (r *result) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.latencies))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// scrapes says how many there were, and how many failed.
func (r *result) scrapes() string {
	if r.failed > 0 {
		return fmt.Sprintf("%d, %d failed", len(r.latencies), r.failed)
	}
	return strconv.Itoa(len(r.latencies))
}

// each is a sum's part of each scrape.
func (r *result) each(sum float64) float64 { return sum / float64(len(r.latencies)) }

// cpu is the processor time of the database server for each scrape, in milliseconds.
func (r *result) cpu() float64 { return r.each(r.database.Seconds() * 1000) }

// String is for the log.
func (m *measurement) String() string {
	return fmt.Sprintf("%s: scrapes: %s, in %s, p50 %s p95 %s p99 %s; a scrape: database CPU %.2f ms, examined %.0f, statements %.1f, "+
		"CPU %.2f ms, %d bytes; RSS %.1f MiB, peak %.1f MiB", m.name, m.scrapes(), m.spent, m.quantile(0.5), m.quantile(0.95),
		m.quantile(0.99), m.cpu(), m.each(m.work.examined), m.each(m.work.statements), m.each(m.exporter.Seconds()*1000), m.bytes,
		mib(m.memory), mib(m.peak))
}
