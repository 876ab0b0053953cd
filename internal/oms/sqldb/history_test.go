package sqldb

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestLateCommits shows when a row is found that comes into sight so long after its stamp: within two minutes at once, of
// a quarter of an hour with the next pass, of two hours with the next full refresh.
func TestLateCommits(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	for _, c := range []struct{ late, found time.Duration }{
		{110 * time.Second, 30 * time.Second}, {14 * time.Minute, 5 * time.Minute}, {100 * time.Minute, 15 * time.Minute},
	} {
		t.Run(c.late.String(), func(t *testing.T) {
			db := testserver.Engines()[0].Start(t)(t, "late", "UTC")
			insertRun(t, db, jobFinished, now.Add(-5*time.Hour))
			insertRun(t, db, jobCrashed, now)
			failures := failuresOf(t, db, now)
			insertRun(t, db, jobFailed, now.Add(-c.late))
			for after := 30 * time.Second; after <= c.found; after += 30 * time.Second {
				want := 1
				if after >= c.found {
					want = 2
				}
				if n, err := failures(now.Add(after)); err != nil || n != want {
					t.Fatalf("after %s there are %d failures, want %d: %v", after, n, want, err)
				}
			}
		})
	}
}

// TestLongPause has nobody look for hours: what happened meanwhile counts, because a new look back is made.
func TestLongPause(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	db := testserver.Engines()[0].Start(t)(t, "pause", "UTC")
	insertRun(t, db, jobFinished, now.Add(-5*time.Hour))
	failures := failuresOf(t, db, now)
	insertRun(t, db, jobFailed, now.Add(30*time.Minute))
	insertRun(t, db, jobCrashed, now.Add(4*time.Hour))
	testserver.Eventually(t, time.Minute, func() error {
		if n, err := failures(now.Add(4 * time.Hour)); err != nil || n != 2 {
			return fmt.Errorf("there are %d failures, want 2: %w", n, err)
		}
		return nil
	})
}

// insertRun inserts a run of the job J that has the status for its id and ended when it was stamped.
func insertRun(t *testing.T, db testserver.Database, status string, stamp time.Time) {
	t.Helper()
	testserver.Execute(t, db.Admin, fmt.Sprintf(`INSERT INTO job_sandbox (job_id, job_name, status_id, start_date_time, finish_date_time,
		last_updated_tx_stamp) VALUES ('%[1]s', 'J', '%[1]s', '%[2]s', '%[2]s', '%[2]s')`, status, stamp.Format(time.DateTime)))
}

// failuresOf returns what counts the failures of the one job, after the look back and the first refresh.
func failuresOf(t *testing.T, db testserver.Database, now time.Time) func(now time.Time) (int, error) {
	t.Helper()
	s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	failures := func(now time.Time) (int, error) {
		ctx, cancel := context.WithTimeout(oms.WithScrape(t.Context()), time.Minute)
		defer cancel()
		jobs, err := s.Jobs(ctx, now)
		if err != nil {
			return 0, err
		}
		return jobs.History.Jobs[0].Failures, nil
	}
	testserver.Eventually(t, time.Minute, func() error {
		_, err := failures(now)
		return err
	})
	return failures
}
