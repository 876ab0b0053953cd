package superset

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// maxQuery is how many bytes a chart's query may have. It is held while the chart is asked for its data.
const maxQuery = 256 << 10

// measure asks for a chart's data as the dashboard does: what the chart's query was when it was saved, together with the
// defaults of the dashboard's filters. A cached answer is welcome. The error is of another than the chart.
func (a *account) measure(ctx context.Context, c chart, timeout time.Duration) (oms.Chart, error) {
	measured := oms.Chart{Name: c.name, DataSource: c.dataSource}
	err := a.fill(ctx, c, timeout, &measured)
	if f, ok := err.(*failure); ok { //nolint:errorlint // whatever wraps one is not the chart's
		measured.Failure, err = &f.ReportFailure, nil
	}
	return measured, err
}

func (a *account) fill(ctx context.Context, c chart, timeout time.Duration, measured *oms.Chart) error {
	var saved struct {
		Result struct {
			QueryContext string `json:"query_context"`
		}
	}
	settings := request{method: http.MethodGet, path: fmt.Sprintf("/api/v1/chart/%d", c.id), chart: true}
	if _, err := a.call(ctx, settings, decode(&saved)); reason(err) == oms.ReportNotFound {
		// The dashboard lists it, so it exists.
		return a.fail(oms.ReportPermission, "the chart's dataset is hidden from %s, grant it in Superset", a.user())
	} else if err != nil {
		return err
	}
	if saved.Result.QueryContext == "" {
		return a.fail(oms.ReportNoQueryContext, "the chart was saved without its query, open the chart and save it")
	}
	if len(saved.Result.QueryContext) > maxQuery || checkText(saved.Result.QueryContext) != nil {
		return a.fail(oms.ReportTooLarge, "the query of the chart has more than %d KiB or %d values, make it smaller", maxQuery>>10, maxElements)
	}
	var query map[string]any
	err := json.Unmarshal([]byte(saved.Result.QueryContext), &query)
	if err == nil && query == nil {
		err = errForm
	}
	if err != nil {
		return a.fail(oms.ReportNoQueryContext, "Superset cannot read the query of the chart, open the chart and save it: %v", err)
	}
	body, err := json.Marshal(c.prepare(query))
	if err != nil {
		return err
	}
	got := answer{values: c.valued(query)}
	measured.Took, err = a.call(ctx, request{
		method: http.MethodPost, path: "/api/v1/chart/data", about: "(" + c.name + ")", body: body, data: true, timeout: timeout,
	}, func(r *guard) (int, error) {
		got = answer{values: got.values}
		err := got.read(r)
		return got.rows, err
	})
	if err != nil {
		return err
	}
	measured.Rows, measured.Values, measured.Read = got.rows, got.numbers, got.cached
	if got.cached.IsZero() {
		measured.Read = a.now()
	}
	return nil
}

// prepare makes of the saved query what the dashboard asks.
func (c chart) prepare(query map[string]any) map[string]any {
	query["force"], query["result_format"], query["result_type"] = false, "json", "full"
	form, _ := query["form_data"].(map[string]any)
	if form == nil {
		form = map[string]any{}
	}
	form["slice_id"], form["dashboardId"] = c.id, c.dashboard // by which a role may be given the dashboard alone
	query["form_data"] = form
	for _, q := range queries(query) {
		for _, f := range c.filters {
			f.apply(q)
		}
	}
	return query
}

func queries(query map[string]any) []map[string]any {
	list, _ := query["queries"].([]any)
	var all []map[string]any
	for _, q := range list {
		if q, ok := q.(map[string]any); ok {
			all = append(all, q)
		}
	}
	return all
}

// valued tells which columns of the chart's data are not values; nil for a chart that is not about single values.
func (c chart) valued(query map[string]any) map[string]bool {
	all := queries(query)
	if len(all) == 0 {
		return nil
	}
	columns, _ := all[0]["columns"].([]any)
	metrics, _ := all[0]["metrics"].([]any)
	series, _ := all[0]["is_timeseries"].(bool)
	trend := c.vizType == "big_number" && (c.aggregation == "" || c.aggregation == "LAST_VALUE")
	if !trend && (len(columns) > 0 || len(metrics) == 0 || series || c.vizType == "big_number") {
		return nil
	}
	divides := map[string]bool{"__timestamp": true}
	for _, column := range columns {
		if adhoc, ok := column.(map[string]any); ok {
			column = adhoc["label"]
		}
		if name, ok := column.(string); ok {
			divides[name] = true
		}
	}
	return divides
}
