package demo

import "time"

// writingZone is that in which the OMS writes now: another one, ahead of its own, while the fault timezone-wrong is on.
func (c *client) writingZone() *time.Location {
	if c.on[timezoneWrong] {
		_, offset := c.now.In(c.serverZone).Zone()
		return time.FixedZone("", offset+5*60*60)
	}
	return c.serverZone
}

// setTimezoneWrong has the OMS write something at once. In the end everything that it wrote meanwhile is corrected.
func (c *client) setTimezoneWrong(on bool) {
	if !on {
		for _, r := range c.misdated {
			c.put(r)
		}
		c.misdated = nil
	}
	r := c.ran(c.job("JOB_APR_ORD"), done, c.instances()[0], 0)
	r.finished = c.now
}
