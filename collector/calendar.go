package collector

import (
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// What the client's entry in the configuration file says, which rules take before rules/limits.yml.
var (
	// From the configuration file, in seconds where the name of the limit says so. Labels without a value say that the limit is for all.
	clientLimit = newMetric(greatest, "oms_limit",
		"A limit for this client, which replaces that of rules/limits.yml.", "limit", "stage", "facility", "job_name")
	// From the configuration file, as the next five are. `days` lists the weekdays that have the deadline; it is for people.
	resetDeadline = newMetric(greatest, "oms_reset_inventory_deadline_seconds",
		"By when a reset-inventory file must be processed, in seconds since midnight on the client's clock.", "source", "deadline", "days")
	resetDeadlineWindow = newMetric(greatest, "oms_reset_inventory_deadline_window_seconds",
		"How long before the last deadline a file counted for it: since the source's deadline before, over days off.",
		"source", "deadline", "days")
	// A deadline has passed when a minute is over: a file that is finished at the last moment has to be scraped first.
	resetLastDeadline = newMetric(greatest, "oms_reset_inventory_last_deadline_timestamp_seconds",
		"When the deadline last passed, days off left out, as Unix time.", "source", "deadline")
	resetNextDeadline = newMetric(greatest, "oms_reset_inventory_next_deadline_timestamp_seconds",
		"When the deadline passes next, days off left out, as Unix time.", "source", "deadline")
	resetFollowingDeadline = newMetric(greatest, "oms_reset_inventory_following_deadline_timestamp_seconds",
		"When the deadline passes after that, days off left out, as Unix time.", "source", "deadline")
	// Of clients with holidays.
	clientDayOff = newMetric(greatest, "oms_client_day_off",
		"1 on a holiday of the client's calendar, by its clock, else 0.")
)

// setCalendar puts the limits, deadlines and holidays of the client's entry into the batch, as they are at now.
func (b *batch) setCalendar(cfg config.Client, now time.Time) {
	if len(cfg.Holidays) > 0 {
		b.set(clientDayOff, boolFloat(cfg.DayOff(now)))
	}
	for _, l := range cfg.Limits {
		b.set(clientLimit, l.Value, l.Limit, l.Stage, l.Facility, l.JobName)
	}
	for _, s := range cfg.ResetInventory {
		days := s.DayNames()
		for _, d := range cfg.Deadlines(s, now) {
			at := d.At.String()
			b.set(resetDeadline, time.Duration(d.At).Seconds(), s.Source, at, days)
			b.set(resetDeadlineWindow, d.Window.Seconds(), s.Source, at, days)
			b.setTime(resetLastDeadline, d.Last, s.Source, at)
			b.setTime(resetNextDeadline, d.Next, s.Source, at)
			b.setTime(resetFollowingDeadline, d.Following, s.Source, at)
		}
	}
}
