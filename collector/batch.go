package collector

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var seriesDropped = newMetric(count, "oms_series_dropped",
	"Series of this metric left out of the last answer because there are more than the cap allows.", "metric")

// A batch gathers what one run measures.
type batch struct {
	client string
	zone   *time.Location
	now    time.Time
	// age says how old the oldest part of the facts is.
	age time.Duration
	// instance is what the run found out about the client, if it did.
	instance *oms.Instance
	// remarks are what was measured and should be known in words: why a chart fails.
	remarks []string

	families map[metric]map[string]sample
}

type sample struct {
	labels []string // client first
	value  float64
}

func newBatch(client config.Client, now time.Time) *batch {
	return &batch{client: client.Name, zone: client.Timezone, now: now, families: map[metric]map[string]sample{}}
}

// set puts a value into the batch, joined with one that is there already under the same labels. NaN stands for a value
// that is not known, and is left out.
func (b *batch) set(m metric, value float64, labels ...string) {
	all := append([]string{b.client}, labels...)
	for i, l := range all {
		all[i] = strings.ToValidUTF8(l, "\uFFFD") // a database may hold anything, Prometheus takes UTF-8 only
	}
	key := strings.Join(all, "\xff")
	family := b.families[m]
	if family == nil {
		family = map[string]sample{}
		b.families[m] = family
	}
	if s, ok := family[key]; ok {
		value = m.kind.join(s.value, value)
	}
	family[key] = sample{labels: all, value: value}
}

// setTime puts a stamp into the batch, in Unix seconds. There is no series for what never happened.
func (b *batch) setTime(m metric, t time.Time, labels ...string) {
	if !t.IsZero() {
		b.set(m, seconds(t), labels...)
	}
}

// setAge puts the seconds since t into the batch: 0 for what never happened, and for what happened a little ahead of
// our clock.
func (b *batch) setAge(m metric, t time.Time, labels ...string) {
	age := 0.0
	if !t.IsZero() {
		age = max(0, b.now.Sub(t).Seconds())
	}
	b.set(m, age, labels...)
}

// setOldest puts the age of the oldest of n things into the batch: 0 where there are none, and nothing where there are
// and the OMS does not say since when.
func (b *batch) setOldest(m metric, n int, t time.Time, labels ...string) {
	if n > 0 && t.IsZero() {
		b.set(m, math.NaN(), labels...)
		return
	}
	b.setAge(m, t, labels...)
}

// seconds is t as Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

// truth is 1 for true and 0 for false.
func truth(is bool) float64 {
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

// metrics turns the batch into Prometheus metrics, at most limit of each family that is capped (0 is no limit). The
// worst values stay, and equal ones by their labels, so that the same series stay at the next scrape.
func (b *batch) metrics(limit int) []prometheus.Metric {
	if limit <= 0 {
		limit = math.MaxInt
	}
	var out []prometheus.Metric
	for m, family := range b.families {
		samples := make([]sample, 0, len(family))
		for _, s := range family {
			if !math.IsNaN(s.value) {
				samples = append(samples, s)
			}
		}
		if m.capped {
			dropped := max(0, len(samples)-limit)
			out = append(out, seriesDropped.sample(float64(dropped), b.client, m.name))
			if dropped > 0 {
				slices.SortFunc(samples, m.kind.compare)
				samples = samples[:limit]
			}
		}
		for _, s := range samples {
			out = append(out, m.sample(s.value, s.labels...))
		}
	}
	return out
}
