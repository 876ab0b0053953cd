package sqldb

import (
	"math"
	"time"
)

// A moment is a time as the database has it. OFBiz stores the wall clock of its JVM without a zone, so a value from the
// hour that an autumn change repeats has two readings; all others have one. It is small, because many rows are held.
type moment struct {
	stored int64 // microseconds of Unix time, as raw is; 0 is none
	// east and west are by how many seconds the zone is ahead of UTC in the earliest and in the latest reading; they are
	// inColumn where the column has a zone.
	east, west int32
}

const inColumn = math.MaxInt32

// raw is the stored value: the instant where the column has a zone, else the wall clock, written as if it were UTC.
func (m moment) raw() time.Time { return micro(m.stored) }

// lo and hi are the earliest and the latest instant that it can mean.
func (m moment) lo() time.Time { return micro(m.read(m.east)) }
func (m moment) hi() time.Time { return micro(m.read(m.west)) }

// read returns the instant of a reading, in microseconds.
func (m moment) read(offset int32) int64 {
	if offset == inColumn || m.isZero() {
		return m.stored
	}
	return m.stored - int64(offset)*time.Second.Microseconds()
}

func micro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func instant(t time.Time) moment { return moment{t.UnixMicro(), inColumn, inColumn} }

// wall reads a zone-less value in the zone in which the OMS writes.
func wall(raw time.Time, zone *time.Location) moment {
	raw = raw.Truncate(time.Microsecond)
	offset := func(around time.Duration) int32 {
		_, seconds := raw.Add(around).In(zone).Zone()
		return int32(seconds) //nolint:gosec // a zone is less than a day ahead
	}
	// The offsets a day before and after are those on both sides of any change in between.
	before, after := offset(-24*time.Hour), offset(24*time.Hour)
	m := moment{raw.UnixMicro(), max(before, after), min(before, after)}
	switch shows := func(t time.Time) bool { return wallOf(t, zone).Equal(raw) }; {
	case before == after || shows(m.lo()) && shows(m.hi()):
	case shows(m.hi()):
		m.east = m.west
	case shows(m.lo()):
		m.west = m.east
	default: // A wall clock that a spring change skipped: nobody's clock has shown it, so any reading will do.
		m.east, m.west = before, before
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
func (m moment) before(o moment) bool { return m.read(m.west) < o.read(o.east) }

// equal says that the stored values are the same.
func (m moment) equal(o moment) bool { return m.stored == o.stored }

// floor returns the least stored value that anything written after t can have, in the kind of m. On the evening of an
// autumn change the wall clock goes back, so this can be less than what the clock shows at t.
func (m moment) floor(t time.Time, zone *time.Location) time.Time {
	if m.east == inColumn {
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
