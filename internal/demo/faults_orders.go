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
	c.holdOrders("order-unfulfilled", on, brokeringQueue, "RELEASED", spread(5, 26*time.Hour))
}

func (c *client) setUnfillable(on bool) {
	c.holdOrders("unfillable", on, unfillable, "UNFILLABLE", append(spread(5, 26*time.Hour), spread(25, 20*time.Minute)...))
}

// setRetryStorm has orders be unfillable for more than a day, and the routing take them back to the queue for two minutes each
// hour.
func (c *client) setRetryStorm(on bool) {
	ages := spread(25, time.Hour)
	for i := range ages {
		ages[i] += 25 * time.Hour
	}
	c.holdOrders(retryStorm, on, unfillable, "UNFILLABLE", ages)
	for _, o := range c.heldOrders[retryStorm] {
		c.move(o, brokeringQueue, "ALLOCATED", c.now.Add(-32*time.Minute))
		c.move(o, unfillable, "UNFILLABLE", c.now.Add(-30*time.Minute))
	}
	if on {
		c.retryLater()
	}
}

// retryLater plans the next retry of what is held, while there is any.
func (c *client) retryLater() {
	storm := c.heldOrders[retryStorm]
	to := func(facility, reason string) bool {
		held := c.heldOrders[retryStorm]
		if len(held) == 0 || held[0] != storm[0] { // it is over, or another one
			return false
		}
		for _, o := range held {
			c.move(o, facility, reason, c.now)
		}
		return true
	}
	c.after(time.Hour, func() {
		if to(brokeringQueue, "ALLOCATED") {
			c.after(2*time.Minute, func() {
				if to(unfillable, "UNFILLABLE") {
					c.retryLater()
				}
			})
		}
	})
}

// spread returns so many ages, evenly over the last time.
func spread(count int, over time.Duration) []time.Duration {
	var ages []time.Duration
	for n := range count {
		ages = append(ages, (over * time.Duration(count-n) / time.Duration(count)).Truncate(time.Second))
	}
	return ages
}

// holdOrders has approved orders come to a virtual facility so long ago, and stay until the fault is over; then they are
// brokered.
func (c *client) holdOrders(name string, on bool, facility, reason string, ages []time.Duration) {
	if !on {
		for _, o := range c.heldOrders[name] {
			c.broker(o)
		}
		delete(c.heldOrders, name)
		return
	}
	for _, age := range ages {
		o := c.enterPast(age + time.Hour)
		c.approve(o, c.now.Add(-age-min(40*time.Minute, age/10)))
		c.identify(o)
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
			o.created = c.now // the exporter follows orders by their creation timestamp
		}
		o.ordered, o.entered = o.ordered.Add(-stall), o.entered.Add(-stall)
		c.putOrder(o)
		c.putStatus(o, o.firstStatus, "ORDER_CREATED", o.entered)
		if !o.waits {
			c.process(o)
		}
	}
}
