package omsdata

import (
	"math"
	"strconv"
	"time"
)

const orderEvery = 3 * 365 * 24 * time.Hour / 5_000_000

// An order as far as its rows go. Its age counts the orders that came after it.
type order struct {
	id, kind, status, item, store, channel, facility string
	entered, approved, changed                       string
}

// order returns the order of that age. Some 300 of the newest are created; of those of the last week some 4000 are
// approved and 100 on hold.
func (w World) order(age int) order {
	entered := w.Anchor.Add(-time.Duration(age)*orderEvery - time.Second)
	o := order{
		id: id(w.Orders - age), kind: "SALES_ORDER", status: "ORDER_COMPLETED", item: "ITEM_COMPLETED",
		store: "STORE", channel: "WEB_SALES_CHANNEL", facility: "S" + strconv.Itoa(dice(1, age, 50)),
		entered: stamp(entered), approved: stamp(entered.Add(20 * time.Minute)), changed: stamp(entered.Add(30 * time.Minute)),
	}
	switch dice(2, age, 20) {
	case 0, 1, 2:
		o.channel = "POS_SALES_CHANNEL"
	case 3:
		o.channel = "LOOP_EXCH"
	}
	switch kind := dice(3, age, 50); {
	case age < 600:
		if age%2 == 0 {
			o.status, o.item, o.facility = "ORDER_CREATED", "ITEM_CREATED", "_NA_"
		}
	case age < 32_600 && age%8 == 0:
		o.status, o.item = "ORDER_APPROVED", "ITEM_APPROVED"
		if places := []string{"_NA_", "UNFILLABLE_PARKING", "PRE_ORDER_PARKING", "W1", "W2"}; age/8%10 < len(places) {
			o.facility = places[age/8%10]
		}
	case age < 32_600 && age%320 == 1:
		o.status, o.item, o.facility = "ORDER_HOLD", "ITEM_HOLD", "_NA_"
	case kind < 2:
		o.status, o.item, o.facility = "ORDER_CANCELLED", "ITEM_CANCELLED", "UNFILLABLE_PARKING"
	case kind == 2:
		o.kind = "PURCHASE_ORDER"
	case kind < 20:
		o.facility = "W" + strconv.Itoa(dice(4, age, 3))
	}
	return o
}

// eachOrder calls f for each order, the oldest first.
func (w World) eachOrder(f func(age int, o order)) { w.latestOrders(math.MaxInt, f) }

// latestOrders calls f for the last orders. Who wants only those must not look at all: a server does not wait so long for
// the first row.
func (w World) latestOrders(most int, f func(age int, o order)) {
	for age := min(w.Orders, most) - 1; age >= 0; age-- {
		f(age, w.order(age))
	}
}

func (w World) orderTables() []table {
	return []table{
		{"order_item", "order_id, order_item_seq_id, external_id, product_id, quantity, unit_price, status_id, ship_group_seq_id, " + stampColumns,
			func(put put) {
				w.eachOrder(func(age int, o order) {
					product := id(dice(5, age, 50_000))
					put(o.id, "00001", o.id, product, "1", "49.9", o.item, "00001", o.changed, o.changed, o.entered, o.entered)
					if age%4 == 0 {
						put(o.id, "00002", o.id, product, "2", "19.9", o.item, "00001", o.changed, o.changed, o.entered, o.entered)
					}
				})
			}},
		{"order_header", "order_id, order_type_id, order_name, external_id, sales_channel_enum_id, order_date, entry_date, status_id, " +
			"currency_uom, product_store_id, grand_total, " + stampColumns,
			func(put put) {
				w.eachOrder(func(_ int, o order) {
					put(o.id, o.kind, "#"+o.id, "5"+o.id, o.channel, o.entered, o.entered, o.status, "USD", o.store, "69.8",
						o.changed, o.changed, o.entered, o.entered)
				})
			}},
		{"order_item_ship_group", "order_id, ship_group_seq_id, shipment_method_type_id, carrier_party_id, facility_id, " + stampColumns,
			func(put put) {
				w.eachOrder(func(_ int, o order) {
					put(o.id, "00001", "STANDARD", "_NA_", o.facility, o.changed, o.changed, o.entered, o.entered)
				})
			}},
		{"order_status", "order_status_id, status_id, order_id, status_datetime, status_user_login, " + stampColumns,
			func(put put) {
				w.eachOrder(func(_ int, o order) {
					if o.status == "ORDER_CREATED" {
						put(o.id, "ORDER_CREATED", o.id, o.entered, "system", o.entered, o.entered, o.entered, o.entered)
						return
					}
					put(o.id, "ORDER_APPROVED", o.id, o.approved, "system", o.approved, o.approved, o.approved, o.approved)
				})
			}},
		{"order_facility_change", "order_facility_change_id, order_id, order_item_seq_id, ship_group_seq_id, facility_id, from_facility_id, " +
			"change_datetime, change_reason_enum_id, " + stampColumns,
			func(put put) {
				w.eachOrder(func(_ int, o order) {
					if o.facility != "_NA_" {
						put(o.id, o.id, "00001", "00001", o.facility, "_NA_", o.changed, "BROKERED", o.changed, o.changed, o.changed, o.changed)
					}
				})
			}},
		{"order_attribute", "order_id, attr_name, attr_value, " + stampColumns,
			func(put put) { // only those of orders whose attributes are asked for
				w.latestOrders(600, func(age int, o order) {
					if o.status == "ORDER_CREATED" && age%20 != 0 {
						put(o.id, "SIGNIFYD_APPROVED", "Y", o.entered, o.entered, o.entered, o.entered)
					}
				})
			}},
		{"order_identification", "order_identification_type_id, order_id, id_value, from_date, " + stampColumns,
			func(put put) { // of the last month; one of twenty has not reached the ERP
				w.latestOrders(140_000, func(age int, o order) {
					put("SHOPIFY_ORD_ID", o.id, "5"+o.id, o.entered, o.entered, o.entered, o.entered, o.entered)
					if age%20 != 0 {
						put("NETSUITE_ORDER_ID", o.id, "7"+o.id, o.changed, o.changed, o.changed, o.changed, o.changed)
					}
				})
			}},
		{"order_fulfillment_history", "fulfillment_log_id, order_id, order_item_seq_id, created_date, external_fulfillment_id, " + stampColumns,
			func(put put) { // of the last month; the shop has not confirmed one of fifty
				w.latestOrders(140_000, func(age int, o order) {
					external := "9" + o.id
					if age%50 == 0 {
						external = "_NA_"
					}
					put(o.id, o.id, "00001", o.changed, external, o.changed, o.changed, o.changed, o.changed)
				})
			}},
		{"shopify_oms_order_recon", "system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp",
			func(put put) {
				w.latestOrders(int(24*time.Hour/orderEvery), func(_ int, o order) {
					put("SHOPIFY", "5"+o.id, "10000", o.entered, w.at(6*time.Hour))
				})
			}},
		{"facility", "facility_id, facility_type_id, facility_name, product_store_id", facilities},
		{"facility_type", "facility_type_id, parent_type_id", facilityTypes},
	}
}

func facilities(put put) {
	for i := range 50 {
		put("S"+strconv.Itoa(i), "RETAIL_STORE", "Store "+strconv.Itoa(i), "STORE")
	}
	for i := range 3 {
		put("W"+strconv.Itoa(i), "WAREHOUSE", "Warehouse "+strconv.Itoa(i), "STORE")
	}
	for _, parking := range []string{"_NA_", "UNFILLABLE_PARKING", "UNF_HOLD_PARKING", "REJECTED_ITM_PARKING", "PICKUP_REJECTED"} {
		put(parking, "NA", parking, "STORE")
	}
	put("PRE_ORDER_PARKING", "PRE_ORDER", "Pre-orders", "STORE")
	put("BACKORDER_PARKING", "BACKORDER", "Back-orders", "STORE")
}

func facilityTypes(put put) {
	for _, root := range []string{"VIRTUAL_FACILITY", "PHYSICAL_STORE", "DISTRIBUTION_CENTER"} {
		put(root, "")
	}
	for _, virtual := range []string{"NA", "PRE_ORDER", "BACKORDER", "CONFIGURATION", "GENERAL_OPERATIONS", "RELEASED_ORD"} {
		put(virtual, "VIRTUAL_FACILITY")
	}
	put("RETAIL_STORE", "PHYSICAL_STORE")
	put("OUTLET_STORE", "PHYSICAL_STORE")
	put("WAREHOUSE", "DISTRIBUTION_CENTER")
	put("OUTLET_WAREHOUSE", "DISTRIBUTION_CENTER")
}
