package collector

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	reportDashboardSuccess = newMetric(least, "oms_report_dashboard_success",
		"1 if the dashboard's charts could be listed.", "dashboard")
	reportDashboardError = newMetric(greatest, "oms_report_dashboard_error",
		"1 for the reason why the dashboard's charts could not be listed; absent if they could.", "dashboard", "reason")
	// 0 if the last run could list them.
	reportDashboardFailures = newMetric(greatest, "oms_report_dashboard_consecutive_failures",
		"Consecutive runs in which the dashboard's charts could not be listed.", "dashboard")
	reportChartInfo = newMetric(greatest, "oms_report_chart_info",
		"1 for every chart on the dashboards, with the name that Superset gives to its database.", "dashboard", "chart", "data_source")
	reportChartSuccess = newMetric(least, "oms_report_chart_success",
		"1 if the chart's query, sent as the dashboard sends it, succeeded, even with no rows.", "dashboard", "chart")
	reportChartError = newMetric(greatest, "oms_report_chart_error",
		"1 for the reason why the chart's query failed; absent if it succeeded.", "dashboard", "chart", "reason")
	// 0 if the last run succeeded.
	reportChartFailures = newMetric(greatest, "oms_report_chart_consecutive_failures",
		"Consecutive runs in which the chart returned no result.", "dashboard", "chart")
	reportChartDuration = newMetric(greatest, "oms_report_chart_duration_seconds",
		"Duration of the chart's data request; absent if no request was sent.", "dashboard", "chart")
	reportChartRows = newMetric(greatest, "oms_report_chart_rows",
		"Rows in the result of the chart's first query; absent if it failed.", "dashboard", "chart")
	reportChartCached = newMetric(newest, "oms_report_chart_cached_timestamp_seconds",
		"When Superset read the chart's data from the database, as Unix time; for cached data this is the time of the cache entry.",
		"dashboard", "chart")
	// Absent if the value is NULL.
	reportChartValue = newMetric(greatest, "oms_report_chart_value",
		"The value of a big number, or of each metric in a one-row chart without a group-by.", "dashboard", "chart", "metric")
)

// maxRemarks is how many failing charts the page of the client names. The log has them all.
const maxRemarks = 20

// reportsCollector asks the charts of the client's dashboards for their data, in runs beside the scrapes.
type reportsCollector struct{}

func (reportsCollector) Name() string { return "reports" }

func (reportsCollector) has(src Sources) bool { return src.Reports != nil }

func (reportsCollector) update(ctx context.Context, src Sources, b *batch) error {
	ctx, cancel := withMargin(ctx)
	defer cancel()
	run, err := src.Reports.Latest(ctx, b.now)
	b.age = run.Age
	for _, d := range run.Dashboards {
		b.set(reportDashboardSuccess, boolFloat(d.Failure == nil), d.Name)
		b.set(reportDashboardFailures, float64(d.Failures), d.Name)
		if d.Failure != nil {
			b.set(reportDashboardError, 1, d.Name, string(d.Failure.Reason))
		}
		for _, c := range d.Charts {
			b.setChart(d.Name, c)
		}
	}
	slices.Sort(b.remarks) // the order in which they were asked is chance
	if more := len(b.remarks) - maxRemarks; more > 0 {
		b.remarks = append(b.remarks[:maxRemarks], fmt.Sprintf("and %d more charts fail, see the log for all of them", more))
	}
	return err
}

func (b *batch) setChart(dashboard string, c oms.Chart) {
	b.set(reportChartInfo, 1, dashboard, c.Name, c.DataSource)
	b.set(reportChartSuccess, boolFloat(c.Failure == nil), dashboard, c.Name)
	b.set(reportChartFailures, float64(c.Failures), dashboard, c.Name)
	if c.Took > 0 {
		b.set(reportChartDuration, c.Took.Seconds(), dashboard, c.Name)
	}
	if f := c.Failure; f != nil {
		b.set(reportChartError, 1, dashboard, c.Name, string(f.Reason))
		b.remarks = append(b.remarks, strings.Join([]string{"dashboard " + dashboard, "chart " + c.Name, string(f.Reason), f.Text}, ": "))
		return
	}
	b.set(reportChartRows, float64(c.Rows), dashboard, c.Name)
	b.setTime(reportChartCached, c.Read, dashboard, c.Name)
	for metric, value := range c.Values {
		b.set(reportChartValue, value, dashboard, c.Name, metric)
	}
}
