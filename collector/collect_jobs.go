package collector

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// longRunning is how long a run may take before it gets a series of its own, with what one needs to mend it. The
// guide's limit is 45 min. A run that waits gets one as soon: see oms.LongWait.
const longRunning = 15 * time.Minute

var (
	// `status` is pending, queued or running. Pending are OFBiz' rows that wait for their time, those without a status
	// included, and Moqui's scheduled jobs that are not running.
	jobs = newMetric(count, "oms_jobs",
		"Jobs that wait, are queued in the job manager, or run.", "status")
	jobRunning = newMetric(greatest, "oms_job_running_seconds",
		"How long the longest run now in work has taken so far; 0 when idle.", "job_name")
	// `generation` says which services made the run: what mends it differs.
	jobLongRunning = newMetric(greatest, "oms_job_long_running_seconds",
		"How long each run older than 15 min has taken so far.", "job_name", "job_id", "oms_instance", "generation")
	// `oms_instance` is the server that claimed the run, if any; `job_id` is empty where Moqui has not made a run yet. Of OFBiz'
	// jobs there are the 500 that wait longest.
	jobLongOverdue = newMetric(greatest, "oms_job_long_overdue_seconds",
		"How long each run that has been due for more than 15 min, and has not begun, is overdue.",
		"job_name", "job_id", "pool", "oms_instance", "generation")
	// A row that a person set to an end by hand is no part of a streak.
	jobConsecutiveFailures = newMetric(count, "oms_job_consecutive_failures",
		"Failed and crashed runs since the last finished one.", "job_name")
	// `data_manager_log` is the log of the file that it was to import, empty where the OMS does not say.
	jobLastFailure = newMetric(greatest, "oms_job_last_failure_info",
		"1 for the last failed run of each job that has not finished since.", "job_name", "job_id", "generation", "data_manager_log")
	jobRecentRuns = newMetric(count, "oms_job_recent_runs",
		"Runs that ended within the last 24 hours.", "job_name")
	jobRecentFailures = newMetric(count, "oms_job_recent_failures",
		"Runs that failed or crashed within the last 24 hours.", "job_name")
	// 0 says that nothing of it will run. A schedule that Moqui refuses is none.
	jobScheduled = newMetric(greatest, "oms_job_scheduled",
		"1 while anything of the job is open: pending, queued or running, or scheduled by Moqui; 0 when nothing is.", "job_name")
	jobUsualInterval = newMetric(greatest, "oms_job_usual_interval_seconds",
		"Median gap between the last starts of the job, of five to eight.", "job_name")
	// Of the last 20 successes within 7 days; absent below ten. It is for the boards: an alert on durations would be false many times a
	// month, because they vary by their nature.
	jobUsualDuration = newMetric(greatest, "oms_job_usual_duration_seconds",
		"How long 95 % of the last successes of the job took at most.", "job_name")
	// Absent for a job that never recurred, for Moqui's, whose schedules cannot be lost, and for one that a person called off.
	jobExpectedStart = newMetric(newest, "oms_job_expected_start_timestamp_seconds",
		"When a job of OFBiz should begin next by its usual interval, as Unix time.", "job_name")
	jobScheduleUnreadable = newMetric(greatest, "oms_job_schedule_unreadable",
		"1 for a job in force whose schedule Moqui refuses, so that it never runs it.", "job_name")
	jobFirstFailure = newMetric(oldest, "oms_job_first_failure_timestamp_seconds",
		"When the first run of the present streak of failures ended, as Unix time.", "job_name")
	jobLastSuccess = newMetric(newest, "oms_job_last_success_timestamp_seconds",
		"When the last finished run ended, as Unix time.", "job_name")
	jobLastDuration = newMetric(greatest, "oms_job_last_duration_seconds",
		"How long the last finished run took.", "job_name")
	// The pool `moqui` is Moqui's scheduler.
	jobOldestOverdue = newMetric(greatest, "oms_job_oldest_overdue_seconds",
		"How long the longest-waiting run that is due and has not begun is overdue, claimed or not; 0 when there is none.", "pool")
	jobOldestClaimed = newMetric(greatest, "oms_job_oldest_claimed_seconds",
		"How long the longest-waiting run that the server claimed has been due without beginning; 0 when there is none.", "oms_instance")
	jobLastStart = newMetric(newest, "oms_job_last_start_timestamp_seconds",
		"Newest start of a job in the pool, as Unix time.", "pool")
	// `_NA_` stands for every instance.
	jobSchedulerLocked = newMetric(greatest, "oms_job_scheduler_locked",
		"1 while a job-manager lock is in force.", "oms_instance")
	// `oms_instance` is OFBiz' instance id or Moqui's host name. A sign of life is a start or an end of a job or of a data-manager file,
	// or a lease that is renewed.
	instanceLastActivity = newMetric(newest, "oms_instance_last_activity_timestamp_seconds",
		"Newest sign of life of the application server that runs jobs, as Unix time.", "oms_instance")
)

// jobsCollector makes the guide's job checks.
type jobsCollector struct{}

func (jobsCollector) Name() string { return "jobs" }

func (jobsCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.Jobs(ctx, b.now)
	if facts.Runs.Known && !facts.Partial {
		b.set(jobs, float64(facts.Pending), "pending")
		b.set(jobs, float64(facts.Queued), "queued")
		b.set(jobs, float64(facts.Running), "running")
	}
	for _, run := range facts.Runs.All {
		b.set(jobScheduled, 1, run.JobName)
		b.setOldest(jobRunning, 1, run.Start, run.JobName)
		if !run.Start.IsZero() && b.now.Sub(run.Start) > longRunning {
			b.setAge(jobLongRunning, run.Start, run.JobName, run.JobID, run.Instance, string(run.Generation))
		}
		if facts.History != nil {
			b.set(jobConsecutiveFailures, 0, run.JobName)
		}
	}
	for _, wait := range facts.Waits {
		b.setAge(jobLongOverdue, wait.Since, wait.JobName, wait.JobID, wait.Pool, wait.Instance, string(wait.Generation))
	}
	for _, pool := range facts.Pools {
		b.setAge(jobOldestOverdue, pool.OldestDue, pool.Name)
		b.setTime(jobLastStart, pool.LastStart, pool.Name)
	}
	for instance, since := range facts.Claims {
		b.setAge(jobOldestClaimed, since, instance)
	}
	for name := range facts.Scheduled {
		b.set(jobScheduled, 1, name)
	}
	for _, name := range facts.Unreadable {
		b.set(jobScheduleUnreadable, 1, name)
		b.set(jobScheduled, 0, name)
	}
	for instance, locked := range facts.Locks {
		b.set(jobSchedulerLocked, boolFloat(locked), instance)
	}
	if facts.History == nil {
		return err
	}
	b.age = facts.History.Age
	for _, job := range facts.History.Jobs {
		if facts.Runs.Known {
			b.set(jobRunning, 0, job.JobName)
			if !facts.Partial {
				b.set(jobScheduled, 0, job.JobName)
			}
		}
		b.jobHistory(job)
	}
	for instance, seen := range facts.History.Activity {
		b.setTime(instanceLastActivity, seen, instance)
		if facts.Runs.Known && !facts.Partial {
			b.setAge(jobOldestClaimed, time.Time{}, instance)
		}
	}
	return err
}

// jobHistory tells of the runs of one job.
func (b *batch) jobHistory(job oms.JobRuns) {
	b.set(jobConsecutiveFailures, float64(job.Failures), job.JobName)
	b.setTime(jobFirstFailure, job.FirstFailure, job.JobName)
	b.setTime(jobLastSuccess, job.LastSuccess, job.JobName)
	if job.LastDuration != nil {
		b.set(jobLastDuration, job.LastDuration.Seconds(), job.JobName)
	}
	if last := job.LastFailed; last != nil {
		b.set(jobLastFailure, 1, job.JobName, last.JobID, string(last.Generation), last.DataManagerLog)
	}
	b.set(jobRecentRuns, float64(job.Recent), job.JobName)
	b.set(jobRecentFailures, float64(job.RecentFailures), job.JobName)
	if job.UsualInterval != nil {
		b.set(jobUsualInterval, job.UsualInterval.Seconds(), job.JobName)
	}
	if job.UsualDuration != nil {
		b.set(jobUsualDuration, job.UsualDuration.Seconds(), job.JobName)
	}
	b.setTime(jobExpectedStart, job.Expected, job.JobName)
}
