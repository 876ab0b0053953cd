package demo

import "time"

const (
	// erp is the target that every client's orders must reach, and erpID the type of the identification that says so.
	erp   = "netsuite"
	erpID = "NETSUITE_ORDER_ID"
	// toERP is how long an approved order takes to the ERP, and toShop a fulfillment to the shop and back.
	toERP, toShop = 10 * time.Minute, 5 * time.Minute
)

// export sends an approved order to the ERP, which it reaches later unless the export stands still.
func (c *client) export(o *order) {
	c.after(toERP, func() {
		if c.on[erpStopped] {
			c.heldOrders[erpStopped] = append(c.heldOrders[erpStopped], o)
			return
		}
		c.identify(o)
	})
}

// identify notes that an order has reached the ERP.
func (c *client) identify(o *order) {
	c.put(&fixed{
		into:  table{"order_identification", "order_identification_type_id, order_id, from_date, id_value", 3},
		cells: []any{erpID, o.id, c.now, "77" + o.id},
	})
}

// fulfilled tells the shop that an order was shipped, which confirms it soon.
func (c *client) fulfilled(o *order) {
	into := table{"order_fulfillment_history", "fulfillment_log_id, order_id, order_item_seq_id, created_date, external_fulfillment_id", 1}
	for _, i := range o.items {
		log, at := c.id(), c.now
		c.put(&fixed{into: into, cells: []any{log, o.id, i.seq, at, "_NA_"}})
		c.after(toShop, func() {
			c.put(&fixed{stamps: stamps{created: at}, into: into, cells: []any{log, o.id, i.seq, at, "9" + log}})
		})
	}
}

// setERPStopped has orders that were approved long ago not reach the ERP, nor any that come.
func (c *client) setERPStopped(on bool) {
	if !on {
		for _, o := range c.heldOrders[erpStopped] {
			c.identify(o)
		}
		delete(c.heldOrders, erpStopped)
		return
	}
	for _, age := range spread(12, 5*time.Hour) {
		o := c.enterPast(5*time.Hour + age)
		c.become(o, "ORDER_APPROVED", "ITEM_APPROVED", c.now.Add(-5*time.Hour-age/2))
		c.broker(o)
		c.heldOrders[erpStopped] = append(c.heldOrders[erpStopped], o)
	}
}
