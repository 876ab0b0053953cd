package main

// collectorsTable says what is measured, and how fresh it is.
func collectorsTable() panel {
	return table("Collectors", "Whether each collector measures everything. The exporter's status page shows the errors.",
		[]key{clientKey(), {label: "collector", title: "Collector"}},
		column{
			ref: "success", title: "Succeeds", width: 80, words: yesIsGood(),
			expr: `max by (client, collector) (oms_collector_success{client=~"$client"})`,
		},
		column{
			ref: "looking_back", title: "Backfilling", width: 100,
			words: map[string]result{"0": {Text: "no", Color: "green", Index: 0}, "1": {Text: "yes", Color: "orange", Index: 1}},
			expr:  `max by (client, collector) (oms_collector_looking_back{client=~"$client"})`,
		},
		column{
			ref: "last", title: "Last success", unit: "s", width: 100,
			expr: `time() - max by (client, collector) (oms_collector_last_success_timestamp_seconds{client=~"$client"})`,
		},
		column{
			ref: "age", title: "Age of the data", unit: "s", width: 110,
			expr: `max by (client, collector) (oms_collector_data_age_seconds{client=~"$client"})`,
		},
		column{
			ref: "duration", title: "Duration", unit: "s", width: 90,
			expr: `max by (client, collector) (oms_collector_duration_seconds{client=~"$client"})`,
		}).sorted("Client", false).size(screenWidth, 12)
}

// exporter is about the exporter itself, its connections and what it costs.
func exporter() dashboard {
	const jobs = `job=~"oms|oms_exporter"`
	return newDashboard("oms-exporter", "OMS exporter", "What the exporter measures, how long this takes, and what it cannot measure.", "now-6h",
		section{panels: []panel{
			stat("Targets down", "Targets whose scrapes fail now.", "none", steps("text", from(0, "green"), from(1, "red")),
				series("", `count(up{`+jobs+`} == 0) or vector(0)`)),
			stat("Collectors failing", "Failing collectors of all clients.", "none", steps("text", from(0, "green"), from(1, "red")),
				series("", `sum(1 - max by (client, collector) (oms_collector_success{client=~"$client"}))`)),
			stat("Configuration", "Whether the last reload succeeded.", "none", steps("text", from(0, "red"), from(1, "green")),
				series("{{instance}}", `oms_exporter_config_last_reload_successful`)).says("0", "rejected", "1", "loaded"),
			stat("Configured since", "Time since the last successful reload.", duration, steps("text"),
				series("{{instance}}", `time() - oms_exporter_config_last_reload_success_timestamp_seconds`)),
			stat("Memory", "Resident memory.", "bytes", steps("text"), series("{{instance}}", `process_resident_memory_bytes{`+jobs+`}`)),
			stat("CPU", "CPU cores in use.", "none", steps("text"),
				series("{{instance}}", `rate(process_cpu_seconds_total{`+jobs+`}[$__rate_interval])`)),
		}},
		section{"Scrapes", []panel{
			collectorsTable(),
			graph("Duration of scrapes", "Measured by Prometheus.", "s",
				series("{{client}} {{job}} {{instance}}", `max by (client, job, instance) (scrape_duration_seconds{`+jobs+`, client=~"$client|"})`)).unlinked(),
			graph("Duration of collectors", "Duration of each collector's run, or how long the scrape waited for it.", "s",
				series("{{client}} {{collector}}", `max by (client, collector) (oms_collector_duration_seconds{client=~"$client"})`)),
			graph("Failing collectors", "1 while a collector does not measure everything.", "none",
				series("{{client}} {{collector}}", `1 - max by (client, collector) (oms_collector_success{client=~"$client"})`)),
			graph("Age of the data", "0 if all data was measured in the scrape itself. The limit shown does not apply to reports.", duration,
				series("{{client}} {{collector}}", `max by (client, collector) (oms_collector_data_age_seconds{client=~"$client"})`),
				limit("data_age_seconds")),
			graph("Series", "Number of series in each scrape.", "none",
				series("{{client}} {{job}} {{instance}}", `max by (client, job, instance) (scrape_samples_scraped{`+jobs+`, client=~"$client|"})`)).unlinked(),
			graph("Series left out", "Series that were dropped because of --collector.max-series.", "none",
				series("{{client}} {{metric}}", `(max by (client, metric) (oms_series_dropped{client=~"$client"}) > 0)`+noRow("client"))),
		}},
		section{"Databases", []panel{
			graph("Sessions", "Connections to each client's database: open, in use, and the maximum.", "none",
				series("{{client}} open", `max by (client) (go_sql_open_connections{client=~"$client"})`),
				series("{{client}} in use", `max by (client) (go_sql_in_use_connections{client=~"$client"})`),
				series("{{client}} maximum", `max by (client) (go_sql_max_open_connections{client=~"$client"})`)),
			graph("Waits for a connection", "Total time spent waiting for a connection, in seconds per second.", "s",
				series("{{client}}", `sum by (client) (rate(go_sql_wait_duration_seconds_total{client=~"$client"}[$__rate_interval]))`)),
			graph("Clock skew", "Difference between the newest timestamp in the database, read in its configured time zone, and now, and the limit. A difference of hours means a wrong time zone.", "s",
				series("{{client}}", `max by (client) (abs(oms_database_clock_skew_seconds{client=~"$client"}))`),
				limit("clock_skew_seconds")),
			graph("Clock skew of servers", "Difference between the timestamps that each application server writes and now.", "s",
				series("{{client}} {{oms_instance}}", `max by (client, oms_instance) (oms_instance_clock_skew_seconds{client=~"$client"})`)),
			graph("Nothing written for", "Time since the last write to the database, and the limit.", duration,
				series("{{client}}", `max by (client) (oms_database_newest_timestamp_age_seconds{client=~"$client"})`),
				limit("database_still_seconds")),
			table("Zones of databases", "The configured time zone of the database's timestamps, and time zones that would fit better.",
				[]key{clientKey(), {label: "timezone", title: "database.timezone"}, {label: "fitting", title: "Would fit"}},
				column{
					ref: "zone", hidden: true,
					expr: `max by (client, timezone, fitting) (oms_database_timezone_info{client=~"$client"})`,
				}),
			table("Missing from the schema", "Tables and columns that a client's OMS version does not have. A row without a table means that nothing is missing.",
				[]key{clientKey(), {label: "table", title: "Table"}, {label: "column", title: "Column"}},
				column{
					ref: "missing", hidden: true,
					expr: `max by (client, table, column) (oms_schema_missing{client=~"$client"})` + noRow("client") + orUnknown("client", "table", notKnown),
				}),
		}},
		section{"Watched clients", []panel{
			table("Clients", "Time zone of each client, and the generation of its OMS.",
				[]key{clientKey(), {label: "timezone", title: "Time zone"}, {label: "generation", title: "Generation"}},
				column{
					ref: "info", hidden: true,
					expr: `max by (client, timezone, generation) (oms_client_info{client=~"$client"})`,
				},
				column{
					ref: "offset", title: "Hours from UTC", unit: "none", width: 130,
					expr: `max by (client) (oms_client_utc_offset_seconds{client=~"$client"}) / 3600`,
				}),
			table("Build", "Versions of the running exporters.",
				[]key{{label: "instance", title: "Exporter"}, {label: "version", title: "Version"}, {label: "revision", title: "Revision"}, {label: "goversion", title: "Go"}},
				column{
					ref: "build", hidden: true,
					expr: `max by (instance, version, revision, goversion) (oms_exporter_build_info)`,
				}),
		}})
}
