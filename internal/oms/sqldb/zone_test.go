package sqldb

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
			m := wall(raw, testserver.Zone(t, c.zone))
			if lo, hi := m.lo().Format(time.RFC3339), m.hi().Format(time.RFC3339); lo != c.lo || hi != c.hi {
				t.Errorf("reads as %s to %s, want %s to %s", lo, hi, c.lo, c.hi)
			}
		})
	}
}

// TestAt checks that of two readings the one that makes the younger age is taken, unless it is still to come.
func TestAt(t *testing.T) {
	m := wall(time.Date(2026, 11, 1, 1, 30, 0, 0, time.UTC), testserver.Zone(t, "America/New_York"))
	early, late := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 30, 0, 0, time.UTC)
	for now, want := range map[time.Time]time.Time{
		early: early, late.Add(-time.Second): early, late: late, late.Add(24 * time.Hour): late,
	} {
		if got := m.at(now); !got.Equal(want) {
			t.Errorf("at %s it is %s, want %s", now, got, want)
		}
	}
}

// TestFloor checks the least stored value of anything written after a time: on an autumn evening the clock goes back.
func TestFloor(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	zoneless := wall(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), zone)
	for _, c := range []struct {
		name string
		m    moment
		t    string
		want string
	}{
		{"any other day", zoneless, "2026-11-18T17:00:00Z", "2026-11-18 12:00:00"},
		{"before the hour that is repeated", zoneless, "2026-11-01T04:50:00Z", "2026-11-01 00:50:00"},
		{"in it, for the first time", zoneless, "2026-11-01T05:50:00Z", "2026-11-01 01:00:00"},
		{"in it, for the second time", zoneless, "2026-11-01T06:50:00Z", "2026-11-01 01:50:00"},
		{"a column with a zone", instant(zoneless.lo()), "2026-11-01T05:50:00Z", "2026-11-01 05:50:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.t)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.m.floor(at, zone).Format(time.DateTime); got != c.want {
				t.Errorf("floor %s, want %s", got, c.want)
			}
		})
	}
}
