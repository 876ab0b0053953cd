package sqldb

import (
	"context"
	"errors"
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

// TestLastSuccessGone has the last success of a job read again, and then no longer be one: the failures before it, which it made
// superfluous, count again.
func TestLastSuccessGone(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change string
		after  time.Duration // until it is noticed
		want   int
	}{
		"edited": {"UPDATE job_sandbox SET status_id = 'SERVICE_FAILED', last_updated_tx_stamp = '2026-11-18 17:01:00'", time.Minute, 2},
		"purged": {"DELETE FROM job_sandbox", 16 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := testserver.Engines()[0].Start(t)(t, "gone", "UTC")
			insertRun(t, db, jobCrashed, now.Add(-5*time.Hour))
			insertRun(t, db, jobFinished, now.Add(-time.Minute))
			insertRun(t, db, jobRunning, now)
			failures := failuresOf(t, db, now)
			if n, err := failures(now.Add(30 * time.Second)); err != nil || n != 0 {
				t.Fatalf("there are %d failures before: %v", n, err)
			}
			testserver.Execute(t, db.Admin, c.change+" WHERE job_id = 'SERVICE_FINISHED'")
			testserver.Eventually(t, time.Minute, func() error {
				if n, err := failures(now.Add(c.after)); err != nil || n != c.want {
					return fmt.Errorf("there are %d failures, want %d: %w", n, c.want, err)
				}
				return nil
			})
		})
	}
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
		if len(jobs.History.Jobs) == 0 {
			return 0, errors.New("there is no such job")
		}
		return jobs.History.Jobs[0].Failures, nil
	}
	testserver.Eventually(t, time.Minute, func() error {
		_, err := failures(now)
		return err
	})
	return failures
}

// TestManyFiles has files of a day that are more than are looked up at a time: those that are purged are missed in turns, and
// those that change, or end once more, are counted once, also where it was forgotten which they are. Their ids are of several
// forms.
func TestManyFiles(t *testing.T) {
	const files, purged, edited, late = 2500, 300, 200, 50
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	db := testserver.Engines()[0].Start(t)(t, "files", "UTC")
	ids := []string{"F%d", "F%012d", "F%dX"}
	for i := range files {
		id := fmt.Sprintf(ids[i%len(ids)], i)
		ended := now.Add(-time.Duration(i) * 6 * time.Second).Format(time.DateTime)
		testserver.Execute(t, db.Admin, fmt.Sprintf(`INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time,
			failed_record_count, last_updated_tx_stamp) VALUES ('%[1]s', 'C', 'SERVICE_FINISHED', '%[2]s', '%[2]s', 1, '%[2]s')`, id, ended))
	}
	s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	look := func(now time.Time) (finished, failed, refused int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(oms.WithScrape(t.Context()), time.Minute)
		defer cancel()
		for {
			facts, err := s.DataManager(ctx, now)
			switch {
			case errors.Is(err, oms.ErrIncomplete):
				s.db.Wait()
			case err != nil:
				t.Fatal(err)
			default:
				c := facts.History.Configs[0]
				return c.Recent[oms.FileFinishedWithErrors], c.Recent[oms.FileFailed], c.RecentFailedRecords
			}
		}
	}
	want := func(now time.Time, finished, failed int) {
		t.Helper()
		if a, b, refused := look(now); a != finished || b != failed || refused != finished+failed {
			t.Errorf("at %s %d files finished and %d failed, with %d records refused, want %d and %d", now, a, b, refused, finished, failed)
		}
	}
	want(now, files, 0)
	want(now.Add(30*time.Second), files, 0)

	fail := func(first, count int) {
		testserver.Execute(t, db.Admin, fmt.Sprintf(`UPDATE data_manager_log SET status_id = 'SERVICE_FAILED', last_updated_tx_stamp = '%s'
			WHERE CAST(SUBSTR(log_id, 2) AS INTEGER) BETWEEN %d AND %d`, now.Format(time.DateTime), first, first+count-1))
	}
	now = now.Add(time.Minute)
	fail(1000, edited)
	want(now, files-edited, edited)

	testserver.Execute(t, db.Admin, fmt.Sprintf("DELETE FROM data_manager_log WHERE CAST(SUBSTR(log_id, 2) AS INTEGER) BETWEEN 600 AND %d", 600+purged-1))
	for i := range 3 {
		now = now.Add(16 * time.Minute)
		if i < 2 {
			look(now)
		}
	}
	want(now, files-edited-purged, edited)

	now = now.Add(time.Minute)
	fail(2000, late)
	look(now) // which has all read again
	s.db.Wait()
	want(now, files-edited-purged-late, edited+late)
}
