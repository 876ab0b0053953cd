package sqldb

import (
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSchedule reads cron expressions in the manner of Quartz, where Sunday is 1.
func TestSchedule(t *testing.T) {
	const none = "0001-01-01 00:00:00"
	for _, c := range []struct{ expression, after, want string }{
		{"0 0/15 * * * ?", "2026-11-18 11:50:00", "2026-11-18 12:00:00"},
		{"0 0/15 * * * ?", "2026-11-18 12:00:00", "2026-11-18 12:15:00"},
		{"0 0/15 * * * ?", "2026-11-18 11:59:59.999", "2026-11-18 12:00:00"},
		{"*/30 * * * * ?", "2026-12-31 23:59:45", "2027-01-01 00:00:00"},
		{"15 5/10,3 * * * ?", "2026-11-18 23:56:00", "2026-11-19 00:03:15"},
		{"0 0 0/2 1/1 * ? *", "2026-11-18 23:30:00", "2026-11-19 00:00:00"},
		{"0 0/15 8-18 ? * MON-FRI", "2026-11-20 18:50:00", "2026-11-23 08:00:00"},
		{"0 0 22-4/2 * * ?", "2026-11-18 22:00:00", "2026-11-19 00:00:00"}, // past midnight
		{"0 0 12 ? * SAT-MON", "2026-11-16 12:00:00", "2026-11-21 12:00:00"},
		{"0 0 12 ? * 2", "2026-11-18 00:00:00", "2026-11-23 12:00:00"}, // Monday
		{"0 0 12 ? * sun,wed", "2026-11-18 12:00:00", "2026-11-22 12:00:00"},
		{"0 0 12 ? * L", "2026-11-18 12:00:00", "2026-11-21 12:00:00"},
		{"0 0 12 ? * 6L", "2026-11-01 13:00:00", "2026-11-27 12:00:00"},
		{"0 0 12 ? * FRIL", "2026-11-27 12:00:00", "2026-12-25 12:00:00"},
		{"0 0 12 ? * 6#3", "2026-11-01 13:00:00", "2026-11-20 12:00:00"},
		{"0 0 12 ? * MON#5", "2026-11-01 13:00:00", "2026-11-30 12:00:00"},
		{"0 0 12 ? * MON#5", "2026-12-01 13:00:00", "2027-03-29 12:00:00"},
		{"0 0 12 1,15 * ?", "2026-11-18 23:30:00", "2026-12-01 12:00:00"},
		{"0 0 12 L * ?", "2028-02-01 00:00:00", "2028-02-29 12:00:00"},
		{"0 0 12 L-3 * ?", "2026-11-01 00:00:00", "2026-11-27 12:00:00"},
		{"0 0 12 LW * ?", "2026-10-01 00:00:00", "2026-10-30 12:00:00"},
		{"0 0 12 LW * ?", "2027-01-01 00:00:00", "2027-01-29 12:00:00"}, // the 31st is a Sunday
		{"0 0 12 15W * ?", "2026-08-01 00:00:00", "2026-08-14 12:00:00"},
		{"0 0 12 15W * ?", "2026-11-01 00:00:00", "2026-11-16 12:00:00"},
		{"0 0 12 1W * ?", "2026-07-31 13:00:00", "2026-08-03 12:00:00"}, // not in the month before
		{"0 0 12 29 2 ?", "2026-11-18 23:30:00", "2028-02-29 12:00:00"},
		{"0 0 12 31 2 ?", "2026-11-18 23:30:00", none},
		{"0 0 12 1 JAN,jul ?", "2026-11-18 23:30:00", "2027-01-01 12:00:00"},
		{"0 0 12 1 1 ? 2030-2032", "2026-11-18 23:30:00", "2030-01-01 12:00:00"},
		{"0 0 12 * * ? 2020", "2026-11-18 23:30:00", none},
		{"0 0 12 * * *", "2026-11-18 23:30:00", "2026-11-19 12:00:00"},
		{"  0 0  12 * * ?  ", "2026-11-18 23:30:00", "2026-11-19 12:00:00"},
	} {
		s, err := parseSchedule(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		after, err := time.Parse(time.DateTime, c.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.next(after).Format(time.DateTime); got != c.want {
			t.Errorf("%s after %s: %s, want %s", c.expression, c.after, got, c.want)
		}
	}
	for _, bad := range []string{
		"", "0 0 12 * *", "0 0 12 * * ? 2026 1", "60 0 12 * * ?", "0 0 24 * * ?", "0 0 12 0 * ?", "0 0 12 32 * ?", "0 0 12 * 13 ?",
		"0 0 12 ? * 0", "0 0 12 ? * 8", "0 0 12 ? * MO", "0 0 12 ? * UNM", "0 0 12 ? * 2#6", "0 0 12 ? * #2", "0 0 12 15 * 2",
		"0 0/0 12 * * ?", "0 0/x 12 * * ?", "0 1- 12 * * ?", "0 , 12 * * ?", "0 0 12 W * ?", "0 0 12 L3 * ?", "0 ? 12 * * ?", "@daily",
	} {
		if s, err := parseSchedule(bad); err == nil || !strings.Contains(err.Error(), "cron expression") {
			t.Errorf("%q: %v, error %v, want an error that says what it is about", bad, s, err)
		}
	}
}

// TestScheduleInZones finds the occurrences after the last run on the wall clocks of zones that change. One that a spring
// change skips is none; of one that an autumn change repeats, the later reading counts.
func TestScheduleInZones(t *testing.T) {
	for _, c := range []struct{ zone, expression, last, want string }{
		{"America/New_York", "0 30 2 * * ?", "2026-03-07 02:30:01", "2026-03-09T02:30:00-04:00"},
		{"America/New_York", "0 0/15 * * * ?", "2026-03-08 01:45:01", "2026-03-08T03:00:00-04:00"},
		{"America/New_York", "0 30 1 * * ?", "2026-10-31 01:30:01", "2026-11-01T01:30:00-05:00"},
		{"America/New_York", "0 30 1 * * ?", "2026-11-01 01:30:01", "2026-11-02T01:30:00-05:00"}, // ran once, by whichever reading
		{"America/New_York", "0 0/15 * * * ?", "2026-11-01 01:45:01", "2026-11-01T02:00:00-05:00"},
		{"America/New_York", "0 0 2 * * ?", "2026-10-31 02:00:01", "2026-11-01T02:00:00-05:00"},
		{"Australia/Lord_Howe", "0 15 2 * * ?", "2026-10-03 02:15:01", "2026-10-05T02:15:00+11:00"}, // 2:00 becomes 2:30
		{"Australia/Lord_Howe", "0 0/15 * * * ?", "2026-10-04 01:45:01", "2026-10-04T02:30:00+11:00"},
		{"Asia/Kolkata", "0 0 9 * * ?", "2026-11-18 09:00:01", "2026-11-19T09:00:00+05:30"},
		{"UTC", "0 0 9 * * ?", "2026-11-18 09:00:01", "2026-11-19T09:00:00Z"},
	} {
		zone := testserver.Zone(t, c.zone)
		s, err := parseSchedule(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		last, err := time.Parse(time.DateTime, c.last)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.after(wall(last, zone), zone).In(zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s after %s: %s, want %s", c.expression, c.zone, c.last, got, c.want)
		}
		if lo := wall(last, zone).lo(); !s.after(instant(lo), zone).Equal(s.after(wall(last, zone), zone)) {
			t.Errorf("%s in %s after %s: another answer where the column has a zone", c.expression, c.zone, c.last)
		}
	}
}
