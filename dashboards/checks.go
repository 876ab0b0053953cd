package main

import (
	"fmt"
	"strings"

	"github.com/oms-exporter/oms_exporter/collector"
)

// worst orders clients: broken checks count most, then unknown ones, then those that are near.
const worst = `400 * sum by (client) (oms:check_state{client=~"$client"} == bool 2)
+ 20 * sum by (client) (oms:check_state{client=~"$client"} == bool 3)
+ sum by (client) (oms:check_state{client=~"$client"} == bool 1)`

// checksTable has a row for each client that was watched within a day, the worst first, and a sign for each check.
func checksTable() panel {
	columns := []column{{ref: "worst", hidden: true, expr: worst}}
	panels := clientPanels()
	var legend []string
	for _, c := range collector.Checks() {
		column := sign(c.Name, c.Title, `max by (client) (oms:check_state{client=~"$client", check="`+c.Name+`"})`)
		column.links = toPanel("${__data.fields.client}", c.Panel, panels[c.Panel])
		columns = append(columns, column)
		legend = append(legend, fmt.Sprintf("%s: %s", c.Title, c.Means))
	}
	p := table("Checks", statesHelp+"The worst client comes first. Each symbol links to its panel on the client's dashboard. "+strings.Join(legend, " · "), []key{clientKey()}, columns...)
	order := transformation{ID: "sortBy", Options: orderBy{[]orderField{{"Value #worst", true}}}}
	p.Transformations = []transformation{p.Transformations[0], order, p.Transformations[1]}
	return p
}

// toPanel links to a panel of a client's page, of the same time. The name is an expression of Grafana's.
func toPanel(name, title string, id int) []link {
	links := toClient(name)
	links[0].Title = title + " of " + name
	links[0].URL += fmt.Sprintf("&viewPanel=%d", id)
	return links
}
