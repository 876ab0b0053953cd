package collector

import (
	"cmp"
	"math"
	"slices"
)

// A kind says what becomes of two values with the same labels, and which values are the worst: those stay when there
// are more series than the cap allows.
type kind int

const (
	// count adds up; the greatest is the worst.
	count kind = iota
	// total is a count that only grows: a Prometheus counter.
	total
	// greatest keeps the greater value, an age as a rule; the greatest is the worst.
	greatest
	// least keeps the lesser value; the least is the worst.
	least
	// newest keeps the later of two stamps of something good; the longest ago is the worst.
	newest
	// oldest keeps the earlier of two stamps of something bad; the longest ago is the worst.
	oldest
)

// join makes one value of two that have the same labels. Where one is not known (NaN), the other counts, unless it is 0:
// there is something, so that would be wrong.
func (k kind) join(a, b float64) float64 {
	if math.IsNaN(a) {
		a, b = b, a
	}
	if math.IsNaN(b) {
		if a > 0 {
			return a
		}
		return b
	}
	switch k {
	case count, total:
		return a + b
	case least, oldest:
		return min(a, b)
	case greatest, newest:
	}
	return max(a, b)
}

// compare puts the worse of two samples first.
func (k kind) compare(a, b sample) int {
	byValue := cmp.Compare(b.value, a.value)
	if k == least || k == newest || k == oldest {
		byValue = -byValue
	}
	return cmp.Or(byValue, a.compare(b))
}

// A metric is all that is known of a metric family before anything is measured. Beside its own labels it has client.
type metric struct {
	name, help string
	kind       kind
	capped     bool
	// labels are the names of all labels in the order of the alphabet, in which Prometheus' formats have them.
	labels []string
	// given says of each of these as which of the metric's own labels it was declared; client is none.
	given []int
}

// newMetric declares a metric; its own labels are in the order in which a batch is given their values.
func newMetric(kind kind, name, help string, labels ...string) *metric {
	m := &metric{name: name, help: help, kind: kind, labels: slices.Sorted(slices.Values(append(labels, "client")))}
	for _, l := range m.labels {
		m.given = append(m.given, slices.Index(labels, l))
	}
	for _, l := range labels {
		m.capped = m.capped || !bounded(l)
	}
	return m
}

// bounded tells whether the values of a label are a closed set or come from the configuration. All others come from
// the database, which may hold any number of them.
func bounded(label string) bool {
	switch label {
	case "age", "collector", "column", "dashboard", "direction", "folder", "location", "metric", "outcome", "reason", "result", "source", "stage",
		"status", "table":
		return true
	}
	return false
}
