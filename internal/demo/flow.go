package demo

import "time"

// channel is a way by which orders enter.
type channel struct {
	store, id string
	// day and night are the mean times between two orders, from 8 to 22 h and from 22 to 8 h.
	day, night time.Duration
}

const (
	web       = "WEB_SALES_CHANNEL"
	pos       = "POS_SALES_CHANNEL"
	exchanges = "LOOP_EXCH"
)

func (p profile) channels() []channel {
	const m = time.Minute
	all := []channel{
		{p.stores[0], web, 8 * m, 20 * m}, {p.stores[0], pos, 12 * m, 35 * m},
		{p.stores[1], web, 16 * m, 30 * m}, {p.stores[1], pos, 24 * m, 40 * m},
	}
	if p.exchanges {
		all = append(all, channel{p.stores[0], exchanges, 6 * time.Hour, 6 * time.Hour})
	}
	return all
}

// openChannels lets the first order of each channel come soon.
func (c *client) openChannels() {
	for _, ch := range c.channels() {
		c.after(c.between(0, 10*time.Minute), func() { c.arrivals(ch) })
	}
}

// arrivals lets an order of a channel arrive, and plans the next one.
func (c *client) arrivals(ch channel) {
	if !c.on[importStalled] {
		c.arrive(ch)
	}
	mean := ch.night
	if hour := c.now.In(c.zone).Hour(); 8 <= hour && hour < 22 {
		mean = ch.day
	}
	c.after(c.between(mean/2, mean+mean/2), func() { c.arrivals(ch) })
}

// arrive lets an order of a channel arrive now, and plans its way.
func (c *client) arrive(ch channel) {
	o := c.enter(ch.store, ch.id, c.now)
	o.waits = ch.id == exchanges
	if c.fraudReview {
		if o.waits = c.chance(0.015); !o.waits {
			c.attribute(o)
		}
	}
	switch {
	case o.waits:
		c.after(c.between(4*time.Hour, 20*time.Hour), func() {
			if c.fraudReview {
				c.attribute(o)
			}
			c.process(o)
		})
	case c.chance(0.01):
		c.after(c.between(2*time.Minute, 20*time.Minute), func() { c.cancel(o) })
	default:
		c.after(c.between(time.Minute, 29*time.Minute), func() { c.process(o) })
	}
}

// process approves an order and sends it on its way.
func (c *client) process(o *order) {
	if !c.approve(o, c.now) {
		return
	}
	c.export(o)
	if c.chance(0.015) {
		c.move(o, preOrderParking, "PARKED", c.now)
		c.after(c.between(36*time.Hour, 120*time.Hour), func() { c.broker(o) })
		return
	}
	c.after(c.between(2*time.Minute, 55*time.Minute), func() {
		if c.chance(0.04) {
			c.move(o, unfillable, "UNFILLABLE", c.now)
			c.after(c.between(time.Hour, 8*time.Hour), func() { c.broker(o) })
			return
		}
		c.broker(o)
	})
}

// broker gives an approved order to a store or warehouse, which ships it within hours. A few are cancelled there.
func (c *client) broker(o *order) {
	if o.status != "ORDER_APPROVED" {
		return
	}
	facilities := physical()
	c.move(o, facilities[c.random.IntN(len(facilities))], "BROKERED", c.now)
	if c.chance(0.01) {
		c.after(c.between(time.Hour, 6*time.Hour), func() { c.cancel(o) })
		return
	}
	c.after(c.between(30*time.Minute, 150*time.Minute), func() {
		c.become(o, "ORDER_COMPLETED", "ITEM_COMPLETED", c.now)
		c.fulfilled(o)
	})
}

func (c *client) cancel(o *order) { c.become(o, "ORDER_CANCELLED", "ITEM_CANCELLED", c.now) }
