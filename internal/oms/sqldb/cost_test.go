package sqldb

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkFacts is the way from the rows that a database returns to the facts about a large client: what a steady scrape
// reads and sums up, without the database and its driver.
func BenchmarkFacts(b *testing.B) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	files, jobs := jobsAndFiles(now)
	s := &Source{fileStates: fileStates()}
	ended := newHistory("files", s.decodeFile, func(rows map[string]*row, base, floor time.Time, k *kept) {
		keepFiles(rows, base, floor, []string{"IMPORT_0"}, k)
	})
	fill := func(h *history, records []record) {
		batch := map[string]*row{}
		for _, rec := range records {
			into(batch, h.decode)(rec)
		}
		h.put(batch, now)
	}
	fill(ended, files)
	ended.prune(now)
	runs := newHistory("jobs", decodeJob, keepJobs)
	fill(runs, jobs)
	runs.prune(now)

	for _, part := range []struct {
		name string
		run  func()
	}{
		{"100 files into the history", func() { fill(ended, files[:100]) }},
		{"100 jobs into the history", func() { fill(runs, jobs[:100]) }},
		{"the history of 8000 files", func() { fileRuns(ended, now) }},
		{"the history of 300 jobs", func() {
			rows := make([]*row, 0, len(runs.rows))
			for _, r := range runs.rows {
				rows = append(rows, r)
			}
			jobHistory(rows, now)
		}},
		{"8000 files pruned", func() {
			fill(ended, files)
			ended.prune(now)
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
func jobsAndFiles(now time.Time) (files, jobs []record) {
	text := func(format string, args ...any) any { return fmt.Appendf(nil, format, args...) }
	for i := range 8000 {
		at := text("%s", now.Add(-time.Duration(i)*10*time.Second).Format(time.DateTime))
		files = append(files, record{types: make([]string, 11), zone: time.UTC, values: []any{
			text("%d", 10_000_000-i), text("IMPORT_%d", i%30), text("SERVICE_FINISHED"), nil, at, at, at, nil, text("500"), text("0"), at,
		}})
		status := "SERVICE_FINISHED"
		if i%7 == 0 {
			status = "SERVICE_FAILED"
		}
		jobs = append(jobs, record{types: make([]string, 14), zone: time.UTC, values: []any{
			text("%d", 10_000_000-i), text("%s", status), text("Job %d", i%300), text("service"), text("JOB_%d", i%300), text("STORE"), nil,
			text("pool"), text("oms%d", i%2), at, at, at, nil, at,
		}})
	}
	return files, jobs
}
