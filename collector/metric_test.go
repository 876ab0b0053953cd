package collector_test

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
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
		src := &fake{Facts: facts{Jobs: oms.Jobs{History: history, Runs: oms.Known([]oms.Run{{JobName: "job7", Start: ago(time.Minute)}})}}}
		opts := collector.Options{Logger: slog.New(slog.DiscardHandler), MaxSeries: 3}
		clients := []*collector.Client{newClientWith(t, opts, "KREWE", src, "jobs")}
		text := scrape(t, time.Second, clients)
		want(t, text,
			// The most failures; of equal ones always the same stay.
			`oms_job_consecutive_failures{client="KREWE",job_name="job4"} 4`,
			`oms_job_consecutive_failures{client="KREWE",job_name="job9"} 4`,
			`!oms_job_consecutive_failures{client="KREWE",job_name="job8"}`,
			// The longest run, which brings its job into all metrics.
			`oms_job_running_seconds{client="KREWE",job_name="job7"} 60`,
			`oms_job_consecutive_failures{client="KREWE",job_name="job7"} 2`,
			fmt.Sprintf(`oms_job_first_failure_timestamp_seconds{client="KREWE",job_name="job9"} %v`, float64(ago(10*time.Hour).Unix())),
			`!oms_job_first_failure_timestamp_seconds{client="KREWE",job_name="job0"}`,
			fmt.Sprintf(`oms_job_last_success_timestamp_seconds{client="KREWE",job_name="job9"} %v`, float64(ago(11*time.Hour).Unix())),
			`!oms_job_last_success_timestamp_seconds{client="KREWE",job_name="job0"}`,
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

// TestCapKeepsTheSameJobs has four times as many failing jobs as are kept, whose failures began in another order than that of
// their names, among some that run for long. Those kept have every series that a job has.
func TestCapKeepsTheSameJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 500
		facts := facts{Jobs: oms.Jobs{History: &oms.JobHistory{}, Scheduled: map[string]bool{}, Runs: oms.Known([]oms.Run{})}}
		for i := range 4 * most {
			name := fmt.Sprintf("job%04d", i)
			order := time.Duration(i * 7919 % (4 * most))
			facts.Jobs.History.Jobs = append(facts.Jobs.History.Jobs, oms.JobRuns{
				JobName: name, Failures: 3 + i%5, FirstFailure: ago(time.Hour + order*time.Minute), LastSuccess: ago(100*time.Hour - order*time.Minute),
				LastDuration: new(order * time.Second), UsualInterval: new(time.Hour), Expected: ago(order * time.Minute), Recent: 10, RecentFailures: i % 11,
				LastFailed: &oms.FailedRun{JobID: strconv.Itoa(i), Generation: oms.JobOfOFBiz},
			})
			facts.Jobs.Scheduled[name] = true
		}
		for i := range 20 {
			facts.Jobs.Runs.All = append(facts.Jobs.Runs.All, oms.Run{JobName: fmt.Sprintf("job%04d", i*97), JobID: strconv.Itoa(i), Start: ago(time.Duration(i+1) * time.Hour)})
		}
		opts := collector.Options{Logger: slog.New(slog.DiscardHandler), MaxSeries: most}
		text := scrape(t, time.Second, []*collector.Client{newClientWith(t, opts, "KREWE", &fake{Facts: facts}, "jobs")})
		jobs := map[string]map[string]bool{} // by metric
		for _, match := range regexp.MustCompile(`(?m)^(oms_job_\w+)\{.*job_name="(\w+)"`).FindAllStringSubmatch(text, -1) {
			if jobs[match[1]] == nil {
				jobs[match[1]] = map[string]bool{}
			}
			jobs[match[1]][match[2]] = true
		}
		failing := jobs["oms_job_consecutive_failures"]
		if len(failing) != most {
			t.Errorf("%d jobs are kept", len(failing))
		}
		for metric, names := range jobs {
			if metric != "oms_job_long_running_seconds" && !maps.Equal(names, failing) {
				t.Errorf("%s has other jobs than those that fail", metric)
			}
		}
		if n := len(jobs); n != 12 {
			t.Errorf("%d metrics of jobs: %v", n, slices.Sorted(maps.Keys(jobs)))
		}
		for i := range 20 { // the long runs are among them
			if name := fmt.Sprintf("job%04d", i*97); !failing[name] {
				t.Errorf("%s runs for %d hours, and is left out", name, i+1)
			}
		}
	})
}
