package sqldb

import "time"

// A moment is a time as the database has it. OFBiz stores the wall clock of its JVM without a zone, so a value from the
// hour that an autumn change repeats has two readings; all others have one. It is small, because many rows are held.
type moment struct {
	stored, least, greatest int64 // microseconds of Unix time, as raw, lo and hi are; 0 is none

	zoned bool // the column has a zone
}

// raw is the stored value: the instant where the column has a zone, else the wall clock, written as if it were UTC.
func (m moment) raw() time.Time { return micro(m.stored) }

// lo and hi are the earliest and the latest instant that it can mean.
func (m moment) lo() time.Time { return micro(m.least) }
func (m moment) hi() time.Time { return micro(m.greatest) }

func micro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func instant(t time.Time) moment {
	us := t.UnixMicro()
	return moment{stored: us, least: us, greatest: us, zoned: true}
}

// wall reads a zone-less value in the zone in which the OMS writes.
func wall(raw time.Time, zone *time.Location) moment {
	raw = raw.Truncate(time.Microsecond)
	m := moment{stored: raw.UnixMicro()}
	read := func(offset int) int64 { return raw.Add(-time.Duration(offset) * time.Second).UnixMicro() }
	// The offsets a day before and after are those on both sides of any change in between.
	for _, around := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := raw.Add(around).In(zone).Zone()
		us := read(offset)
		if !wallOf(micro(us), zone).Equal(raw) {
			continue
		}
		if m.least == 0 || us < m.least {
			m.least = us
		}
		m.greatest = max(m.greatest, us)
	}
	if m.least == 0 { // A wall clock that a spring change skipped: nobody's clock has shown it, so any reading will do.
		_, offset := raw.Add(-24 * time.Hour).In(zone).Zone()
		m.least = read(offset)
		m.greatest = m.least
	}
	return m
}

// wallOf returns what a clock in zone shows at t, as if it were UTC.
func wallOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func (m moment) isZero() bool { return m.stored == 0 }

// at returns the instant that m means when looked at now. Of two readings it takes the later one, which makes the
// younger age and so pages nobody falsely, unless that one is still to come. The answer can be an hour off.
func (m moment) at(now time.Time) time.Time {
	if hi := m.hi(); !hi.After(now) {
		return hi
	}
	return m.lo()
}

// before says that m is earlier than o by any reading.
func (m moment) before(o moment) bool { return m.greatest < o.least }

// equal says that the stored values are the same.
func (m moment) equal(o moment) bool { return m.stored == o.stored }

// floor returns the least stored value that anything written after t can have, in the kind of m. On the evening of an
// autumn change the wall clock goes back, so this can be less than what the clock shows at t.
func (m moment) floor(t time.Time, zone *time.Location) time.Time {
	if m.zoned {
		return t.UTC()
	}
	w := wallOf(t, zone)
	if _, change := t.In(zone).ZoneBounds(); !change.IsZero() {
		if after := wallOf(change, zone); after.Before(w) {
			return after
		}
	}
	return w
}

// first returns the first of ms that there is.
func first(ms ...moment) moment {
	for _, m := range ms {
		if !m.isZero() {
			return m
		}
	}
	return moment{}
}

// newest returns the later of two instants.
func newest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// oldest returns the earlier of two instants, where there are two.
func oldest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
