package main

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
	Type string `json:"type"`
	Mode string `json:"mode,omitempty"`
}

// key is a label that has a column, with the links of its cells.
type key struct {
	label, title string
	width        int
	links        []link
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

// sign is a column of states, each of which leads to its client.
func sign(ref, title string, width int, expr string) column {
	return column{ref: ref, title: title, width: width, align: "center", words: states(), links: clientKey().links, expr: expr}
}

// clientKey leads to a client's dashboard.
func clientKey() key {
	return key{label: "client", title: "Client", width: 90, links: toClient("${__data.fields.client}")}
}

// table shows its rows by their keys, in this order, and then the columns.
func table(title, description string, keys []key, columns ...column) panel {
	arranged := organize{
		ExcludeByName: map[string]bool{"Time": true}, IndexByName: map[string]int{}, RenameByName: map[string]string{},
	}
	p := panel{
		Type: "table", Title: title, Description: description, GridPos: gridPos{W: 12, H: 8}, Datasource: prometheus(),
		FieldConfig: &fieldConfig{Defaults: field{Custom: cell{CellOptions: cellOptions{Type: "auto"}, MinWidth: narrow}}},
		Options:     tableOptions{ShowHeader: true, CellHeight: "sm", SortBy: []sortBy{}},
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
			properties = append(properties, property{"custom.width", k.width})
		}
		if k.links != nil {
			properties = append(properties, property{"links", k.links})
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
	p.Transformations = []transformation{{ID: "merge"}, {ID: "organize", Options: arranged}}
	return p
}

// properties are a column's difference from a plain one.
func (c column) properties() []property {
	var properties []property
	if c.unit != "" {
		properties = append(properties, property{"unit", c.unit})
	}
	if c.width > 0 {
		properties = append(properties, property{"custom.width", c.width})
	}
	if c.links != nil {
		properties = append(properties, property{"links", c.links})
	}
	if c.align != "" {
		properties = append(properties, property{"custom.align", c.align})
	}
	if c.words != nil {
		properties = append(properties, property{"mappings", []mapping{{Type: "value", Options: c.words}}},
			property{"custom.cellOptions", cellOptions{Type: "color-background", Mode: "basic"}})
	}
	if c.colors != nil {
		properties = append(properties, property{"thresholds", thresholds{Mode: "absolute", Steps: c.colors}},
			property{"color", color{Mode: "thresholds"}}, property{"custom.cellOptions", cellOptions{Type: "color-text"}})
	}
	return properties
}

// sorted returns the table in the order of a column, with the least or the greatest first, and within that as it was sorted.
func (p panel) sorted(title string, greatestFirst bool) panel {
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

// noRow is a row of 0 for each client of which is known that there is nothing to list.
func noRow(collector string) string {
	return `
or on (client)
0 * max by (client) (oms_collector_success{client=~"$client", collector="` + collector + `"} == 1)`
}
