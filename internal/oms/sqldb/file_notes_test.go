package sqldb

import (
	"errors"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestFilesOfJobs has an instance that is silent but for a file which it works on, and a failed job whose file failed: both are told
// with the jobs, on every engine.
func TestFilesOfJobs(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "files_of_jobs", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			s, ago := w.source(t), func(d time.Duration) string { return w.quoted(w.now.Add(-d)) }
			w.exec(t, `INSERT INTO job_sandbox (job_id, job_name, status_id, run_by_instance_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
				('1', 'Import', 'SERVICE_FAILED', 'oms1', `+ago(3*time.Hour)+", "+ago(2*time.Hour)+", "+ago(2*time.Hour)+`),
				('2', 'Other', 'SERVICE_FAILED', 'oms1', `+ago(3*time.Hour)+", "+ago(2*time.Hour)+", "+ago(2*time.Hour)+")")
			w.exec(t, `INSERT INTO data_manager_log (log_id, config_id, status_id, job_id, run_by_instance_id, created_date, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
				('20001', 'C', 'SERVICE_FAILED', '1', 'oms1', `+ago(3*time.Hour)+", "+ago(3*time.Hour)+", "+ago(2*time.Hour)+", "+ago(2*time.Hour)+`),
				('20002', 'C', 'SERVICE_RUNNING', '3', 'oms1', `+ago(20*time.Minute)+", "+ago(10*time.Minute)+", NULL, "+ago(10*time.Minute)+`),
				('20003', 'C', 'SERVICE_FINISHED', '2', 'oms2', `+ago(8*24*time.Hour)+", "+ago(8*24*time.Hour)+", "+ago(8*24*time.Hour)+", "+ago(8*24*time.Hour)+")")
			var jobs oms.Jobs
			for err := oms.ErrIncomplete; errors.Is(err, oms.ErrIncomplete); s.db.Wait() {
				_, files := s.DataManager(t.Context(), w.now)
				var told error
				jobs, told = s.Jobs(t.Context(), w.now)
				if err = errors.Join(files, told); err != nil && !errors.Is(err, oms.ErrIncomplete) {
					t.Fatal(err)
				}
			}
			if got, want := jobs.History.Activity["oms1"], w.now.Add(-10*time.Minute); !got.Equal(want) {
				t.Errorf("the last sign of life was at %s, want %s", got, want)
			}
			if got, forgotten := jobs.History.Activity["oms2"]; forgotten {
				t.Errorf("a sign of life of %s, longer ago than a week", got)
			}
			logs := map[string]string{}
			for _, job := range jobs.History.Jobs {
				logs[job.JobName] = job.LastFailed.DataManagerLog
			}
			if logs["Import"] != "20001" || logs["Other"] != "" {
				t.Errorf("logs %v, want 20001 of Import alone", logs)
			}
		})
	}
}
