package superset

import (
	"encoding/json"
	"slices"
)

// layout is where things are on a dashboard: its position_json.
type layout map[string]json.RawMessage

// place is where a chart is.
type place struct {
	Type string
	Meta struct {
		ChartID int `json:"chartId"`
		// SliceName is the chart's title when it was put there, Override that which the dashboard gives it.
		SliceName string `json:"sliceName"`
		Override  string `json:"sliceNameOverride"`
	}
	Parents []string // the tabs and rows around it
}

// places returns where the charts are, by their ids.
func (l layout) places() map[int]place {
	found := map[int]place{}
	for _, item := range l {
		var p place
		if json.Unmarshal(item, &p) == nil && p.Type == "CHART" && p.Meta.ChartID != 0 {
			if other, twice := found[p.Meta.ChartID]; twice {
				p.Meta.Override = max(p.Meta.Override, other.Meta.Override) // one name, and always the same
				p.Parents = append(p.Parents, other.Parents...)
			}
			found[p.Meta.ChartID] = p
		}
	}
	return found
}

// filter is a native filter of a dashboard, as far as it matters before anybody touches it.
type filter struct {
	Scope struct {
		RootPath []string `json:"rootPath"`
		Excluded []int
	}
	DefaultDataMask struct {
		ExtraFormData extraFormData `json:"extraFormData"`
	} `json:"defaultDataMask"`
	ControlValues struct {
		// DefaultToFirstItem: the browser asks for the values and takes the first.
		DefaultToFirstItem bool `json:"defaultToFirstItem"`
	} `json:"controlValues"`
}

// extraFormData is what a filter's default adds to the queries of the charts in its scope.
type extraFormData struct {
	Filters     []map[string]any `json:"filters"`
	TimeRange   string           `json:"time_range"`
	TimeGrain   string           `json:"time_grain_sqla"`
	Granularity string           `json:"granularity_sqla"`
}

// covers tells whether the chart at p is in the filter's scope. Superset keeps a list of these charts too (chartsInScope),
// which may be out of date, and makes it again when the dashboard is opened.
func (f filter) covers(chart int, p place) bool {
	if slices.Contains(f.Scope.Excluded, chart) || f.ControlValues.DefaultToFirstItem {
		return false
	}
	parents := append([]string{"ROOT_ID"}, p.Parents...)
	return slices.ContainsFunc(f.Scope.RootPath, func(root string) bool { return slices.Contains(parents, root) })
}

// apply adds the defaults to a query, as the dashboard does.
func (e extraFormData) apply(query map[string]any) {
	filters, _ := query["filters"].([]any)
	for _, f := range e.Filters {
		extra := map[string]any{"isExtra": true} // the server leaves out what the chart's dataset has no column for
		for key, value := range f {
			extra[key] = value
		}
		filters = append(filters, extra)
	}
	if len(e.Filters) > 0 {
		query["filters"] = filters
	}
	if e.TimeRange != "" {
		query["time_range"] = e.TimeRange
	}
	if e.Granularity != "" {
		query["granularity"] = e.Granularity
	}
	if e.TimeGrain != "" {
		extras, _ := query["extras"].(map[string]any)
		if extras == nil {
			extras = map[string]any{}
		}
		extras["time_grain_sqla"] = e.TimeGrain
		query["extras"] = extras
	}
}
