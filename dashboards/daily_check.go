package main

// dailyCheck is the guide's checklist on one screen, as of now.
func dailyCheck(to texts) dashboard {
	// Nothing is counted as none only where the rules are evaluated.
	problems := func(severity string) target {
		return series("", `count(oms:problem{severity="`+severity+`", client=~"$client|all"}) or 0 * count(oms:check_state{client=~"$client"})`)
	}
	return newDashboard("oms-daily-check", "OMS daily check",
		"The checks of the monitoring guide: a row for each client, a column for each check, and what to do now.", "now-6h",
		section{panels: []panel{
			stat("Pages", "Number of problems below with severity page.", "none", steps("text", from(1, "red")), problems("page")).size(3, 3),
			stat("Tickets", "Number of problems below with severity ticket.", "none", steps("text", from(1, "orange")), problems("ticket")).size(3, 3),
			stat("Unknown", "Clients with at least one check that cannot be measured now.", "none", steps("text", from(1, "purple")),
				series("", `count(max by (client) (oms:check_state{client=~"$client"} == 3)) or 0 * count(oms:check_state{client=~"$client"})`)).size(3, 3),
			stat("Orders", "Sales orders that entered the OMS within the last 24 hours.", "none", steps("text"),
				series("", `sum(max by (client, product_store, channel) (oms_orders_entered_recently{client=~"$client"}))`)).size(3, 3),
			stat("Next deadline", "The next deadline of a reset-inventory file that has not been processed yet.", duration,
				steps("text", from(0, "orange"), from(3600, "text")),
				series("{{client}} {{source}} {{deadline}}", `bottomk(1, oms:reset_inventory_due_seconds{client=~"$client"} > 0)`),
			).named().emptyMeans("none known").size(5, 3),
			stat("Most overdue", "The reset-inventory file that is overdue for the longest time. The panel below lists all of them.", duration,
				steps("text", from(0, "red")),
				series("{{client}} {{source}} {{deadline}}", `topk(1, oms:reset_inventory_missed_seconds{client=~"$client"})`),
			).named().emptyMeans("none known").size(4, 3),
			stat("Watchdog", "Whether alerts are evaluated. If not, nothing on this dashboard is reliable.", "none",
				steps("red", from(1, "green")),
				series("", `group(ALERTS{alertname="OMSWatchdog", alertstate="firing", client=~"$client|all"}) or vector(0)`),
			).says("0", "silent", "1", "on").size(3, 3),
			checksTable().size(screenWidth, 8),
			problemsTable(to).size(screenWidth, 9),
			overdueTable().size(screenWidth, 6),
			nextDeadlinesTable().size(screenWidth, 7),
		}})
}

// problemsTable has a row for each page and ticket that fires and that Alertmanager does not inhibit.
func problemsTable(to texts) panel {
	return table("What to do now", "Pages before tickets, the oldest first. Alerts that Alertmanager inhibits are not listed. Each problem links to its runbook. Recovering: "+
		"the problem is over and the alert will resolve within minutes; not every alert shows this.",
		[]key{
			{label: "severity", title: "Do", width: 62, words: map[string]result{
				"page": {Text: "page", Color: "red", Index: 0}, "ticket": {Text: "ticket", Color: "orange", Index: 1},
			}},
			clientKey(),
			{label: "alertname", title: "Problem", words: to.problems, wrap: true, links: []link{{
				Title: "Runbook", TargetBlank: true, URL: to.Runbook("${__value.raw}"),
			}}},
			{label: "what", title: "What", width: 190, wrap: true},
			{label: "state", title: "State", width: 90, words: map[string]result{"recovering": {Text: "recovering", Color: "blue"}}},
		},
		column{
			ref: "since", title: "For", unit: duration,
			// The name of what is concerned, whatever kind of thing that is; and in a link Grafana knows all
			// clients as "All".
			expr: `max by (severity, client, alertname, what, state) (label_replace(label_join(
  label_replace(time() - (oms:problem{client=~"$client|all"} unless oms:problem_recovering), "state", "firing", "", "")
  or
  label_replace(time() - oms:problem_recovering{client=~"$client|all"}, "state", "recovering", "", ""),
  "what", " ", "shop", "target", "product_store", "channel", "stage", "facility", "job_name", "job_id", "pool", "oms_instance",
  "source", "deadline", "config", "type", "direction", "status", "location", "folder", "collector", "data_source", "dashboard", "chart", "metric",
  "table", "column", "limit", "reason", "instance"
), "client", "All", "client", "all"))
or on ()
label_replace(0 * count(oms:check_state{client=~"$client"} == 3), "what", "no page and no ticket, but not every check can be measured", "", "")
or on ()
label_replace(0 * count(oms:check_state{client=~"$client"}), "what", "no page and no ticket", "", "")`,
		}).sorted("For", true).sorted("Do", false)
}
