package main

import (
	"fmt"
	"math"
)

// Tables show what is now: each column is an instant query, and rows that have the same labels are made one.

type tableOptions struct {
	ShowHeader bool     `json:"showHeader"`
	CellHeight string   `json:"cellHeight"` // from Grafana 9.5 on
	SortBy     []sortBy `json:"sortBy"`
}

type sortBy struct {
	DisplayName string `json:"displayName"`
	Desc        bool   `json:"desc"`
}

// cell is the look of cells.
type cell struct {
	CellOptions cellOptions `json:"cellOptions"`
	MinWidth    int         `json:"minWidth"`
}

type cellOptions struct {
	Type     string `json:"type"`
	Mode     string `json:"mode,omitempty"`
	WrapText bool   `json:"wrapText,omitempty"`
}

// key is a label that has a column, with the links of its cells.
type key struct {
	label, title string
	width        int
	links        []link
	words        map[string]result // in the label's place
	wrap         bool              // onto more lines, from Grafana 11 on
}

// column is a query, which may bring labels of its own, besides the table's keys.
type column struct {
	ref, title string
	expr       string
	unit       string
	width      int
	align      string
	links      []link
	colors     []step            // of the value
	words      map[string]result // in the value's place
	hidden     bool              // only its labels are shown
}

// narrow is the width of a sign: Grafana makes no column narrower.
const narrow = 50

// duration is a unit in words: "2 hours, 41 minutes", and what is less than 0 is "ago".
const (
	duration      = "dtdurations"
	share         = "percentunit"     // of 1
	durationWidth = 174               // of "44 minutes, 44 seconds"
	lateWidth     = 204               // of the same with "ago"
	ago           = "dateTimeFromNow" // of a time in milliseconds: "18 hours ago"
	agoWidth      = 132               // of "a few seconds ago"
	sortArrow     = 22                // beside the title of a column by which a table is sorted
)

// sign is a column of states.
func sign(ref, title string, expr string) column {
	return column{ref: ref, title: title, width: narrow, align: "center", words: states(), expr: expr}
}

// clientKey leads to a client's dashboard. NEWERA fits, also in Grafana's older table: it writes links in medium weight, with 12 pixels behind
// them.
func clientKey() key {
	return key{label: "client", title: "Client", width: 88, links: toClient("${__data.fields.client}")}
}

// letters are the widths of Inter's letters, medium, of 14 pixels: Grafana writes titles so.
func letters() map[rune]float64 {
	return map[rune]float64{
		' ': 3.71, ',': 4.03, '.': 3.96, '-': 6.48, '/': 5.15, '_': 6.44, '\'': 3.04,
		'0': 9.04, '1': 6.62, '2': 8.59, '3': 9.02, '4': 9.16, '5': 8.68, '6': 8.9, '7': 8.1, '8': 8.84, '9': 8.9,
		'A': 9.8, 'B': 9.16, 'C': 10.3, 'D': 10.1, 'E': 8.44, 'F': 8.2, 'G': 10.49, 'H': 10.39, 'I': 3.77, 'J': 7.73, 'K': 9.3, 'L': 7.9, 'M': 12.57,
		'N': 10.46, 'O': 10.75, 'P': 8.95, 'Q': 10.76, 'R': 9.03, 'S': 9.01, 'T': 9.11, 'U': 10.33, 'V': 9.8, 'W': 13.69, 'X': 9.33, 'Y': 9.59, 'Z': 8.94,
		'a': 7.97, 'b': 8.76, 'c': 7.95, 'd': 8.76, 'e': 8.22, 'f': 5.17, 'g': 8.64, 'h': 8.43, 'i': 3.49, 'j': 3.49, 'k': 7.79, 'l': 3.49, 'm': 12.37,
		'n': 8.36, 'o': 8.43, 'p': 8.64, 'q': 8.64, 'r': 5.38, 's': 7.5, 't': 5.21, 'u': 8.32, 'v': 7.93, 'w': 11.55, 'x': 7.72, 'y': 7.93, 'z': 7.72,
	}
}

// titleAround are the pixels beside the title of a column: 6 on either side, 1 for the border, and the rest for browsers that write wider.
const titleAround = 15

// titleWidth is how wide a column has to be so that its title is not cut.
func titleWidth(title string) int {
	width, widths := 0.0, letters()
	for _, letter := range title {
		w, known := widths[letter]
		if !known {
			panic(fmt.Sprintf("the width of %q in the title %q is not known", letter, title))
		}
		width += w
	}
	return int(math.Ceil(width)) + titleAround
}

// table shows its rows by their keys, in this order, and then the columns.
func table(title, description string, keys []key, columns ...column) panel {
	arranged := organize{
		ExcludeByName: map[string]bool{"Time": true}, IndexByName: map[string]int{}, RenameByName: map[string]string{},
	}
	p := panel{
		Type: "table", Title: title, Description: description, GridPos: gridPos{W: 12, H: 8}, Datasource: prometheus(),
		FieldConfig: &fieldConfig{
			Defaults: field{Custom: cell{CellOptions: cellOptions{Type: "auto"}, MinWidth: narrow}}, Overrides: []override{},
		},
		Options: tableOptions{ShowHeader: true, CellHeight: "sm", SortBy: []sortBy{}},
	}
	add := func(name, title string, properties ...property) {
		arranged.IndexByName[name] = len(arranged.IndexByName)
		arranged.RenameByName[name] = title
		if len(properties) > 0 {
			p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{matcher{"byName", name}, properties})
		}
	}
	for _, k := range keys {
		var properties []property
		if k.width > 0 {
			properties = append(properties, property{"custom.width", max(k.width, titleWidth(k.title))})
		}
		if k.links != nil {
			properties = append(properties, property{"links", k.links})
		}
		if k.words != nil {
			properties = append(properties, inWords(k.words)...)
		}
		if k.wrap {
			properties = append(properties, property{"custom.cellOptions", cellOptions{Type: "auto", WrapText: true}})
		}
		add(k.label, k.title, properties...)
	}
	for _, c := range columns {
		p.Targets = append(p.Targets, target{RefID: c.ref, Datasource: prometheus(), Expr: c.expr, Format: "table", Instant: true})
		name := "Value #" + c.ref
		if len(columns) == 1 {
			name = "Value" // so Grafana calls the only one
		}
		if c.hidden {
			arranged.ExcludeByName[name] = true
			continue
		}
		add(name, c.title, c.properties()...)
	}
	p.Transformations = []transformation{{ID: "merge", Options: struct{}{}}, {ID: "organize", Options: arranged}}
	return p
}

// arranged is the order of a table's columns, and their titles.
func (p panel) arranged() organize {
	return p.Transformations[len(p.Transformations)-1].Options.(organize)
}

// properties are a column's difference from a plain one.
func (c column) properties() []property {
	var properties []property
	width := c.width
	if c.unit != "" {
		properties = append(properties, property{"unit", c.unit},
			property{"mappings", []mapping{{Type: "special", Options: special{Match: "nan", Result: result{Text: "?", Color: "purple"}}}}})
	}
	if d := decimals(c.unit); d != nil {
		properties = append(properties, property{"decimals", *d})
	}
	switch c.unit {
	case duration:
		width = max(width, durationWidth)
	case ago:
		width = max(width, agoWidth)
	}
	if width > 0 {
		properties = append(properties, property{"custom.width", max(width, titleWidth(c.title))})
	}
	if c.links != nil {
		properties = append(properties, property{"links", c.links})
	}
	if c.align != "" {
		properties = append(properties, property{"custom.align", c.align})
	}
	if c.words != nil {
		properties = append(properties, inWords(c.words)...)
	}
	if c.colors != nil {
		properties = append(properties, property{"thresholds", thresholds{Mode: "absolute", Steps: c.colors}},
			property{"color", color{Mode: "thresholds"}}, property{"custom.cellOptions", cellOptions{Type: "color-text"}})
	}
	return properties
}

// inWords shows words on their colours. What has neither, such as an empty cell, has no colour: Grafana would paint it green.
func inWords(words map[string]result) []property {
	return []property{
		{"mappings", []mapping{{Type: "value", Options: words}}},
		{"custom.cellOptions", cellOptions{Type: "color-background", Mode: "basic"}},
		{"thresholds", thresholds{Mode: "absolute", Steps: steps("transparent")}},
		{"color", color{Mode: "thresholds"}},
	}
}

// sorted returns the table in the order of a column, with the least or the greatest first, and within that as it was sorted.
func (p panel) sorted(title string, greatestFirst bool) panel {
	for _, o := range p.FieldConfig.Overrides {
		for i, property := range o.Properties {
			if width, ok := property.Value.(int); ok && property.ID == "custom.width" && p.arranged().RenameByName[o.Matcher.Options] == title {
				o.Properties[i].Value = max(width, titleWidth(title)+sortArrow)
			}
		}
	}
	options := p.Options.(tableOptions)
	options.SortBy = append([]sortBy{{title, greatestFirst}}, options.SortBy...)
	p.Options = options
	return p
}

// Words for what is 0 or 1.
func yesIsBad() map[string]result {
	return map[string]result{"0": {Text: "no", Color: "green", Index: 0}, "1": {Text: "yes", Color: "red", Index: 1}}
}

func yesIsGood() map[string]result {
	return map[string]result{"0": {Text: "no", Color: "red", Index: 0}, "1": {Text: "yes", Color: "green", Index: 1}}
}

// orClient is a row for each client that has no other, of a column that is hidden.
const orClient = `
or on (client)
0 * oms:client{client=~"$client"}`

// orUnknown is a row for each client for which it is unknown whether there is anything to list: it says so in the place of a label. Its
// value is the given one.
func orUnknown(collector, label, value string) string {
	return `
or on (client)
label_replace(` + value + ` + 0 * max by (client) (
  oms:client_blind{client=~"$client"} or on (client) oms:collector_unknown{client=~"$client", collector="` + collector + `"}
), "` + label + `", "cannot be measured", "", "")`
}

// noRow is a row of 0 for each client of which is known that there is nothing to list.
func noRow(collector string) string {
	return `
or on (client)
0 * max by (client) (
  oms_collector_success{client=~"$client", collector="` + collector + `"} == 1
  unless on (client) oms:client_blind unless on (client) oms:collector_unknown{collector="` + collector + `"}
)`
}
