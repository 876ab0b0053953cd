package collector_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

func TestCapKeepsTheWorst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		history := &oms.JobHistory{}
		for i := range 10 {
			history.Jobs = append(history.Jobs, oms.JobRuns{
				JobName:      fmt.Sprintf("job%d", i),
				Failures:     i % 5, // job4 and job9 fail most, then job3 and job8
				FirstFailure: ago(time.Duration(i+1) * time.Hour),
				LastSuccess:  ago(time.Duration(20-i) * time.Hour),
			})
		}
		src := &source{jobs: oms.Jobs{History: history, Runs: []oms.Run{{JobName: "job7", Start: ago(time.Minute)}}}}
		opts := collector.Options{Logger: slog.New(slog.DiscardHandler), MaxSeries: 3}
		clients := []*collector.Client{newClientWith(t, opts, "KREWE", src, "jobs")}
		text := scrape(t, time.Second, clients)
		want(t, text,
			// The most failures; of equal ones always the same stay.
			`oms_job_consecutive_failures{client="KREWE",job_name="job3"} 3`,
			`oms_job_consecutive_failures{client="KREWE",job_name="job4"} 4`,
			`oms_job_consecutive_failures{client="KREWE",job_name="job9"} 4`,
			`!oms_job_consecutive_failures{client="KREWE",job_name="job8"}`,
			// The longest run.
			`oms_job_running_seconds{client="KREWE",job_name="job7"} 60`,
			// The oldest stamps.
			fmt.Sprintf(`oms_job_first_failure_timestamp_seconds{client="KREWE",job_name="job9"} %v`, float64(ago(10*time.Hour).Unix())),
			`!oms_job_first_failure_timestamp_seconds{client="KREWE",job_name="job0"}`,
			fmt.Sprintf(`oms_job_last_success_timestamp_seconds{client="KREWE",job_name="job0"} %v`, float64(ago(20*time.Hour).Unix())),
			`!oms_job_last_success_timestamp_seconds{client="KREWE",job_name="job9"}`,
			`oms_series_dropped{client="KREWE",metric="oms_job_consecutive_failures"} 7`,
			`oms_series_dropped{client="KREWE",metric="oms_job_running_seconds"} 7`,
			`oms_series_dropped{client="KREWE",metric="oms_job_last_success_timestamp_seconds"} 7`,
			// A closed set has no cap.
			`oms_jobs{client="KREWE",status="running"} 0`,
			`!oms_series_dropped{client="KREWE",metric="oms_jobs"}`)
		for range 5 {
			if again := scrape(t, time.Second, clients); again != text {
				t.Fatalf("other series stay at the next scrape:\n%s", again)
			}
		}
	})
}
