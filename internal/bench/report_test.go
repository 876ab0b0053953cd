//go:build bench

package bench

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A report gathers the results engine by engine.
type report struct {
	verdicts, ratios, results, soaks, statements strings.Builder

	peers []*measurement // of one client, on the present engine
	leaks []string
}

// begin starts the part of an engine.
func (r *report) begin(tb testing.TB, h host) {
	tb.Helper()
	var version string
	check(tb, h.admin.QueryRowContext(tb.Context(), "SELECT version()").Scan(&version))
	version = regexp.MustCompile(`\d+\.\d+(\.\d+)?`).FindString(version)
	fmt.Fprintf(&r.results, "\n### %s %s\n\nExamined are %s.\n\n", h.name, version, h.examined)
	r.results.WriteString("| scenario | | scrapes | p50 ms | p95 ms | p99 ms | database CPU ms | examined | statements | CPU ms | RSS MiB | peak MiB | bytes |\n" +
		"|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
}

// add adds what was measured in a scenario, by set-up and program: this exporter first, then each peer.
func (r *report) add(e engine, s scenario, all [][]*measurement) {
	for i, measured := range all {
		name := s.name + s.setups[i].note
		for _, m := range measured {
			fmt.Fprintf(&r.results, "| %s | %s | %s | %s | %s | %s | %.1f | %.0f | %.0f | %.1f | %.0f | %.0f | %d |\n", name, m.name,
				m.scrapes(), ms(m.quantile(0.5)), ms(m.quantile(0.95)), ms(m.quantile(0.99)), m.cpu(),
				m.each(m.work.examined), m.each(m.work.statements), m.each(m.exporter.Seconds()*1000), mib(m.memory), mib(m.peak), m.bytes)
		}
		ours := measured[0]
		for _, peer := range measured[1:] {
			fmt.Fprintf(&r.ratios, "| %s | %s | %s | %.2f | %.2f | %.2f | %.2f |\n", e.name, name, peer.name,
				peer.quantile(0.5).Seconds()/ours.quantile(0.5).Seconds(), peer.quantile(0.99).Seconds()/ours.quantile(0.99).Seconds(),
				peer.cpu()/ours.cpu(), peer.each(peer.work.examined)/ours.each(ours.work.examined))
		}
	}
	if s.judge != nil {
		s.judge(r, e, all)
	}
}

// hours adds what the exporter's scrapes of an hour consist of.
func (r *report) hours(e engine, short, long hourOf) {
	r.judgeHour(e, short, long)
	fmt.Fprintf(&r.statements, "\n### %s\n\nDatabase CPU %.1f ms for each of %d scrapes, %.1f ms on a tenth of the history; first backfill %s and %s.\n\n%s",
		e.name, long.cpu(), long.scrapes, short.cpu(), long.lookBack.Round(time.Second), short.lookBack.Round(time.Second), long.table())
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()*1000) }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// text is the whole of BENCHMARK.md.
func (r *report) text(tb testing.TB, scrapes int) string {
	tb.Helper()
	memory, err := os.ReadFile("/proc/meminfo")
	check(tb, err)
	var kib int
	_, err = fmt.Sscanf(string(memory), "MemTotal: %d kB", &kib)
	check(tb, err)
	machine := fmt.Sprintf("%s/%s, %d processors, %d GiB of memory, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), kib>>20, runtime.Version())
	return strings.NewReplacer("{verdicts}", r.verdicts.String(), "{ratios}", r.ratios.String(), "{results}", r.results.String(),
		"{soaks}", r.soaks.String(), "{statements}", r.statements.String(), "{machine}", machine, "{scrapes}", fmt.Sprint(scrapes),
		"{history}", cmp.Or(os.Getenv("HISTORY"), "1"), "{blocks}", fmt.Sprint(blocks), "{budget}", fmt.Sprint(budget.Seconds()),
		"{warmUp}", fmt.Sprint(warmUp.Seconds()), "{loops}", fmt.Sprint(soakLoops), "{soakWarmUp}", fmt.Sprint(soakWarmUp),
		"{soakClients}", fmt.Sprint(soakClients)).Replace(page)
}

const page = `# What the exporter costs, beside sql_exporter

Written by ` + "`make bench-data bench`" + `: do not edit.

## Goals

| database | goal | asked | measured | met |
|---|---|--:|--:|---|
{verdicts}
## Ratios

How many times as much the peer costs: in time (the median, and the 99th percentile), in processor time of the database
server, and in what the server looks at.

| database | scenario | peer | p50 | p99 | database CPU | examined |
|---|---|---|--:|--:|--:|--:|
{ratios}
## Results

Each value is of one scrape; memory is at the end and at its peak.
{results}
## Soak

{soakClients} clients on a tenth of the history, scraped in turns, {loops} at a time, after {soakWarmUp} scrapes of each. Connections are those of the pools, and as the server
counts them. The heap is the size at which the garbage collector next runs, somewhat more than what is alive. A leak is more
than 10 % and 2 MiB of heap, more than 5 goroutines, or any connection.

| database | scrapes | goroutines | connections | on the server | heap MiB | RSS MiB |
|---|--:|--:|--:|--:|--:|--:|
{soaks}
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
  pages in the server's memory. The limit of 20 connections, which the user otherwise has, is lifted for that.
  The peers have no part in the scenario with 100, and its history is a tenth, as in the soak: it takes that many first looks back.
- All programs of a scenario run at once, in all its set-ups, and take turns in {blocks} blocks. Each makes {scrapes} scrapes (5 times as many
  where the 99th percentile is judged, 5 in all where each waits for its timeout), but begins none after {budget} s: the tables say how
  many it made. At most 20 scrapes, or {warmUp} s of them, go before. Each asks for gzip and gives a timeout, as Prometheus does.
- The black-holed client's database accepts connections and says nothing. Where only the page of another client is measured, that of
  the black-holed one is scraped all the while, with a timeout of a second; the exporter without it has its turn directly before.
- Processor time of the server is that of all its processes (/proc), its own housekeeping included. Statements are counted by the
  server, with those that begin and end transactions.
- Scrapes follow each other without a pause, so what the exporter does every 5 and every 15 minutes is hardly in them. The hour has
  its part: there the exporter's source is asked by a clock that jumps on by 30 s.
`
