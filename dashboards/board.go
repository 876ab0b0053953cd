package main

// What all dashboards share: their variables and links, and the order in which panels fill the screen.

const (
	tag         = "oms"
	screenWidth = 24
	// A range of fewer than four scrapes can be one without any rate.
	scrapeInterval = "30s"
)

// prometheus is the data source that is selected.
func prometheus() *datasource { return &datasource{Type: "prometheus", UID: "${datasource}"} }

// section is a titled part of a dashboard. Its panels are laid from left to right, line by line.
type section struct {
	title  string
	panels []panel
}

// newDashboard lays the sections out. Every dashboard has the same variables, so that a link between two of them can
// carry all there is.
func newDashboard(uid, title, description, since string, sections ...section) dashboard {
	d := dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{tag},
		Timezone: "utc", SchemaVersion: 38, GraphTooltip: 1,
		Refresh: "30s", Time: timeRange{From: since, To: "now"},
		Links: []dashboardLink{{
			Title: "OMS", Type: "dashboards", Icon: "external link", Tags: []string{tag}, AsDropdown: true, IncludeVars: true, KeepTime: true,
		}},
		Templating: list[variable]{[]variable{
			{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1},
			{
				Name: "client", Label: "Client", Type: "query", Datasource: prometheus(),
				Query:   variableQuery{Query: "label_values(oms_client_info, client)", RefID: "client"},
				Refresh: 2, Multi: true, IncludeAll: true, AllValue: ".+", Sort: 1,
				Current: selection{Text: "All", Value: "$__all"},
			},
		}},
		Annotations: list[mark]{[]mark{}},
	}
	y := 0
	for _, s := range sections {
		if s.title != "" {
			d.Panels = append(d.Panels, panel{
				ID: len(d.Panels) + 1, Type: "row", Title: s.title, Panels: []panel{}, GridPos: gridPos{Y: y, W: screenWidth, H: 1},
			})
			y++
		}
		x, height := 0, 0
		for _, p := range s.panels {
			if x+p.GridPos.W > screenWidth {
				x, y, height = 0, y+height, 0
			}
			p.ID, p.GridPos.X, p.GridPos.Y = len(d.Panels)+1, x, y
			x, height = x+p.GridPos.W, max(height, p.GridPos.H)
			d.Panels = append(d.Panels, p)
		}
		y += height
	}
	return d
}

// closed returns the dashboard with its titled sections closed: what is in them asks nothing of Prometheus until somebody opens them.
func (d dashboard) closed() dashboard {
	var laid []panel
	var row *panel
	up := 0 // by how much the closed sections above let a panel rise
	for _, p := range d.Panels {
		if p.Type == "row" && row != nil {
			up = p.GridPos.Y - (row.GridPos.Y + row.GridPos.H)
		}
		p.GridPos.Y -= up
		switch {
		case p.Type == "row":
			p.Collapsed = true
			laid = append(laid, p)
			row = &laid[len(laid)-1]
		case row != nil:
			row.Panels = append(row.Panels, p)
		default:
			laid = append(laid, p)
		}
	}
	d.Panels = laid
	return d
}

// each calls a function for each panel, also those of closed sections.
func (d dashboard) each(do func(*panel)) {
	for i := range d.Panels {
		do(&d.Panels[i])
		for j := range d.Panels[i].Panels {
			do(&d.Panels[i].Panels[j])
		}
	}
}

// size returns the panel with another size than its kind's.
func (p panel) size(width, height int) panel {
	p.GridPos = gridPos{W: width, H: height}
	return p
}

// emptyMeans says in words what it means that there is nothing to show; of tables Grafana would say it in each empty cell.
func (p panel) emptyMeans(words string) panel {
	p.FieldConfig.Defaults.NoValue = words
	return p
}

// toClient links to what is known of a client, of the same time. The name is an expression of Grafana's.
func toClient(name string) []link {
	return []link{{
		Title: "Dashboard of " + name,
		URL:   "/d/" + clientUID + "?${datasource:queryparam}&var-client=" + name + "&${__url_time_range}",
	}}
}
