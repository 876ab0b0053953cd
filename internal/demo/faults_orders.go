package demo

import "time"

const (
	// stall is how long ago the newest order entered once the import stalls.
	stall = 13 * time.Hour
	// rhythm is a little more than the longest time between two orders of a shop's channel.
	rhythm = 65 * time.Minute
)

func (c *client) setOrderStuck(on bool) {
	const name = "order-stuck"
	if on {
		o := c.enterPast(4 * time.Hour)
		o.waits = true
		c.heldOrders[name] = []*order{o}
		return
	}
	for _, o := range c.heldOrders[name] {
		c.process(o)
	}
	delete(c.heldOrders, name)
}

func (c *client) setOrderUnfulfilled(on bool) {
	c.holdOrders("order-unfulfilled", on, 5, brokeringQueue, "RELEASED")
}

func (c *client) setUnfillable(on bool) { c.holdOrders("unfillable", on, 30, unfillable, "UNFILLABLE") }

// holdOrders has approved orders come to a virtual facility over the last 26 hours, and stay until the fault is over;
// then they are brokered.
func (c *client) holdOrders(name string, on bool, count int, facility, reason string) {
	if !on {
		for _, o := range c.heldOrders[name] {
			c.broker(o)
		}
		delete(c.heldOrders, name)
		return
	}
	for n := range count {
		age := 26 * time.Hour * time.Duration(count-n) / time.Duration(count)
		age = age.Truncate(time.Second)
		o := c.enterPast(age + time.Hour)
		c.approve(o, c.now.Add(-age-40*time.Minute))
		c.move(o, facility, reason, c.now.Add(-age))
		c.heldOrders[name] = append(c.heldOrders[name], o)
	}
}

// enterPast lets an order enter by the web, so long ago.
func (c *client) enterPast(age time.Duration) *order {
	o := c.enter(c.stores[0], web, c.now.Add(-age))
	if c.fraudReview {
		c.attribute(o)
	}
	return o
}

// setImportStalled makes the newest orders old; meanwhile none arrives. Those that would now be created for too long
// are approved: that is another fault.
func (c *client) setImportStalled(on bool) {
	if !on {
		for _, ch := range c.channels() {
			c.arrive(ch)
		}
		return
	}
	for _, o := range c.orders {
		if o.entered.Before(c.now.Add(-stall)) {
			continue
		}
		if o.entered.After(c.now.Add(-rhythm)) {
			o.created = c.now // the exporter follows orders by their creation stamp
		}
		o.ordered, o.entered = o.ordered.Add(-stall), o.entered.Add(-stall)
		c.putOrder(o)
		c.putStatus(o, o.firstStatus, "ORDER_CREATED", o.entered)
		if !o.waits {
			c.process(o)
		}
	}
}
