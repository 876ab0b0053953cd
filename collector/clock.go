package collector

import "github.com/oms-exporter/oms_exporter/internal/oms"

var (
	// Positive if the database is ahead. Absent until the first timestamp is read, and if nothing was written within the last 15 minutes.
	databaseClockSkew = newMetric(greatest, "oms_database_clock_skew_seconds",
		"Newest timestamp in the database, read in its configured time zone, minus the current time; measured only while timestamps advance.")
	databaseStillness = newMetric(greatest, "oms_database_newest_timestamp_age_seconds",
		"Time since the last write to the database, corrected for a known clock skew.")
	// `fitting` is empty if the configured time zone fits, or if no time zone explains the skew.
	databaseTimezone = newMetric(greatest, "oms_database_timezone_info",
		"1, with the configured time zone of the database's timestamps and the time zones that the OMS may really use.",
		"timezone", "fitting")
	// Only for servers that started a job within the last 24 hours.
	instanceClockSkew = newMetric(greatest, "oms_instance_clock_skew_seconds",
		"Start time that an application server recorded for its latest job, minus the time when the exporter first saw that job.", "oms_instance")
)

// setClock says how the database's timestamps compare with now. It comes with every answer, so that there is no age without it.
func (b *batch) setClock(clock oms.Clock, timezone string) {
	b.set(databaseTimezone, 1, timezone, clock.Fitting)
	if clock.Skew != nil {
		b.set(databaseClockSkew, clock.Skew.Seconds())
	}
	if clock.Stillness != nil {
		b.set(databaseStillness, clock.Stillness.Seconds())
	}
	for instance, skew := range clock.Instances {
		b.set(instanceClockSkew, skew.Seconds(), instance)
	}
}
