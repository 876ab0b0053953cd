package collector

import (
	"context"
	"strconv"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	// `status` is created, authorized, processing, held, approved, sent, or other for an unknown status.
	orders = newMetric(count, "oms_orders",
		"Open sales orders.", "status", "product_store", "channel")
	ordersOldestCreated = newMetric(greatest, "oms_orders_oldest_created_age_seconds",
		"Time since the oldest sales order in status created entered the OMS, without excluded orders; 0 if there is none.",
		"product_store", "channel")
	// `age` is 1h, 3h, 6h, 12h or 24h.
	ordersCreatedOlderThan = newMetric(count, "oms_orders_created_older_than",
		"Sales orders in status created that entered the OMS longer ago than this age, without excluded orders.",
		"product_store", "channel", "age")
	ordersCreatedExcluded = newMetric(count, "oms_orders_created_excluded",
		"Sales orders in status created that the configured exclusions leave out.", "reason")
	// `stage` is brokering_queue, parking, store or warehouse.
	ordersUnfulfilled = newMetric(count, "oms_orders_unfulfilled",
		"Approved sales orders with open items, by the stage in which they wait.", "stage")
	ordersOldestUnfulfilled = newMetric(greatest, "oms_orders_oldest_unfulfilled_age_seconds",
		"Longest wait of an order in this stage, since its item last left a store or warehouse, else since approval; 0 if there is none.",
		"stage")
	// Unlike the wait, this age does not start again when a store rejects the item.
	ordersOldestApproved = newMetric(greatest, "oms_orders_oldest_approved_age_seconds",
		"Time since the approval of the oldest unfulfilled order in this stage; 0 if there is none.", "stage")
	ordersParked = newMetric(count, "oms_orders_parked",
		"Sales orders in status created, approved or held with open items in this virtual facility.", "facility")
	ordersOldestParked = newMetric(greatest, "oms_orders_oldest_parked_age_seconds",
		"Longest wait of an order in this facility, since its item last left a store or warehouse, else since approval or entry into the OMS; 0 if there is none.",
		"facility")
	ordersRecentlyParked = newMetric(count, "oms_orders_recently_parked",
		"Sales orders that entered this virtual facility within the last hour and were not in a virtual facility before.", "facility")
	ordersLastImport = newMetric(newest, "oms_orders_last_import_timestamp_seconds",
		"Last time a sales order entered the OMS, as Unix time.", "product_store", "channel")
	ordersImported = newMetric(total, "oms_orders_imported_total",
		"Sales orders that entered the OMS since the exporter started.", "product_store", "channel")
	ordersEntered = newMetric(count, "oms_orders_entered_recently",
		"Sales orders that entered the OMS within the last 24 hours.", "product_store", "channel")
	// Only the first approval of an order counts, if its entry is known. The buckets reach from 5 minutes to 24 hours; `_count` is the
	// number of approved orders.
	ordersApproval = newMetric(distribution, "oms_orders_approval_seconds",
		"Time from entry into the OMS to approval of the sales orders that were approved since the exporter started, without excluded orders.")
	// The parkings are `UNFILLABLE_PARKING` and `UNF_HOLD_PARKING`. An order counts once, however often the routing retries it.
	ordersUnfillable = newMetric(total, "oms_orders_unfillable_total",
		"Sales orders that entered an unfillable parking for the first time since the exporter started, without excluded orders.")
	ordersMissing = newMetric(count, "oms_orders_missing",
		"Orders that the shop's last reconciliation found in Shopify but not in the OMS; absent if that reconciliation is older than 36 hours.",
		"shop")
)

// ordersCollector makes the guide's order checks.
type ordersCollector struct{}

func (ordersCollector) Name() string { return "orders" }

func (ordersCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.Orders(ctx, b.now)
	known := channels(facts)
	if facts.Open.Known {
		for c := range known {
			for _, status := range oms.OrderStatuses() {
				b.set(orders, 0, string(status), c.ProductStore, c.Channel)
			}
		}
	}
	b.left[orders] = facts.Merged
	for _, o := range facts.Open.All {
		b.set(orders, float64(o.Count), string(o.Status), o.ProductStore, o.Channel.Channel)
	}
	if facts.Created.Known {
		none := oms.CreatedOrders{OlderThan: make([]int, len(oms.CreatedAges()))}
		for none.Channel = range known {
			setCreated(b, 0, none)
		}
	}
	for _, o := range facts.Created.All {
		setCreated(b, 1, o)
	}
	for reason, n := range facts.Excluded {
		b.set(ordersCreatedExcluded, float64(n), reason)
	}
	if facts.Unfulfilled.Known {
		for _, stage := range oms.Stages() {
			setUnfulfilled(b, oms.WaitingOrders{Place: string(stage)})
		}
	}
	for _, o := range facts.Unfulfilled.All {
		setUnfulfilled(b, o)
	}
	for _, o := range facts.Parked {
		b.set(ordersParked, float64(o.Count), o.Place)
		b.setOldest(ordersOldestParked, o.Count, o.Oldest, o.Place)
		b.set(ordersRecentlyParked, float64(o.Recent), o.Place)
	}
	for _, i := range facts.Imports {
		b.setTime(ordersLastImport, i.Last, i.ProductStore, i.Channel.Channel)
		b.set(ordersImported, float64(i.Seen), i.ProductStore, i.Channel.Channel)
		b.set(ordersEntered, float64(i.Recent), i.ProductStore, i.Channel.Channel)
	}
	if a := facts.Approvals; a != nil {
		b.setDistribution(ordersApproval, a.Count, a.Total, oms.ApprovalTimes(), a.Within)
	}
	if facts.Unfillable != nil {
		b.set(ordersUnfillable, float64(*facts.Unfillable))
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
	for _, o := range facts.Open.All {
		known[o.Channel] = true
	}
	for _, o := range facts.Created.All {
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

func setUnfulfilled(b *batch, o oms.WaitingOrders) {
	b.set(ordersUnfulfilled, float64(o.Count), o.Place)
	b.setOldest(ordersOldestUnfulfilled, o.Count, o.Oldest, o.Place)
	b.setOldest(ordersOldestApproved, o.Count, o.OldestApproved, o.Place)
}
