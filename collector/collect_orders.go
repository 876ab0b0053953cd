package collector

import (
	"context"
	"strconv"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	orders = newMetric(count, "oms_orders",
		"Open sales orders.", "status", "product_store", "channel")
	ordersOldestCreated = newMetric(greatest, "oms_orders_oldest_created_age_seconds",
		"Age, since entry into the OMS, of the oldest sales order still created, exclusions apart; 0 when there is none.",
		"product_store", "channel")
	ordersCreatedOlderThan = newMetric(count, "oms_orders_created_older_than",
		"Sales orders still created that entered the OMS longer ago than this age, exclusions apart.",
		"product_store", "channel", "age")
	ordersCreatedExcluded = newMetric(count, "oms_orders_created_excluded",
		"Created sales orders set aside by the configured exclusions.", "reason")
	ordersUnfulfilled = newMetric(count, "oms_orders_unfulfilled",
		"Approved sales orders with open items, by where they wait.", "stage")
	ordersOldestUnfulfilled = newMetric(greatest, "oms_orders_oldest_unfulfilled_age_seconds",
		"Age of the longest wait there, since the item's latest facility change, else since approval; 0 when there is none.",
		"stage")
	ordersParked = newMetric(count, "oms_orders_parked",
		"Created, approved and held sales orders with open items in a virtual facility.", "facility")
	ordersOldestParked = newMetric(greatest, "oms_orders_oldest_parked_age_seconds",
		"Age of the longest wait there, since the item's latest facility change, else since approval or entry; 0 when there is none.",
		"facility")
	ordersLastImport = newMetric(newest, "oms_orders_last_import_timestamp_seconds",
		"Newest entry of a sales order into the OMS, as Unix time.", "product_store", "channel")
	ordersImported = newMetric(total, "oms_orders_imported_total",
		"Sales orders seen entering the OMS.", "product_store", "channel")
	ordersMissing = newMetric(count, "oms_orders_missing",
		"Orders that the shop's last reconciliation found in Shopify and that are not in the OMS; absent where none is fresh.",
		"shop")
)

// ordersCollector makes the guide's order checks.
type ordersCollector struct{}

func (ordersCollector) Name() string { return "orders" }

func (ordersCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.Orders(ctx, b.now)
	known := channels(facts)
	if facts.Open != nil {
		for c := range known {
			for _, status := range oms.OrderStatuses() {
				b.set(orders, 0, string(status), c.ProductStore, c.Channel)
			}
		}
	}
	for _, o := range facts.Open {
		b.set(orders, float64(o.Count), string(o.Status), o.ProductStore, o.Channel.Channel)
	}
	if facts.Created != nil {
		none := oms.CreatedOrders{OlderThan: make([]int, len(oms.CreatedAges()))}
		for none.Channel = range known {
			setCreated(b, 0, none)
		}
	}
	for _, o := range facts.Created {
		setCreated(b, 1, o)
	}
	for reason, n := range facts.Excluded {
		b.set(ordersCreatedExcluded, float64(n), reason)
	}
	if facts.Unfulfilled != nil {
		for _, stage := range oms.Stages() {
			setWaiting(b, ordersUnfulfilled, ordersOldestUnfulfilled, oms.WaitingOrders{Place: string(stage)})
		}
	}
	for _, o := range facts.Unfulfilled {
		setWaiting(b, ordersUnfulfilled, ordersOldestUnfulfilled, o)
	}
	for _, o := range facts.Parked {
		setWaiting(b, ordersParked, ordersOldestParked, o)
	}
	for _, i := range facts.Imports {
		b.setTime(ordersLastImport, i.Last, i.ProductStore, i.Channel.Channel)
		b.set(ordersImported, float64(i.Seen), i.ProductStore, i.Channel.Channel)
	}
	for _, m := range facts.Missing {
		b.set(ordersMissing, float64(m.Count), m.Shop)
	}
	b.age = facts.Age
	return err
}

// channels is every channel that the facts know. A client without any has one without a name, so that every client has
// every status.
func channels(facts oms.Orders) map[oms.Channel]bool {
	known := map[oms.Channel]bool{}
	for _, o := range facts.Open {
		known[o.Channel] = true
	}
	for _, o := range facts.Created {
		known[o.Channel] = true
	}
	for _, i := range facts.Imports {
		known[i.Channel] = true
	}
	if len(known) == 0 {
		known[oms.Channel{}] = true
	}
	return known
}

// setCreated puts what is known of a channel's created orders into the batch; some says whether there are any.
func setCreated(b *batch, some int, o oms.CreatedOrders) {
	b.setOldest(ordersOldestCreated, some, o.Oldest, o.ProductStore, o.Channel.Channel)
	ages := oms.CreatedAges()
	for i, n := range o.OlderThan {
		age := strconv.Itoa(int(ages[i].Hours())) + "h"
		b.set(ordersCreatedOlderThan, float64(n), o.ProductStore, o.Channel.Channel, age)
	}
}

func setWaiting(b *batch, number, age *metric, o oms.WaitingOrders) {
	b.set(number, float64(o.Count), o.Place)
	b.setOldest(age, o.Count, o.Oldest, o.Place)
}
