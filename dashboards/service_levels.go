package main

import (
	"strings"

	"github.com/oms-exporter/oms_exporter/collector"
)

// period is a time over which service levels are shown, until the end of the dashboard's time range.
type period struct {
	ref, title, window string
	minutes            string // that it has
}

func periods() []period {
	return []period{{"7d", "7 days", "[7d]", "10080"}, {"30d", "30 days", "[30d]", "43200"}}
}

// serviceLevels reports a week and a month to a client. It uses rules/service_levels.yml, which says what its series cost.
// The tables are as wide as a printed page, and nothing needs its colour.
func serviceLevels() dashboard {
	d := newDashboard("oms-service-levels", "OMS service levels",
		"Results of a client's deadlines, orders and checks over 7 and 30 days, up to the end of the time range. Suitable for printing.", "now-30d",
		section{"Service levels of ${client} until ${__to:date:YYYY-MM-DD}", []panel{
			overPeriods("Deadlines met", "Share of reset-inventory deadlines that were met. Deadlines with an unknown result do not count.",
				share, "no deadline", func(p period) string {
					return `sum(sum_over_time(` + deadlinesMet + p.window + `))
/ sum(count_over_time(` + deadlinesMet + p.window + `))`
				}),
			overPeriods("Orders approved", "Sales orders that were approved for the first time, without excluded orders.", "none", "not measured", func(p period) string {
				return `sum(sum_over_time(` + ordersApproved + p.window + `)
  or 0 * max by (client) (last_over_time(oms:orders_counted{client=~"$client", le="+Inf"}` + p.window + `))
)`
			}),
			overPeriods("Orders approved within 3 hours", "Share of the approved orders that were approved at most 3 hours after their entry into the OMS.",
				share, "no order approved", func(p period) string {
					return `sum(sum_over_time(` + ordersWithin3h + p.window + `))
/ ` + approved(p)
				}),
			overPeriods("Time to approval, p95", "Time from entry into the OMS to approval that 95 % of the approved orders did not exceed. An estimate; 24 hours stand for any longer time.",
				duration, "no order approved", func(p period) string {
					return `histogram_quantile(0.95, sum by (le) (sum_over_time(oms:orders_approved{client=~"$client"}` + p.window + `)))`
				}),
			overPeriods("Unfillable orders", "Orders that entered an unfillable parking for the first time, as a share of the approved orders. Routing retries do not count.",
				share, "not measured", func(p period) string {
					return `(
  sum(sum_over_time(oms:orders_unfillable{client=~"$client"}` + p.window + `))
  or 0 * max(last_over_time(oms:orders_counted{client=~"$client", le=""}` + p.window + `))
)
/ ` + approved(p)
				}),
			overPeriods("Incidents", "Incidents of all checks: those that ended within these days, and those that are still open.", "none", "not watched", func(p period) string {
				return `sum(` + incidents(p) + `)`
			}),
			overPeriods("Mean time to repair", "Mean duration of the incidents that ended within these days. An incident ends when its alert resolves, up to 15 minutes after the problem.",
				duration, "no incident ended", func(p period) string {
					return `sum(sum_over_time(` + incidentSeconds + p.window + `))
/ sum(count_over_time(` + incidentSeconds + p.window + `))`
				}).size(screenWidth, 4),
			withinTable().size(screenWidth, 20),
			incidentsTable().size(screenWidth, 20),
			deadlinesMetTable().size(screenWidth, 7),
		}}).ofOneClient()
	d.Refresh = "" // the last minute changes nothing
	d.Links = append(d.Links, dashboardLink{
		Title: "Page for printing", Type: "link", Icon: "external link", URL: "/d/oms-service-levels?kiosk&theme=light", TargetBlank: true, Tags: []string{}, IncludeVars: true, KeepTime: true,
	})
	return d
}

// The series of rules/service_levels.yml that count approved orders: all, and those within 3 hours (Prometheus 3 writes 10800.0).
const (
	ordersApproved = `oms:orders_approved{client=~"$client", le="+Inf"}`
	ordersWithin3h = `oms:orders_approved{client=~"$client", le=~"10800(.0)?"}`
)

// The series of rules/service_levels.yml of which there is a sample for each deadline that passed, and for each incident that ended.
const (
	deadlinesMet     = `oms:reset_inventory_deadline_met{client=~"$client"}`
	deadlinesUnknown = `oms:reset_inventory_deadline_unknown{client=~"$client"}`
	incidentSeconds  = `oms:incident_seconds{client=~"$client"}`
	incidentStart    = `oms:incident_start_timestamp_seconds{client=~"$client"}`
	// everyCheck is a row of 0 for each check.
	everyCheck = `0 * max by (client, check) (oms:check_state{client=~"$client"})`
)

// approved counts all orders that were approved within the period.
func approved(p period) string { return `sum(sum_over_time(` + ordersApproved + p.window + `))` }

// incidents counts for each check those that ended within the period, and the one that lasts.
func incidents(p period) string {
	return `(count_over_time(` + incidentSeconds + p.window + `) or ` + everyCheck + `)
+ (1 + 0 * ` + incidentStart + ` or ` + everyCheck + `)`
}

// overPeriods shows one number for each period.
func overPeriods(title, description, unit, empty string, expr func(period) string) panel {
	p := stat(title, description, unit, steps("text"), target{}).named().emptyMeans(empty).size(screenWidth/2, 4)
	p.Targets = nil
	for _, over := range periods() {
		p.Targets = append(p.Targets, target{
			RefID: over.ref, Datasource: prometheus(), Expr: expr(over), LegendFormat: over.title, Instant: true,
		})
	}
	return p
}

// capital returns an English text with a capital at its beginning.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// checkKey names checks by what they are about.
func checkKey() key {
	words := map[string]result{}
	for i, c := range collector.Checks() {
		words[c.Name] = result{Text: capital(c.Means), Index: i}
	}
	return key{label: "check", title: "Check", width: 205, words: words, wrap: true}
}

// withinTable has a row for each check: the share of the time that was watched in which it was within its limits, and of all the time the
// share that was not watched.
func withinTable() panel {
	var within, unwatched []column
	for _, p := range periods() {
		within = append(within, column{
			ref: "within_" + p.ref, title: capital(p.title), unit: share, align: "right", width: 70,
			expr: `avg_over_time(oms:check_within_limits{client=~"$client"}` + p.window + `)`,
		})
		unwatched = append(unwatched, column{
			ref: "unwatched_" + p.ref, title: "Unwatched, " + p.title, unit: share, align: "right", width: 105,
			expr: `clamp_min(
  1 - (count_over_time(oms:check_within_limits{client=~"$client"}` + p.window + `) or ` + everyCheck + `) / ` + p.minutes + `,
  0
)`,
		})
	}
	return table("Time within limits", "For each check, the share of the watched time in which it was within its limits. "+
		"Unwatched: the share of the total time in which it could not be measured, or was not watched at all; this time counts neither as good nor as bad.",
		[]key{clientKey(), checkKey()}, append(within, unwatched...)...).sorted("30 days", false)
}

// incidentsTable has a row for each check.
func incidentsTable() panel {
	week, month := periods()[0], periods()[1]
	count := func(p period) column {
		return column{ref: "incidents_" + p.ref, title: capital(p.title), unit: "none", align: "right", width: 60, expr: incidents(p)}
	}
	return table("Incidents by check", "Incidents that ended within these days, and the open one: their number and, for 30 days, their mean duration and the mean time to repair of those that ended. "+
		"An incident starts when a check exceeds its limit, continues while the check cannot be measured, and ends when its alert resolves, up to 15 minutes after the problem.",
		[]key{clientKey(), checkKey()},
		count(week), count(month),
		column{
			ref: "length", title: "Mean length", unit: duration,
			expr: `((sum_over_time(` + incidentSeconds + month.window + `) or ` + everyCheck + `) + (time() - ` + incidentStart + ` or ` + everyCheck + `))
/ (` + incidents(month) + ` > 0)`,
		},
		column{ref: "repair", title: "Time to repair", unit: duration, expr: `avg_over_time(` + incidentSeconds + month.window + `)`},
	).sorted("30 days", true)
}

// deadlinesMetTable has a row for each deadline of a source.
func deadlinesMetTable() panel {
	var columns []column
	for _, p := range periods() {
		columns = append(columns,
			column{
				ref: "met_" + p.ref, title: "Met, " + p.title, unit: "none", align: "right", width: 95,
				expr: `sum_over_time(` + deadlinesMet + p.window + `)` + orClient,
			},
			column{
				ref: "passed_" + p.ref, title: "Of, " + p.title, unit: "none", align: "right", width: 85,
				expr: `count_over_time(` + deadlinesMet + p.window + `)`,
			})
	}
	month := periods()[1]
	return table("Deadlines by source", "Number of reset-inventory deadlines that were met, and their total number. Not known: deadlines within 30 days for which the measurement failed. "+
		"A row without a source means that no deadline has passed.",
		[]key{clientKey(), {label: "source", title: "Source", width: 120}, {label: "deadline", title: "Deadline", width: 80}},
		append(columns, column{
			ref: "unknown", title: "Not known", unit: "none", align: "right", width: 95,
			expr: `count_over_time(` + deadlinesUnknown + month.window + `)
or
0 * count_over_time(` + deadlinesMet + month.window + `)`,
		})...)
}
