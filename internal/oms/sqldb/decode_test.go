package sqldb

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/quartz"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// FuzzDecode decodes rows of columns of every type that a driver delivers, and of nothing else: no panic, and what is read
// can be true.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("2026-11-01 01:30:00"))
	f.Add([]byte("0000-00-00 00:00:00"))
	f.Add([]byte("9999-12-31 23:59:59.999"))
	f.Add([]byte("99999999999999999999.5"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xef\x7f"))
	f.Add([]byte{})
	zone := testserver.Zone(f, "Australia/Lord_Howe")
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	decodeFile, columns := fileDecoder(fileStates(), new(fileNotes), newNames()), map[string][]string{}
	for _, statement := range []string{"jobs_by_id", "files_by_id", "orders_by_id", "runs_by_id", "messages_open"} {
		columns[statement] = columnsOf(f, statement)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bits := binary.LittleEndian.Uint64(append(data, make([]byte, 8)...))
		at := time.Unix(int64(bits>>20), int64(bits%1e9)).UTC()
		for _, value := range []any{
			nil, data, string(data), int64(bits), math.Float64frombits(bits), at, at.In(zone), bits&1 == 0, bits,
		} {
			for status, outcome := range map[string]string{"SERVICE_FINISHED": jobFinished, "SERVICE_FAILED": jobFailed, "SERVICE_RUNNING": ""} {
				row := func(statement string) sqlread.Record {
					columns := columns[statement]
					values, types := make([]any, len(columns)), make([]string, len(columns))
					for i, column := range columns {
						values[i], types[i] = value, []string{"TIMESTAMPTZ", "TIMESTAMP"}[bits%2]
						if column == "status_id" {
							values[i] = status
						}
					}
					return sqlread.NewRecord(zone, columns, types, values)
				}
				job, file, order := decodeJob(row("jobs_by_id")), decodeFile(row("files_by_id")), newNames().decodeOrder(row("orders_by_id"))
				if job.End.IsZero() { // a person set it by hand
					outcome = ""
				}
				if job.Attributes().Outcome != outcome {
					t.Errorf("a job that is %s ended as %q", status, job.Attributes().Outcome)
				}
				jobs := map[string]*history.Row{"": &job}
				for _, j := range jobHistory(now, jobFacts{rows: slices.Collect(maps.Values(jobs))}).Jobs {
					if j.LastDuration != nil && *j.LastDuration < 0 {
						t.Errorf("%T %v: a run took %s", value, value, *j.LastDuration)
					}
				}
				config := file.Attributes().Name
				h := historytest.Of(t, []*history.Row{&file}, now, func() *history.History { return history.New(zone, keepAll) })
				for _, c := range fileRuns(h, []string{config}, now) {
					if c.RecentFailedRecords < 0 {
						t.Errorf("%T %v: %d records refused", value, value, c.RecentFailedRecords)
					}
				}
				resetSource(map[string][]*history.Row{config: {&file}}, []string{config}, now)
				channelOf(order.Attributes().Name)
				run := decodeRun(row("runs_by_id"))
				runs, starts := map[string]*history.Row{"": &run}, new(firstReadings)
				starts.begin(now)
				for _, run := range runFacts(nil, map[string]jobLock{"": {runID: run.ID, last: run.Start}}, runs, newestScheduled(runs), starts, now).Runs.All {
					if !run.Start.IsZero() && run.Start.Year() < 1970 {
						t.Errorf("%T %v: a run began in %s", value, value, run.Start)
					}
				}
				for _, status := range oms.MessageStatuses() {
					if m := messagesOf(row("messages_open"), status, now); m.Count < 0 || m.Count > 1<<53 {
						t.Errorf("%T %v: %d messages", value, value, m.Count)
					}
				}
				if cron, err := quartz.Parse(run.ID); err == nil {
					if next := cron.After(walltime.Wall(now, zone), zone); !next.IsZero() && !next.After(now.Add(-24*time.Hour)) {
						t.Errorf("%q runs at %s", run.ID, next)
					}
				}
			}
		}
	})
}

func keepAll(rows map[string]*history.Row, _, _ time.Time, k *history.Retained) {
	for id := range rows {
		k.Keep(id)
	}
}
