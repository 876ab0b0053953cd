package month

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// BenchmarkRules reports for each group of rules what share of a core it takes at 1000 clients, which are those of the demo under other
// names: "core-%" is the time of an evaluation as a share of the group's interval. A storage in memory is faster to read than one on
// disk, so it is the least that Prometheus needs.
func BenchmarkRules(b *testing.B) {
	const clients = 1000
	start := clockChange.Add(4 * 24 * time.Hour)
	e, s := newExporter(b, start, 1), newServer(b)
	if err := e.settle(b.Context()); err != nil {
		b.Fatal(err)
	}
	now := start
	look := func() {
		now = now.Add(step)
		if err := e.advance(b.Context(), now, nil); err != nil {
			b.Fatal(err)
		}
		scrapes, err := e.scrape(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		var all []scrape
		for i := range clients {
			all = append(all, renamed(scrapes[i%len(scrapes)], fmt.Sprintf("CLIENT%d", i)))
		}
		if err := s.store(b.Context(), now, all); err != nil {
			b.Fatal(err)
		}
		if _, err := s.evaluate(b.Context(), now); err != nil {
			b.Fatal(err)
		}
	}
	for range 6 { // what is held and kept firing needs some evaluations
		look()
	}
	for _, g := range s.groups {
		b.Run(g.Name(), func(b *testing.B) {
			at := now
			for b.Loop() {
				at = at.Add(time.Second)
				g.Eval(b.Context(), at)
			}
			perEvaluation := b.Elapsed().Seconds() / float64(b.N)
			interval := 15 * time.Second // of the shipped configuration, where the file does not say another
			if content, err := os.ReadFile(g.File()); err != nil {
				b.Fatal(err)
			} else if strings.Contains(string(content), "- name: "+g.Name()+"\n    interval: 1m\n") {
				interval = time.Minute
			}
			b.ReportMetric(100*perEvaluation/interval.Seconds(), "core-%")
		})
		now = now.Add(10 * time.Minute)
	}
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
