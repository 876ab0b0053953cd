package main

import "strings"

const clientUID = "oms-client"

// client is all that is known of a client, with its history: first what is wrong, and the rest in closed sections.
func client(to texts) dashboard {
	wrong := problemsTable(to)
	wrong.Title = "What is wrong now"
	d := clientWith(wrong.size(screenWidth, 8), statesTimeline().size(screenWidth, 13)).ofOneClient()
	d.Annotations.List = append(d.Annotations.List, deadlines(), alerts())
	return d
}

// clientWith is the client's dashboard with its first panels, which link to the others.
func clientWith(first, second panel) dashboard {
	return newDashboard(clientUID, "OMS client", "All that is known of a client: what is wrong now, and orders, jobs, files and reports.", "now-24h",
		section{panels: []panel{first, second}},
		ordersSection(), lastMileSection(), jobsSection(), resetInventorySection(), dataManagerSection(), messagesSection(), tathyaSection(),
		section{"Measurement", []panel{collectorsTable()}}).closed()
}

// ofOneClient returns the dashboard for one client at a time: its name is at the top, and in no legend and no table.
func (d dashboard) ofOneClient() dashboard {
	v := &d.Templating.List[1]
	v.Multi, v.IncludeAll, v.AllValue, v.Current = false, false, "", selection{}
	d.each(func(p *panel) {
		for j, q := range p.Targets {
			legend := strings.TrimSpace(strings.TrimPrefix(q.LegendFormat, "{{client}}"))
			if legend == "" && q.LegendFormat != "" {
				legend = p.Title
			}
			p.Targets[j].LegendFormat = legend
		}
		switch p.Type {
		case "timeseries":
			*p = p.unlinked()
		case "table":
			p.arranged().ExcludeByName["client"] = true
		}
	})
	return d
}

// clientPanels are the numbers of the panels of the client's dashboard, by their titles.
func clientPanels() map[string]int {
	ids := map[string]int{}
	clientWith(panel{}, panel{}).each(func(p *panel) { ids[p.Title] = p.ID })
	return ids
}

// alerts marks in every graph when pages and tickets fired that Alertmanager does not inhibit.
func alerts() mark {
	return mark{
		Name: "Alerts", Datasource: prometheus(), Enable: true, IconColor: "red", Step: "1m",
		Expr:        `max by (client, severity, alertname) (oms:problem{client=~"$client|all"})`,
		TitleFormat: "{{severity}}: {{alertname}}", TextFormat: "{{client}}",
	}
}

// messagesSection is about Moqui's integration messages.
func messagesSection() section {
	return section{"System messages", []panel{
		table("System messages by type", "Moqui's messages in and out that wait, are in work, or failed. A row without a type: there is none.",
			[]key{clientKey(), {label: "type", title: "Type"}, {label: "direction", title: "Direction", width: 90}, {label: "status", title: "Status", width: 100}},
			column{
				ref: "messages", title: "Messages", unit: "none", width: 90,
				expr: `(max by (client, type, direction, status) (oms_system_messages{client=~"$client"}) > 0)` + noRow("system_messages") + orUnknown("system_messages", "type", notKnown),
			},
			column{
				ref: "oldest", title: "Oldest", unit: duration, width: 100,
				expr: `(max by (client, type, direction, status) (oms_system_message_oldest_age_seconds{client=~"$client"}) > 0)` + noRow("system_messages"),
			}).sorted("Oldest", true).size(screenWidth, 8),
		graph("Oldest system message", "By status, and the limit for one that waits.", duration,
			series("{{client}} {{direction}} {{status}}",
				`max by (client, direction, status) (oms_system_message_oldest_age_seconds{client=~"$client"})`),
			limit("system_message_waiting_seconds")),
	}}
}

// tathyaSection is about the dashboards of Apache Superset.
func tathyaSection() section {
	const none = "no Tathya dashboards are configured, or none was asked yet"
	byChart := []key{clientKey(), {label: "dashboard", title: "Dashboard"}, {label: "chart", title: "Chart"}}
	return section{"Tathya", []panel{
		table("Charts", "Whether each chart has data, as the dashboard asks for them; if not, why. A row without a chart: none is known.",
			append(byChart, key{label: "data_source", title: "Data source"}, key{label: "reason", title: "Reason", width: 120}),
			column{
				ref: "success", title: "Data", width: 60, words: yesIsGood(),
				expr: `max by (client, dashboard, chart) (oms_report_chart_success{client=~"$client"})`,
			},
			column{
				ref: "info", hidden: true,
				expr: `max by (client, dashboard, chart, data_source) (oms_report_chart_info{client=~"$client"})` + orClient,
			},
			column{
				ref: "error", hidden: true,
				expr: `max by (client, dashboard, chart, reason) (oms_report_chart_error{client=~"$client"})
or on (client, dashboard, chart)
0 * max by (client, dashboard, chart) (oms_report_chart_success{client=~"$client"})`,
			},
			column{
				ref: "failures", title: "Failures in a row", unit: "none", width: 120,
				expr: `max by (client, dashboard, chart) (oms_report_chart_consecutive_failures{client=~"$client"})`,
			},
			column{
				ref: "rows", title: "Rows", unit: "none", width: 70,
				expr: `max by (client, dashboard, chart) (oms_report_chart_rows{client=~"$client"})`,
			},
			column{
				ref: "cached", title: "Age of the data", unit: duration, width: 110,
				expr: `time() - max by (client, dashboard, chart) (oms_report_chart_cached_timestamp_seconds{client=~"$client"})`,
			},
			column{
				ref: "duration", title: "Answered in", unit: "s", width: 100,
				expr: `max by (client, dashboard, chart) (oms_report_chart_duration_seconds{client=~"$client"})`,
			}).sorted("Data", false).size(screenWidth, 9),
		table("Dashboards", "Whether the charts of each could be listed; if not, why. A row without a dashboard: none is configured.",
			[]key{clientKey(), {label: "dashboard", title: "Dashboard"}, {label: "reason", title: "Reason"}},
			column{
				ref: "success", title: "Listed", width: 70, words: yesIsGood(),
				expr: `max by (client, dashboard) (oms_report_dashboard_success{client=~"$client"})`,
			},
			column{
				ref: "error", hidden: true,
				expr: `max by (client, dashboard, reason) (oms_report_dashboard_error{client=~"$client"})
or on (client, dashboard)
0 * max by (client, dashboard) (oms_report_dashboard_success{client=~"$client"})` + orClient,
			}).size(8, 8),
		graph("Charts without data", "By dashboard.", "none",
			series("{{client}} {{dashboard}}", `sum by (client, dashboard) (1 - max by (client, dashboard, chart) (oms_report_chart_success{client=~"$client"}))`),
		).size(8, 8).emptyMeans(none),
		graph("Single values", "Of charts that show one.", "none",
			series("{{client}} {{dashboard}}: {{chart}} {{metric}}",
				`max by (client, dashboard, chart, metric) (oms_report_chart_value{client=~"$client"})`),
		).size(8, 8).emptyMeans("no chart shows a single value"),
	}}
}
