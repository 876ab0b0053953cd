package month

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// many is for how many clients the cost of the rules is reported.
const many = 1000

var clients = flag.Int("clients", many, "with how many clients the rules are measured; what is reported is scaled to 1000 of them")

// The intervals of the shipped configuration.
const (
	scrapeInterval     = 30 * time.Second
	evaluationInterval = 15 * time.Second // of a group that does not say another
)

// BenchmarkRules reports for each group of rules what share of a core it takes at 1000 clients, which are those of the demo under other
// names: "core-%" is the processor time of an evaluation, with that of the garbage collector, as a share of the group's interval. The
// storage is Prometheus' own, and its history is as long as the rules read. The groups together are BenchmarkRules/all.
//
// With -v the rules of a group that take longest follow, with their shares by the clock: these depend on what else the machine does.
func BenchmarkRules(b *testing.B) {
	start := clockChange.Add(4 * 24 * time.Hour)
	now, recent := demoClients(b, start)
	db := withHistory(b, recent, now)
	groups, err := loadGroups(b.Context(), db, evaluationInterval)
	if err != nil {
		b.Fatal(err)
	}
	for range 3 { // what is held and kept firing needs some evaluations
		now = now.Add(time.Second)
		for _, g := range groups {
			g.Eval(b.Context(), now)
		}
	}
	shares := map[string]float64{}
	for _, g := range groups {
		at := now
		b.Run(g.Name(), func(b *testing.B) {
			share := func(d time.Duration) float64 {
				return 100 * d.Seconds() / g.Interval().Seconds() * many / float64(*clients)
			}
			b.ReportAllocs()
			began := processorTime(b)
			for b.Loop() {
				at = at.Add(time.Second)
				g.Eval(b.Context(), at)
			}
			shares[g.Name()] = share(processorTime(b)-began) / float64(b.N)
			b.ReportMetric(shares[g.Name()], "core-%")
			if !testing.Verbose() {
				return
			}
			costly := slices.SortedFunc(slices.Values(g.Rules()), func(a, b rules.Rule) int {
				return cmp.Compare(b.GetEvaluationDuration(), a.GetEvaluationDuration())
			})
			for _, rule := range costly[:min(len(costly), 10)] {
				b.Logf("%5.2f %% %s %s", share(rule.GetEvaluationDuration()), rule.Name(), rule.Labels())
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		all := 0.0
		for _, share := range shares {
			all += share
		}
		b.ReportMetric(all, "core-%")
	})
}

// processorTime is what the process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// demoClients returns some minutes of the demo's clients under other names, with what the rules record of them, and their end.
func demoClients(b *testing.B, start time.Time) (time.Time, *memory) {
	b.Helper()
	e, s := newExporter(b, start, 1), newServer(b)
	if err := e.settle(b.Context()); err != nil {
		b.Fatal(err)
	}
	now := start
	for range 3 {
		now = now.Add(step)
		if err := e.advance(b.Context(), now, nil); err != nil {
			b.Fatal(err)
		}
		scrapes, err := e.scrape(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		var all []scrape
		for i := range *clients {
			all = append(all, renamed(scrapes[i%len(scrapes)], fmt.Sprintf("CLIENT%d", i)))
		}
		if err := s.store(b.Context(), now, all); err != nil {
			b.Fatal(err)
		}
		if _, err := s.evaluate(b.Context(), now); err != nil {
			b.Fatal(err)
		}
	}
	return now, s.db
}

// withHistory is a storage of Prometheus in which every series has had its latest value for as long as a rule reads.
func withHistory(b *testing.B, recent *memory, now time.Time) *tsdb.DB {
	b.Helper()
	options := tsdb.DefaultOptions()
	options.RetentionDuration = 0
	db, err := tsdb.Open(b.TempDir(), nil, nil, options, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	db.DisableCompactions() // until all is there
	current := slices.DeleteFunc(slices.Clone(recent.all), func(s *memorySeries) bool {
		last := s.samples[len(s.samples)-1]
		return last.t < now.UnixMilli() || value.IsStaleNaN(last.v)
	})
	slices.SortStableFunc(current, func(a, b *memorySeries) int { return cmp.Compare(b.keep, a.keep) })
	refs := make([]storage.SeriesRef, len(current))
	keep := time.Duration(current[0].keep) * time.Millisecond
	for at := now.Add(-keep).Truncate(time.Minute); !at.After(now); at = at.Add(evaluationInterval) {
		app := db.AppenderV2(b.Context())
		for i, s := range current {
			if now.Sub(at).Milliseconds() > s.keep {
				break
			}
			name := s.labels.Get(model.MetricNameLabel)
			recorded := strings.Contains(name, ":") || name == "ALERTS" || name == "ALERTS_FOR_STATE"
			if !recorded && !at.Equal(at.Truncate(scrapeInterval)) {
				continue
			}
			last := s.samples[len(s.samples)-1].v
			if refs[i], err = app.Append(refs[i], s.labels, 0, at.UnixMilli(), last, nil, nil, storage.AOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	db.EnableCompactions()
	if err := db.Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
	return db
}

// renamed is the same scrape of another client.
func renamed(from scrape, client string) scrape {
	to := scrape{client: client}
	for _, f := range from.families {
		family := &dto.MetricFamily{Name: f.Name}
		for _, m := range f.GetMetric() {
			metric := &dto.Metric{Gauge: m.Gauge, Counter: m.Counter}
			for _, l := range m.GetLabel() {
				value := l.Value
				if l.GetName() == "client" {
					value = &client
				}
				metric.Label = append(metric.Label, &dto.LabelPair{Name: l.Name, Value: value})
			}
			family.Metric = append(family.Metric, metric)
		}
		to.families = append(to.families, family)
	}
	return to
}
