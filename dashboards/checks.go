package main

import "fmt"

// check is one of the guide's checks: of each client its state, which gives the colour, and beside it, where one number says
// it, what was measured. A cell of a table is coloured by its own value only (until long after Grafana 9.4), and a colour for
// an age would need the same limit for everybody. So the colour has a cell of its own, and comes from the series by which the
// alerts judge. All columns together are as wide as a screen of 1920 pixels.
//
// Messages of Moqui have no check: the guide names none, and their alerts are tickets, which the list of alerts shows.
type check struct {
	ref       string
	collector string // who measures it: while that fails nothing is taken to be well
	title     string // of the state
	width     int
	state     string // well, look or bad by client
	values    []column
}

// checks are the columns of the daily check, in the order of the guide.
func checks() []check {
	return []check{
		{
			ref: "created", title: "Created", collector: "orders", width: 70,
			state:  byLimit(`oms_orders_oldest_created_age_seconds`, `client`, `oms:limit{limit="created_age_seconds"}`),
			values: []column{age("created", "In created", `max by (client) (oms_orders_oldest_created_age_seconds)`)},
		},
		{
			ref: "brokering", title: "Brokering", collector: "orders", width: 76,
			state: byLimit(`oms_orders_oldest_unfulfilled_age_seconds{stage="brokering_queue"}`, `client, stage`,
				`oms:limit{limit="unfulfilled_age_seconds"}`),
			values: []column{age("brokering", "In queue",
				`max by (client) (oms_orders_oldest_unfulfilled_age_seconds{stage="brokering_queue"})`)},
		},
		{
			ref: "unfulfilled", title: "Unfulfilled", collector: "orders", width: 86,
			state: byLimit(`oms_orders_oldest_approved_age_seconds{stage=~"store|warehouse"}`, `client, stage`,
				`oms:limit{limit="unfulfilled_age_seconds"}`),
			values: []column{age("unfulfilled", "Approved",
				`max by (client) (oms_orders_oldest_approved_age_seconds{stage=~"store|warehouse"})`)},
		},
		{
			ref: "parking", title: "Parking", collector: "orders", width: 64,
			state: firing(bad, `OMSUnfillableSurge`) + "\nor on (client)\n" +
				byLimit(`oms_orders_oldest_parked_age_seconds`, `client, facility`, `oms:limit{limit="parked_age_seconds"}`),
			values: []column{
				age("parking", "In parking",
					`max by (client) (oms_orders_oldest_parked_age_seconds and on (client, facility) oms:limit{limit="parked_age_seconds"})`),
				count("parked", "Parked",
					`sum by (client) (max by (client, facility) (oms_orders_parked) and on (client, facility) oms:limit{limit="parked_age_seconds"})`),
			},
		},
		{
			ref: "import", title: "Import", collector: "orders", width: 58,
			state: firing(bad, `OMSOrderImportStalled`) + `
or on (client)
3 * (max by (client) (last_over_time(oms_orders_missing[1d])) > bool on (client) oms:limit{limit="orders_missing"})
or on (client)
0 * max by (client) (oms_orders_last_import_timestamp_seconds)`,
			values: []column{count("import", "Missing", missing("client"))},
		},
		{
			ref: "job", title: "Jobs", collector: "jobs", width: narrow,
			state: `3 + 0 * count by (client) (oms:job_stuck)
or on (client)
2 * (` + share(`oms_job_running_seconds`, `client, job_name`, `(
  oms:limit{limit="job_running_seconds", job_name!=""}
  or on (client, job_name)
  max by (client, job_name) (0 * oms_job_running_seconds) + on (client) group_left () oms:limit{limit="job_running_seconds", job_name=""}
)`) + ` > bool 0.8)`,
			values: []column{age("job", "Longest", `max by (client) (oms_job_running_seconds)`)},
		},
		{
			ref: "failing", title: "Failing", collector: "jobs", width: 60,
			state: firing(bad, `OMSJobFailing.*|OMSJobGaveUp`) + `
or on (client)
2 * (max by (client) (oms_job_consecutive_failures) >= bool on (client) oms:limit{limit="job_failures_rare"})`,
		},
		{
			ref: "scheduler", title: "Scheduler", collector: "jobs", width: 84,
			state: firing(bad, `OMSJobScheduler.*|OMSJobOverdue|OMSInstanceSilent|OMSJobNotScheduled|OMSScheduleUnreadable`) + `
or on (client)
2 * max by (client) (
  oms_job_scheduler_locked
  or
  oms_job_oldest_overdue_seconds > bool on (client) group_left () oms:limit{limit="scheduler_idle_seconds"}
  or
  1 + 0 * oms:job_lost
  or
  oms_job_schedule_unreadable
)`,
		},
		{
			ref: "reset", title: "Inventory", collector: "reset_inventory", width: 76,
			state: `3 + 0 * count by (client) (oms:reset_inventory_trouble_seconds:held or oms:reset_inventory_missed_seconds)
or on (client)
` + firing(look, `OMSResetInventoryRecordsRefused|OMSResetInventoryMisconfigured|OMSResetInventorySourceWithoutDeadline|OMSResetInventoryDeadlineWithoutSource`) + `
or on (client)
2 * (min by (client) (` + due + `) < bool 3600)`,
			values: []column{age("reset", "Due in", `min by (client) (`+due+`)`)},
		},
		{
			ref: "sftp", title: "SFTP", collector: "sftp", width: 56,
			state: firing(bad, `OMSSFTP.*`) + `
or on (client)
2 + 0 * count by (client) (
  max by (client, location, source, folder) (oms_sftp_folder_info) unless on (client, location, source, folder) oms_sftp_files
  or oms_sftp_invalid_files > 0
  or oms_sftp_listing_truncated > 0
)
or on (client)
0 * count by (client) (oms_sftp_files)`,
		},
		{
			ref: "pending", title: "Pending", collector: "data_manager", width: 68,
			state:  byLimit(`oms_data_manager_oldest_age_seconds{status!="running"}`, `client`, `oms:limit{limit="data_manager_pending_seconds"}`),
			values: []column{age("pending", "Waiting", `max by (client) (oms_data_manager_oldest_age_seconds{status!="running"})`)},
		},
		{
			ref: "running", title: "Running", collector: "data_manager", width: 70,
			state:  byLimit(`oms_data_manager_oldest_age_seconds{status="running"}`, `client`, `oms:limit{limit="data_manager_running_seconds"}`),
			values: []column{age("running", "In work", `max by (client) (oms_data_manager_oldest_age_seconds{status="running"})`)},
		},
		{
			ref: "failed", title: "Failed", collector: "data_manager", width: 56,
			// As OMSDataManagerFileFailed: no file has finished since one failed.
			state: `3 + 0 * count by (client) (
  max by (client, config) (oms_data_manager_last_failure_timestamp_seconds)
    > max by (client, config) (oms_data_manager_last_success_timestamp_seconds)
  or
  max by (client, config) (oms_data_manager_last_failure_timestamp_seconds)
    unless max by (client, config) (oms_data_manager_last_success_timestamp_seconds)
)
or on (client)
` + firing(look, `OMSDataManagerFilesFailing|OMSDataManagerFileNotRepeated`) + `
or on (client)
2 * (max by (client) (oms_data_manager_recent_files{outcome!="finished"}) > bool 0)`,
		},
		{
			ref: "charts", title: "Tathya", collector: "reports", width: 62,
			state: firing(bad, `OMSReport.*|OMSSuperset.*`) + `
or on (client)
2 * max by (client) (1 - oms_report_chart_success or 1 - oms_report_dashboard_success)`,
		},
		{
			ref: "collectors", title: "Collectors", collector: "client", width: 82,
			state: firing(bad, `OMSExporterDown|OMSClientVanished|OMSClientMisconfigured|OMSDatabaseUnreachable|OMSDatabaseClockSkewed|OMSDatabaseStill|OMSInstanceClockSkewed|OMSCollectorFailing`) + `
or on (client)
` + firing(look, `OMSDataStale|OMSSeriesDropped|OMSSchemaReduced|OMSLimitOverrideUnused`) + `
or on (client)
2 * (1 - min by (client) (max by (client, collector) (oms_collector_success)))`,
		},
	}
}

// age is a column of seconds, and count one of numbers.
func age(ref, title, expr string) column {
	return column{ref: ref, title: title, unit: "s", width: 79, align: "left", expr: watched(expr)}
}

func count(ref, title, expr string) column {
	return column{ref: ref, title: title, unit: "none", width: 64, align: "left", expr: watched(expr)}
}

// checksTable has a row for each client that was watched within a day, and of each check the state and what was measured.
func checksTable() panel {
	var columns []column
	for _, c := range checks() {
		state, lost := c.state, fmt.Sprintf(`max by (client) (oms_collector_success{collector="%s"}) == 0 or oms:client_unseen`, c.collector)
		if c.collector != "client" && c.collector != "sftp" && c.collector != "reports" { // told by the database's clock
			state, lost = "(\n"+state+"\n) unless on (client) oms:orders_clock_wrong", lost+" or oms:orders_clock_wrong"
		}
		columns = append(columns, sign(c.ref+"_state", c.title, c.width, watched(fmt.Sprintf(`max by (client) (
%s
or
%d + 0 * label_replace(%s, "known", "no", "", "")
or
%d * oms:client
)`, state, unknown, lost, unwatched))))
		columns = append(columns, c.values...)
	}
	return table("Checks", statesHelp, []key{clientKey()}, columns...).sorted("Client", false)
}
