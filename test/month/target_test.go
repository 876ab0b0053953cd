package month

import (
	"context"
	"fmt"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// A target is something that is scraped, with its series.
type target struct {
	labels labels.Labels
	up     series
	series map[string]*series
	key    []byte
}

type series struct {
	ref    storage.SeriesRef
	labels labels.Labels
	last   int64 // when it was last seen
}

// newTarget has the labels by which Prometheus names it. The client is that of the service discovery.
func newTarget(job, client string) *target {
	all := labels.FromStrings("job", job, "instance", "localhost:9942", "client", client)
	named := labels.NewBuilder(all)
	return &target{
		labels: all, up: series{labels: named.Set(model.MetricNameLabel, "up").Labels()}, series: map[string]*series{},
	}
}

// store stores scrapes as Prometheus does, in which a failed one has no samples.
func (s *server) store(ctx context.Context, now time.Time, scrapes []scrape) error {
	at := now.UnixMilli()
	app := s.db.AppenderV2(ctx)
	store := func(to *series, v float64) error {
		s.samples++
		var err error
		to.ref, err = app.Append(to.ref, to.labels, 0, at, v, nil, nil, storage.AOptions{RejectOutOfOrder: true})
		return err
	}
	for _, scrape := range scrapes {
		to := s.targets[scrape.client]
		if to == nil {
			to = newTarget("oms", scrape.client)
			s.targets[scrape.client] = to
		}
		if err := to.store(at, scrape.families, store); err != nil {
			return fmt.Errorf("store %s at %s: %w", scrape.client, now, err)
		}
	}
	reload := "oms_exporter_config_last_reload_successful"
	one := 1.0
	itself := []*dto.MetricFamily{{Name: &reload, Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &one}}}}}
	if err := s.self.store(at, itself, store); err != nil {
		return fmt.Errorf("store the exporter at %s: %w", now, err)
	}
	return app.Commit()
}

// store stores a scrape, and marks the series that are gone.
func (t *target) store(at int64, families []*dto.MetricFamily, store func(*series, float64) error) error {
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, sample := range samplesOf(family.GetName(), metric) {
				of := t.seriesOf(sample.name, metric, sample.le)
				of.last = at
				if err := store(of, sample.value); err != nil {
					return err
				}
			}
		}
	}
	for key, of := range t.series {
		if of.last != at {
			delete(t.series, key)
			if err := store(of, math.Float64frombits(value.StaleNaN)); err != nil {
				return err
			}
		}
	}
	up := 1.0
	if len(families) == 0 {
		up = 0
	}
	return store(&t.up, up)
}

// An exposed is a sample of a metric. le is that of a bucket.
type exposed struct {
	name, le string
	value    float64
}

// samplesOf returns the one sample of a gauge or counter, and the several of a histogram.
func samplesOf(name string, metric *dto.Metric) []exposed {
	h := metric.GetHistogram()
	if h == nil {
		return []exposed{{name: name, value: metric.GetGauge().GetValue() + metric.GetCounter().GetValue()}}
	}
	all := []exposed{
		{name: name + "_count", value: float64(h.GetSampleCount())}, {name: name + "_sum", value: h.GetSampleSum()},
		{name: name + "_bucket", le: "+Inf", value: float64(h.GetSampleCount())},
	}
	for _, b := range h.GetBucket() {
		le := labels.FormatOpenMetricsFloat(b.GetUpperBound())
		all = append(all, exposed{name: name + "_bucket", le: le, value: float64(b.GetCumulativeCount())})
	}
	return all
}

// seriesOf finds or makes the series of a metric. The metric's own labels win over the target's: honor_labels.
func (t *target) seriesOf(name string, metric *dto.Metric, le string) *series {
	t.key = append(append(append(t.key[:0], name...), 0xff), le...)
	for _, l := range metric.GetLabel() {
		t.key = append(append(append(append(t.key, 0xff), l.GetName()...), 0xff), l.GetValue()...)
	}
	of := t.series[string(t.key)]
	if of == nil {
		all := labels.NewBuilder(t.labels).Set(model.MetricNameLabel, name)
		for _, l := range metric.GetLabel() {
			all.Set(l.GetName(), l.GetValue())
		}
		if le != "" {
			all.Set(model.BucketLabel, le)
		}
		of = &series{labels: all.Labels()}
		t.series[string(t.key)] = of
	}
	return of
}
