package main

import (
	"fmt"
	"strings"
)

// check is a column of the daily check: the state that rules/check_state.yml records, which leads to a panel of the client's page.
type check struct {
	name  string // the label check of oms:check_state
	title string // short: all columns fit on a laptop
	means string
	panel string
}

// checks are the columns of the daily check, in the order of the guide, and what the guide does not name.
func checks() []check {
	return []check{
		{"created", "Created", "orders in created", "Oldest order in created"},
		{"brokering", "Broker", "orders in the brokering queue", "Oldest approved order not fulfilled"},
		{"unfulfilled", "Fulfil", "approved orders not fulfilled", "Approved orders not fulfilled"},
		{"parking", "Park", "unfillable and rejected orders", "Oldest parked order"},
		{"import", "Import", "orders that are not imported, or are missing", "Last import"},
		{"last_mile", "Sync", "orders that do not reach the ERP, or are duplicates", "Orders not synced"},
		{"job_running", "Jobs", "jobs that run for too long", "Runs of more than 15 minutes"},
		{"job_failing", "Fails", "jobs that fail", "Failing jobs"},
		{"scheduler", "Starts", "jobs that do not start", "Runs overdue for more than 15 minutes"},
		{"reset_inventory", "Reset", "reset-inventory files", "Reset inventory"},
		{"sftp", "SFTP", "drop folders", "Drop folders"},
		{"files_pending", "Waits", "data-manager files that are waiting", "Oldest waiting file"},
		{"files_running", "Runs", "data-manager files that are running", "Longest running file"},
		{"files_failed", "Failed", "data-manager files that failed", "Files by configuration"},
		{"system_messages", "Msgs", "system messages", "System messages by type"},
		{"reports", "Tathya", "dashboards and charts", "Charts"},
		{"measurement", "Data", "the measurement itself", "Collectors"},
	}
}

// worst orders clients: broken checks count most, then unknown ones, then those that are near.
const worst = `400 * sum by (client) (oms:check_state{client=~"$client"} == bool 2)
+ 20 * sum by (client) (oms:check_state{client=~"$client"} == bool 3)
+ sum by (client) (oms:check_state{client=~"$client"} == bool 1)`

// checksTable has a row for each client that was watched within a day, the worst first, and a sign for each check.
func checksTable() panel {
	columns := []column{{ref: "worst", hidden: true, expr: worst}}
	panels := clientPanels()
	var legend []string
	for _, c := range checks() {
		column := sign(c.name, c.title, `max by (client) (oms:check_state{client=~"$client", check="`+c.name+`"})`)
		column.links = toPanel("${__data.fields.client}", c.panel, panels[c.panel])
		columns = append(columns, column)
		legend = append(legend, fmt.Sprintf("%s: %s", c.title, c.means))
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
