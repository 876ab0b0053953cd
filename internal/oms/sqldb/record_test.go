package sqldb

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestRecord(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	for _, c := range []struct {
		name   string
		value  any
		kind   string
		text   string
		number string
		moment string
	}{
		{"NULL", nil, "", "", "none", "none"},
		{"MySQL's number", []byte("12"), "DECIMAL", "12", "12", "none"},
		{"PostgreSQL's number", "12.000", "NUMERIC", "12.000", "12", "none"},
		{"SQLite's number", 12.9, "DECIMAL", "12.9", "12", "none"},
		{"a count", int64(12), "BIGINT", "12", "12", "none"},
		{"more than any count", "99999999999999999999", "DECIMAL", "99999999999999999999", "9007199254740992", "none"},
		{"less than nothing", "-3", "DECIMAL", "-3", "none", "none"},
		{"no number", "NaN", "NUMERIC", "NaN", "none", "none"},
		{"endless", math.Inf(1), "DECIMAL", "+Inf", "9007199254740992", "none"},
		{"MySQL's date", []byte("2026-11-18 12:00:00"), "DATETIME", "2026-11-18 12:00:00", "none", "2026-11-18T17:00:00Z"},
		{"with milliseconds", []byte("2026-11-18 12:00:00.250"), "DATETIME", "2026-11-18 12:00:00.250", "none", "2026-11-18T17:00:00.25Z"},
		{"PostgreSQL's date", time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC), "TIMESTAMP", "", "none", "2026-11-18T17:00:00Z"},
		{"with a zone", time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC), "TIMESTAMPTZ", "", "none", "2026-11-18T12:00:00Z"},
		{"MySQL's zero date", []byte("0000-00-00 00:00:00"), "DATETIME", "0000-00-00 00:00:00", "none", "none"},
		{"the first year", time.Time{}, "TIMESTAMP", "", "none", "none"},
		{"the beginning of Unix time", []byte("1970-01-01 00:00:00"), "DATETIME", "1970-01-01 00:00:00", "none", "none"},
		{"the same, with a zone", time.Unix(0, 0).UTC(), "TIMESTAMPTZ", "", "none", "none"},
		{"never", "9999-12-31 23:59:59", "DATETIME", "9999-12-31 23:59:59", "none", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := record{values: []any{c.value}, types: []string{c.kind}, zone: zone}
			number, moment := "none", "none"
			if n, is := rec.number(0); is {
				number = fmt.Sprint(n)
			}
			if m := rec.moment(0); !m.isZero() {
				moment = m.hi().Format(time.RFC3339Nano)
			}
			if text := rec.text(0); text != c.text || number != c.number || moment != c.moment {
				t.Errorf("text %q, number %s, moment %s, want %q, %s, %s", text, number, moment, c.text, c.number, c.moment)
			}
		})
	}
}

// FuzzRecord decodes columns of every type that a driver delivers, and rows of nothing else: no panic, and what is read can
// be true.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("2026-11-01 01:30:00"))
	f.Add([]byte("0000-00-00 00:00:00"))
	f.Add([]byte("9999-12-31 23:59:59.999"))
	f.Add([]byte("99999999999999999999.5"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xef\x7f"))
	f.Add([]byte{})
	zone := testserver.Zone(f, "Australia/Lord_Howe")
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	s := &Source{fileStates: fileStates()}
	f.Fuzz(func(t *testing.T, data []byte) {
		bits := binary.LittleEndian.Uint64(append(data, make([]byte, 8)...))
		at := time.Unix(int64(bits>>20), int64(bits%1e9)).UTC()
		for _, value := range []any{
			nil, data, string(data), int64(bits), math.Float64frombits(bits), at, at.In(zone), bits&1 == 0, bits,
		} {
			rec := record{zone: zone}
			for range 14 { // as many as the widest row has
				rec.values, rec.types = append(rec.values, value), append(rec.types, []string{"TIMESTAMPTZ", "TIMESTAMP"}[bits%2])
			}
			if n, is := rec.number(0); is && (n < 0 || n > mostCounted) {
				t.Errorf("%T %v counts as %d", value, value, n)
			}
			if m := rec.moment(0); !m.isZero() && (m.lo().Year() < 1970 || m.hi().Year() > 9999 || m.hi().Before(m.lo()) || m.hi().Sub(m.lo()) > 24*time.Hour) {
				t.Errorf("%T %v is from %s to %s", value, value, m.lo(), m.hi())
			}
			for status, outcome := range map[string]string{"SERVICE_FINISHED": jobFinished, "SERVICE_FAILED": jobFailed, "SERVICE_RUNNING": ""} {
				// The status is the second column of a job and the third of a file.
				rec.values[1], rec.values[2] = status, status
				job, file, order := decodeJob(rec), s.decodeFile(rec), decodeOrder(rec)
				if job.traits().outcome != outcome {
					t.Errorf("a job that is %s ended as %q", status, job.traits().outcome)
				}
				jobs := map[string]*row{"": &job}
				for _, j := range jobHistory(slices.Collect(maps.Values(jobs)), now).Jobs {
					if j.LastDuration != nil && *j.LastDuration < 0 {
						t.Errorf("%T %v: a run took %s", value, value, *j.LastDuration)
					}
				}
				config := file.traits().name
				for _, c := range fileRuns(&history{rows: map[string]*row{"": &file}, configs: []string{config}}, now) {
					if c.RecentFailedRecords < 0 {
						t.Errorf("%T %v: %d records refused", value, value, c.RecentFailedRecords)
					}
				}
				resetSource(map[string][]*row{config: {&file}}, []string{config}, now)
				channelOf(order.traits().name)
				run := decodeRun(rec)
				runs := map[string]*row{"": &run}
				for _, run := range runFacts(nil, map[string]jobLock{"": {runID: rec.text(0), last: rec.moment(1)}}, runs, now).Runs {
					if !run.Start.IsZero() && run.Start.Year() < 1970 {
						t.Errorf("%T %v: a run began in %s", value, value, run.Start)
					}
				}
				for _, status := range oms.MessageStatuses() {
					if m := messagesOf(rec, status, now); m.Count < 0 || m.Count > mostCounted {
						t.Errorf("%T %v: %d messages", value, value, m.Count)
					}
				}
				if cron, err := parseSchedule(rec.text(0)); err == nil {
					if next := cron.after(wall(now, zone), zone); !next.IsZero() && !next.After(now.Add(-24*time.Hour)) {
						t.Errorf("%q runs at %s", rec.text(0), next)
					}
				}
			}
		}
	})
}
