// Package walltime reads times that a database stores without a zone, as OFBiz does: the wall clock of its JVM. It knows
// that clocks are set back and forward, and nothing else.
package walltime

import (
	"math"
	"strings"
	"time"
)

// Never is later than any timestamp. People write the year 9999 for "never".
var Never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// A Moment is a time as the database has it; the zero value is none. OFBiz stores the wall clock of its JVM without a zone, so a value from the
// hour that an autumn change repeats has two readings; all others have one. It is small, because many rows are held.
type Moment struct {
	micros int64 // microseconds of Unix time, as Stored is; 0 is none
	// east and west are by how many seconds the zone is ahead of UTC in the earliest and in the latest reading; they are
	// inColumn where the column has a zone.
	east, west int32
}

const inColumn = math.MaxInt32

// Stored is the stored value: the instant where the column has a zone, else the wall clock, written as if it were UTC.
func (m Moment) Stored() time.Time { return micro(m.micros) }

// Earliest is the earliest instant that m can mean.
func (m Moment) Earliest() time.Time { return micro(m.read(m.east)) }

// Latest is the latest instant that m can mean.
func (m Moment) Latest() time.Time { return micro(m.read(m.west)) }

// read returns the instant of a reading, in microseconds.
func (m Moment) read(offset int32) int64 {
	if offset == inColumn || m.IsZero() {
		return m.micros
	}
	return m.micros - int64(offset)*time.Second.Microseconds()
}

func micro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Instant is the moment of a column that has a zone.
func Instant(t time.Time) Moment { return Moment{t.UnixMicro(), inColumn, inColumn} }

// Wall reads a zone-less value in the zone in which the OMS writes.
func Wall(raw time.Time, zone *time.Location) Moment {
	raw = raw.Truncate(time.Microsecond)
	offset := func(around time.Duration) int32 {
		_, seconds := raw.Add(around).In(zone).Zone()
		return int32(seconds) //nolint:gosec // a zone is less than a day ahead
	}
	// The offsets a day before and after are those on both sides of any change in between.
	before, after := offset(-24*time.Hour), offset(24*time.Hour)
	m := Moment{raw.UnixMicro(), max(before, after), min(before, after)}
	switch shows := func(t time.Time) bool { return ClockOf(t, zone).Equal(raw) }; {
	case before == after || shows(m.Earliest()) && shows(m.Latest()):
	case shows(m.Latest()):
		m.east = m.west
	case shows(m.Earliest()):
		m.west = m.east
	default: // A wall clock that a spring change skipped: nobody's clock has shown it, so any reading will do.
		m.east, m.west = before, before
	}
	return m
}

// ClockOf returns what a clock in zone shows at t, as if it were UTC.
func ClockOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// Clock returns what a clock in zone, which is that of the column, showed.
func (m Moment) Clock(zone *time.Location) time.Time {
	if m.east == inColumn {
		return ClockOf(m.Stored(), zone)
	}
	return m.Stored()
}

// HasZone says that the column has a zone, so that the configured one does not matter.
func (m Moment) HasZone() bool { return m.east == inColumn }

// Offsets returns by how many seconds the zone is ahead of UTC in the two readings. They and the stored time are all
// that Packed needs, where many moments are held in less memory.
func (m Moment) Offsets() (east, west int32) { return m.east, m.west }

// Packed is the moment with these parts; stored is in microseconds of Unix time.
func Packed(stored int64, east, west int32) Moment { return Moment{stored, east, west} }

// IsZero says that there is no time.
func (m Moment) IsZero() bool { return m.micros == 0 }

// At returns the instant that m means when looked at now. Of two readings it takes the later one, which makes the
// younger age and so pages nobody falsely, unless that one is still to come. The answer can be an hour off.
func (m Moment) At(now time.Time) time.Time {
	if hi := m.Latest(); !hi.After(now) {
		return hi
	}
	return m.Earliest()
}

// Before says that m is earlier than o by any reading.
func (m Moment) Before(o Moment) bool { return m.read(m.west) < o.read(o.east) }

// Equal says that the stored values are the same.
func (m Moment) Equal(o Moment) bool { return m.micros == o.micros }

// Floor returns the least stored value that anything written after t can have, in the kind of m. On the evening of an
// autumn change the wall clock goes back, so this can be less than what the clock shows at t.
func (m Moment) Floor(t time.Time, zone *time.Location) time.Time {
	if m.east == inColumn {
		return t.UTC()
	}
	w := ClockOf(t, zone)
	if _, change := t.In(zone).ZoneBounds(); !change.IsZero() {
		if after := ClockOf(change, zone); after.Before(w) {
			return after
		}
	}
	return w
}

// FirstSet returns the first of ms that is not zero.
func FirstSet(ms ...Moment) Moment {
	for _, m := range ms {
		if !m.IsZero() {
			return m
		}
	}
	return Moment{}
}

// Later returns the later of two instants.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Earlier returns the earlier of two instants, or the one that is not zero.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// Due says whether something was last done at least that long ago, or in the future: then the clock went back.
func Due(now, last time.Time, every time.Duration) bool {
	return now.Before(last) || now.Sub(last) >= every
}

// WellKnownZones are the names of those in which servers are likely to run.
func WellKnownZones() []string {
	return strings.Fields(`UTC
		America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Toronto America/Halifax America/St_Johns
		America/El_Salvador America/Bogota America/Panama America/Caracas America/Santiago America/Sao_Paulo America/Argentina/Buenos_Aires
		America/Anchorage Pacific/Honolulu Europe/London Europe/Dublin Europe/Berlin Europe/Paris Europe/Athens Europe/Istanbul Europe/Moscow
		Africa/Johannesburg Asia/Dubai Asia/Karachi Asia/Kolkata Asia/Kathmandu Asia/Dhaka Asia/Bangkok Asia/Singapore Asia/Shanghai
		Asia/Tokyo Australia/Perth Australia/Adelaide Australia/Brisbane Australia/Sydney Pacific/Auckland`)
}
