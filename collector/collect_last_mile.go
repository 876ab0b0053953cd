package collector

import "context"

var (
	// `target` is a name of `last_mile` in the configuration. Orders count for 7 days after their entry.
	ordersUnsynced = newMetric(count, "oms_orders_unsynced",
		"Approved, sent and completed sales orders of the last 7 days that have not reached this target within its grace period.",
		"target", "product_store", "channel")
	ordersOldestUnsynced = newMetric(greatest, "oms_orders_oldest_unsynced_age_seconds",
		"Time since the approval of the oldest order that has not reached this target; 0 if there is none.", "target", "product_store", "channel")
	// Those with an external id that an earlier order of the product store has, and those with a name that one of the last 7 days has.
	ordersDuplicate = newMetric(count, "oms_orders_duplicate",
		"Sales orders of the last 7 days that are already in the OMS, without cancelled and rejected orders.", "product_store", "channel")
	ordersUnconfirmed = newMetric(count, "oms_orders_fulfillments_unconfirmed",
		"Orders with a fulfillment of the last 7 days that the shop has not confirmed within 4 hours.")
	// More than 50 000 orders or fulfillments, for example: the client's page says which. The other metrics of the last mile are lower bounds then.
	ordersTruncated = newMetric(greatest, "oms_orders_last_mile_truncated",
		"1 if the exporter does not look at all orders and fulfillments of the last 7 days, else 0.")
)

// lastMileCollector measures whether orders reach the systems behind the OMS, and each of them once.
type lastMileCollector struct{}

func (lastMileCollector) Name() string { return "last_mile" }

func (lastMileCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.LastMile(ctx, b.now)
	for _, o := range facts.Unsynced {
		b.set(ordersUnsynced, float64(o.Count), o.Target, o.ProductStore, o.Channel.Channel)
		b.setOldest(ordersOldestUnsynced, o.Count, o.Oldest, o.Target, o.ProductStore, o.Channel.Channel)
	}
	if facts.Duplicate.Known && len(facts.Duplicate.All) == 0 {
		b.set(ordersDuplicate, 0, "", "")
	}
	for _, o := range facts.Duplicate.All {
		b.set(ordersDuplicate, float64(o.Count), o.ProductStore, o.Channel.Channel)
	}
	if facts.Unconfirmed != nil {
		b.set(ordersUnconfirmed, float64(*facts.Unconfirmed))
	}
	if facts.Duplicate.Known {
		b.set(ordersTruncated, boolFloat(len(facts.Partial) > 0))
	}
	b.remarks = append(b.remarks, facts.Partial...)
	b.age = facts.Age
	return err
}
