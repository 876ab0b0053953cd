package sqldb

import (
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestRepeatedHour has jobs of both generations hang since 1:10 of the hour that New York's clocks show twice. What was seen in work in
// the first pass has not begun in the second; who first looks in the second takes it for the younger.
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
			w.exec(t, "INSERT INTO service_job (job_name, cron_expression) VALUES ('M', '0 0 0 1 1 ?')")
			w.exec(t, "INSERT INTO service_job_run (job_run_id, job_name, host_name, start_time) VALUES ('100001', 'M', 'host', "+w.quoted(first)+")")
			w.exec(t, "INSERT INTO service_job_run_lock (job_name, job_run_id, last_run_time) VALUES ('M', '100001', "+w.quoted(first)+")")
			look := func(s *Source, after time.Duration, want time.Time) {
				t.Helper()
				jobs, err := s.Jobs(t.Context(), first.Add(after))
				if len(jobs.Runs.All) != 2 {
					t.Fatalf("runs %v, error %v, want 2", jobs.Runs.All, err)
				}
				for _, run := range jobs.Runs.All {
					if !run.Start.Equal(want) {
						t.Errorf("after %s: %s began at %s, want %s", after, run.JobName, run.Start.UTC(), want)
					}
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
