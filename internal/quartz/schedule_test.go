package quartz

import (
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const none = "0001-01-01 00:00:00"

// TestSchedule has an example of each form that cron-utils reads. Sunday is 1.
func TestSchedule(t *testing.T) {
	for _, c := range []struct{ expression, after, want string }{
		{"0 0/15 * * * ?", "2026-11-18 11:50:00", "2026-11-18 12:00:00"},
		{"0 0/15 * * * ?", "2026-11-18 12:00:00", "2026-11-18 12:15:00"},
		{"0 0/15 * * * ?", "2026-11-18 11:59:59.999", "2026-11-18 12:00:00"},
		{"*/30 * * * * ?", "2026-12-31 23:59:45", "2027-01-01 00:00:00"},
		{"15 5/10,3 * * * ?", "2026-11-18 23:56:00", "2026-11-19 00:03:15"},
		{"0 0 0/2 1/1 * ? *", "2026-11-18 23:30:00", "2026-11-19 00:00:00"},
		{"0 0/15 8-18 ? * MON-FRI", "2026-11-20 18:50:00", "2026-11-23 08:00:00"},
		{"0 0 22-4 * * ?", "2026-11-18 22:00:00", "2026-11-19 22:00:00"},    // descends: 22 only
		{"0 0 22-4/2 * * ?", "2026-11-18 22:00:00", "2026-11-19 22:00:00"},  // so does this
		{"0 0 22-4,9 * * ?", "2026-11-18 12:00:00", "2026-11-19 09:00:00"},  // in a list not even 22
		{"0 0 12 30-5/2 * ?", "2026-11-18 12:00:00", "2026-12-30 12:00:00"}, // with a step not the last day of a month
		{"0 0 12 ? * SAT-MON", "2026-11-16 12:00:00", "2026-11-21 12:00:00"},
		{"0 0 12 ? * 2", "2026-11-18 00:00:00", "2026-11-23 12:00:00"}, // Monday
		{"0 0 12 ? * sun,wed", "2026-11-18 12:00:00", "2026-11-22 12:00:00"},
		{"0 0 12 ? * L", "2026-11-18 12:00:00", "2026-11-21 12:00:00"},
		{"0 0 12 ? * L-3", "2026-11-18 12:00:00", "2026-11-21 12:00:00"}, // Saturday too
		{"0 0 12 ? * 6L", "2026-11-01 13:00:00", "2026-11-27 12:00:00"},
		{"0 0 12 ? * FRIL", "2026-11-27 12:00:00", "2026-12-25 12:00:00"},
		{"0 0 12 ? * 6#3,2L", "2026-11-01 13:00:00", "2026-11-20 12:00:00"},
		{"0 0 12 ? * 6#3,2L", "2026-11-20 13:00:00", "2026-11-30 12:00:00"},
		{"0 0 12 ? * MON#5", "2026-12-01 13:00:00", "2027-03-29 12:00:00"},
		{"0 0 12 ? * MON#6", "2026-12-01 13:00:00", none},
		{"0 0 12 ? * 2,?", "2026-11-18 00:00:00", "2026-11-23 12:00:00"},
		{"0 0 12 1,15 * ?", "2026-11-18 23:30:00", "2026-12-01 12:00:00"},
		{"0 0 12 1,15,L * ?", "2026-11-18 23:30:00", "2026-12-01 12:00:00"}, // L counts for nothing in a list
		{"0 0 12 5W,26 * ?", "2026-08-26 13:00:00", "2026-09-05 12:00:00"},  // the 5th itself, a Saturday
		{"0 0 12 L * ?", "2028-02-01 00:00:00", "2028-02-29 12:00:00"},
		{"0 0 12 6L * ?", "2026-11-01 00:00:00", "2026-11-30 12:00:00"}, // L
		{"0 0 12 L-3 * ?", "2026-11-01 00:00:00", "2026-11-27 12:00:00"},
		{"0 0 12 L-30 * ?", "2026-11-01 00:00:00", "2026-12-01 12:00:00"},
		{"0 0 12 LW * ?", "2026-10-01 00:00:00", "2026-10-30 12:00:00"},
		{"0 0 12 LW * ?", "2027-01-01 00:00:00", "2027-01-29 12:00:00"}, // the 31st is a Sunday
		{"0 0 12 15W * ?", "2026-08-01 00:00:00", "2026-08-14 12:00:00"},
		{"0 0 12 15W * ?", "2026-11-01 00:00:00", "2026-11-16 12:00:00"},
		{"0 0 12 1W * ?", "2026-07-31 13:00:00", "2026-08-03 12:00:00"},  // not in the month before
		{"0 0 12 28W * ?", "2027-02-01 00:00:00", "2027-02-28 12:00:00"}, // a Sunday, but the last day
		{"0 0 12 31W * ?", "2026-11-01 00:00:00", "2026-12-31 12:00:00"},
		{"0 0 12 1W5 * ?", "2026-11-01 00:00:00", "2026-11-16 12:00:00"},
		{"0 0 12 29 2 ?", "2026-11-18 23:30:00", "2028-02-29 12:00:00"},
		{"0 0 12 31 2 ?", "2026-11-18 23:30:00", none},
		{"0 0 12 1 JAN,jul ?", "2026-11-18 23:30:00", "2027-01-01 12:00:00"},
		{"0 0 12 1 1 ? 2030-2032", "2026-11-18 23:30:00", "2030-01-01 12:00:00"},
		{"0 0 12 * * ? 2020", "2026-11-18 23:30:00", none},
		{"0 0 12 * * ? 2024/3", "2026-11-18 23:30:00", "2027-01-01 12:00:00"},
		{"0 0 12 1-9/7/3 * ?", "2026-11-01 12:00:00", "2026-11-08 12:00:00"}, // the second step counts for nothing
		{"0 0 12 1-9- * ?", "2026-11-01 12:00:00", "2026-11-02 12:00:00"},
		{"\x00  0 0\v 12 * * ?  \n", "2026-11-18 23:30:00", "2026-11-19 12:00:00"},
		{"0 0 12 * * ?||0 30 8 * * ?", "2026-11-18 23:30:00", "2026-11-19 08:30:00"},
		{"0 0 12 * * ?||", "2026-11-18 23:30:00", "2026-11-19 12:00:00"},
		{"0 0|30 12|8 * * ?", "2026-11-18 23:30:00", "2026-11-19 08:30:00"},
		{"0 0|30 12|8 * * ?", "2026-11-19 08:30:00", "2026-11-19 12:00:00"},
	} {
		s, err := Parse(c.expression)
		if err != nil {
			t.Error(err)
			continue
		}
		after, err := time.Parse(time.DateTime, c.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.After(walltime.Instant(after), time.UTC).Format(time.DateTime); got != c.want {
			t.Errorf("%q after %s: %s, want %s", c.expression, c.after, got, c.want)
		}
	}
}

// TestNeverRun has expressions that Moqui never runs. cron-utils accepts the last four, but throws at each poll.
func TestNeverRun(t *testing.T) {
	for _, bad := range []string{
		"", " ", "0 0 12 * *", "0 0 12 * * ? 2026 1", "@daily", "0 0 12 * * *", "0 0 12 ? * ?", "0 0 12 15 * 2", "0 ? 12 * * ?",
		"60 0 12 * * ?", "0 0 24 * * ?", "0 0 12 0 * ?", "0 0 12 32 * ?", "0 0 12 * 13 ?", "0 0 12 ? * 0", "0 0 12 ? * 8",
		"0 0 12 ? * MO", "0 0 12 ? * UNM", "0 0 12 * * ? 2100", "0 0 99999999999 * * ?", "0 0 1_2 * * ?", "0 0\u00a012 * * ?",
		"0 */60 12 * * ?", "0 0 */24 * * ?", "0 0/0 12 * * ?", "0 0/x 12 * * ?", "0 0/1/2 12 * * ?", "0 0/ 12 * * ?", "0 0 12 * 1/FEB ?",
		"0 1- 12 * * ?", "0 -5 12 * * ?", "0 1-2-3 12 * * ?", "0 1-/2 12 * * ?", "0 0 12 * * ? 2030-2028", "0 0 23-4/2 * * ?", "0 0 22-4,9-8 * * ?",
		"0 , 12 * * ?", "0 ,5 12 * * ?", "0 5, 12 * * ?", "0 0 12 W * ?", "0 0 12 L3 * ?", "0 0 12 L-0 * ?", "0 0 12 L-L * ?", "0 0 12 2#3 * ?", "0 0 12 LW1 * ?",
		"0 0 L * * ?", "0 0 12 ? * 15W", "0 0 12 ? * LW", "0 0 12 ? * #2", "0 0 12 ? * 2#", "0 0 12 ? * 2#8", "0 0 12 ? * FRIL,MONL",
		"|", "||", "0 0 12 * * ?|| |", "||0 0 12 * * ?", "0 0|30 12|8|9 * * ?",
		"0 0 12 5,? * ?", "0 0 12 5-L * ?", "0 0 12 ? * 2-L", "0 0 12 ? * 6-2/2",
	} {
		if s, err := Parse(bad); err == nil || !strings.Contains(err.Error(), "cron expression") {
			t.Errorf("%q: %v, error %v, want an error that says what it is about", bad, s, err)
		}
	}
}

// TestScheduleInZones finds the occurrences around clock changes.
func TestScheduleInZones(t *testing.T) {
	for _, c := range []struct{ zone, expression, last, want string }{
		{"America/New_York", "0 30 2 * * ?", "2026-03-07 02:30:01", "2026-03-09T02:30:00-04:00"},
		{"America/New_York", "0 0/15 * * * ?", "2026-03-08 01:45:01", "2026-03-08T03:00:00-04:00"},
		{"America/New_York", "0 30 1 * * ?", "2026-10-31 01:30:01", "2026-11-01T01:30:00-04:00"},
		{"America/New_York", "0 30 1 * * ?", "2026-11-01 01:30:01", "2026-11-02T01:30:00-05:00"}, // ran once, by whichever reading
		{"America/New_York", "0 0/15 * * * ?", "2026-11-01 01:45:01", "2026-11-01T02:00:00-05:00"},
		{"America/New_York", "0 0 2 * * ?", "2026-10-31 02:00:01", "2026-11-01T02:00:00-05:00"},
		{"America/New_York", "0 0 2 1 1 ?", "2032-11-20 02:00:01", "2033-01-01T02:00:00-05:00"},
		{"America/New_York", "0 0 2 * * ?", "2040-12-31 02:00:01", "2041-01-01T02:00:00-05:00"},     // of a leap year
		{"Australia/Lord_Howe", "0 15 2 * * ?", "2026-10-03 02:15:01", "2026-10-05T02:15:00+11:00"}, // 2:00 becomes 2:30
		{"Australia/Lord_Howe", "0 0/15 * * * ?", "2026-10-04 01:45:01", "2026-10-04T02:30:00+11:00"},
		{"Asia/Kolkata", "0 0 9 * * ?", "2026-11-18 09:00:01", "2026-11-19T09:00:00+05:30"},
		{"UTC", "0 0 9 * * ?", "2026-11-18 09:00:01", "2026-11-19T09:00:00Z"},
	} {
		zone := testserver.Zone(t, c.zone)
		s, err := Parse(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		last, err := time.Parse(time.DateTime, c.last)
		if err != nil {
			t.Fatal(err)
		}
		stored := walltime.Wall(last, zone)
		if got := s.After(stored, zone).In(zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s after %s: %s, want %s", c.expression, c.zone, c.last, got, c.want)
		}
		if !s.After(walltime.Instant(stored.Latest()), zone).Equal(s.After(stored, zone)) {
			t.Errorf("%s in %s after %s: another answer where the column has a zone", c.expression, c.zone, c.last)
		}
	}
	zone := testserver.Zone(t, "America/New_York")
	s, err := Parse("0 30 1 * * ?")
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC)
	if got := s.After(walltime.Instant(first), zone); !got.Equal(first.Add(time.Hour)) {
		t.Errorf("after the first half past one: %s", got)
	}
}

// FuzzSchedule reads any text. Whatever is a schedule has an occurrence after any time, or none.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{
		"0 0/15 * * * ?", "0 0 12 LW,15W,L-3,31 */5 ?", "0 0 12 ? FEB-NOV/2 6L,6#3,SAT-MON 2026-2099/7", "0 0|30 12|8 * * ?||0 0 0 29 2 ?",
		"0 0 12 31 2 ?", strings.Repeat("0|", 490) + "0 0 12 * * ?", strings.Repeat("0 0 12 31 2 ?||", 66), "0 0 12 * * ? " + strings.Repeat("*,", 490) + "*",
		"0 0 " + strings.Repeat("9", 900) + " * * ?", strings.Repeat("|", 1000), strings.Repeat(" 0", 5000), "0 0 12 ? * " + strings.Repeat("1#1,", 240) + "1",
	} {
		f.Add(seed, uint32(1793514600))
	}
	zone := testserver.Zone(f, "Australia/Lord_Howe")
	f.Fuzz(func(t *testing.T, expression string, seconds uint32) {
		s, err := Parse(expression)
		if err != nil {
			return
		}
		last := time.Unix(int64(seconds), 0)
		next := s.After(walltime.Instant(last), zone)
		if !next.IsZero() && (!next.After(last) || next.Sub(last) > (horizon+1)*366*24*time.Hour) {
			t.Errorf("%q after %s: %s", expression, last, next)
		}
	})
}
