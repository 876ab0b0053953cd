package collector

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// The limit is `--collector.max-series`. The worst values are kept, for the same jobs, configurations or channels in all metrics.
var seriesDropped = newMetric(count, "oms_series_dropped",
	"Series of this metric that the last scrape left out because of the limit on series per metric.", "metric")

// A batch gathers what one run measures.
type batch struct {
	client string
	zone   *time.Location
	config config.Client // as it was loaded last
	now    time.Time
	// age says how old the oldest part of the facts is.
	age time.Duration
	// instance is what the run found out about the client, if it did.
	instance *oms.Instance
	// remarks are what was measured and should be known in words: why a chart fails.
	remarks []string
	// misconfigured says that one of them is about a fault of the configuration, by which something is not watched.
	misconfigured bool

	samples       map[*metric][]sample
	distributions map[*metric]*dto.Histogram
	unknown       map[*metric][]sample // those whose value is not known, once families has sorted them out
	left          map[*metric]int      // series that the facts have left out already
	texts         []string             // where the labels of the next ones go
}

// A sample is one value of a metric.
type sample struct {
	labels []string // the values of the metric's own labels, in the order of its labels; client is the batch's
	value  float64
}

// compare orders by the labels.
func (s sample) compare(other sample) int {
	return slices.CompareFunc(s.labels, other.labels, strings.Compare)
}

func newBatch(client config.Client, now time.Time) *batch {
	return &batch{client: client.Name, zone: client.Timezone, config: client, now: now, samples: map[*metric][]sample{}, distributions: map[*metric]*dto.Histogram{}, unknown: map[*metric][]sample{}, left: map[*metric]int{}}
}

// set puts a value into the batch, to be joined with others under the same labels. NaN stands for a value that is not
// known.
func (b *batch) set(m *metric, value float64, labels ...string) {
	if len(labels) != len(m.labels)-1 {
		panic(fmt.Sprintf("%s has the labels %q, and was given %d beside client", m.name, m.labels, len(labels)))
	}
	if cap(b.texts)-len(b.texts) < len(labels) {
		b.texts = make([]string, 0, 256)
	}
	first := len(b.texts)
	for _, i := range m.given {
		if i >= 0 { // a database may hold anything, Prometheus takes UTF-8 only
			b.texts = append(b.texts, strings.ToValidUTF8(labels[i], "\uFFFD"))
		}
	}
	b.samples[m] = append(b.samples[m], sample{labels: b.texts[first:len(b.texts):len(b.texts)], value: value})
}

// setDistribution puts the counts of durations into the batch: of all, and within each of the bounds.
func (b *batch) setDistribution(m *metric, all uint64, sum time.Duration, bounds []time.Duration, within []uint64) {
	h := &dto.Histogram{SampleCount: &all, SampleSum: new(sum.Seconds())}
	for i, bound := range bounds {
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(bound.Seconds()), CumulativeCount: &within[i]})
	}
	b.distributions[m] = h
}

// setTime puts a timestamp into the batch, in Unix seconds. There is no series for what never happened.
func (b *batch) setTime(m *metric, t time.Time, labels ...string) {
	if !t.IsZero() {
		b.set(m, seconds(t), labels...)
	}
}

// setAge puts the seconds since t into the batch: 0 for what never happened, and for what happened a little ahead of
// our clock.
func (b *batch) setAge(m *metric, t time.Time, labels ...string) {
	age := 0.0
	if !t.IsZero() {
		age = max(0, b.now.Sub(t).Seconds())
	}
	b.set(m, age, labels...)
}

// setOldest puts the age of the oldest of n things into the batch: 0 where there are none, and nothing where there are
// and the OMS does not say since when.
func (b *batch) setOldest(m *metric, n int, t time.Time, labels ...string) {
	if n > 0 && t.IsZero() {
		b.set(m, math.NaN(), labels...)
		return
	}
	b.setAge(m, t, labels...)
}

// seconds is t as Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

// boolFloat is 1 for true and 0 for false.
func boolFloat(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// utcOffset is the client's wall clock minus UTC at t, in seconds.
func utcOffset(t time.Time, zone *time.Location) float64 {
	_, offset := t.In(zone).Zone()
	return float64(offset)
}

// series sorts the samples of a metric by their labels, joins those that have the same, and drops what is not known.
func (b *batch) series(m *metric) []sample {
	samples := b.samples[m]
	slices.SortFunc(samples, sample.compare)
	series := samples[:0]
	for _, s := range samples {
		if last := len(series) - 1; last >= 0 && series[last].compare(s) == 0 {
			series[last].value = m.kind.join(series[last].value, s.value)
		} else {
			series = append(series, s)
		}
	}
	return slices.DeleteFunc(series, func(s sample) bool {
		unknown := math.IsNaN(s.value)
		if unknown {
			b.unknown[m] = append(b.unknown[m], s)
		}
		return unknown
	})
}

// misconfiguration puts a fault of the configuration into words.
func (b *batch) misconfiguration(format string, args ...any) {
	b.remarks, b.misconfigured = append(b.remarks, fmt.Sprintf(format, args...)), true
}
