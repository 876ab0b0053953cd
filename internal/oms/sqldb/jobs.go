package sqldb

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// The statuses of job_sandbox that matter (OFBiz' SERVICE_STATUS). SERVICE_DRAFT rows are templates.
const (
	jobRunning  = "SERVICE_RUNNING"
	jobQueued   = "SERVICE_QUEUED"
	jobFinished = "SERVICE_FINISHED"
	jobFailed   = "SERVICE_FAILED"
	jobCrashed  = "SERVICE_CRASHED"
)

// everyInstance is the id by which a job-manager lock holds for all instances (OFBiz JobManager).
const everyInstance = "_NA_"

// decodeJob reads job_columns.
func decodeJob(rec record) row {
	t := traits{
		name: oms.JobName(rec.text(4), rec.text(5), rec.text(6), rec.text(2), rec.text(3)),
		pool: rec.text(7), instance: rec.text(8),
	}
	r := row{id: rec.text(0), start: rec.moment(10), stamp: rec.moment(13)}
	switch status := rec.text(1); status {
	case jobRunning, jobQueued:
		t.open = status
	case jobFinished, jobFailed, jobCrashed:
		t.outcome = status
		// A crashed row has cancel_date_time only. One that a person set from RUNNING to FAILED has neither: then its
		// start stands in, so that runs which finished since count as later.
		r.end = first(rec.moment(11), rec.moment(12), r.start, rec.moment(9), r.stamp)
	}
	r.common = unique.Make(t)
	return r
}

// finished is the kind of a group of rows that ended well.
const finished = "finished"

func (r *row) finishedJob() group {
	if t := r.traits(); t.outcome == jobFinished {
		return group{finished, t.name}
	}
	return group{}
}

func endOf(r *row) moment { return r.end }

func (r *row) failedJob() bool {
	outcome := r.traits().outcome
	return outcome == jobFailed || outcome == jobCrashed
}

// active is the latest sign of life that the row's instance left in it. A row cancelled or edited by a person shows
// none but its start.
func (r *row) active() moment {
	if !r.traits().ended() || r.end.before(r.start) {
		return r.start
	}
	return r.end
}

// keepJobs keeps the last success of each job and the failures since, and the newest start of each pool and instance.
func keepJobs(rows map[string]*row, _, floor time.Time, k *kept) {
	for id, r := range rows {
		if r.active().hi().Before(floor) {
			delete(rows, id)
		}
	}
	ok := latestOf(rows, (*row).finishedJob, endOf)
	for id, r := range rows {
		switch success := (group{finished, r.traits().name}); {
		case !r.failedJob():
		case r.end.before(ok[success]):
			k.displaced[success] = true // should that success go, this failure counts again
		default:
			k.rows[id] = true
		}
	}
	k.latest(rows, (*row).finishedJob, endOf)
	k.latest(rows, func(r *row) group { return group{"pool", r.traits().pool} }, func(r *row) moment { return r.start })
	k.latest(rows, func(r *row) group { return group{"instance", r.traits().instance} }, (*row).active)
}

// ofbizJobs reads job_sandbox. It also returns the rows on which the history rests, nil until the look back is complete.
func (s *Source) ofbizJobs(ctx context.Context, r *reader, now time.Time) (facts jobFacts, err error) {
	if has, err := r.need(s.jobs, "job_sandbox"); !has {
		return facts, err
	}
	open, err := r.openJobs(ctx, now)
	if err != nil {
		return facts, err
	}
	facts.Jobs = openFacts(open.rows, now)
	facts.Pending = open.pending
	h, err := s.advance(ctx, s.jobs, r, now, open.rows, nil)
	rows := open.rows
	if h != nil {
		rows = h.rows
		facts.rows, facts.age = slices.AppendSeq(make([]*row, 0, len(rows)), maps.Values(rows)), h.age(now)
	}
	facts.Pools = lastStarts(open.pools, rows, now)
	facts.Locks = locks(open.locked, activity(facts.rows, now))
	return facts, err
}

// openJobs are the jobs that have not ended, and what keeps the poller from taking them.
type openJobs struct {
	rows    map[string]*row // in work or claimed, and those that must be followed by id
	pending int
	pools   map[string]oms.Pool // in which jobs are pending, with the longest-waiting due one
	locked  []string            // the instances locked now, nil where the table is missing
}

func (r *reader) openJobs(ctx context.Context, now time.Time) (openJobs, error) {
	open := openJobs{rows: map[string]*row{}, pools: map[string]oms.Pool{}}
	if r.schema.has("job_manager_lock") {
		open.locked = []string{}
	}
	unstamped := 0
	err := r.query(ctx, "jobs_open", args{"now": r.time(now)}, func(rec record) {
		switch rec.text(14) {
		case "job":
			job := decodeJob(rec)
			if job.traits().open == jobRunning {
				job.start = first(job.start, rec.moment(9), job.stamp)
			}
			open.rows[job.id] = &job
		case "pending":
			pool := rec.text(7)
			open.pending += rec.count(15)
			unstamped += rec.count(16)
			open.pools[pool] = oms.Pool{Name: pool, OldestDue: rec.moment(9).at(now)}
		case "lock":
			open.locked = append(open.locked, rec.text(17))
		}
	})
	if err == nil && unstamped > 0 {
		err = r.query(ctx, "jobs_pending_unstamped", nil, into(open.rows, decodeJob))
	}
	return open, err
}

func openFacts(open map[string]*row, now time.Time) oms.Jobs {
	facts := oms.Jobs{Runs: []oms.Run{}}
	for _, job := range open {
		switch t := job.traits(); t.open {
		case jobQueued:
			facts.Queued++
		case jobRunning:
			facts.Running++
			facts.Runs = append(facts.Runs, oms.Run{
				JobName: t.name, JobID: job.id, Instance: t.instance, Start: job.start.at(now),
			})
		}
	}
	return facts
}

// locks says for every known instance whether it is locked.
func locks(locked []string, known map[string]time.Time) map[string]bool {
	if locked == nil {
		return nil
	}
	all := map[string]bool{everyInstance: false}
	for instance := range known {
		all[instance] = false
	}
	for _, instance := range locked {
		all[instance] = true
	}
	return all
}

// lastStarts adds to the pools the newest start in each.
func lastStarts(pools map[string]oms.Pool, rows map[string]*row, now time.Time) []oms.Pool {
	for _, r := range rows {
		start := r.start.at(now)
		if r.start.isZero() || start.Before(now.Add(-remembered)) {
			continue
		}
		pool := r.traits().pool
		p := pools[pool]
		p.Name, p.LastStart = pool, newest(p.LastStart, start)
		pools[pool] = p
	}
	var all []oms.Pool
	for _, p := range pools {
		all = append(all, p)
	}
	return all
}

// activity returns the newest sign of life of each instance within the last days.
func activity(rows []*row, now time.Time) map[string]time.Time {
	seen := map[string]time.Time{}
	for _, r := range rows {
		instance := r.traits().instance
		if at := r.active().at(now); instance != "" && !at.Before(now.Add(-remembered)) {
			seen[instance] = newest(seen[instance], at)
		}
	}
	return seen
}

// jobHistory sums up the runs that ended within the last days, in the order of the jobs' names.
func jobHistory(rows []*row, now time.Time) *oms.JobHistory {
	ended := make(map[string]*sum, len(rows)/2)
	for _, r := range rows {
		t := r.traits()
		end := r.end.at(now)
		if !t.ended() || end.Before(now.Add(-remembered)) {
			continue
		}
		s := ended[t.name]
		if s == nil {
			s = &sum{success: new(row)}
			ended[t.name] = s
		}
		if t.outcome == jobFinished && (end.After(s.succeeded) || end.Equal(s.succeeded) && r.id >= s.success.id) {
			s.success, s.succeeded = r, end
		}
	}
	for _, r := range rows {
		if s := ended[r.traits().name]; s != nil && r.failedJob() {
			if end := r.end.at(now); end.After(s.succeeded) && !end.Before(now.Add(-remembered)) {
				s.failures++
				s.failed = oldest(s.failed, end)
			}
		}
	}
	history := &oms.JobHistory{Jobs: make([]oms.JobRuns, 0, len(ended)), Activity: activity(rows, now)}
	for name, s := range ended {
		job := oms.JobRuns{JobName: name, Failures: s.failures, FirstFailure: s.failed, LastSuccess: s.succeeded}
		if start := s.success.start; !start.isZero() {
			took := max(s.succeeded.Sub(start.at(s.succeeded)), 0)
			job.LastDuration = &took
		}
		history.Jobs = append(history.Jobs, job)
	}
	slices.SortFunc(history.Jobs, func(a, b oms.JobRuns) int { return strings.Compare(a.JobName, b.JobName) })
	return history
}

// A sum is what the runs of one job come to: its last success, and the failures since.
type sum struct {
	success           *row
	succeeded, failed time.Time
	failures          int
}
