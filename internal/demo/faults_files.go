package demo

import "time"

// setFileLate back-dates every file that counts for the last deadline; meanwhile none arrives. In the end one comes late.
func (c *client) setFileLate(on bool) {
	reset := c.feed(resetConfig)
	if !on {
		c.passThrough(reset, c.now)
		return
	}
	since := c.missable()
	for _, x := range reset.files {
		if x.finished.Before(since) && x.status != pending && x.status != running {
			continue
		}
		at := since.Add(-90 * time.Minute)
		x.created, x.received, x.started, x.instance = at, at, at, c.instances()[0]
		c.finishFile(x, at)
	}
}

// setFileFailed fails every file that counts for the last deadline. In the end the repaired one is read.
func (c *client) setFileFailed(on bool) {
	reset := c.feed(resetConfig)
	if !on {
		c.passThrough(reset, c.now)
		return
	}
	since := c.missable()
	if !c.failFiles(reset, since) {
		c.passThrough(reset, since.Add(time.Hour))
	}
}

// setFilePending leaves a file behind that nobody takes; in the end it is read.
func (c *client) setFilePending(on bool) {
	if on {
		c.heldFile = c.newFile(c.feed("UPD_SHOPIFY_ORDER"), c.now.Add(-90*time.Minute))
		return
	}
	c.heldFile.started, c.heldFile.instance = c.now, c.instances()[0]
	c.finishFile(c.heldFile, c.now)
	c.heldFile = nil
}

// setFilesFailing fails the newest files of a feed and those that come; in the end a repaired one is read.
func (c *client) setFilesFailing(on bool) {
	other := c.feed(otherConfig)
	if !on {
		c.passThrough(other, c.now)
		return
	}
	c.failFiles(other, c.now.Add(-2*other.every))
}

// failFiles makes failures of a feed's files that ended since, and reports whether there was one. The fault is on.
func (c *client) failFiles(f *feed, since time.Time) bool {
	found := false
	for _, x := range f.files {
		if x.finished.After(since) {
			c.finishFile(x, x.finished)
			found = true
		}
	}
	return found
}
