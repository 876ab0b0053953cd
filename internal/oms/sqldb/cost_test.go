package sqldb

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

// BenchmarkFacts is the way from the rows that a database returns to the facts about a large client: what a steady scrape
// reads and sums up, without the database and its driver.
func BenchmarkFacts(b *testing.B) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	files, jobs := jobsAndFiles(b, now)
	decodeFile := fileDecoder(fileStates(), new(fileNotes), newNames())
	rows := func(decode func(sqlread.Record) history.Row, records []sqlread.Record) map[string]*history.Row {
		batch := map[string]*history.Row{}
		for _, rec := range records {
			decodeInto(batch, decode)(rec)
		}
		return batch
	}
	followed := func(batch map[string]*history.Row, newHistory func() *history.History) (h *history.History, put func(map[string]*history.Row)) {
		host := &historytest.Host{Reader: &historytest.Table{Rows: batch}}
		f := history.NewFollower("test", host, newHistory)
		table := &historytest.Table{} // in which nothing changed
		put = func(batch map[string]*history.Row) { h, _ = f.Advance(b.Context(), table, now, nil, batch) }
		put(nil)
		host.Settle(b.Context())
		put(nil)
		return h, put
	}
	configs := []string{"IMPORT_0"}
	ended, putFiles := followed(rows(decodeFile, files), func() *history.History {
		return history.New(time.UTC, func(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
			keepFiles(rows, base, floor, configs, k)
		})
	})
	runs, putJobs := followed(rows(decodeJob, jobs), func() *history.History { return history.New(time.UTC, keepJobs) })

	for _, part := range []struct {
		name string
		run  func()
	}{
		{"100 files into the history", func() { putFiles(rows(decodeFile, files[:100])) }},
		{"100 jobs into the history", func() { putJobs(rows(decodeJob, jobs[:100])) }},
		{"the history of 8000 files", func() { fileRuns(ended, configs, now) }},
		{"the history of 300 jobs", func() {
			jobHistory(now, jobFacts{rows: slices.Collect(maps.Values(runs.Rows())), recent: recentRuns(runs, now), starts: begunRuns(runs, now)})
		}},
	} {
		b.Run(part.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				part.run()
			}
		})
	}
}

// jobsAndFiles returns the files of 30 configurations and the runs of 300 jobs of a day, as MySQL's driver returns them.
func jobsAndFiles(tb testing.TB, now time.Time) (files, jobs []sqlread.Record) {
	tb.Helper()
	fileColumns, jobColumns := columnsOf(tb, "files_by_id"), columnsOf(tb, "jobs_by_id")
	text := func(format string, args ...any) any { return fmt.Appendf(nil, format, args...) }
	for i := range 8000 {
		at := text("%s", now.Add(-time.Duration(i)*10*time.Second).Format(time.DateTime))
		files = append(files, sqlread.NewRecord(time.UTC, fileColumns, make([]string, len(fileColumns)), []any{
			text("%d", 10_000_000-i), text("IMPORT_%d", i%30), text("SERVICE_FINISHED"), nil, at, at, at, nil, text("500"), text("0"), nil, at, nil, text("oms%d", i%2),
		}))
		status := "SERVICE_FINISHED"
		if i%7 == 0 {
			status = "SERVICE_FAILED"
		}
		jobs = append(jobs, sqlread.NewRecord(time.UTC, jobColumns, make([]string, len(jobColumns)), []any{
			text("%d", 10_000_000-i), text("%s", status), text("Job %d", i%300), text("service"), text("JOB_%d", i%300), text("STORE"), nil,
			text("pool"), text("oms%d", i%2), at, at, at, nil, at, text("RULE"), text("0"),
		}))
	}
	return files, jobs
}

// columnsOf returns the names of the columns that a statement returns.
func columnsOf(tb testing.TB, statement string) []string {
	tb.Helper()
	statements, err := Statements(config.SQLite)
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range statements {
		if s.Name == statement {
			return s.Columns
		}
	}
	tb.Fatalf("there is no statement %s", statement)
	return nil
}
