package demo

import (
	"slices"
	"strings"
	"time"
)

// feed is a configuration of the data manager and the files that come by it.
type feed struct {
	config, service string
	every           time.Duration   // or, when 0, daily at these times of the client's day
	at              []time.Duration //
	longest         time.Duration   // that a file is in progress
	moqui           bool            // Moqui reads the files
	files           []*file         // the late ones
}

// The configurations on which faults work.
const (
	resetConfig   = "RESET_INVENTORY"
	shopifyConfig = "SYNC_SHOPIFY_INV" // reset inventory too, from Shopify
	// otherConfig is that of any file but the reset-inventory one.
	otherConfig = "MDM_INV_VARIANCE"
	// flakyConfig is one with many files.
	flakyConfig = "CRT_SHOPIFY_ORDER"

	// recentFiles is for how long files are kept at hand: more than a deadline and its window look back.
	recentFiles = 48 * time.Hour
)

func (p profile) feeds() []*feed {
	const m = time.Minute
	reset := &feed{config: resetConfig, service: "resetInventoryByIdentification", longest: 18 * m}
	for _, d := range p.deadlines {
		reset.at = append(reset.at, d.arrives)
	}
	all := []*feed{
		reset,
		{config: flakyConfig, service: "createShopifyOrder", every: 15 * m, longest: 3 * m},
		{config: "UPD_SHOPIFY_ORDER", service: "updateShopifyOrder", every: 30 * m, longest: 3 * m},
		{config: "IMP_APR_SALES_ORD", service: "approveSalesOrder", every: 30 * m, longest: m},
		{config: otherConfig, service: "updateInventoryByIdentification", every: 60 * m, longest: 6 * m},
	}
	if p.shopifyInventory {
		all = append(all, &feed{
			config: shopifyConfig, service: "syncShopifyInventory", at: []time.Duration{8 * time.Hour}, longest: 18 * m,
		})
	}
	if p.moqui {
		all = append(all, &feed{
			config: "SYNC_SHOPIFY_ORDER", service: "co.hotwax.shopify.OrderServices.sync#ShopifyOrder",
			every: 45 * m, longest: 3 * m, moqui: true,
		})
	}
	return all
}

// file is a row of data_manager_log.
type file struct {
	stamps
	feed                        *feed
	id, status                  string // of SERVICE_*; table and values translate it for Moqui
	name                        string // of the file that was imported
	instance                    string
	received, started, finished time.Time
	records, refused            any // nil until it is read
}

func (f *file) table() table {
	return table{"data_manager_log", "log_id, config_id, created_by_user_login, created_date, start_date_time, " +
		"finish_date_time, status_id, run_by_instance_id, total_record_count, failed_record_count, remote_file_path", 1}
}

func (f *file) values() []any {
	status := f.status
	if f.moqui {
		word := strings.ToLower(strings.TrimPrefix(status, "SERVICE_"))
		status = "Dmls" + strings.ToUpper(word[:1]) + word[1:]
	}
	return []any{f.id, f.feed.config, "system", f.received, f.started, f.finished, status, f.instance, f.records,
		f.refused, importPath(f.feed.config) + "/" + f.name}
}

// openFeeds writes the data manager's configurations, and plans the first file of each.
func (c *client) openFeeds() {
	c.feeds = c.profile.feeds()
	for _, f := range c.feeds {
		c.putConfig(f, "DMC_QUEUE")
		if f.every > 0 {
			c.after(c.between(0, f.every), func() { c.deliver(f, f.every) })
		}
		for _, clock := range f.at {
			c.deliverDaily(f, clock)
		}
	}
}

// putConfig writes the configuration of a feed.
func (c *client) putConfig(f *feed, mode string) {
	configs := table{"data_manager_config", "config_id, import_service_name, execution_mode_id, priority, import_path", 1}
	c.put(&fixed{into: configs, cells: []any{f.config, f.service, mode, 5, importPath(f.config)}})
}

// deliver lets a file of a feed arrive every so often, give or take a minute.
func (c *client) deliver(f *feed, every time.Duration) {
	c.receive(f)
	c.after(every+c.between(-time.Minute, time.Minute), func() { c.deliver(f, every) })
}

// deliverDaily plans a file for a time of day, or up to half an hour later. That of the reset inventory comes over SFTP.
func (c *client) deliverDaily(f *feed, clock time.Duration) {
	c.after(c.nextAt(c.now, clock).Sub(c.now)+c.between(0, 30*time.Minute), func() {
		if f.config != resetConfig {
			c.receive(f)
		} else if !c.on[fileMissing] {
			u := c.uploadInventory(c.now)
			if c.on[fileBackdated] {
				u.modified = u.modified.Add(-backdated)
			}
			c.importByHand()
		}
		c.deliverDaily(f, clock)
	})
}

// receive lets a file reach the data manager now, and plans what becomes of it.
func (c *client) receive(f *feed) *file {
	x := c.newFile(f, c.now)
	c.after(c.between(10*time.Second, 5*time.Minute), func() {
		if x.status != pending {
			return
		}
		x.status, x.started, x.instance = running, c.now, c.instances()[0]
		c.put(x)
		c.after(c.between(f.longest/6, f.longest), func() {
			if x.status == running {
				c.finishFile(x, c.now)
			}
		})
	})
	return x
}

// newFile inserts a pending file that arrived at the given moment, which may be past.
func (c *client) newFile(f *feed, at time.Time) *file {
	id := c.id()
	x := &file{
		stamps: stamps{created: at, moqui: f.moqui}, feed: f, id: id, name: id + ".csv", status: pending, received: at,
	}
	f.files = append(slices.DeleteFunc(f.files, func(x *file) bool {
		return x.received.Before(c.now.Add(-recentFiles))
	}), x)
	c.put(x)
	return x
}

// finishFile ends the work on a file: it is read, unless a fault is on.
func (c *client) finishFile(x *file, at time.Time) {
	x.status, x.finished, x.records, x.refused = done, at, 200+c.random.IntN(2000), 0
	if c.on[fileFailed] && x.feed.config == resetConfig || c.on[dmFailed] && x.feed.config == otherConfig {
		x.status, x.refused = failed, x.records
	}
	if c.on[fileEmpty] && x.feed.config == resetConfig {
		x.records = 0
	}
	if c.on[filesFlaky] && x.feed.config == flakyConfig {
		if c.flaky++; c.flaky%3 == 0 {
			x.status, x.refused = failed, x.records
			c.after(time.Second, func() { c.passThrough(x.feed, c.now) })
		}
	}
	c.put(x)
}

// passThrough lets a file arrive and be read in one moment.
func (c *client) passThrough(f *feed, at time.Time) {
	x := c.newFile(f, at)
	x.started, x.instance = at, c.instances()[0]
	c.finishFile(x, at)
}

func (c *client) feed(config string) *feed {
	return c.feeds[slices.IndexFunc(c.feeds, func(f *feed) bool { return f.config == config })]
}

// missable returns since when a file counts for the deadline that passed last.
func (c *client) missable() time.Time {
	var passed, since time.Time
	for _, d := range c.deadlines {
		for _, days := range []int{0, -1} {
			if by := c.today(c.now, days, d.by); !by.After(c.now) && by.After(passed) {
				passed, since = by, c.today(c.now, days, d.by-d.window)
			}
		}
	}
	return since
}
