package collector

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A Check is one of the checks of the operations guide, or one that the guide does not name.
type Check struct {
	// Name is the value of the label check of oms:check_state, and Title the heading of its column in the daily check: short, as all columns
	// fit on a laptop. Means says what the check is about.
	Name, Title, Means string
	// Panel is the title of the panel of the client's dashboard that shows it.
	Panel string
	// Collector measures it. It is empty for the last check, which is the state of the collectors themselves.
	Collector string

	none string // what it means that there is nothing
}

// A Fact is the worst that a run found for a check, in words. It is not judged: the limits are in the rules of Prometheus. A length of
// time is as long as it was when the run began.
type Fact struct {
	Check string
	// Short fits into a column of the check: "4 h 3 min". Text says it all: "oldest in created 4 h 3 min (STORE, WEB)".
	Short, Text string
}

// Checks lists the checks in the order of the guide, and among them those that it does not name: the daily check on the dashboard and
// the status page have them so.
func Checks() []Check {
	return []Check{
		{"created", "Created", "orders in created", "Oldest order in created", "orders", "no order in status created"},
		{"brokering", "Broker", "orders in the brokering queue", "Oldest approved order not fulfilled", "orders", "no order in the brokering queue"},
		{"unfulfilled", "Fulfil", "approved orders not fulfilled", "Approved orders not fulfilled", "orders", "no order with a store or warehouse"},
		{"parking", "Park", "unfillable and rejected orders", "Oldest parked order", "orders", "no parked order"},
		{"import", "Import", "orders that are not imported, or are missing", "Last import", "orders", "no order known"},
		{"last_mile", "Sync", "orders that do not reach the ERP, or are duplicates", "Orders not synced", "last_mile", "no order that is late or there twice"},
		{"job_running", "Jobs", "jobs that run for too long", "Runs of more than 15 minutes", "jobs", "no job running"},
		{"job_failing", "Fails", "jobs that fail", "Failing jobs", "jobs", "no job failing"},
		{"scheduler", "Starts", "jobs that do not start", "Runs overdue for more than 15 minutes", "jobs", "no job overdue"},
		{"reset_inventory", "Reset", "reset-inventory files", "Reset inventory", "reset_inventory", ""},
		{"sftp", "SFTP", "drop folders", "Drop folders", "sftp", "no file waiting"},
		{"files_pending", "Waits", "data-manager files that are waiting", "Oldest waiting file", "data_manager", "no file pending"},
		{"files_running", "Runs", "data-manager files that are running", "Longest running file", "data_manager", "no file running"},
		{"files_failed", "Failed", "data-manager files that failed", "Files by configuration", "data_manager", "no file failed within 24 h"},
		{"system_messages", "Msgs", "system messages", "System messages by type", "system_messages", "no message waiting"},
		{"reports", "Tathya", "dashboards and charts", "Charts", "reports", "no chart failing"},
		{"measurement", "Data", "the measurement itself", "Collectors", "", ""},
	}
}

// saying puts a metric into words.
type saying struct {
	check  string
	metric *metric
	// only, where set, is a label and those of its values that count; behind a "!" those that do not.
	only []string
	// unit says what the values are, and so which of them is reported.
	unit unit
	// short and text have the value in place of %s.
	short, text string
}

type unit int

const (
	longest  unit = iota // seconds, 0 for none: the longest
	lengths              // seconds, 0 for none: those of all series
	sinces               // seconds since something: those of all series
	newestAt             // Unix time: since the newest
	highest              // a number: the highest
	sum                  // a number: the sum
	zeros                // 1 or 0: how many are 0
)

// sayings is the table of facts. For each check, the first one that is not 0 is shown in the column.
func sayings() []saying {
	pending := []string{"status", string(oms.FilePending), string(oms.FileQueued), string(oms.FileOther)}
	failed := []string{"outcome", string(oms.FileFailed), string(oms.FileCrashed)}
	shipping := []string{"stage", string(oms.StageStore), string(oms.StageWarehouse)}
	return []saying{
		{"created", ordersOldestCreated, nil, longest, "%s", "oldest in status created %s"},
		{"brokering", ordersOldestUnfulfilled, []string{"stage", string(oms.StageBrokeringQueue)}, longest, "%s", "oldest in the brokering queue %s"},
		{"unfulfilled", ordersOldestApproved, shipping, longest, "%s", "oldest approved %s ago"},
		{"parking", ordersOldestParked, []string{"!facility", "_NA_"}, lengths, "%s", "oldest parked %s"},
		{"import", ordersMissing, nil, sum, "%s missing", "orders missing by the last reconciliation: %s"},
		{"import", ordersLastImport, nil, newestAt, "%s ago", "last order %s ago"},
		{"last_mile", ordersUnsynced, nil, sum, "%s late", "orders that have not reached their target: %s"},
		{"last_mile", ordersOldestUnsynced, nil, longest, "%s", "oldest of them approved %s ago"},
		{"last_mile", ordersDuplicate, nil, sum, "%s twice", "orders that are there twice: %s"},
		{"last_mile", ordersUnconfirmed, nil, sum, "%s open", "orders whose fulfillment the shop has not confirmed: %s"},
		{"last_mile", ordersTruncated, nil, sum, "not all", "not all orders and fulfillments are measured"},
		{"job_running", jobRunning, nil, longest, "%s", "longest running %s"},
		{"job_failing", jobConsecutiveFailures, nil, highest, "%s in a row", "most consecutive failures: %s"},
		{"scheduler", jobSchedulerLocked, nil, sum, "locked", "active job-manager locks: %s"},
		{"scheduler", jobOldestOverdue, nil, longest, "%s", "longest overdue %s"},
		{"scheduler", jobScheduleUnreadable, nil, sum, "%s rejected", "schedules that Moqui rejects: %s"},
		{"reset_inventory", resetSinceProcessed, nil, sinces, "%s ago", "last processed %s ago"},
		{"reset_inventory", resetRunning, nil, longest, "for %s", "running for %s"},
		{"sftp", sftpInvalid, nil, sum, "%s invalid", "waiting files that the import would refuse: %s"},
		{"sftp", sftpOldestAge, []string{"folder", string(oms.FolderInbox)}, longest, "%s", "oldest waiting file %s"},
		{"sftp", sftpTruncated, nil, sum, "%s cut off", "folders with more files than the exporter lists: %s"},
		{"files_pending", dataManagerOldest, pending, longest, "%s", "longest pending %s"},
		{"files_running", dataManagerOldest, []string{"status", string(oms.FileRunning)}, longest, "%s", "longest running %s"},
		{"files_failed", dataManagerRecent, failed, sum, "%s in 24 h", "files failed within 24 h: %s"},
		{"system_messages", systemMessages, []string{"status", "error"}, sum, "%s failed", "messages that failed: %s"},
		{"system_messages", systemMessageOldest, []string{"!status", "error"}, longest, "%s", "oldest waiting message %s"},
		{"reports", reportDashboardSuccess, nil, zeros, "%s missing", "dashboards that cannot be listed: %s"},
		{"reports", reportChartSuccess, nil, zeros, "%s failing", "charts without data: %s"},
	}
}

// facts tells what a run of the named collector measured, in the order of the checks. A check of which nothing was measured has
// none; where the run failed, neither has one of which nothing bad was measured, and not all.
func (b *batch) facts(collector string, families []*dto.MetricFamily, err error) []Fact {
	measured := make(map[string][]*dto.Metric, len(families))
	for _, f := range families {
		measured[f.GetName()] = f.Metric
	}
	var all []Fact
	for _, check := range Checks() {
		if check.Collector != collector {
			continue
		}
		found, some, complete, undated := len(all), false, true, false
		for _, s := range sayings() {
			if s.check != check.Name {
				continue
			}
			series := slices.DeleteFunc(slices.Clone(measured[s.metric.name]), func(m *dto.Metric) bool { return !s.counts(m) })
			some, complete = some || len(series) > 0, complete && len(series) > 0
			undated = undated || slices.ContainsFunc(b.unknown[s.metric], func(u sample) bool {
				return s.counts(s.metric.family([]sample{u}, new(dto.LabelPair)).Metric[0])
			})
			all = append(all, s.say(series, b.now)...)
		}
		switch {
		case len(all) > found:
		case undated:
			all = append(all, Fact{check.Name, "?", "present, but the OMS does not record since when"})
		case some && (complete || err == nil):
			all = append(all, Fact{check.Name, "none", check.none})
		}
	}
	return all
}

// counts says whether the saying is about the series.
func (s saying) counts(m *dto.Metric) bool {
	if s.only == nil {
		return true
	}
	label, others := strings.CutPrefix(s.only[0], "!")
	return others != slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool {
		return l.GetName() == label && slices.Contains(s.only[1:], l.GetValue())
	})
}

// mostTold is how many series are reported; the worst come first.
const mostTold = 4

// say tells nothing where there is nothing.
func (s saying) say(series []*dto.Metric, now time.Time) []Fact {
	value := func(m *dto.Metric) float64 {
		switch v := m.GetGauge().GetValue(); s.unit {
		case newestAt:
			return max(0, seconds(now)-v)
		case zeros:
			return 1 - v
		default:
			return v
		}
	}
	series = slices.DeleteFunc(series, func(m *dto.Metric) bool {
		return value(m) == 0 && s.unit != sinces && s.unit != newestAt
	})
	slices.SortStableFunc(series, func(a, b *dto.Metric) int { return cmp.Compare(value(b), value(a)) })
	if s.unit == newestAt {
		slices.Reverse(series)
	}
	if len(series) == 0 {
		return nil
	}
	switch s.unit {
	case sum, zeros:
		total := 0.0
		for _, m := range series {
			total += value(m)
		}
		about := ""
		if len(series) == 1 {
			about = s.about(series[0])
		}
		return []Fact{s.fact(strconv.FormatFloat(total, 'f', -1, 64), about)}
	case highest:
		return []Fact{s.fact(strconv.FormatFloat(value(series[0]), 'f', -1, 64), s.about(series[0]))}
	case lengths, sinces:
		series = series[:min(mostTold, len(series))]
	default:
		series = series[:1]
	}
	var all []Fact
	for _, m := range series {
		if v := value(m); math.IsInf(v, 1) {
			all = append(all, Fact{s.check, "never", "never processed" + s.about(m)})
		} else {
			all = append(all, s.fact(Span(time.Duration(min(v, maxSpan)*float64(time.Second))), s.about(m)))
		}
	}
	return all
}

func (s saying) fact(value, about string) Fact {
	return Fact{s.check, strings.ReplaceAll(s.short, "%s", value), strings.ReplaceAll(s.text, "%s", value) + about}
}

// about names what a series is about.
func (s saying) about(m *dto.Metric) string {
	var names []string
	for _, l := range m.Label {
		chosen := len(s.only) == 2 && l.GetName() == s.only[0] // the text says it
		if l.GetName() != "client" && l.GetValue() != "" && !chosen {
			names = append(names, l.GetValue())
		}
	}
	if names == nil {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// maxSpan is in seconds: more than a time.Duration can be is no time that anything has taken.
const maxSpan = 9e9

// Span says a length of time as people do: "40 s", "4 h 3 min", "11 h", "2 d 5 h". What is left out is not rounded.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(0, d); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 10*time.Hour && d%time.Hour >= time.Minute:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 10*day && d%day >= time.Hour:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	default:
		return fmt.Sprintf("%d d", d/day)
	}
}
