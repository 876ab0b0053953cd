package main

import "strconv"

type graphOptions struct {
	Legend  graphLegend  `json:"legend"`
	Tooltip graphTooltip `json:"tooltip"`
}

type graphLegend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
	SortBy      string   `json:"sortBy"`
	SortDesc    bool     `json:"sortDesc"`
}

type graphTooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

type graphStyle struct {
	DrawStyle   string `json:"drawStyle"`
	LineWidth   int    `json:"lineWidth"`
	FillOpacity int    `json:"fillOpacity"`
	ShowPoints  string `json:"showPoints"`
}

type lineStyle struct {
	Fill string `json:"fill"`
	Dash []int  `json:"dash"`
}

// limitRef is the name of the queries that are drawn as limits.
const limitRef = "limit"

// graph shows series over the dashboard's time range.
func graph(title, description, unit string, series ...target) panel {
	for i := range series {
		if series[i].RefID == "" {
			series[i].RefID = string(rune('A' + i))
		}
		series[i].Datasource, series[i].Range = prometheus(), true
	}
	calcs := []string{"lastNotNull", "max"}
	if unit == duration { // two are too long for a laptop
		calcs = calcs[:1]
	}
	return panel{
		Type: "timeseries", Title: title, Description: description, GridPos: gridPos{W: 12, H: 9},
		Datasource: prometheus(), Interval: scrapeInterval, Targets: series,
		FieldConfig: &fieldConfig{
			Defaults: field{
				Unit: unit, Decimals: decimals(unit), Color: &color{Mode: "palette-classic"}, Links: toClient("${__field.labels.client}"),
				Custom: graphStyle{DrawStyle: "line", LineWidth: 1, FillOpacity: 5, ShowPoints: "never"},
			},
			Overrides: []override{{
				Matcher: matcher{ID: "byFrameRefID", Options: limitRef},
				Properties: []property{
					{"color", color{Mode: "fixed", FixedColor: "red"}},
					{"custom.lineStyle", lineStyle{Fill: "dash", Dash: []int{10, 10}}},
					{"custom.fillOpacity", 0},
				},
			}},
		},
		Options: graphOptions{
			Legend: graphLegend{
				DisplayMode: "table", Placement: "bottom", ShowLegend: true, Calcs: calcs,
				SortBy: "Last *", SortDesc: true,
			},
			Tooltip: graphTooltip{Mode: "multi", Sort: "desc"},
		},
	}
}

// unlinked returns the graph without links, for series that are of no client.
func (p panel) unlinked() panel {
	p.FieldConfig.Defaults.Links = nil
	return p
}

// series is a query of a graph. The legend is a template of labels.
func series(legend, expr string) target {
	return target{LegendFormat: legend, Expr: expr}
}

// limit draws a limit of rules/limits.yml as a line, one for each client and for each value of the labels.
func limit(name string, labels ...string) target {
	by, legend := "client", "{{client}} limit"
	for _, label := range labels {
		by += ", " + label
		legend += " {{" + label + "}}"
	}
	return target{
		RefID: limitRef, LegendFormat: legend,
		Expr: "max by (" + by + `) (oms:limit{limit=` + strconv.Quote(name) + `, job_name="", client=~"$client"})`,
	}
}

// decimals are those of a unit: of a duration, how many smaller units follow the largest; those of a share tell some minutes of a month.
func decimals(unit string) *int {
	digits, known := map[string]int{duration: 1, share: 2}[unit]
	if !known {
		return nil
	}
	return &digits
}

type statOptions struct {
	ColorMode     string        `json:"colorMode"`
	GraphMode     string        `json:"graphMode"`
	JustifyMode   string        `json:"justifyMode"`
	TextMode      string        `json:"textMode"`
	ReduceOptions reduceOptions `json:"reduceOptions"`
	WideLayout    bool          `json:"wideLayout"` // name and value side by side, where there is room; from Grafana 10.2 on
	Text          *textSizes    `json:"text,omitempty"`
}

// textSizes are in pixels. Without them Grafana takes what fits.
type textSizes struct {
	TitleSize int `json:"titleSize"`
	ValueSize int `json:"valueSize"`
}

type reduceOptions struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

// stat shows one number now, coloured from the first threshold on.
func stat(title, description, unit string, steps []step, now target) panel {
	now.RefID, now.Datasource, now.Instant = "A", prometheus(), true
	return panel{
		Type: "stat", Title: title, Description: description, GridPos: gridPos{W: 4, H: 3},
		Datasource: prometheus(), Interval: scrapeInterval, Targets: []target{now},
		FieldConfig: &fieldConfig{
			Defaults: field{
				Unit: unit, Decimals: decimals(unit), Color: &color{Mode: "thresholds"}, Thresholds: &thresholds{Mode: "absolute", Steps: steps},
			},
			Overrides: []override{},
		},
		Options: statOptions{
			ColorMode: "value", GraphMode: "none", JustifyMode: "auto", TextMode: "auto",
			ReduceOptions: reduceOptions{Calcs: []string{"lastNotNull"}},
		},
	}
}

// named returns the number with the name of its series above it. A duration is long: beside its name it would have a third of the width.
func (p panel) named() panel {
	options := p.Options.(statOptions)
	options.TextMode = "value_and_name"
	if p.FieldConfig.Defaults.Unit == duration {
		options.Text = &textSizes{TitleSize: 12, ValueSize: 14}
	}
	p.Options = options
	return p
}

// says shows a word in the place of a value; it takes a list of both.
func (p panel) says(words ...string) panel {
	options := map[string]result{}
	for i := 0; i+1 < len(words); i += 2 {
		options[words[i]] = result{Text: words[i+1], Index: i / 2}
	}
	p.FieldConfig.Defaults.Mappings = []mapping{{Type: "value", Options: options}}
	return p
}

// steps returns thresholds: the first colour, and then each from a value on.
func steps(first string, more ...step) []step {
	return append([]step{{Color: first}}, more...)
}

func from(value int, color string) step { return step{Color: color, Value: &value} }
