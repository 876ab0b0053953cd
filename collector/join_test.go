package collector_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// TestJoin has two jobs whose names are the same once what is not UTF-8 is replaced: they share their series.
func TestJoin(t *testing.T) {
	short, long := 2*time.Second, 5*time.Second
	jobs := []oms.JobRuns{
		{JobName: "job\xfe", Failures: 2, FirstFailure: ago(3 * time.Hour), LastSuccess: ago(5 * time.Hour), LastDuration: &long},
		{JobName: "job\xff", Failures: 3, FirstFailure: ago(4 * time.Hour), LastSuccess: ago(6 * time.Hour), LastDuration: &short},
	}
	for _, order := range [][]oms.JobRuns{jobs, {jobs[1], jobs[0]}} {
		src := &fake{Facts: facts{Jobs: oms.Jobs{History: &oms.JobHistory{Jobs: order}}}}
		line := func(metric string, value float64) string {
			return fmt.Sprintf("oms_job_%s{client=\"KREWE\",job_name=\"job\uFFFD\"} %v", metric, value)
		}
		synctest.Test(t, func(t *testing.T) {
			want(t, scrape(t, time.Second, []*collector.Client{newClient(t, "KREWE", src, "jobs")}),
				line("consecutive_failures", 5),
				line("first_failure_timestamp_seconds", float64(ago(4*time.Hour).Unix())), // the longest ago
				line("last_success_timestamp_seconds", float64(ago(5*time.Hour).Unix())),  // the latest
				line("last_duration_seconds", 5))
		})
	}
}

// TestSameWords has scrapes that differ in how much time they have by less than anybody notices. What the log gets of them is
// the same, so that it is not said again.
func TestSameWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &fake{Before: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}, "orders")
		for timeout, words := range map[time.Duration]string{
			9960 * time.Millisecond:  "no answer within 10s",
			10 * time.Second:         "no answer within 10s",
			10040 * time.Millisecond: "no answer within 10s",
			9940 * time.Millisecond:  "no answer within 9.9s",
		} {
			scrape(t, timeout, []*collector.Client{c})
			if s := status(t, c, "orders"); s.Err == nil || s.Err.Error() != words {
				t.Errorf("with %s: %v, want %s", timeout, s.Err, words)
			}
		}
	})
}
