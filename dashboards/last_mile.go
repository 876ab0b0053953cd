package main

// lastMileSection is about orders that must reach the systems behind the OMS, and each of them once.
func lastMileSection() section {
	return section{"Last mile", []panel{
		graph("Orders not synced", "Approved orders of the last 7 days that have not reached a target of last_mile within its grace.", "none",
			series("{{client}} {{target}} {{product_store}} {{channel}}",
				`max by (client, target, product_store, channel) (oms_orders_unsynced{client=~"$client"})`)),
		graph("Oldest order not synced", "Since its approval.", duration,
			series("{{client}} {{target}}", `max by (client, target) (oms_orders_oldest_unsynced_age_seconds{client=~"$client"})`)),
		graph("Duplicate orders", "Orders of the last 7 days whose external id or name another order has.", "none",
			series("{{client}} {{product_store}} {{channel}}", `max by (client, product_store, channel) (oms_orders_duplicate{client=~"$client"})`)),
		graph("Unconfirmed fulfillments", "Orders with a fulfillment of the last 7 days that the shop has not confirmed within 4 hours.", "none",
			series("{{client}} orders", `max by (client) (oms_orders_fulfillments_unconfirmed{client=~"$client"})`)),
	}}
}
