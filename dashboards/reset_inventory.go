package main

func sourceKey() key { return key{label: "source", title: "Source", width: 80} }

// branchKey is what is the matter with a source's file, as rules/reset_inventory.yml tells it, in words.
func branchKey() key {
	return key{label: "branch", title: "Trouble", words: map[string]result{
		"failed": {Text: "Failed"}, "empty": {Text: "Empty"}, "not_processed": {Text: "Not processed in time"},
		"waits_on_sftp": {Text: "Still on SFTP"}, "not_imported": {Text: "Fetched, not imported"}, "whereabouts_unknown": {Text: "Whereabouts unknown"},
		"not_delivered": {Text: "Not delivered"}, "not_received": {Text: "Not received"}, "on_its_way": {Text: "On its way"},
		"none": {Text: "None"}, "unknown": {Text: "Cannot be measured", Color: "purple"},
	}}
}

// overdueTable has a row for each source whose deadline was missed, and one for each source for which that is unknown.
func overdueTable() panel {
	const unknown = `(max by (client, source) (oms:reset_inventory_config{client=~"$client"}) and on (client) oms:check_state{check="reset_inventory"} == 3)`
	return table("Overdue deadlines", "Reset-inventory files that were not processed by their deadline (in the client's time zone), and the reason.",
		[]key{clientKey(), sourceKey(), {label: "deadline", title: "Deadline", width: 60}, branchKey()},
		column{
			ref: "overdue", title: "Overdue for", unit: duration,
			expr: `topk by (client, source) (1, max by (client, source, deadline) (oms:reset_inventory_missed_seconds{client=~"$client"}))`,
		},
		column{
			ref: "trouble", hidden: true,
			expr: `label_replace(0 * ` + unknown + `, "branch", "unknown", "", "")
or on (client, source)
topk by (client, source) (1, 0 * oms:reset_inventory_trouble_seconds:held{client=~"$client"})
  and on (client, source) oms:reset_inventory_missed_seconds
or on (client, source)
label_replace(0 * max by (client, source) (oms:reset_inventory_missed_seconds{client=~"$client"}), "branch", "on_its_way", "", "")
or on ()
label_replace(0 * count(oms:check_state{client=~"$client"}), "branch", "none", "", "")`,
		}).sorted("Overdue for", true)
}

// nextDeadlinesTable has a row for each source: its next deadline that has no file yet, by the client's clock and in UTC.
func nextDeadlinesTable() panel {
	const offset = `on (client) group_left () max by (client) (oms_client_utc_offset_seconds)`
	next := `bottomk by (client, source) (1, max by (client, source, deadline) (oms:reset_inventory_due_seconds{client=~"$client"}) > 0)`
	return table("Next deadlines", "The next deadline of each source that has no file yet, in the client's time zone and in UTC. Clock: the client's current time.",
		[]key{clientKey(), sourceKey(), {label: "deadline", title: "Deadline", width: 60}},
		column{ref: "due", title: "Due in", unit: duration, colors: steps("text", from(0, "orange"), from(3600, "text")), expr: next},
		column{ref: "utc", title: "UTC", unit: clock, width: 60, expr: `1000 * (time() + ` + next + `)`},
		column{ref: "clock", title: "Clock", unit: clock, width: 60, expr: `1000 * (time() + 0 * ` + next + ` + ` + offset + `)`},
	).sorted("Due in", false)
}

// clock is a unit of milliseconds since 1970, of which it shows the time of the day in the dashboard's zone, which is UTC.
const clock = "time:HH:mm"

// deadlinesTable has a row for each source of reset-inventory files: when it is due, and where it is when it is late.
func deadlinesTable() panel {
	return table("Reset inventory", "Time to the next deadline that has no file yet, in the client's time zone; below 0, the file is overdue. Trouble: the problem with the file, if any. A row without a source means that none is configured.",
		[]key{clientKey(), sourceKey(), {label: "deadline", title: "Deadline", width: 80}, branchKey()},
		column{
			ref: "due", title: "Due in", unit: duration, width: lateWidth, colors: steps("red", from(0, "orange"), from(3600, "text")),
			expr: `bottomk by (client, source) (1, max by (client, source, deadline) (oms:reset_inventory_due_seconds{client=~"$client"}))`,
		},
		column{
			ref: "trouble", hidden: true,
			expr: `0 * oms:reset_inventory_trouble_seconds:held{client=~"$client"}
or on (client, source)
label_replace(0 * (max by (client, source) (oms:reset_inventory_config{client=~"$client"}) and on (client) oms:check_state{check="reset_inventory"} == 3), "branch", "unknown", "", "")
or on (client, source)
label_replace(0 * max by (client, source) (oms:reset_inventory_config{client=~"$client"}), "branch", "none", "", "")` + orClient,
		},
		column{
			ref: "processed", title: "Processed", unit: ago,
			expr: `1000 * max by (client, source) (oms_reset_inventory_last_processed_timestamp_seconds{client=~"$client"})`,
		},
		column{
			ref: "received", title: "Received", unit: ago,
			expr: `1000 * max by (client, source) (oms_reset_inventory_last_received_timestamp_seconds{client=~"$client"})`,
		},
		column{
			ref: "total", title: "Records", unit: "none", width: 75,
			expr: `max by (client, source) (oms_reset_inventory_last_records{client=~"$client", result="total"})`,
		},
		column{
			ref: "refused", title: "Refused", unit: "none", width: 75, colors: steps("text", from(1, "orange")),
			expr: `max by (client, source) (oms_reset_inventory_last_records{client=~"$client", result="failed"})`,
		}).sorted("Due in", false)
}

// resetInventorySection follows the files from their drop folders to the inventory.
func resetInventorySection() section {
	const noSource, noFolder = "no reset-inventory source is configured", "no drop folder is configured"
	return section{"Reset inventory and SFTP", []panel{
		deadlinesTable().size(screenWidth, 8),
		graph("Time to the next deadline", "Time to the next deadline that has no file yet, by source; below 0, the file is overdue.", duration,
			series("{{client}} {{source}} {{deadline}}", `oms:reset_inventory_due_seconds{client=~"$client"}`)).emptyMeans("no source has a deadline"),
		graph("Since the last processed file", "By source. The markers are the deadlines.", duration,
			series("{{client}} {{source}}", `max by (client, source) (oms_reset_inventory_seconds_since_processed{client=~"$client"})`)).emptyMeans(noSource),
		graph("Running file", "Duration of the running import of each source; 0 if none is running.", duration,
			series("{{client}} {{source}}", `max by (client, source) (oms_reset_inventory_running_seconds{client=~"$client"})`),
			limit("data_manager_running_seconds")),
		recordsGraph(),
		arrivalsGraph().size(screenWidth, 10),
		table("Configurations", "The data-manager configurations that import each source's files, and how many files are waiting or running. A row without a source means that none is configured.",
			[]key{clientKey(), sourceKey(), {label: "config", title: "Configuration"}},
			column{
				ref: "info", hidden: true,
				expr: `max by (client, source, config) (oms:reset_inventory_config{client=~"$client"})` + orClient,
			},
			column{
				ref: "open", title: "Open files", unit: "none", width: 90, colors: steps("text", from(1, "orange")),
				expr: `sum by (client, config) (max by (client, config, status) (oms_data_manager_files{client=~"$client"}))
* on (client, config) group_left (source) oms:reset_inventory_config{client=~"$client"}`,
			},
			column{
				ref: "failure", title: "Last failure", unit: ago,
				expr: `1000 * max by (client, config) (oms_data_manager_last_failure_timestamp_seconds{client=~"$client"})
* on (client, config) group_left (source) oms:reset_inventory_config{client=~"$client"}`,
			}).size(screenWidth, 7),
		table("Drop folders", "Files in each folder, the age of the oldest and newest file, and whether the folder was listed completely. A row without a folder means that none is configured.",
			[]key{clientKey(), {label: "location", title: "Location"}, sourceKey(), {label: "folder", title: "Folder", width: 80}},
			column{
				ref: "info", hidden: true,
				expr: `max by (client, location, source, folder) (oms_sftp_folder_info{client=~"$client"})` + orClient,
			},
			column{
				ref: "seen", title: "Seen", width: 60, words: yesIsGood(),
				expr: `max by (client, location, source, folder) (
  0 * oms_sftp_files{client=~"$client"} + 1 or 0 * oms_sftp_folder_info{client=~"$client"}
)`,
			},
			column{
				ref: "files", title: "Files", unit: "none", width: 60,
				expr: `max by (client, location, source, folder) (oms_sftp_files{client=~"$client"})`,
			},
			column{
				ref: "oldest", title: "Oldest", unit: duration, width: 90,
				expr: `max by (client, location, source, folder) (oms_sftp_oldest_file_age_seconds{client=~"$client"})`,
			},
			column{
				ref: "newest", title: "Newest", unit: ago,
				expr: `1000 * max by (client, location, source, folder) (oms_sftp_newest_file_timestamp_seconds{client=~"$client"})`,
			},
			column{
				ref: "truncated", title: "Cut off", width: 70, words: yesIsBad(),
				expr: `max by (client, location, source, folder) (oms_sftp_listing_truncated{client=~"$client"})`,
			}).size(screenWidth, 8),
		graph("Files that the import would refuse", "Waiting files, by reason.", "none",
			series("{{client}} {{location}} {{reason}}", `max by (client, location, reason) (oms_sftp_invalid_files{client=~"$client"})`)).emptyMeans(noFolder),
		graph("Files in drop folders", "Files that match the pattern; in the archive, only those of the last 48 hours.", "none",
			series("{{client}} {{location}} {{folder}}", `max by (client, location, folder) (oms_sftp_files{client=~"$client"})`)).emptyMeans(noFolder),
	}}
}

// deadlines marks them in every graph, whatever the range: each is returned again at every step, and drawn once.
func deadlines() mark {
	return mark{
		Name: "Deadlines", Datasource: prometheus(), Enable: true, IconColor: "orange", Step: "10m", UseValueForTime: true,
		Expr: `1000 * max by (client, source, deadline) (oms_reset_inventory_last_deadline_timestamp_seconds{client=~"$client"})
or
1000 * (time() - max by (client, source, deadline) (oms:reset_inventory_since_deadline_seconds{client=~"$client"}))
unless on (client, source) oms:reset_inventory_deadline_entry`,
		TitleFormat: "Deadline {{deadline}}", TextFormat: "{{client}}: reset-inventory file from {{source}}",
	}
}

// resetInventory shows the files of all clients.
func resetInventory() dashboard {
	d := newDashboard("oms-reset-inventory", "OMS reset inventory",
		"The reset-inventory files of all clients, from the drop folder to the inventory.", "now-48h", resetInventorySection())
	d.Annotations.List = append(d.Annotations.List, deadlines())
	return d
}
