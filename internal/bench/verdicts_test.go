//go:build bench

package bench

import (
	"fmt"
	"strings"
)

// The goals: parts of what the peer costs, memory in MiB, and what may be added to a value, as a part of it.
const (
	latencyGoal, databaseGoal  = 50, 100
	memoryGoal, memoryGoal100  = 30, 100
	historyGrowth, deathGrowth = 0.1, 0.05
)

// verdict adds a goal, and whether it is met.
func (r *report) verdict(e engine, goal, asked, measured string, met bool) {
	word := "no"
	if met {
		word = "yes"
	}
	fmt.Fprintf(&r.verdicts, "| %s | %s | %s | %s | %s |\n", e.name, goal, asked, measured, word)
}

// part judges what so large a part of the peer's cost is.
func (r *report) part(e engine, goal string, ours, peers float64, limit int) {
	r.verdict(e, goal, fmt.Sprintf("1/%d", limit), fmt.Sprintf("1/%.1f", peers/ours), peers/ours >= float64(limit))
}

// growth judges by how much a value differs from another.
func (r *report) growth(e engine, goal string, from, to, limit float64) {
	r.verdict(e, goal, fmt.Sprintf("≤ +%.0f %%", limit*100), fmt.Sprintf("%+.1f %%", (to/from-1)*100), to <= from*(1+limit))
}

func (r *report) memory(e engine, goal string, m *measurement, limit float64) {
	r.verdict(e, goal, fmt.Sprintf("≤ %.0f MiB", limit), fmt.Sprintf("%.0f MiB", mib(m.memory)), mib(m.memory) <= limit)
}

// judgeOne judges what one client costs beside the peers, and with ten times the history.
func (r *report) judgeOne(e engine, all [][]*measurement) {
	ours, short := all[0][0], all[1][0]
	r.peers = all[0][1:]
	for _, peer := range r.peers {
		r.part(e, "latency (p50) beside the "+peer.name, ours.quantile(0.5).Seconds(), peer.quantile(0.5).Seconds(), latencyGoal)
		r.part(e, "database CPU beside the "+peer.name, ours.cpu(), peer.cpu(), databaseGoal)
	}
	r.memory(e, "memory with 1 client", ours, memoryGoal)
	r.growth(e, "10 times the history: latency (p50)", short.quantile(0.5).Seconds(), ours.quantile(0.5).Seconds(), historyGrowth)
	r.growth(e, "10 times the history: database CPU", short.cpu(), ours.cpu(), historyGrowth)
	r.growth(e, "10 times the history: examined", short.each(short.work.examined), ours.each(ours.work.examined), historyGrowth)
}

// judgeHour judges the hour, in which the rare work has its part.
func (r *report) judgeHour(e engine, short, long hourOf) {
	for _, peer := range r.peers {
		r.part(e, "database CPU beside the "+peer.name+", in an hour with its rare work", long.cpu(), peer.cpu(), databaseGoal)
	}
	r.growth(e, "10 times the history: database CPU in an hour", short.cpu(), long.cpu(), historyGrowth)
}

func (r *report) judgeDead(e engine, all [][]*measurement) {
	r.growth(e, "the others' latency (p99) beside a black-holed client", all[0][0].quantile(0.99).Seconds(),
		all[1][0].quantile(0.99).Seconds(), deathGrowth)
}

func (r *report) judgeHundred(e engine, all [][]*measurement) {
	r.memory(e, "memory with 100 clients", all[0][0], memoryGoal100)
}

// soak adds what the exporter held before and after, and judges it.
func (r *report) soak(e engine, s soaked) {
	for i, at := range []rest{s.before, s.after} {
		fmt.Fprintf(&r.soaks, "| %s | %d | %.0f | %.0f | %.0f | %.1f | %.0f |\n", e.name, i*s.scrapes, at.goroutines, at.open,
			at.onServer, at.heap/(1<<20), mib(at.memory))
	}
	leaks := s.leaks()
	measured := fmt.Sprintf("%+.1f %%", (s.after.heap/s.before.heap-1)*100)
	r.verdict(e, fmt.Sprintf("%d scrapes leave goroutines, connections and heap as they were", s.scrapes),
		fmt.Sprintf("heap ≤ +%.0f %%", soakGrowth*100), strings.Join(append([]string{measured}, leaks...), "; "), leaks == nil)
	for _, leak := range leaks {
		r.leaks = append(r.leaks, e.name+": "+leak)
	}
}
