package main

// habitRange is how far back people look for a habit: four of each weekday.
const habitRange = "28d"

// back returns the graph over the last days, whatever the range of the dashboard.
func (p panel) back(days string) panel {
	p.TimeFrom = days
	return p
}

// dots returns the graph with the series of the first query as points.
func (p panel) dots() panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
		Matcher: matcher{ID: "byFrameRefID", Options: p.Targets[0].RefID},
		Properties: []property{
			{"custom.drawStyle", "points"},
			{"custom.showPoints", "always"},
			{"custom.pointSize", 6},
		},
	})
	return p
}

// arrivalsGraph has a point for each reset-inventory file, by the time of the client's day, beside its deadline and when it usually comes.
func arrivalsGraph() panel {
	deadline := series("{{client}} {{source}} {{deadline}} deadline", `1000 * (
  oms:reset_inventory_deadline_entry{client=~"$client"}
  or max by (client, source, deadline) (oms:reset_inventory_process_by{client=~"$client"}) unless on (client, source) oms:reset_inventory_deadline_entry
)
and on (client, source) oms:reset_inventory_last_processed_timestamp_seconds`)
	deadline.RefID = limitRef
	return graph("Arrivals", "When reset-inventory files were processed, by the time of the client's day, over 28 days; the deadlines; and when the next file usually comes.", clock,
		series("{{client}} {{source}}", `1000 * (
  (
    oms:reset_inventory_last_processed_timestamp_seconds{client=~"$client"}
    + on (client, source) max by (client, source) (oms_reset_inventory_last_processed_utc_offset_seconds)
  ) % 86400
)
and on (client, source) changes(oms:reset_inventory_last_processed_timestamp_seconds[$__rate_interval]) > 0`),
		series("{{client}} {{source}} {{deadline}} usual", `1000 * max by (client, source, deadline) (oms_reset_inventory_usual_processed_seconds{client=~"$client"})`),
		deadline,
	).dots().back(habitRange).emptyMeans("no file has been processed")
}

// recordsGraph shows how long the files were, day by day.
func recordsGraph() panel {
	return graph("Records of the last file", "All of them, and those that were refused, over 28 days; and how many a file such as the last one usually has.", "none",
		series("{{client}} {{source}} {{result}}", `max by (client, source, result) (oms_reset_inventory_last_records{client=~"$client"})`),
		series("{{client}} {{source}} usual", `max by (client, source) (oms_reset_inventory_usual_records{client=~"$client"})`),
	).back(habitRange).emptyMeans("no reset-inventory source is configured")
}
