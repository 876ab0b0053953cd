package discover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// fits is how far the newest timestamp may be from now in the zone in which it was written.
const fits = 5 * time.Minute

// zones are those that the entry gets, and why.
type zones struct {
	database, client       *time.Location
	whyDatabase, whyClient string
	sure                   bool // of the database's
}

// A hint is a zone that the OMS names somewhere.
type hint struct {
	zone *time.Location
	from string
}

// hints are the zones that the OMS names, the most likely first.
func hints(s oms.Survey) (all []hint) {
	for _, list := range []struct {
		zones []string
		from  string
	}{
		{s.StoreZones.All, "the product stores' zone (product_store.default_time_zone_string)"},
		{s.ScheduleZones.All, "the zone of the users who scheduled jobs (job_sandbox.recurrence_time_zone)"},
	} {
		for _, name := range list.zones {
			zone, err := time.LoadLocation(name)
			known := slices.ContainsFunc(all, func(h hint) bool { return h.zone.String() == name })
			if err == nil && !strings.EqualFold(name, "local") && !known {
				all = append(all, hint{zone, list.from})
			}
		}
	}
	return all
}

// findZones reads out of the newest timestamp, read in UTC, in which zone it was written.
func findZones(c oms.Clock, s oms.Survey, now time.Time) (z zones) {
	named := hints(s)
	var ahead time.Duration // of now
	var moved bool          // it was seen to be new
	switch {
	case c.Skew != nil:
		ahead, moved = *c.Skew, true
	case c.Stillness != nil:
		ahead = -*c.Stillness
	}
	some := c.Skew != nil || c.Stillness != nil
	off := func(zone *time.Location) time.Duration { // of the timestamp, read in that zone
		_, seconds := now.In(zone).Zone()
		return ahead - time.Duration(seconds)*time.Second
	}
	matches := func(h hint) bool { return off(h.zone).Abs() <= fits }
	first := hint{zone: time.UTC, from: "no zone is named anywhere in the OMS"}
	if len(named) > 0 {
		first = named[0]
	}
	switch fitting := slices.IndexFunc(named, matches); {
	case !some:
		z.database, z.whyDatabase = first.zone, "NOT SURE: there is no timestamp yet. It is "+first.from
		if len(named) == 0 {
			z.whyDatabase = "NOT SURE: there is no timestamp yet, and " + first.from
		}
	case c.Zoned:
		z.database, z.sure = first.zone, true
		z.whyDatabase = "The newest timestamp has a zone of its own; only those of Moqui's tables have none. This is " + first.from
		if len(named) == 0 {
			z.whyDatabase = "The newest timestamp has a zone of its own; only those of Moqui's tables have none, and " + first.from
		}
	case fitting >= 0:
		h := named[fitting]
		z.database, z.sure = h.zone, true
		z.whyDatabase = fmt.Sprintf("In this zone the newest timestamp is %s. It is %s", distance(off(h.zone)), h.from)
	default:
		z.unnamed(named, off, moved)
	}
	if also := sameClock(z.database, now); also != "" && some && !c.Zoned {
		z.whyDatabase += ". Zones with the same clock now, which may differ in summer: " + also
	}
	z.whyDatabase += "."
	if z.client, z.whyClient = z.database, "The zone of the database's timestamps, because the OMS names no other"; len(named) > 0 {
		z.client, z.whyClient = first.zone, "It is "+first.from
	}
	z.whyClient = "The time zone of the deadlines. " + z.whyClient + "."
	return z
}

// unnamed takes a well-known zone, where no zone that the OMS names fits.
func (z *zones) unnamed(named []hint, off func(*time.Location) time.Duration, moved bool) {
	z.database, z.whyDatabase = time.UTC, "NOT SURE: no zone explains the newest timestamp"
	if len(named) > 0 {
		z.database = named[0].zone
	}
	for _, name := range walltime.WellKnownZones() {
		zone, err := time.LoadLocation(name)
		if err == nil && off(zone).Abs() <= fits {
			z.database, z.sure = zone, moved
			z.whyDatabase = fmt.Sprintf("In this zone the newest timestamp is %s", distance(off(zone)))
			if !moved {
				z.whyDatabase = "NOT SURE: nothing was written to the database meanwhile. In this zone the newest timestamp would be " + distance(off(zone))
			}
			break
		}
	}
	if len(named) > 0 {
		h := named[0]
		z.whyDatabase += fmt.Sprintf(". In %s, %s, it would be %s", h.zone, h.from, distance(off(h.zone)))
	}
}

// distance says how far a timestamp is from now.
func distance(off time.Duration) string {
	if off > 0 {
		return off.Round(time.Second).String() + " ahead of now"
	}
	return off.Abs().Round(time.Second).String() + " old"
}

// sameClock lists well-known zones whose clock shows the same now.
func sameClock(zone *time.Location, now time.Time) string {
	const most = 4
	_, offset := now.In(zone).Zone()
	var names []string
	for _, name := range walltime.WellKnownZones() {
		other, err := time.LoadLocation(name)
		if err != nil || name == zone.String() {
			continue
		}
		if _, is := now.In(other).Zone(); is == offset && len(names) < most {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
