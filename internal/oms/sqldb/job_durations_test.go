package sqldb

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestUsualDurations has jobs of both generations with enough successes, and one with too few, on every engine.
func TestUsualDurations(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "usual_durations", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			s, ago := w.source(t), func(d time.Duration) string { return w.quoted(w.now.Add(-d)) }
			run := func(id int, job, status string, end, took time.Duration) {
				w.exec(t, "INSERT INTO job_sandbox (job_id, job_name, status_id, run_by_instance_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES ('"+
					strconv.Itoa(id)+"', '"+job+"', '"+status+"', 'oms1', "+ago(end+took)+", "+ago(end)+", "+ago(end)+")")
			}
			// Of 25 the last 20 count, of which the longest but one is 40 s; a failure of an hour is none.
			for i := range 25 {
				took := 10 * time.Second
				switch i {
				case 3:
					took = 40 * time.Second
				case 7:
					took = 3 * time.Minute
				case 22:
					took = time.Hour
				}
				run(10001+i, "Import", "SERVICE_FINISHED", time.Duration(i+1)*time.Hour, took)
			}
			run(10101, "Import", "SERVICE_FAILED", 30*time.Minute, time.Hour)
			for i := range 9 {
				run(10201+i, "Few", "SERVICE_FINISHED", time.Duration(i+1)*time.Hour, time.Minute)
			}
			w.exec(t, "INSERT INTO service_job (job_name, cron_expression, paused) VALUES ('sync', '0 0 * * * ?', 'N')")
			for i := range 10 {
				end := time.Duration(i+1) * time.Hour
				w.exec(t, "INSERT INTO service_job_run (job_run_id, job_name, host_name, has_error, start_time, end_time, last_updated_stamp) VALUES ('"+
					strconv.Itoa(100020-i)+"', 'sync', 'maarg-1', 'N', "+ago(end+time.Duration(i)*time.Minute)+", "+ago(end)+", "+ago(end)+")")
			}
			for look := range 2 { // what is read again counts once
				var jobs oms.Jobs
				for err := oms.ErrIncomplete; errors.Is(err, oms.ErrIncomplete); s.db.Wait() {
					if jobs, err = s.Jobs(t.Context(), w.now); err != nil && !errors.Is(err, oms.ErrIncomplete) {
						t.Fatal(err)
					}
				}
				got := map[string]string{}
				for _, job := range jobs.History.Jobs {
					if job.UsualDuration != nil {
						got[job.JobName] = job.UsualDuration.String()
					}
				}
				if len(got) != 2 || got["Import"] != "40s" || got["sync"] != "9m0s" {
					t.Errorf("look %d: usual durations %v, want 40s of Import and 9m0s of sync", look, got)
				}
				w.now = w.now.Add(20 * time.Minute)
			}
		})
	}
}
