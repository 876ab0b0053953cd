package collector_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
)

// TestFacts has what is told of the facts behind the golden metrics, one line each.
func TestFacts(t *testing.T) {
	all := goldens()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, "KREWE", all[name].source, all[name].collector)
			if len(status(t, c, all[name].collector).Facts) > 0 {
				t.Error("there are facts before anything was measured")
			}
			scrape(t, time.Second, []*collector.Client{c})
			for _, f := range status(t, c, all[name].collector).Facts {
				fmt.Fprintf(&text, "%s: %s: %s | %s\n", name, f.Check, f.Short, f.Text)
			}
		})
	}
	compare(t, "facts.txt", text.String())
}

// TestFactsOfFailedRun shows that a run that measured nothing leaves no facts of the one before.
func TestFactsOfFailedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := goldens()["jobs"].source
		c := newClient(t, "KREWE", source, "jobs")
		scrape(t, time.Second, []*collector.Client{c})
		if n := len(status(t, c, "jobs").Facts); n == 0 {
			t.Fatal("nothing was found")
		}
		*source = fake{Err: fmt.Errorf("refused")}
		scrape(t, time.Second, []*collector.Client{c})
		if all := status(t, c, "jobs").Facts; len(all) > 0 {
			t.Errorf("found without an answer: %v", all)
		}
	})
}

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 59*time.Second + 999*time.Millisecond: "59 s", time.Minute: "1 min", time.Hour - 1: "59 min",
		time.Hour: "1 h", 4*time.Hour + 3*time.Minute: "4 h 3 min", 8*time.Hour + 41*time.Minute + 50*time.Second: "8 h 41 min",
		9*time.Hour + 59*time.Second: "9 h", 11*time.Hour + 36*time.Minute: "11 h", 2*day - 1: "47 h", 2 * day: "2 d", 2*day + 5*time.Hour: "2 d 5 h",
		9*day + 59*time.Minute: "9 d", 10*day + 5*time.Hour: "10 d", 400 * day: "400 d",
	} {
		if got := collector.Span(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
