package main

// ordersSection is what the guide calls order sync and fulfillment.
func ordersSection() section {
	return section{"Orders", []panel{
		graph("Oldest order in created", "Since its entry into the OMS, known waits apart, and the limit.", duration,
			series("{{client}} {{product_store}} {{channel}}", `max by (client, product_store, channel) (oms_orders_oldest_created_age_seconds{client=~"$client"})`),
			limit("created_age_seconds")),
		graph("Orders in created", "How many are older than each age, and those set aside because their wait is known.", "none",
			series("{{client}} older than {{age}}", `sum by (client, age) (max by (client, product_store, channel, age) (oms_orders_created_older_than{client=~"$client"}))`),
			series("{{client}} set aside: {{reason}}", `max by (client, reason) (oms_orders_created_excluded{client=~"$client"})`)),
		graph("Oldest approved order not fulfilled", "By where it waits, the longest wait since a store or warehouse last rejected it, since the approval, and the limits.", duration,
			series("{{client}} {{stage}}", `max by (client, stage) (oms_orders_oldest_unfulfilled_age_seconds{client=~"$client"})`),
			series("{{client}} {{stage}} since approval", `max by (client, stage) (oms_orders_oldest_approved_age_seconds{client=~"$client"})`),
			limit("unfulfilled_age_seconds", "stage")),
		graph("Approved orders not fulfilled", "By where they wait.", "none",
			series("{{client}} {{stage}}", `max by (client, stage) (oms_orders_unfulfilled{client=~"$client"})`)),
		graph("Oldest parked order", "By virtual facility, routing retries included, and the limits of those that have one.", duration,
			series("{{client}} {{facility}}", `max by (client, facility) (oms_orders_oldest_parked_age_seconds{client=~"$client"})`),
			limit("parked_age_seconds", "facility")),
		graph("Parked orders", "By virtual facility, and those that came there within the hour; UNFILLABLE_PARKING is the guide's.", "none",
			series("{{client}} {{facility}}", `max by (client, facility) (oms_orders_parked{client=~"$client"})`),
			series("{{client}} {{facility}} new", `max by (client, facility) (oms_orders_recently_parked{client=~"$client"})`)),
		graph("Imported orders per hour", "Orders seen entering the OMS, what the same hours of last week and of yesterday let expect, and the lesser of the same hours of the last two weeks (due).", "none",
			series("{{client}} {{channel}}", `3600 * sum by (client, channel) (max by (client, product_store, channel) (rate(oms_orders_imported_total{client=~"$client"}[$__rate_interval])))`),
			series("{{client}} {{channel}} expected", `sum by (client, channel) (oms:orders_import_expected{client=~"$client"}) / 3`),
			series("{{client}} {{channel}} due", `sum by (client, channel) (oms:orders_import_due{client=~"$client", within="3h"}) / 3`)),
		graph("Open orders", "By status.", "none",
			series("{{client}} {{status}}", `sum by (client, status) (max by (client, product_store, channel, status) (oms_orders{client=~"$client"}))`)),
		table("Last import", "How long ago an order last came by each channel.",
			[]key{clientKey(), {label: "product_store", title: "Store"}, {label: "channel", title: "Channel"}},
			column{
				ref: "gap", title: "Since", unit: duration, width: 120,
				expr: `time() - max by (client, product_store, channel) (oms_orders_last_import_timestamp_seconds{client=~"$client"})`,
			}).sorted("Since", true).size(16, 8),
		stat("Missing at import", "Orders that a shop's last reconciliation found in Shopify and that are not in the OMS.", "none",
			steps("text", from(0, "green"), from(1, "red")),
			series("{{client}} {{shop}}", missing("client, shop")),
		).emptyMeans("no reconciliation within 36 h").size(8, 8),
	}}
}
