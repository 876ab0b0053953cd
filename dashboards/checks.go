package main

import "fmt"

// check is one of the guide's checks: of each client its state, which gives the colour, and beside it what was measured.
// A cell of a table is coloured by its own value only (until long after Grafana 9.4), and a colour for an age would need
// the same limit for everybody. So the colour has a cell of its own, and comes from the series by which the alerts judge.
type check struct {
	ref, title string
	collector  string // who measures it: while that fails the state is not known
	state      string // 0, 1 or 2 by client; without one the value belongs to the check before
	value      string // by client; without one the state says all
	unit       string
	width      int
}

// states are the signs for them. Each has a shape of its own: not everybody sees the colours.
func states() map[string]result {
	return map[string]result{
		"-1": {Text: "–", Color: "rgba(128, 128, 128, 0.2)", Index: 0},
		"0":  {Text: "✓", Color: "green", Index: 1},
		"1":  {Text: "!", Color: "orange", Index: 2},
		"2":  {Text: "✗", Color: "red", Index: 3},
		"3":  {Text: "?", Color: "purple", Index: 4},
	}
}

const statesHelp = "✓ well · ! beyond 80 % of its limit, or needs a look · ✗ beyond its limit, as the alerts judge · ? cannot be measured · – not watched at this client."

// checks are the columns of the daily check, in the order of the guide.
func checks() []check {
	return []check{
		{
			ref: "created", title: "Created", collector: "orders", unit: "s", width: 84,
			state: byLimit(`oms_orders_oldest_created_age_seconds`, `client`, `oms:limit{limit="created_age_seconds"}`),
			value: `max by (client) (oms_orders_oldest_created_age_seconds)`,
		},
		{
			ref: "brokering", title: "Brokering", collector: "orders", unit: "s", width: 84,
			state: byLimit(`oms_orders_oldest_unfulfilled_age_seconds{stage="brokering_queue"}`, `client, stage`,
				`oms:limit{limit="unfulfilled_age_seconds"}`),
			value: `max by (client) (oms_orders_oldest_unfulfilled_age_seconds{stage="brokering_queue"})`,
		},
		{
			ref: "unfulfilled", title: "Unfulfilled", collector: "orders", unit: "s", width: 84,
			state: byLimit(`oms_orders_oldest_unfulfilled_age_seconds{stage=~"store|warehouse"}`, `client, stage`,
				`oms:limit{limit="unfulfilled_age_seconds"}`),
			value: `max by (client) (oms_orders_oldest_unfulfilled_age_seconds{stage=~"store|warehouse"})`,
		},
		{
			ref: "unfillable", title: "Unfillable", collector: "orders", unit: "s", width: 84,
			state: firing(`OMSUnfillableSurge`) + "\nor on (client)\n" +
				byLimit(`oms_orders_oldest_parked_age_seconds`, `client, facility`, `oms:limit{limit="parked_age_seconds"}`),
			value: `max by (client) (oms_orders_oldest_parked_age_seconds and on (client, facility) oms:limit{limit="parked_age_seconds"})`,
		},
		{
			ref: "parked", title: "Parked", unit: "none", width: 62,
			value: `sum by (client) (oms_orders_parked and on (client, facility) oms:limit{limit="parked_per_hour"})`,
		},
		{
			ref: "missing", title: "Missing", collector: "orders", unit: "none", width: 66,
			state: `2 * (max by (client) (last_over_time(oms_orders_missing[1d])) > bool on (client) oms:limit{limit="orders_missing"})`,
			value: `sum by (client) (max by (client, shop) (last_over_time(oms_orders_missing[1d])))`,
		},
		{
			ref: "job", title: "Longest job", collector: "jobs", unit: "s", width: 94,
			state: `2 + 0 * count by (client) (oms:job_stuck)
or on (client)
(max by (client) (oms_job_running_seconds) > bool on (client) 0.8 * oms:limit{limit="job_running_seconds", job_name=""})`,
			value: `max by (client) (oms_job_running_seconds)`,
		},
		{
			ref: "failing", title: "Failing", collector: "jobs", unit: "none", width: 66,
			state: firing(`OMSJobFailing`) + `
or on (client)
(max by (client) (oms_job_consecutive_failures) >= bool on (client) oms:limit{limit="job_failures_rare"})`,
			value: `sum by (client) (oms_job_consecutive_failures > bool 0)`,
		},
		{
			ref: "reset", title: "Reset inventory", collector: "reset_inventory", unit: "s", width: 118,
			state: `2 + 0 * count by (client) (oms:reset_inventory_trouble_seconds:held or oms:reset_inventory_missed_seconds)
or on (client)
(min by (client) (` + due + `) < bool 3600)`,
			value: `min by (client) (` + due + `)`,
		},
		{
			ref: "sftp", title: "SFTP", collector: "sftp", width: 52,
			state: firing(`OMSSFTP.*`) + `
or on (client)
1 + 0 * count by (client) (oms:sftp_unseen or oms_sftp_invalid_files > 0 or oms_sftp_listing_truncated > 0)
or on (client)
0 * count by (client) (oms_sftp_files)`,
		},
		{
			ref: "pending", title: "Pending", collector: "data_manager", unit: "s", width: 84,
			state: byLimit(`oms_data_manager_oldest_age_seconds{status!="running"}`, `client`, `oms:limit{limit="data_manager_pending_seconds"}`),
			value: `max by (client) (oms_data_manager_oldest_age_seconds{status!="running"})`,
		},
		{
			ref: "running", title: "Running", collector: "data_manager", unit: "s", width: 84,
			state: byLimit(`oms_data_manager_oldest_age_seconds{status="running"}`, `client`, `oms:limit{limit="data_manager_running_seconds"}`),
			value: `max by (client) (oms_data_manager_oldest_age_seconds{status="running"})`,
		},
		{
			ref: "failed", title: "Failed", collector: "data_manager", unit: "none", width: 62,
			state: firing(`OMSDataManagerFileFailed|OMSResetInventoryFailed`) + `
or on (client)
(sum by (client) (oms_data_manager_recent_files{outcome!="finished"}) > bool 0)`,
			value: `sum by (client) (oms_data_manager_recent_files{outcome=~"failed|crashed"})`,
		},
		{
			ref: "charts", title: "Tathya", collector: "reports", unit: "none", width: 64,
			state: firing(`OMSReport.*|OMSSuperset.*`) + `
or on (client)
(max by (client) (1 - oms_report_chart_success or 1 - oms_report_dashboard_success) > bool 0)`,
			value: `sum by (client) (1 - oms_report_chart_success)`,
		},
		{
			ref: "collectors", title: "Collectors", collector: "client", width: 80,
			state: firing(`OMSExporterDown|OMSClientVanished|OMSDatabaseUnreachable|OMSCollectorFailing`) + `
or on (client)
1 - min by (client) (oms_collector_success)`,
		},
	}
}

// byLimit judges ages by their share of a limit, to which the labels belong.
func byLimit(age, labels, limit string) string {
	share := fmt.Sprintf("max by (client) (%s / on (%s) group_left () %s)", age, labels, limit)
	return fmt.Sprintf("(%s > bool 1)\n+ (%s > bool 0.8)", share, share)
}

// firing is 2 where one of the alerts fires, and absent elsewhere: of what is judged in more than one way.
func firing(alerts string) string {
	return fmt.Sprintf(`2 + 0 * count by (client) (ALERTS{alertname=~"%s", alertstate="firing"})`, alerts)
}

// due is the time to the next deadline of a reset-inventory file that has no file yet, by client, source and deadline, or
// less than 0: for how long one has been missed. Deadlines and files are those of rules/limits.yml and
// rules/reset_inventory.yml. On days with a change of the clocks the time to tomorrow's is an hour off.
const due = `-oms:reset_inventory_missed_seconds
or
86400 - oms:reset_inventory_since_deadline_seconds
+ 86400 * (
  86400 - oms:reset_inventory_since_deadline_seconds + on (client, source) group_left () oms:reset_inventory_wall_age_seconds
  <= bool on (client, source, deadline) oms:reset_inventory_window
)`

// checksTable has a row for each client that was watched within a day, and two columns for each check.
func checksTable() panel {
	var columns []column
	for _, c := range checks() {
		title, width := " ", narrow
		if c.value == "" {
			title, width = c.title, c.width
		}
		if c.state != "" {
			columns = append(columns, sign(c.ref+"_state", title, width, watched(fmt.Sprintf(`%s
or on (client)
3 + 0 * max by (client) (oms_collector_success{collector="%s"} == 0 or on (client) oms:client_unseen)
or on (client)
-oms:client`, c.state, c.collector))))
		}
		if c.value != "" {
			columns = append(columns,
				column{ref: c.ref, title: c.title, unit: c.unit, width: c.width, align: "left", expr: watched(c.value)})
		}
	}
	return table("Checks", statesHelp, []key{clientKey()}, columns...).sorted("Client", false)
}

// watched picks the selected clients from an expression by client and perhaps more, also those of which no more is known
// than that they were watched within a day.
func watched(expr string) string {
	return "(\n" + expr + "\n)\n* on (client) group_left () oms:client{client=~\"$client\"}"
}
