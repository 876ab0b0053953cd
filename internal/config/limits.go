package config

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Limit replaces, for one client, a default or an override of rules/limits.yml.
type Limit struct {
	// Limit is one of LimitLabels.
	Limit string
	// At most one of these is not empty: the label by which the limit can be given.
	Stage, Facility, JobName string
	// Value is in seconds where the name of the limit ends with _seconds.
	Value float64
}

// The labels by which a limit can be given.
const (
	byStage    = "stage"
	byFacility = "facility"
	byJob      = "job_name"
)

// LimitLabels are the limits of rules/limits.yml, each with the label that says to what it applies: stage or facility, which must be
// given, job_name, which may be, or none. A test of the rules holds it equal to that file.
func LimitLabels() map[string]string {
	return map[string]string{
		"clock_skew_seconds":                    "",
		"created_age_seconds":                   "",
		"data_age_seconds":                      "",
		"data_manager_failed_files":             "",
		"data_manager_failed_files_few":         "",
		"data_manager_failed_share":             "",
		"data_manager_pending_seconds":          "",
		"data_manager_refused_records":          "",
		"data_manager_running_seconds":          "",
		"data_manager_unrepeated_seconds":       "",
		"database_still_seconds":                "",
		"fulfillments_unconfirmed":              "",
		"import_due_orders":                     "",
		"import_expected_orders":                "",
		"import_gap_seconds":                    "",
		"import_gap_unknown_seconds":            "",
		"instance_silent_seconds":               "",
		"job_failing_seconds":                   "",
		"job_failures":                          byJob,
		"job_failures_rare":                     "",
		"job_lost_seconds":                      "",
		"job_missed_intervals":                  "",
		"job_overdue_seconds":                   "",
		"job_recent_failure_share":              byJob,
		"job_recent_failures":                   byJob,
		"job_running_seconds":                   byJob,
		"job_weekly_failure_days":               byJob,
		"job_weekly_failure_share":              byJob,
		"job_without_success_seconds":           "",
		"orders_duplicate":                      "",
		"orders_missing":                        "",
		"orders_unsynced":                       "",
		"orders_unsynced_page":                  "",
		"parked_age_seconds":                    byFacility,
		"parked_per_hour":                       byFacility,
		"report_age_seconds":                    "",
		"report_data_age_seconds":               "",
		"report_failures":                       "",
		"reset_inventory_refused_records":       "",
		"reset_inventory_usual_share":           "",
		"reset_inventory_warning_seconds":       "",
		"reset_inventory_warning_slack_seconds": "",
		"scheduler_idle_seconds":                "",
		"system_message_failing_seconds":        "",
		"system_message_waiting_seconds":        "",
		"system_messages_in_error":              "",
		"unfulfilled_age_seconds":               byStage,
	}
}

// LimitStages are the stages that rules/limits.yml has a limit for.
func LimitStages() []string { return []string{"brokering_queue", "store", "warehouse"} }

func (r *reader) limits(n *yaml.Node) []Limit {
	const limitHint, valueHint = "the name of a limit of rules/limits.yml, such as created_age_seconds", "the limit, such as 4h or 20"
	items := r.items(n, "limits", "a list of limit and value")
	limits := make([]Limit, 0, len(items))
	lines := map[Limit]int{} // without values
	for _, item := range items {
		var name, value *yaml.Node
		given := map[string]*yaml.Node{}
		label := func(name string) field { return field{read: func(n *yaml.Node) { given[name] = n }} }
		r.fields(item, "limits", map[string]field{
			"limit": {need: limitHint, read: func(n *yaml.Node) { name = n }},
			"value": {need: valueHint, read: func(n *yaml.Node) { value = n }},
			byStage: label(byStage), byFacility: label(byFacility), byJob: label(byJob),
		})
		if name == nil || value == nil {
			continue
		}
		l, ok := r.limit(name, given)
		if !ok {
			continue
		}
		if first, taken := lines[l]; taken {
			r.fail(name.Line, "%s in %s already: remove one of the two", shown("limits: limit", l.Limit, " is"), r.place(first, name.Line))
			continue
		}
		lines[l] = name.Line
		l.Value = r.limitValue(value, l.Limit)
		limits = append(limits, l)
	}
	return limits
}

// limit reads what is limited.
func (r *reader) limit(n *yaml.Node, given map[string]*yaml.Node) (l Limit, ok bool) {
	known := LimitLabels()
	name, ok := r.text(n, "limits.limit", "the name of a limit of rules/limits.yml")
	if !ok {
		return l, false
	}
	by, ok := known[name]
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		hint := "write one of " + strings.Join(names, ", ")
		if slip := nearest(name, names); slip != "" {
			hint = "write " + slip
		}
		r.fail(n.Line, "%s: %s", shown("limits.limit", name, " is not known"), hint)
		return l, false
	}
	l.Limit = name
	to := map[string]*string{byStage: &l.Stage, byFacility: &l.Facility, byJob: &l.JobName}
	for _, label := range []string{byStage, byFacility, byJob} {
		n, there := given[label]
		switch {
		case there && label != by:
			r.fail(n.Line, "limits: the limit %s has no %s: remove it", name, label)
			ok = false
		case there:
			*to[label], there = r.text(n, "limits."+label, "a name")
			ok = ok && there
		}
	}
	switch stages := strings.Join(LimitStages(), ", "); {
	case !ok:
	case by == byStage && given[by] == nil:
		r.fail(n.Line, "limits: the limit %s needs a stage: write one of %s", name, stages)
		ok = false
	case by == byStage && !slices.Contains(LimitStages(), l.Stage):
		r.fail(given[by].Line, "%s: write one of %s", shown("limits.stage", l.Stage, " has no limit"), stages)
		ok = false
	case by == byFacility && given[by] == nil:
		r.fail(n.Line, "limits: the limit %s needs a facility: write the id of a parking, such as UNFILLABLE_PARKING", name)
		ok = false
	}
	return l, ok
}

// limitValue reads a number or, of seconds, also a duration.
func (r *reader) limitValue(n *yaml.Node, limit string) float64 {
	hint, kind := "a number such as 20", " is not a number"
	inSeconds := strings.HasSuffix(limit, "_seconds")
	if inSeconds {
		hint, kind = "a duration such as 90m or 168h", " is not a duration"
	}
	text, ok := r.text(n, "limits.value", hint)
	if !ok {
		return 0
	}
	value, err := strconv.ParseFloat(text, 64)
	if d, wrong := time.ParseDuration(text); inSeconds && wrong == nil {
		value, err = d.Seconds(), nil
	}
	if err != nil || !(value >= 0) || math.IsInf(value, 0) {
		r.fail(n.Line, "%s: write %s", shown("limits.value", text, kind), hint)
		return 0
	}
	return value
}
