//go:build bench

package bench

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The goals, as parts of what the peer costs.
const (
	latencyGoal  = 50
	databaseGoal = 100
)

// A report gathers the results engine by engine.
type report struct{ ratios, results, losses, statements strings.Builder }

// begin starts the part of an engine.
func (r *report) begin(tb testing.TB, e engine, admin *sql.DB) {
	tb.Helper()
	var version string
	check(tb, admin.QueryRowContext(tb.Context(), "SELECT version()").Scan(&version))
	version = regexp.MustCompile(`\d+\.\d+(\.\d+)?`).FindString(version)
	fmt.Fprintf(&r.results, "\n### %s %s\n\nExamined are %s.\n\n", e.name, version, e.examined)
	r.results.WriteString("| scenario | | scrapes | p50 ms | p95 ms | p99 ms | database CPU ms | examined | statements | CPU ms | RSS MiB | peak MiB | bytes |\n" +
		"|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
}

// add adds what was measured in a scenario: this exporter first, then each peer.
func (r *report) add(e engine, s scenario, all []*measurement) {
	const mib = 1 << 20
	for _, m := range all {
		fmt.Fprintf(&r.results, "| %s | %s | %d | %s | %s | %s | %.1f | %.0f | %.0f | %.1f | %.0f | %.0f | %d |\n", s.name, m.side.name,
			len(m.latencies), ms(m.quantile(0.5)), ms(m.quantile(0.95)), ms(m.quantile(0.99)), m.each(m.database.Seconds()*1000),
			m.each(m.work.examined), m.each(m.work.statements), m.each(m.exporter.Seconds()*1000), m.memory/mib, m.peak/mib, m.bytes)
	}
	ours := all[0]
	for _, peer := range all[1:] {
		latency := peer.quantile(0.5).Seconds() / ours.quantile(0.5).Seconds()
		tail := peer.quantile(0.99).Seconds() / ours.quantile(0.99).Seconds()
		database := peer.each(peer.database.Seconds()) / ours.each(ours.database.Seconds())
		examined := peer.each(peer.work.examined) / ours.each(ours.work.examined)
		fmt.Fprintf(&r.ratios, "| %s | %s | %s | %.2f | %.2f | %.2f | %.2f |\n", e.name, s.name, peer.side.name, latency, tail, database, examined)
		if latency < latencyGoal || database < databaseGoal {
			fmt.Fprintf(&r.losses, "- %s, %s, %s: latency 1/%.1f of it, database CPU 1/%.1f.\n", e.name, s.name, peer.side.name, latency, database)
		}
	}
}

// hours adds what the exporter's scrapes of an hour consist of.
func (r *report) hours(e engine, tenth, whole hourOf) {
	each := func(h hourOf) float64 { return h.database.Seconds() * 1000 / float64(h.scrapes) }
	fmt.Fprintf(&r.statements, "\n### %s\n\nDatabase CPU %.1f ms for each of %d scrapes, %.1f ms on a tenth of the history; first look back %s and %s.\n\n%s",
		e.name, each(whole), whole.scrapes, each(tenth), whole.lookBack.Round(time.Second), tenth.lookBack.Round(time.Second), whole.table())
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()*1000) }

// text is the whole of BENCHMARK.md.
func (r *report) text(tb testing.TB, scrapes int) string {
	tb.Helper()
	memory, err := os.ReadFile("/proc/meminfo")
	check(tb, err)
	var kib int
	_, err = fmt.Sscanf(string(memory), "MemTotal: %d kB", &kib)
	check(tb, err)
	machine := fmt.Sprintf("%s/%s, %d processors, %d GiB of memory, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), kib>>20, runtime.Version())
	if r.losses.Len() == 0 {
		r.losses.WriteString("None.\n")
	}
	history := os.Getenv("HISTORY")
	if history == "" {
		history = "1"
	}
	return strings.NewReplacer("{ratios}", r.ratios.String(), "{losses}", r.losses.String(), "{results}", r.results.String(),
		"{statements}", r.statements.String(),
		"{machine}", machine, "{scrapes}", fmt.Sprint(scrapes), "{history}", history,
		"{latency}", fmt.Sprint(latencyGoal), "{database}", fmt.Sprint(databaseGoal)).Replace(page)
}

const page = `# What the exporter costs, beside sql_exporter

Written by ` + "`make bench-data bench`" + `: do not edit.

## Ratios

How many times as much the peer costs: in time (the median, and the 99th percentile), in processor time of the database
server, and in what the server looks at. The goals are {latency} and {database}.

| database | scenario | peer | p50 | p99 | database CPU | examined |
|---|---|---|--:|--:|--:|--:|
{ratios}
### Short of the goals

{losses}
## Results

Each value is of one scrape; memory is at the end and at its peak.
{results}
## An hour of scrapes, statement by statement

What an exporter sends that is scraped every 30 s, with what it does every 5 and every 15 minutes; the time is that until the
last row.
{statements}
## Protocol

- The machine: {machine}. The servers, the exporters and what scrapes them share it, so the ratios say more than the digits.
- The data: ` + "`make bench-data`" + ` with HISTORY={history}; 1 are 5 million orders of 3 years (300 created, 4000 approved, 100 held), a million
  runs of 300 jobs (10 in work, failures five in a row) and 200 000 files of a month, 120 000 runs of 40 Moqui jobs, 200 000 system
  messages; the real tables with the real indexes and no others. The tenth has the same open sets, and the same number of orders,
  runs and files a day, for a tenth of the time. Nothing is written while measuring.
- The stand-in executes, in the way of sql_exporter 0.24, the queries in ` + "`internal/bench/peer`" + `: one goroutine for each
  query, three connections for each client, statements prepared once, a ping first, answers encoded by client_golang. They ask for the
  same facts, tuned for the same indexes; the peer is spared what cannot be asked for cheaply that way: the failures of Moqui's jobs,
  the last duration of each job, orders missing in the OMS, the counts of excluded orders. With PEER=FILE a real sql_exporter takes
  part with the same configuration.
- Many clients are as many configured clients on one and the same database: 50 copies of it would not fit. They find each other's
  pages in the server's memory.
- All sides run at once, and take turns in 5 blocks; {scrapes} scrapes in all of the first two scenarios, fewer of the others, and at most
  a minute for each side. 20 scrapes, or 10 s of them, go before. Each asks for gzip and gives a timeout, as Prometheus does.
- Processor time of the server is that of all its processes (/proc), its own housekeeping included. Statements are counted by the
  server, with those that begin and end transactions.
- Scrapes follow each other without a pause, so what the exporter does every 5 and every 15 minutes is hardly in them. The hour has
  its part: there the exporter's source is asked by a clock that jumps on by 30 s.
`
