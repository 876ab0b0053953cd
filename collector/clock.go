package collector

import "github.com/oms-exporter/oms_exporter/internal/oms"

var (
	// Absent while nothing was written within 15 minutes, and until the first timestamp shows it. A positive value is ahead.
	databaseClockSkew = newMetric(greatest, "oms_database_clock_skew_seconds",
		"Newest timestamp in the database, read in its configured zone, minus now, while timestamps advance.")
	databaseStillness = newMetric(greatest, "oms_database_newest_timestamp_age_seconds",
		"How long ago anything was last written to the database; a known clock skew is taken into account.")
	// `fitting` is empty while the configured zone fits, and where no zone explains the skew.
	databaseTimezone = newMetric(greatest, "oms_database_timezone_info",
		"The configured zone of the database's timestamps, and the zones in which the OMS may really write them.",
		"timezone", "fitting")
	// Of servers that began a job within a day.
	instanceClockSkew = newMetric(greatest, "oms_instance_clock_skew_seconds",
		"Start that an application server wrote for its latest job, minus when the exporter first saw that job.", "oms_instance")
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
