package collector

import (
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// What the client's entry in the configuration file says, which rules take before rules/limits.yml.
var (
	// From the configuration file. Limits whose name ends in _seconds are in seconds. An empty label means that the limit applies to all of them.
	clientLimit = newMetric(greatest, "oms_limit",
		"A limit for this client that overrides the one in rules/limits.yml.", "limit", "stage", "facility", "job_name")
	// From the configuration file, like the next five. `days` lists the weekdays on which the deadline applies; it is informational.
	resetDeadline = newMetric(greatest, "oms_reset_inventory_deadline_seconds",
		"Time of day by which a reset-inventory file must be processed, in seconds since midnight in the client's time zone.", "source", "deadline", "days")
	resetDeadlineWindow = newMetric(greatest, "oms_reset_inventory_deadline_window_seconds",
		"How long before the last deadline a file counts for it: since the source's previous deadline, including days off in between.",
		"source", "deadline", "days")
	// A deadline counts as passed one minute later, so that a file that finishes just in time is scraped first.
	resetLastDeadline = newMetric(greatest, "oms_reset_inventory_last_deadline_timestamp_seconds",
		"Last time the deadline passed, skipping days off, as Unix time.", "source", "deadline")
	resetNextDeadline = newMetric(greatest, "oms_reset_inventory_next_deadline_timestamp_seconds",
		"Next time the deadline passes, skipping days off, as Unix time.", "source", "deadline")
	resetFollowingDeadline = newMetric(greatest, "oms_reset_inventory_following_deadline_timestamp_seconds",
		"The time after that at which the deadline passes, skipping days off, as Unix time.", "source", "deadline")
	// Only for clients with holidays.
	clientDayOff = newMetric(greatest, "oms_client_day_off",
		"1 if today is a holiday in the client's calendar, in the client's time zone, else 0.")
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
