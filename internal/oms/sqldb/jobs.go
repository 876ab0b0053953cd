package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// The statuses of job_sandbox that matter (OFBiz' SERVICE_STATUS). SERVICE_DRAFT rows are templates.
const (
	jobRunning   = "SERVICE_RUNNING"
	jobQueued    = "SERVICE_QUEUED"
	jobFinished  = "SERVICE_FINISHED"
	jobFailed    = "SERVICE_FAILED"
	jobCrashed   = "SERVICE_CRASHED"
	jobCancelled = "SERVICE_CANCELLED"
)

// everyInstance is the id by which a job-manager lock holds for all instances (OFBiz JobManager).
const everyInstance = "_NA_"

// decodeJob reads job_columns.
func decodeJob(rec sqlread.Record) history.Row {
	t := history.Attributes{
		Name: jobName(rec), Pool: rec.Text("pool_id"), Instance: rec.Text("run_by_instance_id"),
		Recurring: !rec.Null("recurrence"),
		Single: rec.Count("current_retry_count") > 0 ||
			rec.Text("system_job_enum_id") == "" && oms.IsCall(rec.Text("job_name")) && rec.Null("recurrence"),
	}
	r := history.Row{ID: rec.Text("job_id"), Start: rec.Moment("start_date_time"), Stamp: rec.Moment("last_updated_tx_stamp")}
	// A crashed row has cancel_date_time only.
	end := walltime.FirstSet(rec.Moment("finish_date_time"), rec.Moment("cancel_date_time"))
	switch status := rec.Text("status_id"); status {
	case jobRunning, jobQueued:
		t.Open = status
	case jobCancelled:
		// The row may be old that a person cancels to end a schedule, and with SQL the timestamp stays as it was.
		if t.Cancelled, r.End = true, walltime.FirstSet(r.Stamp, end); end.Stored().After(r.End.Stored()) {
			r.End = end
		}
	case jobFinished, jobFailed, jobCrashed:
		if !end.IsZero() { // else a person set it by hand, which says nothing of how it went
			t.Outcome, r.End = status, end
		}
	}
	r.Attrs = unique.Make(t)
	return r
}

// jobName is the stable name of the job of a row.
func jobName(rec sqlread.Record) string {
	return oms.JobName(rec.Text("system_job_enum_id"), rec.Text("product_store_id"), rec.Text("shop_id"),
		rec.Text("job_name"), rec.Text("service_name"))
}

// finished is the kind of a group of rows that ended well.
const finished = "finished"

func finishedJob(r *history.Row) history.Group {
	if t := r.Attributes(); t.Outcome == jobFinished {
		return history.Group{Kind: finished, Name: t.Name}
	}
	return history.Group{}
}

func failedJob(r *history.Row) bool {
	outcome := r.Attributes().Outcome
	return outcome == jobFailed || outcome == jobCrashed
}

// active is the last activity that the row's instance left in it. A row cancelled or edited by a person shows
// none but its start.
func active(r *history.Row) walltime.Moment {
	if !r.Attributes().Ended() || r.End.Before(r.Start) {
		return r.Start
	}
	return r.End
}

// lastEvent is when something last happened to the row: activity, or that a person called it off.
func lastEvent(r *history.Row) walltime.Moment {
	if r.Attributes().Cancelled && !r.End.IsZero() {
		return r.End
	}
	return active(r)
}

const (
	// A job's usual interval is computed from at least and at most this many last starts. Where the rows say that the job recurs, two are
	// enough: OFBiz keeps a nightly job's rows for a few days.
	leastStarts, mostStarts = 5, 8
	leastRecurring          = 2
	// nextMade is how long before a run starts OFBiz may have made the row of the next one: as long as a thread waits.
	nextMade = time.Minute
	// recentRunsMargin is for the runs of the last hours, of which all are counted.
	recentRunsMargin = 6 * time.Hour
)

// rhythmic is the group of the starts that make up a job's rhythm.
func rhythmic(r *history.Row) history.Group {
	if t := r.Attributes(); !t.Single && !t.Manual {
		return history.Group{Kind: "start", Name: t.Name}
	}
	return history.Group{}
}

// keepJobs keeps the last success of each job and the failures since, its last starts, what last happened to it, when it was last
// cancelled, and the newest start of each pool and instance; and it counts what ended lately.
func keepJobs(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
	for id, r := range rows {
		if lastEvent(r).Latest().Before(floor) {
			delete(rows, id)
		}
	}
	ok := history.LatestOf(rows, finishedJob, history.EndOf)
	for id, r := range rows {
		switch success := (history.Group{Kind: finished, Name: r.Attributes().Name}); {
		case !failedJob(r):
		case r.End.Before(ok[success]):
			k.Displace(success) // should that success go, this failure counts again
		default:
			k.Keep(id)
		}
	}
	of := func(kind string, name func(history.Attributes) string) func(*history.Row) history.Group {
		return func(r *history.Row) history.Group { return history.Group{Kind: kind, Name: name(r.Attributes())} }
	}
	k.Latest(rows, finishedJob, history.EndOf)
	k.LatestStarts(rows, mostStarts, rhythmic)
	k.Latest(rows, func(r *history.Row) history.Group {
		if t := r.Attributes(); t.Cancelled {
			return history.Group{Kind: "cancelled", Name: t.Name}
		}
		return history.Group{}
	}, history.EndOf)
	k.Latest(rows, of("job", func(t history.Attributes) string { return t.Name }), lastEvent)
	k.Latest(rows, of("pool", func(t history.Attributes) string { return t.Pool }), history.StartOf)
	k.Latest(rows, of("instance", func(t history.Attributes) string { return t.Instance }), active)
	k.CountSince(base.Add(-oms.RecentRuns - recentRunsMargin))
}

// jobsArea is what is known of OFBiz' jobs.
type jobsArea struct {
	*area
	starts firstReadings
}

func newJobsArea(s *Source) *jobsArea {
	newHistory := func() *history.History { return history.New(s.client.Database.Timezone, keepJobs) }
	return &jobsArea{area: newArea(s, "jobs", sqlread.NewLane("jobs"), newHistory, stamped(stampedStatements{
		newest: "jobs_newest", changes: "jobs_changes", byID: "jobs_by_id",
		unstamped: "jobs_unstamped", unstampedNewest: "jobs_unstamped_newest",
	}, func(rec sqlread.Record) history.Row {
		r := decodeJob(rec)
		s.durations.note(&r)
		return r
	}, nil))}
}

// firstReadings remember when something was, such as the begin of a row that is in progress, by the reading first taken of it: in the hour
// that an autumn change repeats, what was seen cannot have been later.
type firstReadings struct {
	last, now    map[string]firstReading
	before, look time.Time            // our clock at the look before, and now
	begun        map[string]time.Time // by server, what it gave as the start of a row that was not there at the look before
}

type firstReading struct {
	stored walltime.Moment
	at     time.Time
}

// begin begins a look at all rows in progress: what it does not ask for is forgotten.
func (f *firstReadings) begin(now time.Time) {
	f.last, f.now = f.now, map[string]firstReading{}
	f.before, f.look, f.begun = f.look, now, map[string]time.Time{}
}

// at returns when the row, which is in progress on that server, began, within a look.
func (f *firstReadings) at(id, server string, start walltime.Moment, now time.Time) time.Time {
	first, known := f.last[id]
	if !known || !first.stored.Equal(start) {
		first = firstReading{start, start.At(now)}
	}
	if !known && server != "" {
		f.begun[server] = first.at
	}
	f.now[id] = first
	return first.at
}

// ofbizJobs reads job_sandbox. It also returns the rows on which the history rests, nil until the backfill is complete.
func (s *Source) ofbizJobs(ctx context.Context, r *sqlread.Reader, now time.Time) (facts jobFacts, err error) {
	if has, err := s.jobs.requireTable(r, "job_sandbox"); !has {
		return facts, err
	}
	open, err := s.openJobs(ctx, r, now)
	if err != nil {
		return facts, err
	}
	facts.Jobs = open.Jobs
	h, err := s.jobs.advance(ctx, r, now, open.rows, nil)
	rows := open.rows
	if h != nil {
		rows = h.Rows()
		facts.rows, facts.age = slices.AppendSeq(make([]*history.Row, 0, len(rows)), maps.Values(rows)), h.Age(now)
		facts.recent, facts.starts = recentRuns(h, now), begunRuns(h, now)
	}
	facts.alive = open.alive
	facts.Pools = lastStarts(open.pools, rows, now)
	known := activity(facts.rows, now, nil)
	maps.Copy(known, open.Claims)
	facts.Locks = locks(open.locked, known)
	for _, of := range []struct {
		status string
		jobs   int
	}{{"pending", facts.Pending}, {"queued", facts.Queued}, {"running", facts.Running}} {
		if h != nil && of.jobs >= mostWaiting {
			err = errors.Join(err, fmt.Errorf("%d or more jobs are %s: the others are not measured", mostWaiting, of.status))
		}
	}
	return facts, err
}

// openJobs are the jobs that have not ended, and what keeps the poller from taking them.
type openJobs struct {
	oms.Jobs
	rows   map[string]*history.Row // in progress or claimed, and those that must be followed by id
	pools  map[string]oms.Pool     // in which jobs wait, with the longest-waiting due one
	alive  map[string]time.Time    // by instance when it last renewed a lease
	locked []string                // the instances locked now, nil where the table is missing

	waiting *history.Row // stands for all rows of which nothing but the id matters
}

// waits notes that a run has been due since then, and is claimed by that instance, if by any.
func (o *openJobs) waits(pool, instance string, since time.Time) {
	p := o.pools[pool]
	o.pools[pool] = oms.Pool{Name: pool, OldestDue: walltime.Earlier(p.OldestDue, since)}
	if instance != "" {
		o.Claims[instance] = walltime.Earlier(o.Claims[instance], since)
	}
}

func (s *Source) openJobs(ctx context.Context, r *sqlread.Reader, now time.Time) (openJobs, error) {
	open := openJobs{
		Jobs: oms.Jobs{Runs: oms.Known[oms.Run](nil), Claims: map[string]time.Time{}, Scheduled: map[string]bool{}},
		rows: map[string]*history.Row{}, pools: map[string]oms.Pool{}, alive: map[string]time.Time{}, waiting: new(history.Row),
	}
	if r.Schema.Has("job_manager_lock") {
		open.locked = []string{}
	}
	s.jobs.starts.begin(now)
	err := r.Query(ctx, "jobs_open", sqlread.Args{"now": r.Time(now)}, func(rec sqlread.Record) {
		switch rec.Text("kind") {
		case "open":
			s.openJob(rec, &open, now)
		case "pending":
			open.pending(rec, now)
		case "lock":
			open.locked = append(open.locked, rec.Text("instance_id"))
		}
	})
	if err == nil {
		s.instance.clock.begun(&s.jobs.starts)
	}
	slices.SortFunc(open.Waits, func(a, b oms.Wait) int { return a.Since.Compare(b.Since) })
	open.Waits = open.Waits[:min(len(open.Waits), mostWaits)]
	return open, err
}

const (
	// mostWaiting is how many jobs of a status are read that wait or run; where there are so many, the scheduler has more to do than it can.
	mostWaiting = 5000
	// mostWaits is how many long waits are reported.
	mostWaits = 500
)

// pending takes in a row that waits for its time, or for the poller.
func (o *openJobs) pending(rec sqlread.Record, now time.Time) {
	job, due := decodeJob(rec), rec.Moment("run_time").At(now)
	t := job.Attributes()
	o.Pending++
	if !due.IsZero() { // else the poller never takes it
		o.Scheduled[t.Name] = true
	}
	var since time.Time
	if !due.IsZero() && !due.After(now) {
		since = walltime.Later(due, job.Stamp.At(now)) // the claim leaves the timestamp alone
	}
	o.waits(t.Pool, t.Instance, since)
	o.tellWait(job, since, now)
	if job.Stamp.IsZero() { // it must be followed by its id
		o.rows[job.ID] = &job
		return
	}
	o.rows[job.ID] = o.waiting // when it does not wait any more, it is read again, because who cancels it with SQL leaves the timestamp alone
}

// longWait says whether a run that is due since then is reported as a single run.
func longWait(since, now time.Time) bool { return !since.IsZero() && now.Sub(since) > oms.LongWait }

// openJob takes in a row that is running or queued.
func (s *Source) openJob(rec sqlread.Record, open *openJobs, now time.Time) {
	job := decodeJob(rec)
	t := job.Attributes()
	lease := rec.Moment("lease_updated_stamp")
	if t.Instance != "" && !lease.IsZero() {
		open.alive[t.Instance] = walltime.Later(open.alive[t.Instance], lease.At(now))
	}
	switch t.Open {
	case jobRunning:
		open.Scheduled[t.Name] = true
		job.Start = walltime.FirstSet(job.Start, rec.Moment("run_time"), job.Stamp)
		open.Running++
		open.Runs.All = append(open.Runs.All, oms.Run{
			JobName: t.Name, JobID: job.ID, Instance: t.Instance, Generation: oms.JobOfOFBiz, Start: s.jobs.starts.at(job.ID, t.Instance, job.Start, now),
		})
	case jobQueued:
		open.Queued++
		due, exists := rec.Moment("run_time").At(now), job.Stamp.At(now)
		if !lease.IsZero() { // renewing it may touch the timestamp
			exists = rec.Moment("created_tx_stamp").At(now)
		}
		if !job.Start.IsZero() || !rec.Null("cancel_date_time") { // OFBiz never starts it
			break
		}
		open.Scheduled[t.Name] = true
		if !due.After(now) {
			since := walltime.Later(due, exists)
			open.waits(t.Pool, t.Instance, since)
			open.tellWait(job, since, now)
		}
	}
	open.rows[job.ID] = &job
}

// tellWait adds a run that has been due since then, if that is long.
func (o *openJobs) tellWait(job history.Row, since, now time.Time) {
	if t := job.Attributes(); longWait(since, now) {
		o.Waits = append(o.Waits, oms.Wait{
			JobName: t.Name, JobID: job.ID, Pool: t.Pool, Instance: t.Instance, Generation: oms.JobOfOFBiz, Since: since,
		})
	}
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
func lastStarts(pools map[string]oms.Pool, rows map[string]*history.Row, now time.Time) []oms.Pool {
	for _, r := range rows {
		start := r.Start.At(now)
		if r.Start.IsZero() || !remembered(start, now) {
			continue
		}
		pool := r.Attributes().Pool
		p := pools[pool]
		p.Name, p.LastStart = pool, walltime.Later(p.LastStart, start)
		pools[pool] = p
	}
	var all []oms.Pool
	for _, p := range pools {
		all = append(all, p)
	}
	return all
}

// activity returns the last activity of each instance within the last days, by the readings first taken, if they are given.
func activity(rows []*history.Row, now time.Time, first *firstReadings) map[string]time.Time {
	seen := map[string]time.Time{}
	for _, r := range rows {
		last := active(r)
		at := last.At(now)
		if first != nil && !last.Earliest().Equal(last.Latest()) {
			at = first.at(string(jobGenerationOf(r.Attributes()))+" "+r.ID, "", last, now)
		}
		if instance := r.Attributes().Instance; instance != "" && remembered(at, now) {
			seen[instance] = walltime.Later(seen[instance], at)
		}
	}
	return seen
}

// signs are the first readings of when instances last showed activity.
type signs struct {
	mu sync.Mutex
	firstReadings
}

// of returns the last activity of each instance in the rows.
func (s *signs) of(now time.Time, generations ...jobFacts) map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(now)
	seen := map[string]time.Time{}
	for _, g := range generations {
		for instance, at := range activity(g.rows, now, &s.firstReadings) {
			seen[instance] = walltime.Later(seen[instance], at)
		}
	}
	return seen
}

// A tally is how many runs ended lately, and how many of them failed.
type tally struct{ runs, failures int }

// add counts n runs that ended so.
func (c *tally) add(t history.Attributes, n int) {
	if c.runs += n; t.Outcome != jobFinished {
		c.failures += n
	}
}

// A begunRun is when a run began, and what matters of it besides.
type begunRun struct {
	at         time.Time
	recurring  bool
	generation oms.JobGeneration
}

// recentRuns counts by job the runs that ended lately and are held for nothing else.
func recentRuns(h *history.History, now time.Time) map[string]tally {
	counts := map[string]tally{}
	for attrs, ended := range h.CountedSince(now.Add(-oms.RecentRuns), now) {
		if t := attrs.Value(); t.Ended() {
			sum := counts[t.Name]
			sum.add(t, ended.Rows)
			counts[t.Name] = sum
		}
	}
	return counts
}

// begunRuns are the last starts by job of the runs that are held for nothing else.
func begunRuns(h *history.History, now time.Time) map[string][]begunRun {
	all := map[string][]begunRun{}
	for t, start := range h.Begun() {
		if at := start.At(now); remembered(at, now) {
			all[t.Name] = append(all[t.Name], begunRun{at, t.Recurring, jobGenerationOf(t)})
		}
	}
	return all
}

// recent says of a run that ended then whether it counts as recent.
func recent(end, now time.Time) bool { return !end.Before(now.Add(-oms.RecentRuns)) }

// remembered says of what happened then whether it still counts.
func remembered(at, now time.Time) bool { return !at.Before(now.Add(-history.Remembered)) }

// A sum has the totals of the rows of one job.
type sum struct {
	success   *history.Row // the last
	succeeded time.Time
	failure   *history.Row // the last since
	failedAt  time.Time
	oms.JobRuns

	cancelled time.Time // when a row of it last was
	starts    []begunRun
	recent    tally
}

// jobHistory sums up the runs of the last days, in the order of the jobs' names.
func jobHistory(now time.Time, generations ...jobFacts) *oms.JobHistory {
	sums := map[string]*sum{}
	of := func(name string) *sum {
		s := sums[name]
		if s == nil {
			s = &sum{JobRuns: oms.JobRuns{JobName: name}}
			sums[name] = s
		}
		return s
	}
	var rows []*history.Row
	for _, g := range generations {
		rows = append(rows, g.rows...)
	}
	for _, r := range rows {
		t := r.Attributes()
		if at := lastEvent(r).At(now); !at.IsZero() && remembered(at, now) {
			of(t.Name).seen(r, t, at, now)
		}
	}
	for _, r := range rows {
		if s := sums[r.Attributes().Name]; s != nil && failedJob(r) {
			if end := r.End.At(now); end.After(s.succeeded) && remembered(end, now) {
				s.failed(r, end)
			}
		}
	}
	for _, g := range generations {
		for name, count := range g.recent {
			if s := sums[name]; s != nil {
				s.recent.runs += count.runs
				s.recent.failures += count.failures
			}
		}
		for name, starts := range g.starts {
			if s := sums[name]; s != nil {
				s.starts = append(s.starts, starts...)
			}
		}
	}
	history := &oms.JobHistory{Jobs: make([]oms.JobRuns, 0, len(sums))}
	for _, s := range sums {
		history.Jobs = append(history.Jobs, s.runs())
	}
	slices.SortFunc(history.Jobs, func(a, b oms.JobRuns) int { return strings.Compare(a.JobName, b.JobName) })
	return history
}

// seen takes in a row to which something happened then.
func (s *sum) seen(r *history.Row, t history.Attributes, at, now time.Time) {
	if t.Cancelled {
		s.cancelled = walltime.Later(s.cancelled, at)
	}
	if start := r.Start.At(now); rhythmic(r) != (history.Group{}) && !r.Start.IsZero() && remembered(start, now) {
		s.starts = append(s.starts, begunRun{start, t.Recurring, jobGenerationOf(t)})
	}
	if !t.Ended() {
		return
	}
	end := r.End.At(now)
	if t.Outcome == jobFinished && (end.After(s.succeeded) || end.Equal(s.succeeded) && r.ID >= s.success.ID) {
		s.success, s.succeeded = r, end
	}
	if recent(end, now) {
		s.recent.add(t, 1)
	}
}

// failed takes in a failure since the last success.
func (s *sum) failed(r *history.Row, end time.Time) {
	s.Failures++
	s.FirstFailure = walltime.Earlier(s.FirstFailure, end)
	if s.failure == nil || end.After(s.failedAt) || end.Equal(s.failedAt) && r.ID > s.failure.ID {
		s.failure, s.failedAt = r, end
	}
}

// runs returns the facts.
func (s *sum) runs() oms.JobRuns {
	job := s.JobRuns
	job.Recent, job.RecentFailures = s.recent.runs, s.recent.failures
	job.LastSuccess = s.succeeded
	if s.success != nil && !s.success.Start.IsZero() {
		took := max(s.succeeded.Sub(s.success.Start.At(s.succeeded)), 0)
		job.LastDuration = &took
	}
	if s.failure != nil {
		job.LastFailed = &oms.FailedRun{JobID: s.failure.ID, Generation: jobGenerationOf(s.failure.Attributes())}
	}
	slices.SortFunc(s.starts, func(a, b begunRun) int { return a.at.Compare(b.at) })
	starts := s.starts[max(0, len(s.starts)-mostStarts):]
	var last time.Time // that the schedule began
	for _, r := range starts {
		if r.recurring {
			last = r.at
		}
	}
	recurring, steady := !last.IsZero(), false
	if len(starts) >= leastStarts || recurring && len(starts) >= leastRecurring {
		var interval time.Duration
		interval, steady = rhythm(starts)
		job.UsualInterval = &interval
	}
	if !recurring && !steady {
		return job
	}
	newest := starts[len(starts)-1]
	if !recurring {
		last = newest.at
	}
	// What was cancelled since the schedule last began a run was the next one, even if somebody ran the job by hand later.
	called := !s.cancelled.IsZero() && !s.cancelled.Before(last.Add(-nextMade))
	switch {
	case called || newest.generation != oms.JobOfOFBiz:
	case job.UsualInterval != nil:
		job.Expected = newest.at.Add(*job.UsualInterval)
	default:
		job.Unclear = job.Failures == 0
	}
	return job
}

// rhythm returns the median gap between starts, and whether three quarters of the gaps are within a quarter of it.
func rhythm(starts []begunRun) (interval time.Duration, steady bool) {
	var gaps []time.Duration
	for i := range starts[1:] {
		gaps = append(gaps, starts[i+1].at.Sub(starts[i].at))
	}
	slices.Sort(gaps)
	n := len(gaps)
	interval = (gaps[(n-1)/2] + gaps[n/2]) / 2
	regular := 0
	for _, gap := range gaps {
		if (gap - interval).Abs() <= interval/4 {
			regular++
		}
	}
	return interval, regular*4 >= n*3
}

// jobGenerationOf tells which services wrote such a row.
func jobGenerationOf(t history.Attributes) oms.JobGeneration {
	if t.Pool == moquiPool {
		return oms.JobOfMoqui
	}
	return oms.JobOfOFBiz
}
