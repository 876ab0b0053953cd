package collector

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// A kind says what becomes of two values with the same labels, and which values are the worst: those stay when there
// are more series than the cap allows.
type kind int

const (
	// count adds up; the greatest is the worst.
	count kind = iota
	// total is a count that only grows: a Prometheus counter.
	total
	// distribution counts by size and only grows: a Prometheus histogram. It has no labels of its own: see batch.setDistribution.
	distribution
	// greatest keeps the greater value, an age as a rule; the greatest is the worst.
	greatest
	// least keeps the lesser value; the least is the worst.
	least
	// newest keeps the later of two timestamps of something good; the longest ago is the worst.
	newest
	// oldest keeps the earlier of two timestamps of something bad; the longest ago is the worst.
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
	case greatest, newest, distribution:
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

	// subject are the labels, with a comma between, that name what the series is about, say a job: see batch.subjects.
	subject string
	about   []int // where these are among the labels of a sample
	// judges: the worst of the metric is what the cap should keep.
	judges bool
}

// newMetric declares a metric; its own labels are in the order in which a batch is given their values.
func newMetric(kind kind, name, help string, labels ...string) *metric {
	m := &metric{name: name, help: help, kind: kind, judges: judging(name), labels: slices.Sorted(slices.Values(append(labels, "client")))}
	for _, l := range m.labels {
		m.given = append(m.given, slices.Index(labels, l))
	}
	for _, l := range labels {
		m.capped = m.capped || !bounded(l)
	}
	about := subjectOf(labels)
	m.subject = strings.Join(about, ",")
	for i, l := range slices.DeleteFunc(slices.Clone(m.labels), func(l string) bool { return l == "client" }) {
		if slices.Contains(about, l) {
			m.about = append(m.about, i)
		}
	}
	return m
}

// judging reports whether the worst series of a metric are those that the cap must keep.
func judging(name string) bool {
	switch name {
	case "oms_data_manager_last_failure_timestamp_seconds",
		"oms_data_manager_oldest_age_seconds",
		"oms_data_manager_recent_failed_records",
		"oms_instance_last_activity_timestamp_seconds",
		"oms_job_consecutive_failures",
		"oms_job_expected_start_timestamp_seconds",
		"oms_job_long_overdue_seconds",
		"oms_job_long_running_seconds",
		"oms_job_oldest_claimed_seconds",
		"oms_job_oldest_overdue_seconds",
		"oms_job_recent_failures",
		"oms_job_running_seconds",
		"oms_job_schedule_unreadable",
		"oms_job_scheduler_locked",
		"oms_orders_last_import_timestamp_seconds",
		"oms_orders_missing",
		"oms_orders_oldest_created_age_seconds",
		"oms_orders_oldest_parked_age_seconds",
		"oms_orders_oldest_unsynced_age_seconds",
		"oms_report_chart_consecutive_failures",
		"oms_report_chart_error",
		"oms_system_message_oldest_age_seconds":
		return true
	}
	return false
}

// of names what a sample of the metric is about.
func (m *metric) of(s sample) string {
	if len(m.about) == 1 {
		return s.labels[m.about[0]]
	}
	var names []string
	for _, i := range m.about {
		names = append(names, s.labels[i])
	}
	return strings.Join(names, "\x00")
}

// subjectOf returns those of the labels that name what a series is about.
func subjectOf(labels []string) []string {
	for _, subject := range [][]string{{"job_name"}, {"config"}, {"dashboard", "chart"}, {"product_store", "channel"}} {
		if !slices.ContainsFunc(subject, func(l string) bool { return !slices.Contains(labels, l) }) {
			return subject
		}
	}
	return slices.DeleteFunc(slices.Clone(labels), bounded)
}

// bounded tells whether the values of a label are a closed set or come from the configuration; of a file there is one for each
// location. All others come from the database, which may hold any number of them.
func bounded(label string) bool {
	switch label {
	case "age", "collector", "column", "dashboard", "days", "deadline", "direction", "file", "folder", "limit", "location", "metric", "outcome",
		"reason", "result", "source", "stage", "status", "table", "target":
		return true
	}
	return false
}
