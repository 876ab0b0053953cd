package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// TestRunIDs follows a long table of runs whose ids grow a digit, come late, and jump, on every engine; it shows which runs
// are found, and what that costs.
func TestRunIDs(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			w := &world{db: engine.Start(t)(t, "ids", "America/New_York"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			w.long = w.source(t)
			// A run every 2 minutes for 12 days, 999000 to 1007640, of which a bank of 20 was never used up.
			const last, unused = 1007640, 1007000
			var values []string
			for id := 999000; id <= last; id++ {
				if at := w.wall(w.now.Add(time.Duration(id-last) * 2 * time.Minute)); id < unused || id >= unused+20 {
					values = append(values, fmt.Sprintf("('%d', 'J%d', 'N', '%s', '%s')", id, id%7, at, at))
				}
			}
			for rows := range slices.Chunk(values, 1000) {
				w.insertRuns(t, rows...)
			}
			// What is left of times when ids were shorter: it comes first by its text.
			w.insertRuns(t, "('99999', 'old', 'N', '2026-01-01 00:00:00', '2026-01-01 00:00:00')", "('987654', 'old', NULL, NULL, NULL)")

			expect := func(what string, most map[string]int, jobs ...string) {
				t.Helper()
				got, read := w.jobNames(t)
				if !slices.Equal(got, jobs) {
					t.Errorf("%s: jobs %v, want %v", what, got, jobs)
				}
				for statement, rows := range read {
					if most != nil && rows > most[statement] {
						t.Errorf("%s: %d rows of %s, want %d at most", what, rows, statement, most[statement])
					}
				}
				w.now = w.now.Add(30 * time.Second)
			}
			all := []string{"J0", "J1", "J2", "J3", "J4", "J5", "J6"}
			expect("the first look", nil, all...)
			idle := map[string]int{"runs_by_id": 0}
			expect("the first pass", map[string]int{"runs_by_id": 30, "runs_last": 9, "runs_between": 0}, all...)
			expect("nothing new", idle, all...)
			w.insertRuns(t, w.run("1007641", "new"), w.run("1007650", "other bank"))
			expect("two new", map[string]int{"runs_between": 2}, append(all, "new", "other bank")...)
			w.insertRuns(t, w.run("1007645", "passed over"))
			expect("one passed over", map[string]int{"runs_between": 1}, append(all, "new", "other bank", "passed over")...)
			w.insertRuns(t, w.run("1007003", "late"))
			expect("one passed over long ago is not looked for at once", idle, append(all, "new", "other bank", "passed over")...)
			w.now = w.now.Add(5 * time.Minute)
			expect("the next pass", map[string]int{"runs_between": 1, "runs_last": 9}, append(all, "late", "new", "other bank", "passed over")...)
			w.insertRuns(t, w.run("5000000", "jump"))
			w.now = w.now.Add(5 * time.Minute)
			// Far below, runs have just come: that may be another server, whose prefix ends with a digit.
			expect("a jump", map[string]int{"runs_last": 9, "runs_by_id": 2}, append(all, "late", "new", "other bank", "passed over")...)
			expect("after the jump", nil, append(all, "jump", "late", "new", "other bank", "passed over")...)
			w.exec(t, "DELETE FROM service_job_run WHERE job_run_id LIKE '1%'") // only the jump and those with shorter ids stay
			w.now = w.now.Add(16 * time.Minute)
			expect("purged", nil, "jump")
		})
	}
}

// TestRunsNotFound shows that runs whose ids are no numbers behind a prefix are told of, as they cannot be followed, and that a
// lock of a run that is not found shows by the age of the answer.
func TestRunsNotFound(t *testing.T) {
	w := &world{db: testserver.Engines()[0].Start(t)(t, "lost", "America/New_York"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
	w.long = w.source(t)
	age := func() time.Duration {
		w.jobNames(t) // until the look back is complete
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		facts, err := w.long.Jobs(ctx, w.now)
		if err != nil {
			t.Fatal(err)
		}
		return facts.History.Age
	}
	w.insertRuns(t, w.run("100001", "found"))
	w.exec(t, "INSERT INTO service_job_run_lock (job_name, last_run_time) VALUES ('found', "+w.quoted(w.now)+")")
	if got := age(); got != 0 {
		t.Errorf("all runs found: the answer is %s old", got)
	}
	w.now = w.now.Add(time.Hour)
	w.exec(t, "INSERT INTO service_job_run_lock (job_name, last_run_time) VALUES ('not found', "+w.quoted(w.now)+")")
	w.now = w.now.Add(20 * time.Minute)
	if got := age(); got != 20*time.Minute {
		t.Errorf("a run was not found for 20 minutes: the answer is %s old", got)
	}
	w.insertRuns(t, w.run("100003-b", "strange"))
	w.now = w.now.Add(6 * time.Minute)
	_, err := w.long.Jobs(t.Context(), w.now)
	if err == nil || errors.Is(err, oms.ErrIncomplete) || !strings.Contains(err.Error(), `"100003-b"`) {
		t.Errorf("error %v, want one that names the run", err)
	}
}

// run is a row for insertRuns that has just ended.
func (w *world) run(id, job string) string {
	return fmt.Sprintf("('%s', '%s', 'N', %s, %[3]s)", id, job, w.quoted(w.now))
}

func (w *world) insertRuns(t *testing.T, rows ...string) {
	t.Helper()
	w.exec(t, "INSERT INTO service_job_run (job_run_id, job_name, has_error, start_time, end_time) VALUES "+strings.Join(rows, ","))
}

// jobNames asks for the jobs of which there is a history, and counts the rows that this read of service_job_run.
func (w *world) jobNames(t *testing.T) (jobs []string, read map[string]int) {
	t.Helper()
	read = map[string]int{}
	ctx := trace.With(t.Context(), func(statement string, _ time.Duration, rows int, _ error) {
		if strings.HasPrefix(statement, "runs_") {
			read[statement] += rows
		}
	})
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		facts, err := w.long.Jobs(ctx, w.now)
		w.long.db.Wait()
		if err != nil && !errors.Is(err, oms.ErrIncomplete) {
			t.Fatal(err)
		}
		if err == nil {
			names := map[string]bool{}
			for _, job := range facts.History.Jobs {
				names[job.JobName] = true
			}
			return slices.Sorted(maps.Keys(names)), read
		}
		clear(read)
	}
}
