package oms

import (
	"context"
	"time"
)

// Reports asks the charts of one client's dashboards for their data (the guide's "no unexpected errors in the charts"). It
// is safe for concurrent use, and only ever reads.
type Reports interface {
	// Latest returns what the last run found, and begins another beside the caller when that is older than the interval.
	// It waits for the first run only, until its context ends: what is there by then comes with an error that wraps
	// ErrIncomplete. Else the error names every dashboard that could not be seen.
	Latest(ctx context.Context, now time.Time) (ReportRun, error)
	// Close ends the run that is under way.
	Close() error
}

// ReportRun is what a run found.
type ReportRun struct {
	// Dashboards has those that the run has reached, in the order of the configuration.
	Dashboards []Dashboard
	// Age is how long ago the run began.
	Age time.Duration
}

// Dashboard is one of the configured dashboards.
type Dashboard struct {
	// Name is the slug, id or title by which the configuration knows it.
	Name string
	// Failure says why its charts are not known; nil when they are. Failures counts the runs in a row that could not list
	// them, over runs that did not reach it.
	Failure  *ReportFailure
	Failures int
	// Charts are those that the run has reached. Their names are unique.
	Charts []Chart
}

// Chart is one chart of a dashboard, asked for its data as the dashboard does.
type Chart struct {
	// Name is its title on the dashboard, and DataSource the database's name in Superset; empty where that is not known.
	Name, DataSource string
	// Failure is nil when the chart has data, also if that is no row; Failures counts the runs in a row that
	// failed, over runs that did not reach it.
	Failure  *ReportFailure
	Failures int
	// Took is how long the answer took, zero where there was nothing to ask for.
	Took time.Duration

	// The rest is there only without a failure. Rows are those of the chart's first query, and Read is when its data were
	// read from their source: the time of the cache, where the answer came from there.
	Rows int
	Read time.Time
	// Values are a big number, or the single row of metrics that no column divides, by the name of the metric. What is
	// not a number is left out.
	Values map[string]float64
}

// ReportFailure says why a chart has no data, or a dashboard no charts.
type ReportFailure struct {
	Reason ReportReason
	// Text is in plain words and in those of Superset and the data source, without secrets, bounded in length.
	Text string
}

// ReportReason is what somebody has to look into. The set is closed: it becomes a label.
type ReportReason string

// The reasons: first those that only a chart has, then those of both.
const (
	ReportNoQueryContext  ReportReason = "no_query_context" // the chart must be opened and saved once
	ReportDeleted         ReportReason = "deleted"          // the dashboard still shows its place
	ReportQuery           ReportReason = "query"            // the data source refuses the query: a column or table is gone …
	ReportDataSource      ReportReason = "data_source"      // the data source cannot be reached
	ReportDataSourceLogin ReportReason = "data_source_auth" // … or does not accept Superset's password, token or rights there

	ReportTooLarge    ReportReason = "too_large"    // the answer was cut off
	ReportTimeout     ReportReason = "timeout"      // the query, or Superset, took too long
	ReportPermission  ReportReason = "permission"   // the exporter's user may not see it
	ReportNotFound    ReportReason = "not_found"    // there is no such dashboard
	ReportLogin       ReportReason = "login"        // Superset does not let the exporter's user in
	ReportUnreachable ReportReason = "unreachable"  // Superset cannot be reached
	ReportRateLimited ReportReason = "rate_limited" // Superset is asked too often
	ReportServerError ReportReason = "server_error" // Superset fails
	ReportBadAnswer   ReportReason = "bad_answer"   // what answers is not Superset's API
)
