//go:build bench

package bench

import (
	"cmp"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A scenario is what is measured of all programs, in each set-up, in turns.
type scenario struct {
	name    string
	setups  []setup
	pages   pages
	loops   int     // as many Prometheus servers scrape at the same time
	share   float64 // so many times as many scrapes as are asked for
	alone   bool    // without the peers
	timeout time.Duration
	judge   func(r *report, e engine, all [][]*measurement) // by set-up and program
}

// A setup is what an exporter is started for.
type setup struct {
	note     string // what tells it from the first one of the scenario
	database string
	clients  int
	dead     bool // a further client's database accepts connections and says nothing
}

// pages are those that a scenario fetches.
type pages int

const (
	ofAll   pages = iota // the page of all clients
	ofFirst              // the page of one client
	ofEach               // that of each client in turn, as service discovery has it
)

// The names of the databases that TestData fills.
const whole, tenth = "whole", "tenth"

// scenarios has a generous timeout where no dead client's page is fetched, so that even what takes too long for a Prometheus is
// measured.
func scenarios() []scenario {
	const generous = 2 * time.Minute
	return []scenario{
		{
			name: "1 client", setups: []setup{{"", whole, 1, false}, {", a tenth of the history", tenth, 1, false}},
			loops: 1, share: 1, timeout: generous, judge: (*report).judgeOne,
		},
		{name: "1 client, two Prometheus servers at once", setups: []setup{{"", whole, 1, false}}, loops: 2, share: 1, timeout: generous},
		{
			name: "3 clients, the page of one", setups: []setup{{"", whole, 3, false}, {", beside a black-holed client", whole, 3, true}},
			pages: ofFirst, loops: 1, share: 5, timeout: generous, judge: (*report).judgeDead,
		},
		{
			name: "3 clients and a black-holed one, the page of all, in 5 s", setups: []setup{{"", whole, 3, true}},
			loops: 1, share: 1.0 / 60, timeout: 5 * time.Second,
		},
		{name: "10 clients, the page of all", setups: []setup{{"", whole, 10, false}}, loops: 1, share: 1, timeout: generous},
		{name: "50 clients, the page of all", setups: []setup{{"", whole, 50, false}}, loops: 1, share: 1, timeout: generous},
		{
			name: "100 clients, each one's page in turn", setups: []setup{{", a tenth of the history", tenth, 100, false}},
			pages: ofEach, loops: 1, share: 1, alone: true, timeout: generous, judge: (*report).judgeHundred,
		},
	}
}

const (
	blocks = 20
	// budget is how long each program may take for its scrapes in a set-up, and warmUp for those before.
	budget, warmUp = 30 * time.Second, 5 * time.Second
)

// A host is a running server with the data of TestData.
type host struct {
	engine
	server *testserver.Server
	admin  *sql.DB
	end    time.Time // of the data
}

// TestBench measures all scenarios on the data of TestData, and writes the report.
func TestBench(t *testing.T) {
	scrapes, err := strconv.Atoi(cmp.Or(os.Getenv("SCRAPES"), "300"))
	check(t, err)
	var r report
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			h := newHost(t, e)
			r.begin(t, h)
			for _, s := range scenarios() {
				t.Run(s.name, func(t *testing.T) { r.add(e, s, h.measure(t, s, scrapes)) })
			}
			t.Run("an hour", func(t *testing.T) {
				r.hours(e, anHour(t, e, h.server, tenth, h.end), anHour(t, e, h.server, whole, h.end))
			})
			t.Run("soak", func(t *testing.T) { r.soak(e, h.soak(t, scrapes)) })
		})
	}
	if !t.Failed() {
		check(t, os.WriteFile(cmp.Or(os.Getenv("REPORT"), "../../BENCHMARK.md"), []byte(r.text(t, scrapes)), 0o644))
	}
	for _, leak := range r.leaks {
		t.Error(leak)
	}
}

func newHost(t *testing.T, e engine) host {
	t.Helper()
	dir := dataFolder(t, e)
	text, err := os.ReadFile(filepath.Join(dir, anchorFile))
	if err != nil {
		t.Fatalf("run make bench-data first: %v", err)
	}
	end, err := time.Parse(time.RFC3339, string(text))
	check(t, err)
	server := e.start(t, dir, e.run...)
	h := host{e, server, server.Admin(t, tenth), end}
	for _, statement := range e.prepare {
		testserver.Execute(t, h.admin, statement)
	}
	return h
}
