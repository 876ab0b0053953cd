package main

// ordersSection is what the guide calls order sync and fulfillment.
func ordersSection() section {
	return section{"Orders", []panel{
		graph("Oldest order in created", "Time since the oldest order entered the OMS, without excluded orders, and the limit.", duration,
			series("{{client}} {{product_store}} {{channel}}", `max by (client, product_store, channel) (oms_orders_oldest_created_age_seconds{client=~"$client"})`),
			limit("created_age_seconds")),
		graph("Orders in created", "Number of orders older than each age, and of orders that the configuration excludes.", "none",
			series("{{client}} older than {{age}}", `sum by (client, age) (max by (client, product_store, channel, age) (oms_orders_created_older_than{client=~"$client"}))`),
			series("{{client}} set aside: {{reason}}", `max by (client, reason) (oms_orders_created_excluded{client=~"$client"})`)),
		graph("Oldest approved order not fulfilled", "By stage: the longest wait since the last rejection by a store or warehouse, the longest time since approval, and the limits.", duration,
			series("{{client}} {{stage}}", `max by (client, stage) (oms_orders_oldest_unfulfilled_age_seconds{client=~"$client"})`),
			series("{{client}} {{stage}} since approval", `max by (client, stage) (oms_orders_oldest_approved_age_seconds{client=~"$client"})`),
			limit("unfulfilled_age_seconds", "stage")),
		graph("Approved orders not fulfilled", "By the stage in which they wait.", "none",
			series("{{client}} {{stage}}", `max by (client, stage) (oms_orders_unfulfilled{client=~"$client"})`)),
		graph("Oldest parked order", "By virtual facility, including routing retries, and the limits of the facilities that have one.", duration,
			series("{{client}} {{facility}}", `max by (client, facility) (oms_orders_oldest_parked_age_seconds{client=~"$client"})`),
			limit("parked_age_seconds", "facility")),
		graph("Parked orders", "By virtual facility, and the orders that entered it within the last hour. UNFILLABLE_PARKING is the one in the monitoring guide.", "none",
			series("{{client}} {{facility}}", `max by (client, facility) (oms_orders_parked{client=~"$client"})`),
			series("{{client}} {{facility}} new", `max by (client, facility) (oms_orders_recently_parked{client=~"$client"})`)),
		graph("Imported orders per hour", "Orders that entered the OMS, the number expected from the same hours of last week and yesterday, and the lower number of the same hours of the last two weeks (due).", "none",
			series("{{client}} {{channel}}", `3600 * sum by (client, channel) (max by (client, product_store, channel) (rate(oms_orders_imported_total{client=~"$client"}[$__rate_interval])))`),
			series("{{client}} {{channel}} expected", `sum by (client, channel) (oms:orders_import_expected{client=~"$client"}) / 3`),
			series("{{client}} {{channel}} due", `sum by (client, channel) (oms:orders_import_due{client=~"$client", within="3h"}) / 3`)),
		graph("Open orders", "By status.", "none",
			series("{{client}} {{status}}", `sum by (client, status) (max by (client, product_store, channel, status) (oms_orders{client=~"$client"}))`)),
		table("Last import", "Time since the last order from each channel.",
			[]key{clientKey(), {label: "product_store", title: "Store"}, {label: "channel", title: "Channel"}},
			column{
				ref: "gap", title: "Since", unit: duration, width: 120,
				expr: `time() - max by (client, product_store, channel) (oms_orders_last_import_timestamp_seconds{client=~"$client"})`,
			}).sorted("Since", true).size(16, 8),
		stat("Missing at import", "Orders that a shop's last reconciliation found in Shopify but not in the OMS.", "none",
			steps("text", from(0, "green"), from(1, "red")),
			series("{{client}} {{shop}}", missing("client, shop")),
		).emptyMeans("no reconciliation within the last 36 hours").size(8, 8),
	}}
}
