package collector

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// longRunning is how long a run may take before it gets a series of its own, with what one needs to fix it. The
// guide's limit is 45 min. A run that waits gets one as soon: see oms.LongWait.
const longRunning = 15 * time.Minute

var (
	// `status` is pending, queued or running. Pending counts OFBiz jobs that are not yet due (including those without a
	// status) and Moqui's scheduled jobs that are not running.
	jobs = newMetric(count, "oms_jobs",
		"Jobs that are pending, queued in the job manager, or running.", "status")
	jobRunning = newMetric(greatest, "oms_job_running_seconds",
		"Duration so far of the longest current run; 0 if the job is not running.", "job_name")
	// `generation` (ofbiz or moqui) says which services run the job: the fix depends on it.
	jobLongRunning = newMetric(greatest, "oms_job_long_running_seconds",
		"Duration so far of each run that has been running for more than 15 minutes.", "job_name", "job_id", "oms_instance", "generation")
	// `oms_instance` is the server that claimed the run, if any. `job_id` is empty if Moqui has not created the run yet. Of
	// the OFBiz jobs, only the 500 most overdue are shown.
	jobLongOverdue = newMetric(greatest, "oms_job_long_overdue_seconds",
		"How long each run is overdue that should have started more than 15 minutes ago.",
		"job_name", "job_id", "pool", "oms_instance", "generation")
	// Runs that were set to a final status by hand do not count.
	jobConsecutiveFailures = newMetric(count, "oms_job_consecutive_failures",
		"Failed or crashed runs since the last successful run.", "job_name")
	// `data_manager_log` is the data-manager log of the file that the run was to import; empty if the OMS does not record it.
	jobLastFailure = newMetric(greatest, "oms_job_last_failure_info",
		"1 for the last failed run of each job that has had no successful run since.", "job_name", "job_id", "generation", "data_manager_log")
	jobRecentRuns = newMetric(count, "oms_job_recent_runs",
		"Runs that ended within the last 24 hours.", "job_name")
	jobRecentFailures = newMetric(count, "oms_job_recent_failures",
		"Runs that failed or crashed within the last 24 hours.", "job_name")
	// 0 means that the job will not run again; absent if only the last start of a recurring job is left, so that nothing tells whether its
	// schedule was lost. A schedule that Moqui rejects does not count, nor does a row that OFBiz never starts: one that is pending without
	// a run_time, or queued with a start_date_time or cancel_date_time.
	jobScheduled = newMetric(greatest, "oms_job_scheduled",
		"1 if the job has a pending, queued or running run, or a schedule in Moqui; 0 if it has none.", "job_name")
	// Absent if there are fewer than five starts, or two if the rows say that the job recurs.
	jobUsualInterval = newMetric(greatest, "oms_job_usual_interval_seconds",
		"Median interval between the job's last starts, computed from up to eight starts.", "job_name")
	// Of the last 20 successes within 7 days; absent if there are fewer than ten. It is for the dashboards: an alert on durations would be
	// false many times a month, because they vary by their nature.
	jobUsualDuration = newMetric(greatest, "oms_job_usual_duration_seconds",
		"Duration that 95 % of the job's last successful runs did not exceed.", "job_name")
	// Absent for jobs that never recurred, for Moqui jobs (their schedules cannot be lost), and for jobs that were cancelled by hand.
	jobExpectedStart = newMetric(newest, "oms_job_expected_start_timestamp_seconds",
		"When the next run of an OFBiz job is expected to start, based on its usual interval, as Unix time.", "job_name")
	jobScheduleUnreadable = newMetric(greatest, "oms_job_schedule_unreadable",
		"1 for an active job that Moqui never runs because it rejects the schedule.", "job_name")
	jobFirstFailure = newMetric(oldest, "oms_job_first_failure_timestamp_seconds",
		"End of the first run in the current series of consecutive failures, as Unix time.", "job_name")
	jobLastSuccess = newMetric(newest, "oms_job_last_success_timestamp_seconds",
		"End of the last successful run, as Unix time.", "job_name")
	jobLastDuration = newMetric(greatest, "oms_job_last_duration_seconds",
		"Duration of the last successful run.", "job_name")
	// Moqui's scheduler is shown as the pool `moqui`.
	jobOldestOverdue = newMetric(greatest, "oms_job_oldest_overdue_seconds",
		"How long the oldest run that is due but not started is overdue, whether a server has claimed it or not; 0 if there is none.", "pool")
	jobOldestClaimed = newMetric(greatest, "oms_job_oldest_claimed_seconds",
		"How long the oldest run that the server has claimed but not started is overdue; 0 if there is none.", "oms_instance")
	jobLastStart = newMetric(newest, "oms_job_last_start_timestamp_seconds",
		"Last time a job of the pool started, as Unix time.", "pool")
	// `_NA_` means every instance.
	jobSchedulerLocked = newMetric(greatest, "oms_job_scheduler_locked",
		"1 while a job-manager lock is active.", "oms_instance")
	// `oms_instance` is the OFBiz instance id or the Moqui host name. Activity is the start or end of a job or a data-manager file,
	// or the renewal of a lease.
	instanceLastActivity = newMetric(newest, "oms_instance_last_activity_timestamp_seconds",
		"Last recorded activity of the application server that runs jobs, as Unix time.", "oms_instance")
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
			if !facts.Partial && !job.Unclear {
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

// jobHistory describes the runs of one job.
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
