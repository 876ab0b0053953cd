//go:build bench

package bench

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	soakClients  = 50
	soakReadings = 100
	soakLoops    = 8  // at the same time
	soakWarmUp   = 20 // scrapes of each client
	// soakShare is so many times as many scrapes as are asked for: 10 000 for 300.
	soakShare = 34
	// soakGrowth is by how much the heap may grow, and soakHeap how much it may in any case, in bytes: it varies by that where
	// it is small.
	soakGrowth = 0.1
	soakHeap   = 2 << 20
	// soakGoroutines is how many more there may be: a few serve connections that come and go. A leak has one for each scrape.
	soakGoroutines = 5
)

// A rest is what an exporter holds when nobody asks.
type rest struct {
	goroutines, open, busy float64 // open and busy are connections
	onServer               float64 // and these as the database server counts them
	// heap is the size at which the garbage collector next runs, in bytes: somewhat more than was alive when it last ran,
	// and the least of many readings. What is allocated at a moment says nothing: most of it is garbage.
	heap   float64
	memory int64
}

// A soaked exporter was the same before and after many scrapes, unless it leaks.
type soaked struct {
	scrapes       int
	took          time.Duration
	before, after rest
}

// soak scrapes the clients in turns, several at once, so many times as soakShare says, and looks at the exporter before and
// after.
func (h host) soak(t *testing.T, scrapes int) soaked {
	t.Helper()
	s := programs(t)[0].start(t, h, setup{"", tenth, min(soakClients, scrapes), false})
	s.scrapeAll(t, soakWarmUp*len(s.clients))
	before := h.rest(t, s)
	began := time.Now()
	s.scrapeAll(t, scrapes*soakShare)
	took := time.Since(began)
	result := soaked{scrapes * soakShare, took, before, h.rest(t, s)}
	t.Logf("%d scrapes in %s: before %+v, after %+v", result.scrapes, took, result.before, result.after)
	return result
}

// scrapeAll scrapes so many times.
func (s *side) scrapeAll(t *testing.T, scrapes int) {
	t.Helper()
	paths := s.paths(ofEach)
	var loops sync.WaitGroup
	var begun atomic.Int64
	for range soakLoops {
		loops.Go(func() {
			for n := begun.Add(1); n <= int64(scrapes); n = begun.Add(1) {
				if _, err := s.get(t.Context(), paths[n%int64(len(paths))], time.Minute); err != nil {
					t.Error(err)
				}
			}
		})
	}
	loops.Wait()
}

// rest scrapes each client a few times more, one by one, so that the collector runs while next to nothing is in work, and
// reads the exporter's own page in between.
func (h host) rest(t *testing.T, s *side) rest {
	t.Helper()
	r := rest{goroutines: math.Inf(1), heap: math.Inf(1)}
	paths := s.paths(ofEach)
	for i := range soakReadings {
		if i%10 == 0 {
			http.DefaultClient.CloseIdleConnections() // each has goroutines in the exporter
		}
		check(t, s.complete(t.Context(), paths[i%len(paths)]))
		page, err := s.get(t.Context(), "/metrics/exporter", time.Minute)
		check(t, err)
		r.goroutines = min(r.goroutines, sum(t, page, "go_goroutines"))
		r.heap = min(r.heap, sum(t, page, "go_memstats_next_gc_bytes"))
		r.open, r.busy = sum(t, page, "go_sql_open_connections"), sum(t, page, "go_sql_in_use_connections")
	}
	r.onServer = float64(h.server.Connections(t))
	r.memory, _ = s.Memory(t)
	return r
}

// sum adds up the series of a metric.
func sum(t *testing.T, page, metric string) float64 {
	t.Helper()
	series := regexp.MustCompile(`(?m)^`+metric+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(page, -1)
	if series == nil {
		t.Fatalf("no %s", metric)
	}
	var total float64
	for _, s := range series {
		value, err := strconv.ParseFloat(s[1], 64)
		check(t, err)
		total += value
	}
	return total
}

// leaks says what the exporter holds more of than before.
func (s soaked) leaks() []string {
	var found []string
	grown := func(what string, before, spare, after float64) {
		if after > before+spare {
			found = append(found, fmt.Sprintf("%s: %g, before %g", what, after, before))
		}
	}
	grown("goroutines", s.before.goroutines, soakGoroutines, s.after.goroutines)
	grown("connections", s.before.open, 0, s.after.open)
	grown("connections on the server beyond the pools'", s.after.open, 0, s.after.onServer)
	grown("connections at work when nobody asks", 0, 0, s.after.busy)
	grown("heap", s.before.heap, max(s.before.heap*soakGrowth, soakHeap), s.after.heap)
	return found
}
