package demo

import (
	"slices"
	"time"
)

// setFileMissing back-dates everything that counts for the last deadline, and takes it off SFTP; meanwhile nothing is delivered.
// In the end somebody uploads a file into the data manager by hand.
func (c *client) setFileMissing(on bool) {
	if !on {
		c.passThrough(c.feed(resetConfig), c.now)
		return
	}
	missing := c.delivered(c.missDeadline())
	c.uploads = slices.DeleteFunc(c.uploads, func(u *upload) bool { return slices.Contains(missing, u) })
}

// setFileLate lets what counts for the last deadline get lost after the import job has fetched it, and whatever it fetches
// meanwhile. In the end it reaches the data manager.
func (c *client) setFileLate(on bool) {
	if on {
		c.strand(archive)
		return
	}
	c.passThrough(c.feed(resetConfig), c.now)
}

// setFileStuck leaves what counts for the last deadline, and whatever comes, in the inbox. In the end it is imported.
func (c *client) setFileStuck(on bool) {
	if on {
		c.strand(inbox)
		return
	}
	for range c.fetch() {
		c.passThrough(c.feed(resetConfig), c.now)
	}
}

// backdated is how old the time is that an upload keeps: that of Friday's export on Monday.
const backdated = 68 * time.Hour

// setFileBackdated leaves what counts for the last deadline, and whatever comes, in the inbox, with the time of days ago. In the
// end it is imported.
func (c *client) setFileBackdated(on bool) {
	if !on {
		c.setFileStuck(false)
		return
	}
	c.strand(inbox)
	for _, u := range c.uploads {
		if u.folder == inbox && u != c.heldUpload {
			u.modified = c.now.Add(-backdated).Truncate(time.Second)
		}
	}
}

// setFileInvalid drops a spreadsheet that bears the name of a table. In the end it is taken away.
func (c *client) setFileInvalid(on bool) {
	if on {
		c.heldUpload = c.upload(c.now, ".xlsx.csv", "PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00[Content_Types].xml")
		return
	}
	c.uploads = slices.DeleteFunc(c.uploads, func(u *upload) bool { return u == c.heldUpload })
	c.heldUpload = nil
}

// strand lets the uploads for the last deadline lie in a folder, unknown to the data manager.
func (c *client) strand(folder string) {
	since := c.missDeadline()
	uploads := c.delivered(since)
	if len(uploads) == 0 { // another fault was that there was none
		uploads = append(uploads, c.uploadInventory(since.Add(time.Hour)))
	}
	for _, u := range uploads {
		u.folder = folder
	}
}

// missDeadline back-dates every file of the data manager that counts for the last deadline, and returns since when one does.
func (c *client) missDeadline() time.Time {
	since := c.missable()
	for _, x := range c.feed(resetConfig).files {
		if x.finished.Before(since) && x.status != pending && x.status != running {
			continue
		}
		at := since.Add(-90 * time.Minute)
		x.created, x.received, x.started, x.instance = at, at, at, c.instances()[0]
		c.finishFile(x, at)
	}
	return since
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

// setFileEmpty has every file that counts for the last deadline be without records. In the end a full one is read.
func (c *client) setFileEmpty(on bool) { c.setFileFailed(on) }

// setConfigWrong disables the configuration by which the exporter knows the reset-inventory files: what comes goes by another one. In
// the end it is enabled, and a file is read.
func (c *client) setConfigWrong(on bool) {
	mode := "DMC_QUEUE"
	if on {
		mode = "DMC_DISABLED"
	}
	c.putConfig(c.feed(resetConfig), mode)
	if !on {
		c.passThrough(c.feed(resetConfig), c.now)
	}
}

// setFilesFlaky fails every third file of a feed, of the past day too; a good one always follows. In the end all are repeated.
func (c *client) setFilesFlaky(on bool) {
	flaky := c.feed(flakyConfig)
	n := 0
	for _, x := range flaky.files {
		if x.status == done || x.status == failed {
			if x.status, x.refused = done, 0; on && n%3 == 0 {
				x.status, x.refused = failed, x.records
			}
			n++
			c.put(x)
		}
	}
	c.flaky = 1 // the next one is good
	c.passThrough(flaky, c.now)
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

// setFilesFailing fails the newest files of a feed and those that come; in the end all are repaired and read.
func (c *client) setFilesFailing(on bool) {
	other := c.feed(otherConfig)
	if !on {
		for _, x := range other.files {
			if x.status == failed {
				x.status, x.refused = done, 0
				c.put(x)
			}
		}
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
