package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// upload is a file on the client's SFTP server.
type upload struct {
	folder, name string // the folder as seen from the one into which the client's system drops its files, the inbox
	modified     time.Time
	content      string
}

const (
	inbox   = "."
	archive = "archive"
	refused = "failed" // for what cannot be imported. Nothing comes there.

	uploadPattern = "*InventoryItemExport*.csv"
	// recentUploads is for how long the archive is kept: longer than the exporter reads back into it.
	recentUploads = 4 * 24 * time.Hour
	// importService is what the job does that fetches uploads.
	importService = "ftpImportFile"
)

// importPath is where the files of a data-manager configuration come from.
func importPath(config string) string { return "/home/hotwax/" + strings.ToLower(config) }

// upload drops a file into the inbox at the given moment, which may be past.
func (c *client) upload(at time.Time, suffix, content string) *upload {
	u := &upload{
		folder: inbox, name: at.In(c.zone).Format("20060102-150405") + "-InventoryItemExport" + suffix, modified: at, content: content,
	}
	c.uploads = append(slices.DeleteFunc(c.uploads, func(u *upload) bool {
		return u.modified.Before(c.now.Add(-recentUploads))
	}), u)
	return u
}

// uploadInventory drops a good reset-inventory file.
func (c *client) uploadInventory(at time.Time) *upload {
	var rows strings.Builder
	rows.WriteString("externalFacilityId,idType,idValue,availableQty\n")
	for range 40 {
		fmt.Fprintf(&rows, "WAREHOUSE_1,sku,%d,%d\n", 10000+c.random.IntN(500), c.random.IntN(200))
	}
	return c.upload(at, ".csv", rows.String())
}

// fetch moves what waits in the inbox to the archive, as the import job does, and returns it. What cannot be imported stays.
func (c *client) fetch() []*upload {
	var fetched []*upload
	for _, u := range c.uploads {
		if u.folder == inbox && u != c.heldUpload {
			u.folder = archive
			fetched = append(fetched, u)
		}
	}
	return fetched
}

// importUploads hands what waits in the inbox to the data manager.
func (c *client) importUploads() {
	if c.on[fileStuck] || c.on[fileBackdated] {
		return
	}
	for _, u := range c.fetch() {
		if !c.on[fileLate] && !c.on[configWrong] {
			c.receive(c.feed(resetConfig)).name = u.name
		}
	}
}

// importByHand is what people do while no job runs, and while files get lost once they are fetched: that one waits in the inbox is
// another fault.
func (c *client) importByHand() {
	if c.on[schedulerDown] || c.on[fileLate] {
		c.importUploads()
	}
}

// delivered returns the good files that were uploaded since.
func (c *client) delivered(since time.Time) []*upload {
	var found []*upload
	for _, u := range c.uploads {
		if u != c.heldUpload && !u.modified.Before(since) {
			found = append(found, u)
		}
	}
	return found
}

// shown is what the servers show to any caller at any time: what time it is, the uploads, and when those last changed by the
// folders' own times. It is never changed itself.
type shown struct {
	now     time.Time
	uploads []upload
	changed time.Time
}

// publish lets the servers show the uploads and the time as they are now. A folder's time has whole seconds, and moves with
// each change all the same.
func (c *client) publish() {
	next, last := &shown{now: c.now, changed: c.now}, c.shown.Load()
	for _, u := range c.uploads {
		next.uploads = append(next.uploads, *u)
	}
	switch {
	case last == nil:
	case slices.Equal(last.uploads, next.uploads):
		next.uploads, next.changed = last.uploads, last.changed
	case !next.changed.After(last.changed):
		next.changed = last.changed.Add(time.Second)
	}
	c.shown.Store(next)
}
