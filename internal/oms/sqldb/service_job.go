package sqldb

import (
	"context"
	"fmt"
	"strconv"
	"time"
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
	schedule      *schedule // nil for a job that is not scheduled, or not in words that can be read
	paused        bool
	limited       bool   // to a number of runs: only who counts them knows whether it has had them
	from, thru    moment // between which it is scheduled
	changed       moment
	expiry, retry time.Duration // of its lock; after a failure
}

// A jobLock is the row of service_job_run_lock of a job. While nothing is in work, runID is empty.
type jobLock struct {
	runID   string
	last    moment // when the scheduler last took the job; a failure puts it back
	changed moment
}

// serviceJobs reads all jobs, scheduled or not, and the locks by job. A schedule that cannot be read is told of once.
func (r *reader) serviceJobs(ctx context.Context) (map[string]serviceJob, map[string]jobLock, error) {
	jobs, locks, schedules := map[string]serviceJob{}, map[string]jobLock{}, map[string]*schedule{}
	err := r.query(ctx, "service_jobs", nil, func(rec record) {
		if rec.null(0) {
			locks[rec.text(9)] = jobLock{runID: rec.text(10), last: rec.moment(11), changed: rec.moment(12)}
			return
		}
		name, expression := rec.text(0), rec.text(1)
		cron, known := r.source.schedules[expression]
		if expression != "" && !known {
			var err error
			if cron, err = parseSchedule(expression); err != nil {
				r.source.logger.Warn("a job is never told to be overdue", "err", fmt.Errorf("job %s: %w", name, err))
			}
		}
		schedules[expression] = cron
		jobs[name] = serviceJob{
			schedule: cron, paused: rec.text(2) != "" && rec.text(2) != "N",
			from: rec.moment(3), thru: rec.moment(4), limited: !rec.null(5),
			expiry: minutes(rec.text(6), standardExpiry), retry: minutes(rec.text(7), standardRetry),
			changed: rec.moment(8),
		}
	})
	if err == nil {
		r.source.schedules = schedules
	}
	return jobs, locks, err
}

// jobOf returns the job of that name. One that somebody deleted is like one that says nothing.
func jobOf(jobs map[string]serviceJob, name string) serviceJob {
	if job, ok := jobs[name]; ok {
		return job
	}
	return serviceJob{expiry: standardExpiry, retry: standardRetry}
}

// scheduled says whether the scheduler runs the job by itself.
func (j serviceJob) scheduled(now time.Time) bool {
	return j.schedule != nil && !j.paused && !j.limited && !j.from.at(now).After(now) && (j.thru.isZero() || j.thru.at(now).After(now))
}

// held says whether the lock keeps the job from being run, because a run is in work or was when its host died. After
// expire_lock_time the scheduler takes no notice of it any more.
func (j serviceJob) held(l jobLock, now time.Time) bool {
	return l.runID != "" && !l.last.isZero() && now.Before(l.last.at(now).Add(j.expiry))
}

// lost says whether a run that has not ended, and to which no lock in force points, never will. Moqui never writes that.
// While it is in work, nobody touches the lock of a scheduled run, so it is lost when the lock has changed since it began:
// somebody cleared it, or a later run has it. A run that a person began never had the lock. That one is lost, and so is
// any run, after the time in which a lock expires: nobody is to be called out for it for ever.
func (j serviceJob) lost(l jobLock, run *row, now time.Time) bool {
	changed := first(l.changed, l.last)
	return now.Sub(run.stamp.at(now)) > j.expiry ||
		!run.traits().manual && run.stamp.before(changed) && now.Sub(changed.at(now)) > settled
}

// due returns when the scheduler should have taken the job, or when it should next: at the first occurrence since it last
// did, or at once where it never has. A job that was changed or given back meanwhile could not be taken before, and after a
// failure not before min_retry_time has passed. Only the runs tell which end was a failure, so that time is granted after
// each. The schedule is on the clock of the zone in which Moqui writes, which is that of its JVM.
func (j serviceJob) due(l jobLock, zone *time.Location, now time.Time) time.Time {
	earliest := newest(j.from.at(now), j.changed.at(now))
	if !l.changed.isZero() {
		earliest = newest(earliest, l.changed.at(now).Add(j.retry))
	}
	if l.runID != "" && !l.last.isZero() {
		earliest = newest(earliest, l.last.at(now).Add(j.expiry))
	}
	if l.last.isZero() {
		return earliest
	}
	occurrence := j.schedule.after(l.last, zone)
	if occurrence.IsZero() {
		return far
	}
	return newest(occurrence, earliest)
}

// minutes reads a number of minutes.
func minutes(text string, standard time.Duration) time.Duration {
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 1e6 {
		return time.Duration(n * float64(time.Minute))
	}
	return standard
}
