package demo

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// order is a row of order_header with what hangs on it. All its items share one ship group.
type order struct {
	stamps
	id, store, channel, status string
	ordered, entered           time.Time
	items                      []*item
	group                      *shipGroup
	firstStatus                string // the key of its order_status row ORDER_CREATED
	waits                      bool   // it is created for a reason and not to be approved
}

func (o *order) table() table {
	return table{"order_header", "order_id, order_type_id, order_name, external_id, sales_channel_enum_id, order_date, " +
		"entry_date, status_id, product_store_id, currency_uom, grand_total, auto_approve", 1}
}

func (o *order) values() []any {
	return []any{o.id, "SALES_ORDER", "#" + o.id, "52" + o.id, o.channel, o.ordered,
		o.entered, o.status, o.store, "USD", 50 * len(o.items), "Y"}
}

type item struct {
	stamps
	order                *order
	seq, product, status string
}

func (i *item) table() table {
	return table{"order_item", "order_id, order_item_seq_id, order_item_type_id, product_id, quantity, unit_price, " +
		"status_id, ship_group_seq_id", 2}
}

func (i *item) values() []any {
	return []any{i.order.id, i.seq, "PRODUCT_ORDER_ITEM", i.product, 1, 50, i.status, shipGroupSeq}
}

const shipGroupSeq = "00001"

type shipGroup struct {
	stamps
	order, facility string
}

func (g *shipGroup) table() table {
	return table{"order_item_ship_group", "order_id, ship_group_seq_id, shipment_method_type_id, facility_id", 2}
}

func (g *shipGroup) values() []any { return []any{g.order, shipGroupSeq, "STANDARD", g.facility} }

// enter lets an order enter the OMS at the given moment, which may be past.
func (c *client) enter(store, channel string, at time.Time) *order {
	o := &order{
		stamps: stamps{created: at}, id: c.id(), store: store, channel: channel, status: "ORDER_CREATED",
		ordered: at.Add(-c.between(time.Minute, 15*time.Minute)), entered: at, firstStatus: c.id(),
	}
	o.group = &shipGroup{stamps: stamps{created: at}, order: o.id, facility: brokeringQueue}
	for n := range 1 + c.random.IntN(2) {
		o.items = append(o.items, &item{
			stamps: stamps{created: at}, order: o, seq: fmt.Sprintf("%05d", n+1),
			product: strconv.Itoa(10000 + c.random.IntN(500)), status: "ITEM_CREATED",
		})
	}
	c.putOrder(o)
	c.put(o.group)
	c.putStatus(o, o.firstStatus, o.status, at)
	c.orders = append(c.orders, o)
	if len(c.orders)%256 == 0 {
		c.orders = slices.DeleteFunc(c.orders, func(o *order) bool {
			return o.entered.Before(c.now.Add(-stall))
		})
	}
	return o
}

// putOrder has the order's header and items written.
func (c *client) putOrder(o *order) {
	c.put(o)
	for _, i := range o.items {
		c.put(i)
	}
}

func (c *client) putStatus(o *order, key, status string, at time.Time) {
	c.put(&fixed{
		stamps: stamps{created: at},
		into:   table{"order_status", "order_status_id, order_id, status_id, status_datetime, status_user_login", 1},
		cells:  []any{key, o.id, status, at, "system"},
	})
}

// become moves an order and its items on to other states.
func (c *client) become(o *order, status, itemStatus string, at time.Time) {
	o.status = status
	for _, i := range o.items {
		i.status = itemStatus
	}
	c.putOrder(o)
	c.putStatus(o, c.id(), status, at)
}

// approve approves an order that is still created, and reports whether it did.
func (c *client) approve(o *order, at time.Time) bool {
	if o.status != "ORDER_CREATED" {
		return false
	}
	c.become(o, "ORDER_APPROVED", "ITEM_APPROVED", at)
	return true
}

// move brings an order's ship group to another facility.
func (c *client) move(o *order, facility, reason string, at time.Time) {
	for _, i := range o.items {
		c.put(&fixed{
			stamps: stamps{created: at},
			into: table{"order_facility_change", "order_facility_change_id, order_id, order_item_seq_id, ship_group_seq_id, " +
				"facility_id, from_facility_id, change_datetime, change_reason_enum_id", 1},
			cells: []any{c.id(), o.id, i.seq, shipGroupSeq, facility, o.group.facility, at, reason},
		})
	}
	o.group.facility = facility
	c.put(o.group)
}

// fraudAttribute is given to an order by the fraud review.
const fraudAttribute = "SIGNIFYD_APPROVED"

// attribute gives an order the attribute without which it is not approved.
func (c *client) attribute(o *order) {
	c.put(&fixed{
		into:  table{"order_attribute", "order_id, attr_name, attr_value", 2},
		cells: []any{o.id, fraudAttribute, "true"},
	})
}
