package sqldb

import (
	"errors"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestRepeatedHour has jobs of both generations and a file hang since 1:10 of the hour that New York's clocks show twice, and a server that
// has been silent since then. What was seen in the first pass has not been in the second; who first looks in the second takes it for the
// younger.
func TestRepeatedHour(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			first := time.Date(2026, 11, 1, 5, 10, 0, 0, time.UTC)
			w := &world{db: engine.Start(t)(t, "repeated", "America/New_York"), now: first}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			began := w.quoted(first)
			if engine.Driver == config.Postgres { // where OFBiz' columns have a zone
				began = "'2026-11-01 05:10:00+00'"
			}
			w.exec(t, `INSERT INTO job_sandbox (job_id, job_name, status_id, run_by_instance_id, start_date_time, last_updated_tx_stamp)
				VALUES ('1', 'J', 'SERVICE_RUNNING', 'oms1', `+began+", "+began+")")
			w.exec(t, `INSERT INTO job_sandbox (job_id, job_name, status_id, run_by_instance_id, start_date_time, finish_date_time, last_updated_tx_stamp)
				VALUES ('2', 'E', 'SERVICE_FINISHED', 'silent', `+began+", "+began+", "+began+")")
			w.exec(t, `INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, last_updated_tx_stamp)
				VALUES ('1', 'C', 'SERVICE_RUNNING', `+began+", "+began+", "+began+")")
			w.exec(t, "INSERT INTO service_job (job_name, cron_expression) VALUES ('M', '0 0 0 1 1 ?')")
			w.exec(t, "INSERT INTO service_job_run (job_run_id, job_name, host_name, start_time) VALUES ('100001', 'M', 'host', "+w.quoted(first)+")")
			w.exec(t, "INSERT INTO service_job_run_lock (job_name, job_run_id, last_run_time) VALUES ('M', '100001', "+w.quoted(first)+")")
			look := func(s *Source, after time.Duration, want time.Time) {
				t.Helper()
				jobs, err := s.Jobs(t.Context(), first.Add(after))
				for ; errors.Is(err, oms.ErrIncomplete); jobs, err = s.Jobs(t.Context(), first.Add(after)) {
					s.db.Wait()
				}
				if len(jobs.Runs.All) != 2 {
					t.Fatalf("runs %v, error %v, want 2", jobs.Runs.All, err)
				}
				for _, run := range jobs.Runs.All {
					if !run.Start.Equal(want) {
						t.Errorf("after %s: %s began at %s, want %s", after, run.JobName, run.Start.UTC(), want)
					}
				}
				if seen := jobs.History.Activity["silent"]; !seen.Equal(want) {
					t.Errorf("after %s: the server was last seen at %s, want %s", after, seen.UTC(), want)
				}
				files, err := s.DataManager(t.Context(), first.Add(after))
				if len(files.Open.All) != 1 {
					t.Fatalf("files %v, error %v, want 1", files.Open.All, err)
				}
				if oldest := files.Open.All[0].Oldest; !oldest.Equal(want) {
					t.Errorf("after %s: the file began at %s, want %s", after, oldest.UTC(), want)
				}
			}
			long := w.source(t)
			for _, after := range []time.Duration{5 * time.Minute, 55 * time.Minute, 70 * time.Minute, 100 * time.Minute} {
				look(long, after, first)
			}
			if engine.Driver != config.Postgres {
				look(w.source(t), 70*time.Minute, first.Add(time.Hour))
			}
		})
	}
}
