package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// calendar loads a client with one source.
func calendar(t *testing.T, zone, entry string) config.Client {
	t.Helper()
	c, err := load(t, fmt.Sprintf(`holidays: {us: [2026-11-26, 2026-12-25, 2027-01-01]}
clients:
- name: A
  timezone: %s
  database: {driver: sqlite, dsn: /oms.db, timezone: UTC}
  reset_inventory: [{source: wms, config_ids: [A], %s
`, zone, entry))
	if err != nil {
		t.Fatal(err)
	}
	return c.Clients[0]
}

// TestDeadlines has clocks, days off and two deadlines a day. Times are those of the client's clock.
func TestDeadlines(t *testing.T) {
	const (
		daily    = `process_by: ["13:00"]}]`
		workdays = `process_by: ["13:00"], days: [Mon, Tue, Wed, Thu, Fri]}]`
		holidays = workdays + "\n  holidays: [us, 2026-11-27]"
		twice    = `process_by: ["22:00", "09:00"], days: [Fri, Mon, Tue]}]`
		night    = `process_by: ["02:30"]}]`
	)
	for _, test := range []struct {
		name, zone, entry, now string // now with the offset from UTC
		want                   string // of each: last, window, next
	}{
		{"the minute of the deadline", "America/Chicago", daily, "2026-06-10T13:00:59-05:00", "Tue 06-09 13:00 24h0m0s Wed 06-10 13:00"},
		{"a minute later", "America/Chicago", daily, "2026-06-10T13:01:00-05:00", "Wed 06-10 13:00 24h0m0s Thu 06-11 13:00"},
		{"midnight", "Asia/Kolkata", `process_by: ["00:00"]}]`, "2026-06-10T00:01:00+05:30", "Wed 06-10 00:00 24h0m0s Thu 06-11 00:00"},
		{"half an hour", "Asia/Kolkata", daily, "2026-06-10T08:00:00+00:00", "Wed 06-10 13:00 24h0m0s Thu 06-11 13:00"},
		{"Friday, missed or not", "America/Chicago", workdays, "2026-06-12T13:30:00-05:00", "Fri 06-12 13:00 24h0m0s Mon 06-15 13:00"},
		{"Saturday", "America/Chicago", workdays, "2026-06-13T13:30:00-05:00", "Fri 06-12 13:00 24h0m0s Mon 06-15 13:00"},
		{"Monday before", "America/Chicago", workdays, "2026-06-15T12:30:00-05:00", "Fri 06-12 13:00 24h0m0s Mon 06-15 13:00"},
		{"Monday after", "America/Chicago", workdays, "2026-06-15T13:30:00-05:00", "Mon 06-15 13:00 72h0m0s Tue 06-16 13:00"},
		{"Thanksgiving", "America/Chicago", holidays, "2026-11-26T13:30:00-06:00", "Wed 11-25 13:00 24h0m0s Mon 11-30 13:00"},
		{"after Thanksgiving", "America/Chicago", holidays, "2026-11-30T13:30:00-06:00", "Mon 11-30 13:00 120h0m0s Tue 12-01 13:00"},
		{"a year begins", "America/Chicago", holidays, "2027-01-01T00:30:00-06:00", "Thu 12-31 13:00 24h0m0s Mon 01-04 13:00"},
		{"a leap day", "America/Chicago", daily, "2028-02-29T13:30:00-06:00", "Tue 02-29 13:00 24h0m0s Wed 03-01 13:00"},
		{"two a day", "America/New_York", twice, "2026-06-15T10:00:00-04:00",
			"Fri 06-12 22:00 13h0m0s Mon 06-15 22:00, Mon 06-15 09:00 59h0m0s Tue 06-16 09:00"},
		{"two a day, one day before", "America/New_York", twice, "2026-06-16T08:00:00-04:00",
			"Mon 06-15 22:00 13h0m0s Tue 06-16 22:00, Mon 06-15 09:00 59h0m0s Tue 06-16 09:00"},
		{"one day a week", "UTC", `process_by: ["13:00"], days: [Wed]}]`, "2026-06-10T12:00:00Z", "Wed 06-03 13:00 168h0m0s Wed 06-10 13:00"},
		// In spring 2 o'clock becomes 3, and no clock shows 02:30.
		{"before it is skipped", "America/New_York", night, "2026-03-08T03:00:59-04:00", "Sat 03-07 02:30 24h0m0s Sun 03-08 03:00"},
		{"skipped", "America/New_York", night, "2026-03-08T03:01:00-04:00", "Sun 03-08 03:00 23h30m0s Mon 03-09 02:30"},
		{"the day after", "America/New_York", night, "2026-03-09T02:31:00-04:00", "Mon 03-09 02:30 23h30m0s Tue 03-10 02:30"},
		{"a short day", "America/New_York", daily, "2026-03-08T13:01:00-04:00", "Sun 03-08 13:00 23h0m0s Mon 03-09 13:00"},
		// In autumn 2 o'clock becomes 1, and 01:30 comes twice.
		{"for the first time", "America/New_York", `process_by: ["01:30"]}]`, "2026-11-01T01:45:00-04:00", "Sat 10-31 01:30 24h0m0s Sun 11-01 01:30"},
		{"again", "America/New_York", `process_by: ["01:30"]}]`, "2026-11-01T01:31:00-05:00", "Sun 11-01 01:30 25h0m0s Mon 11-02 01:30"},
		{"both skipped", "America/New_York", `process_by: ["02:15", "02:30"]}]`, "2026-03-08T03:30:00-04:00",
			"Sun 03-08 03:00 23h30m0s Mon 03-09 02:15, Sun 03-08 03:00 23h30m0s Mon 03-09 02:30"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := calendar(t, test.zone, test.entry)
			now, err := time.Parse(time.RFC3339, test.now)
			if err != nil {
				t.Fatal(err)
			}
			const format = "Mon 01-02 15:04"
			var got []string
			for _, d := range c.Deadlines(c.ResetInventory[0], now) {
				got = append(got, fmt.Sprintf("%s %s %s", d.Last.In(c.Timezone).Format(format), d.Window, d.Next.In(c.Timezone).Format(format)))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestDayOff follows the client's clock.
func TestDayOff(t *testing.T) {
	c := calendar(t, "Asia/Kolkata", `process_by: ["13:00"]}]`+"\n  holidays: [us]")
	for now, want := range map[string]bool{
		"2026-12-24T18:29:59Z": false, "2026-12-24T18:30:00Z": true, "2026-12-25T18:29:59Z": true, "2026-12-25T18:30:00Z": false,
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if c.DayOff(at) != want {
			t.Errorf("a day off at %s: %v", now, !want)
		}
	}
}

func TestDayNames(t *testing.T) {
	for entry, want := range map[string]string{
		`process_by: ["13:00"]}]`:                        "Mon,Tue,Wed,Thu,Fri,Sat,Sun",
		`process_by: ["13:00"], days: [Sun, Fri, Mon]}]`: "Mon,Fri,Sun",
	} {
		if got := calendar(t, "UTC", entry).ResetInventory[0].DayNames(); got != want {
			t.Errorf("%s: %s", entry, got)
		}
	}
}

// TestHolidaysWithoutEffect warns of holidays that rules/limits.yml does not know.
func TestHolidaysWithoutEffect(t *testing.T) {
	const database = "    database: {driver: sqlite, dsn: /oms.db, timezone: UTC}\n    holidays: [2026-12-25]\n"
	const sources = database + "    reset_inventory:\n    - {source: wms, config_ids: [A], process_by: [\"13:00\"]}\n"
	const want = ":5: client KREWE: holidays have no effect on source erp, because its deadlines are in rules/limits.yml: write process_by below the source, or remove holidays"
	got := warnings(t, sources+"    - {source: erp, config_ids: [B]}\n")
	if len(got) != 1 || !strings.HasSuffix(got[0], want) {
		t.Errorf("got %q", got)
	}
	if got := append(warnings(t, sources), warnings(t, database)...); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}
