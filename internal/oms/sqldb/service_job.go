package sqldb

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/quartz"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// What Moqui's ScheduledJobRunner takes where a job does not say.
	standardExpiry = 1440 * time.Minute
	standardRetry  = 5 * time.Minute
	// settled is how long ago a lock must have changed to say something of a run: Moqui gives it back a moment before it
	// writes the end of the run.
	settled = time.Minute
)

// A serviceJob is a row of service_job, and what Moqui's ScheduledJobRunner makes of it.
type serviceJob struct {
	schedule      *quartz.Schedule // nil for a job that is not scheduled, or whose schedule Moqui refuses
	refused       bool
	paused        bool
	limited       bool            // to a number of runs: only who counts them knows whether it has had them
	from, thru    walltime.Moment // between which it is scheduled
	changed       walltime.Moment
	expiry, retry time.Duration // of its lock; after a failure
}

// A jobLock is the row of service_job_run_lock of a job. While nothing is in progress, runID is empty.
type jobLock struct {
	runID   string
	last    walltime.Moment // when the scheduler last took the job; a failure puts it back
	changed walltime.Moment
}

// serviceJobs reads all jobs, scheduled or not, the locks by job, and the runs to which these point. A schedule that cannot be read
// is logged once.
func (s *Source) serviceJobs(
	ctx context.Context, r *sqlread.Reader,
) (map[string]serviceJob, map[string]jobLock, map[string]*history.Row, error) {
	jobs, locks, schedules := map[string]serviceJob{}, map[string]jobLock{}, map[string]*quartz.Schedule{}
	runs := map[string]*history.Row{}
	putRun := decodeInto(runs, decodeRun)
	err := r.Query(ctx, "service_jobs", nil, func(rec sqlread.Record) {
		if rec.Null("service_job") {
			locks[rec.Text("lock_job_name")] = jobLock{
				runID: rec.Text("lock_job_run_id"), last: rec.Moment("lock_last_run_time"), changed: rec.Moment("lock_last_updated_stamp"),
			}
			if !rec.Null("job_run_id") {
				putRun(rec)
			}
			return
		}
		name, expression := rec.Text("service_job"), rec.Text("cron_expression")
		cron, known := s.runs.schedules[expression]
		if expression != "" && !known {
			var err error
			if cron, err = quartz.Parse(expression); err != nil {
				s.logger.Warn("Moqui rejects the schedule of a job and never runs it", "err", fmt.Errorf("job %s: %w", name, err))
			}
		}
		schedules[expression] = cron
		jobs[name] = serviceJob{
			schedule: cron, refused: expression != "" && cron == nil, paused: rec.Text("paused") != "" && rec.Text("paused") != "N",
			from: rec.Moment("from_date"), thru: rec.Moment("thru_date"), limited: !rec.Null("repeat_count"),
			expiry: minutes(rec.Text("expire_lock_time"), standardExpiry), retry: minutes(rec.Text("min_retry_time"), standardRetry),
			changed: rec.Moment("changed"),
		}
	})
	if err == nil {
		s.runs.schedules = schedules
	}
	return jobs, locks, runs, err
}

// jobOf returns the job of that name. One that somebody deleted is like one that says nothing.
func jobOf(jobs map[string]serviceJob, name string) serviceJob {
	if job, ok := jobs[name]; ok {
		return job
	}
	return serviceJob{expiry: standardExpiry, retry: standardRetry}
}

// inForce says whether the scheduler looks at the job: it is not paused, and its dates allow it now.
func (j serviceJob) inForce(now time.Time) bool {
	return !j.paused && !j.from.At(now).After(now) && (j.thru.IsZero() || j.thru.At(now).After(now))
}

// scheduled says whether the scheduler certainly runs the job by itself.
func (j serviceJob) scheduled(now time.Time) bool {
	return j.schedule != nil && !j.limited && j.inForce(now)
}

// locked says whether the lock keeps the job from being run, because a run is in progress or was when its host died. After
// expire_lock_time the scheduler takes no notice of it any more.
func (j serviceJob) locked(l jobLock, now time.Time) bool {
	return l.runID != "" && !l.last.IsZero() && now.Before(l.last.At(now).Add(j.expiry))
}

// abandoned says whether a run that has not ended, and to which no active lock points, never will. Moqui never writes that.
// While it is in progress, nobody touches the lock of a scheduled run, so it is lost when the lock has changed since it began:
// somebody cleared it, or the scheduler took the job again. The latter also shows in a later run, newest, and in the time at
// which the job was last taken: they tell the same at every later look. A run that the scheduler did not begin never had the
// lock. That one is lost, and so is any run, after the time in which a lock expires: nobody is to be called out for it for ever.
func (j serviceJob) abandoned(l jobLock, run *history.Row, newest walltime.Moment, now time.Time) bool {
	began, changed := begun(run), walltime.FirstSet(l.changed, l.last)
	again := began.Before(newest) || began.Before(l.last)
	cleared := began.Before(changed) && now.Sub(changed.At(now)) > settled
	return now.Sub(began.At(now)) > j.expiry || !run.Attributes().Manual && (again || cleared)
}

// due returns when the scheduler should have taken the job, or when it should next: at the first occurrence since it last
// did, or at once where it never has. A job that was changed or given back meanwhile could not be taken before, and after a
// failure not before min_retry_time has passed. Only the runs tell which end was a failure, so that time is granted after
// each. The schedule is on the clock of Moqui's JVM, which may have another zone than that in which it writes.
func (j serviceJob) due(l jobLock, database config.Database, now time.Time) time.Time {
	earliest := walltime.Later(j.from.At(now), j.changed.At(now))
	if !l.changed.IsZero() {
		earliest = walltime.Later(earliest, l.changed.At(now).Add(j.retry))
	}
	if l.runID != "" && !l.last.IsZero() {
		earliest = walltime.Later(earliest, l.last.At(now).Add(j.expiry))
	}
	if l.last.IsZero() {
		return earliest
	}
	last, zone := l.last, database.Timezone
	if database.ScheduleTimezone != nil {
		last, zone = walltime.Instant(last.At(now)), database.ScheduleTimezone
	}
	occurrence := j.schedule.After(last, zone)
	if occurrence.IsZero() {
		return walltime.Never
	}
	return walltime.Later(occurrence, earliest)
}

// minutes reads a number of minutes.
func minutes(text string, standard time.Duration) time.Duration {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 1e6 {
		return time.Duration(n * float64(time.Minute))
	}
	return standard
}
