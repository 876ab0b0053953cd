package collector

import (
	"context"
	"time"
)

// longRunning is how long a run may take before it gets a series of its own, with what one needs to mend it. The
// guide's limit is 45 min.
const longRunning = 15 * time.Minute

var (
	jobs = newMetric(count, "oms_jobs",
		"Jobs that wait, are queued in the job manager, or run.", "status")
	jobRunning = newMetric(greatest, "oms_job_running_seconds",
		"How long the longest run now in work has taken so far; 0 when idle.", "job_name")
	jobLongRunning = newMetric(greatest, "oms_job_long_running_seconds",
		"How long each run older than 15 min has taken so far.", "job_name", "job_id", "oms_instance")
	jobConsecutiveFailures = newMetric(count, "oms_job_consecutive_failures",
		"Failed and crashed runs since the last finished one.", "job_name")
	jobFirstFailure = newMetric(oldest, "oms_job_first_failure_timestamp_seconds",
		"When the first run of the present streak of failures ended, as Unix time.", "job_name")
	jobLastSuccess = newMetric(newest, "oms_job_last_success_timestamp_seconds",
		"When the last finished run ended, as Unix time.", "job_name")
	jobLastDuration = newMetric(greatest, "oms_job_last_duration_seconds",
		"How long the last finished run took.", "job_name")
	jobOldestOverdue = newMetric(greatest, "oms_job_oldest_overdue_seconds",
		"How long the longest-waiting job that the poller should have taken is overdue; 0 when there is none.", "pool")
	jobLastStart = newMetric(newest, "oms_job_last_start_timestamp_seconds",
		"Newest start of a job in the pool, as Unix time.", "pool")
	jobSchedulerLocked = newMetric(greatest, "oms_job_scheduler_locked",
		"1 while a job-manager lock is in force.", "oms_instance")
	instanceLastActivity = newMetric(newest, "oms_instance_last_activity_timestamp_seconds",
		"Newest sign of life of the application server that runs jobs, as Unix time.", "oms_instance")
)

// jobsCollector makes the guide's job checks.
type jobsCollector struct{}

func (jobsCollector) Name() string { return "jobs" }

func (jobsCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.Jobs(ctx, b.now)
	if facts.Runs != nil && !facts.Partial {
		b.set(jobs, float64(facts.Pending), "pending")
		b.set(jobs, float64(facts.Queued), "queued")
		b.set(jobs, float64(facts.Running), "running")
	}
	for _, run := range facts.Runs {
		b.setOldest(jobRunning, 1, run.Start, run.JobName)
		if !run.Start.IsZero() && b.now.Sub(run.Start) > longRunning {
			b.setAge(jobLongRunning, run.Start, run.JobName, run.JobID, run.Instance)
		}
		if facts.History != nil {
			b.set(jobConsecutiveFailures, 0, run.JobName)
		}
	}
	for _, pool := range facts.Pools {
		b.setAge(jobOldestOverdue, pool.OldestDue, pool.Name)
		b.setTime(jobLastStart, pool.LastStart, pool.Name)
	}
	for instance, locked := range facts.Locks {
		b.set(jobSchedulerLocked, truth(locked), instance)
	}
	if facts.History == nil {
		return err
	}
	b.age = facts.History.Age
	for _, job := range facts.History.Jobs {
		if facts.Runs != nil {
			b.set(jobRunning, 0, job.JobName)
		}
		b.set(jobConsecutiveFailures, float64(job.Failures), job.JobName)
		b.setTime(jobFirstFailure, job.FirstFailure, job.JobName)
		b.setTime(jobLastSuccess, job.LastSuccess, job.JobName)
		if job.LastDuration != nil {
			b.set(jobLastDuration, job.LastDuration.Seconds(), job.JobName)
		}
	}
	for instance, seen := range facts.History.Activity {
		b.setTime(instanceLastActivity, seen, instance)
	}
	return err
}
