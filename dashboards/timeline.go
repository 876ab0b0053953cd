package main

import "github.com/oms-exporter/oms_exporter/collector"

type timelineOptions struct {
	AlignValue  string       `json:"alignValue"`
	MergeValues bool         `json:"mergeValues"`
	RowHeight   float64      `json:"rowHeight"`
	ShowValue   string       `json:"showValue"`
	Legend      graphLegend  `json:"legend"`
	Tooltip     graphTooltip `json:"tooltip"`
}

type timelineStyle struct {
	LineWidth   int `json:"lineWidth"`
	FillOpacity int `json:"fillOpacity"`
}

type joinBy struct {
	ByField string `json:"byField"`
	Mode    string `json:"mode"`
}

// statesTimeline has a line for each check, in the order, colours and words of the daily check.
func statesTimeline() panel {
	q := series("{{check}}", `max by (check) (oms:check_state{client=~"$client"})`)
	q.RefID, q.Datasource, q.Range = "A", prometheus(), true
	order := organize{IndexByName: map[string]int{"Time": 0}, RenameByName: map[string]string{}}
	p := panel{
		Type: "state-timeline", Title: "The last week", Description: statesHelp + "Each line links to the panel of its check.",
		Datasource: prometheus(), TimeFrom: "7d", Targets: []target{q},
		// One value for each 10 minutes, which is the least that an alert fires: keep_firing_for in rules/*.yml.
		Interval: "10m", MaxDataPoints: 7 * 24 * 6,
		FieldConfig: &fieldConfig{
			Defaults: field{
				Unit: "none", Color: &color{Mode: "thresholds"}, Thresholds: &thresholds{Mode: "absolute", Steps: steps("transparent")},
				Mappings: []mapping{{Type: "value", Options: statesInWords()}}, Custom: timelineStyle{FillOpacity: 80},
			},
			Overrides: []override{},
		},
		Options: timelineOptions{
			AlignValue: "left", MergeValues: true, RowHeight: 0.9, ShowValue: "never",
			Legend:  graphLegend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}},
			Tooltip: graphTooltip{Mode: "single", Sort: "none"},
		},
	}
	panels := clientPanels()
	for i, c := range collector.Checks() {
		order.IndexByName[c.Name], order.RenameByName[c.Name] = i+1, c.Title
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
			matcher{"byName", c.Title}, []property{{"links", toPanel("${client}", c.Panel, panels[c.Panel])}},
		})
	}
	p.Transformations = []transformation{{ID: "joinByField", Options: joinBy{"Time", "outer"}}, {ID: "organize", Options: order}}
	return p
}
