package main

import "github.com/oms-exporter/oms_exporter/internal/links"

// dailyCheck is the guide's checklist on one screen, as of now.
func dailyCheck(to links.Links) dashboard {
	found := func(severity string) string {
		return `ALERTS{alertname=~"OMS.*", alertstate="firing", severity=~"` + severity + `", client=~"$client|all"}`
	}
	return newDashboard("oms-daily-check", "OMS daily check",
		"The checks of the monitoring guide: a row for each client, a column for each check.", "now-6h",
		section{panels: []panel{
			stat("Pages", "Alerts that page somebody now.", "none", steps("green", from(1, "red")),
				series("", `count(`+found("page")+`) or vector(0)`)),
			stat("Tickets", "Alerts that open a ticket now.", "none", steps("green", from(1, "orange")),
				series("", `count(`+found("ticket")+`) or vector(0)`)),
			stat("Clients", "Clients that are watched.", "none", steps("text"), series("", `count(max by (client) (oms_client_info{client=~"$client"}))`)),
			stat("Not measured", "Clients of whom something cannot be measured now.", "none", steps("green", from(1, "purple")),
				series("", `count(min by (client) (max by (client, collector) (oms_collector_success{client=~"$client"})) == 0 or on (client) oms:client_unseen{client=~"$client"}) or vector(0)`)),
			stat("Orders today", "Sales orders that entered within 24 hours.", "none", steps("text"),
				series("", `sum(max by (client, product_store, channel) (oms_orders_entered_recently{client=~"$client"}))`)),
			stat("Next deadline", "Until the next reset-inventory file is due that has not been processed; less than 0 when one is late.", "s",
				steps("red", from(0, "orange"), from(3600, "green")),
				series("", "min("+watched(due)+")")).emptyMeans("none"),
			checksTable().size(screenWidth, 10),
			deadlinesTable().size(12, 9),
			table("Firing alerts", "What pages or opens a ticket now, and its runbook. The watchdog always fires: without it nothing here can be believed.",
				[]key{
					{label: "severity", title: "Severity", width: 80},
					{label: "client", title: "Client", width: 90, links: clientKey().links},
					{label: "alertname", title: "Alert", width: 270, links: []link{{
						Title: "Runbook", TargetBlank: true,
						URL: to.Runbook("${__value.raw}"),
					}}},
					{label: "what", title: "What"},
				},
				column{
					ref: "since", title: "Since", unit: "s", width: 90,
					// The name of what is concerned, whatever kind of thing that is; and in a link Grafana knows all
					// clients as "All".
					expr: `max by (severity, client, alertname, what) (label_replace(label_join(
  time() - ALERTS_FOR_STATE{alertname=~"OMS.*", client=~"$client|all"} and ignoring (alertstate) (
    ` + found("page|ticket") + ` or ALERTS{alertname="OMSWatchdog", alertstate="firing"}
  ),
  "what", " ", "shop", "product_store", "channel", "stage", "facility", "job_name", "job_id", "pool", "oms_instance",
  "source", "deadline", "config", "type", "direction", "status", "location", "folder", "collector", "data_source", "dashboard", "chart", "metric",
  "table", "column", "limit", "instance"
), "client", "All", "client", "all"))`,
				}).sorted("Since", false).sorted("Severity", false).size(12, 9),
		}})
}
