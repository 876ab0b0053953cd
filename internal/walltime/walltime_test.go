package walltime

import (
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestWall(t *testing.T) {
	for _, c := range []struct{ name, zone, stored, lo, hi string }{
		{"winter", "America/New_York", "2026-01-15 12:00:00", "2026-01-15T17:00:00Z", "2026-01-15T17:00:00Z"},
		{"summer", "America/New_York", "2026-07-15 12:00:00", "2026-07-15T16:00:00Z", "2026-07-15T16:00:00Z"},
		{"before the repeated hour", "America/New_York", "2026-11-01 00:59:59", "2026-11-01T04:59:59Z", "2026-11-01T04:59:59Z"},
		{"the repeated hour begins", "America/New_York", "2026-11-01 01:00:00", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"},
		{"the repeated hour ends", "America/New_York", "2026-11-01 01:59:59", "2026-11-01T05:59:59Z", "2026-11-01T06:59:59Z"},
		{"after the repeated hour", "America/New_York", "2026-11-01 02:00:00", "2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z"},
		{"a skipped time", "America/New_York", "2026-03-08 02:30:00", "2026-03-08T07:30:00Z", "2026-03-08T07:30:00Z"},
		{"a skipped time in the south", "Australia/Adelaide", "2026-10-04 02:30:00", "2026-10-03T17:00:00Z", "2026-10-03T17:00:00Z"},
		{"the repeated hour in the south", "Australia/Adelaide", "2026-04-05 02:30:00", "2026-04-04T16:00:00Z", "2026-04-04T17:00:00Z"},
		{"after it", "Australia/Adelaide", "2026-04-05 03:00:00", "2026-04-04T17:30:00Z", "2026-04-04T17:30:00Z"},
		{"half an hour", "Asia/Kolkata", "2026-11-18 12:00:00", "2026-11-18T06:30:00Z", "2026-11-18T06:30:00Z"},
		{"half an hour's change", "Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
		{"half an hour skipped", "Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00Z", "2026-10-03T15:45:00Z"},
		{"no zone", "UTC", "2026-11-01 01:30:00", "2026-11-01T01:30:00Z", "2026-11-01T01:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := time.Parse(time.DateTime, c.stored)
			if err != nil {
				t.Fatal(err)
			}
			m := Wall(raw, testserver.Zone(t, c.zone))
			if lo, hi := m.Earliest().Format(time.RFC3339), m.Latest().Format(time.RFC3339); lo != c.lo || hi != c.hi {
				t.Errorf("reads as %s to %s, want %s to %s", lo, hi, c.lo, c.hi)
			}
		})
	}
}

// TestAt checks that of two readings the one that makes the younger age is taken, unless it is still to come.
func TestAt(t *testing.T) {
	m := Wall(time.Date(2026, 11, 1, 1, 30, 0, 0, time.UTC), testserver.Zone(t, "America/New_York"))
	early, late := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC)
	for now, want := range map[time.Time]time.Time{
		early: early, late.Add(-time.Second): early, late: late, late.Add(24 * time.Hour): late,
	} {
		if got := m.At(now); !got.Equal(want) {
			t.Errorf("at %s it is %s, want %s", now, got, want)
		}
	}
}

// TestFloor checks the least stored value of anything written after a time: on an autumn evening the clock goes back.
func TestFloor(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	zoneless := Wall(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), zone)
	for _, c := range []struct {
		name string
		m    Moment
		t    string
		want string
	}{
		{"any other day", zoneless, "2026-11-18T17:00:00Z", "2026-11-18 12:00:00"},
		{"before the hour that is repeated", zoneless, "2026-11-01T04:50:00Z", "2026-11-01 00:50:00"},
		{"in it, for the first time", zoneless, "2026-11-01T05:50:00Z", "2026-11-01 01:00:00"},
		{"in it, for the second time", zoneless, "2026-11-01T06:50:00Z", "2026-11-01 01:50:00"},
		{"a column with a zone", Instant(zoneless.Earliest()), "2026-11-01T05:50:00Z", "2026-11-01 05:50:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.t)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.m.Floor(at, zone).Format(time.DateTime); got != c.want {
				t.Errorf("floor %s, want %s", got, c.want)
			}
		})
	}
}

// TestParts takes moments apart and puts them together again, as who holds many of them does.
func TestParts(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	for _, m := range []Moment{
		{}, Instant(time.Date(2026, 11, 1, 5, 30, 0, 7000, time.UTC)), Wall(time.Date(2026, 11, 1, 1, 30, 0, 7000, time.UTC), zone),
	} {
		east, west := m.Offsets()
		stored := m.Stored().UnixMicro()
		if m.IsZero() {
			stored = 0
		}
		if got := Packed(stored, east, west); got != m || got.Earliest() != m.Earliest() || got.Latest() != m.Latest() {
			t.Errorf("%v becomes %v", m, got)
		}
	}
	if m := (Moment{}); !m.IsZero() || !m.Stored().IsZero() || !m.Earliest().IsZero() || !m.Latest().IsZero() {
		t.Errorf("no time is %v", m)
	}
}

// TestClock has both kinds of columns show the same clock.
func TestClock(t *testing.T) {
	zone, clock := testserver.Zone(t, "America/New_York"), time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	for name, m := range map[string]Moment{"without a zone": Wall(clock, zone), "with one": Instant(clock.Add(4 * time.Hour))} {
		if got := m.Clock(zone); !got.Equal(clock) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if never := Instant(Never); never.Stored() != Never || Never.Format(time.DateOnly) != "9999-12-31" {
		t.Errorf("never is %s", Never)
	}
}

// TestOrder compares moments, of which one has two readings, an hour apart.
func TestOrder(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	wall := func(hour, minute int) Moment { return Wall(time.Date(2026, 11, 1, hour, minute, 0, 0, time.UTC), zone) }
	twice := wall(1, 30)
	for _, c := range []struct {
		a, b          Moment
		before, equal bool
	}{
		{wall(0, 59), twice, true, false},
		{wall(1, 10), twice, false, false}, // the later reading of the one is after the earlier of the other
		{twice, wall(2, 0), true, false},
		{twice, twice, false, true},
		{wall(2, 0), wall(2, 0), false, true},
		{wall(2, 1), wall(2, 0), false, false},
		{twice, Instant(time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC)), false, false}, // that is its later reading
		{twice, Instant(time.Date(2026, 11, 1, 6, 30, 1, 0, time.UTC)), true, false},
	} {
		if before, equal := c.a.Before(c.b), c.a.Equal(c.b); before != c.before || equal != c.equal {
			t.Errorf("%s and %s: before %t, equal %t", c.a.Stored(), c.b.Stored(), before, equal)
		}
	}
	if got := FirstSet(Moment{}, twice, wall(2, 0)); got != twice {
		t.Errorf("the first that is set is %s", got.Stored())
	}
	if got := FirstSet(Moment{}); !got.IsZero() {
		t.Errorf("of none the first that is set is %s", got.Stored())
	}
}

// TestInstants finds the later and the earlier of two instants, and when something is due again.
func TestInstants(t *testing.T) {
	early := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC)
	late, none := early.Add(time.Minute), time.Time{}
	for _, c := range []struct{ a, b, later, earlier time.Time }{
		{early, late, late, early}, {late, early, late, early}, {none, late, late, late}, {late, none, late, late}, {none, none, none, none},
	} {
		if later, earlier := Later(c.a, c.b), Earlier(c.a, c.b); later != c.later || earlier != c.earlier {
			t.Errorf("of %s and %s: later %s, earlier %s", c.a, c.b, later, earlier)
		}
	}
	for after, want := range map[time.Duration]bool{
		-time.Nanosecond: true, 0: false, time.Minute - 1: false, time.Minute: true, time.Hour: true,
	} {
		if Due(early.Add(after), early, time.Minute) != want {
			t.Errorf("due %s later: %t, want %t", after, !want, want)
		}
	}
}
