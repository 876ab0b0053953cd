package main

// dataManagerSection is about the data manager's logs.
func dataManagerSection() section {
	byConfig := []key{clientKey(), {label: "config", title: "Configuration"}}
	recent := func(outcome string) string {
		return `max by (client, config) (oms_data_manager_recent_files{client=~"$client", outcome="` + outcome + `"})`
	}
	return section{"Data manager", []panel{
		table("Files by configuration", "Files that are waiting or running now, the last files that ended, and the files of the last 24 hours. Errors: finished, with errors. Refused: records.", byConfig,
			column{
				ref: "waiting", title: "Waiting", unit: "none", width: 60,
				expr: `sum by (client, config) (max by (client, config, status) (oms_data_manager_files{client=~"$client", status!="running"}))`,
			},
			column{
				ref: "running", title: "Running", unit: "none", width: 60,
				expr: `max by (client, config) (oms_data_manager_files{client=~"$client", status="running"})`,
			},
			column{
				ref: "oldest", title: "Oldest", unit: duration,
				expr: `max by (client, config) (oms_data_manager_oldest_age_seconds{client=~"$client"})`,
			},
			column{
				ref: "success", title: "Last success", unit: ago,
				expr: `1000 * max by (client, config) (oms_data_manager_last_success_timestamp_seconds{client=~"$client"})`,
			},
			column{
				ref: "failure", title: "Last failure", unit: ago,
				expr: `1000 * max by (client, config) (oms_data_manager_last_failure_timestamp_seconds{client=~"$client"})`,
			},
			column{ref: "finished", title: "Finished", unit: "none", width: 60, expr: recent("finished")},
			column{
				ref: "errors", title: "Errors", unit: "none", width: 60, colors: steps("text", from(1, "orange")),
				expr: recent("finished_with_errors"),
			},
			column{ref: "failed", title: "Failed", unit: "none", width: 60, colors: steps("text", from(1, "red")), expr: recent("failed")},
			column{ref: "crashed", title: "Crashed", unit: "none", width: 60, colors: steps("text", from(1, "red")), expr: recent("crashed")},
			column{
				ref: "refused", title: "Refused", unit: "none", width: 60, colors: steps("text", from(1, "orange")),
				expr: `max by (client, config) (oms_data_manager_recent_failed_records{client=~"$client"})`,
			}).sorted("Oldest", true).size(screenWidth, 9),
		graph("Oldest waiting file", "By status, and the limit.", duration,
			series("{{client}} {{status}}", `max by (client, status) (oms_data_manager_oldest_age_seconds{client=~"$client", status!="running"})`),
			limit("data_manager_pending_seconds")),
		graph("Longest running file", "Duration of the longest running file, and the limit.", duration,
			series("{{client}}", `max by (client) (oms_data_manager_oldest_age_seconds{client=~"$client", status="running"})`),
			limit("data_manager_running_seconds")),
		graph("Open files", "By status.", "none",
			series("{{client}} {{status}}", `sum by (client, status) (max by (client, config, status) (oms_data_manager_files{client=~"$client"}))`)),
		graph("Files of the last 24 hours", "By outcome.", "none",
			series("{{client}} {{outcome}}", `sum by (client, outcome) (max by (client, config, outcome) (oms_data_manager_recent_files{client=~"$client"}))`)),
	}}
}
