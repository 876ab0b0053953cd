package sqldb

import (
	"context"
	"maps"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// moquiPool is the name of the pool in which Moqui's scheduled jobs are counted: Moqui has one scheduler.
	moquiPool = "moqui"
	// lockLead is how far a lock may be ahead of the newest run that is found.
	lockLead = 10 * time.Minute
)

// decodeRun reads run_columns.
func decodeRun(rec record) row {
	t := traits{name: rec.text(1), pool: moquiPool, instance: rec.text(2), manual: rec.text(3) != ""}
	r := row{id: rec.text(0), start: rec.moment(5), end: rec.moment(6)}
	switch {
	case r.end.isZero():
	case rec.text(4) == "Y":
		t.outcome = jobFailed
	default:
		t.outcome = jobFinished
	}
	r.stamp = first(r.end, r.start, rec.moment(7)) // before it starts, the last is that of its creation
	r.common = unique.Make(t)
	return r
}

// keepRuns keeps what keepJobs does, and the runs that have not ended.
func keepRuns(rows map[string]*row, base, floor time.Time, k *kept) {
	open := map[string]*row{}
	for id, r := range rows {
		if !r.traits().ended() && !r.stamp.hi().Before(floor) {
			open[id] = r
		}
	}
	keepJobs(rows, base, floor, k)
	for id, r := range open {
		rows[id], k.rows[id] = r, true
	}
}

func newRunHistory() *history {
	h := newHistory("runs", decodeRun, keepRuns)
	h.ids = &runIDs{}
	return h
}

// moquiJobs reads service_job, its locks and its runs. Before its look back is complete, of the runs to which no lock
// points nothing is known.
func (s *Source) moquiJobs(ctx context.Context, r *reader, now time.Time) (facts jobFacts, err error) {
	if g := r.schema.generation; g != oms.GenerationMoqui && g != oms.GenerationBoth {
		s.runs.forget()
		return facts, nil
	}
	for _, table := range []string{"service_job", "service_job_run", "service_job_run_lock"} {
		if has, err := r.need(s.runs, table); !has {
			return facts, err
		}
	}
	jobs, locks, err := r.serviceJobs(ctx)
	if err != nil {
		return facts, err
	}
	runs, err := r.watchedRuns(ctx, locks)
	if err != nil {
		return facts, err
	}
	open := maps.Clone(runs)
	maps.DeleteFunc(open, func(_ string, run *row) bool { return run.traits().ended() })
	h, err := s.advance(ctx, s.runs, r, now, open, runs)
	if h != nil {
		maps.Copy(runs, h.rows)
	}
	facts = runFacts(jobs, locks, runs, now)
	if h == nil {
		facts.rows = nil
		return facts, err
	}
	facts.Pools = lastStarts(scheduler(jobs, locks, s.client.Database.Timezone, now), runs, now)
	facts.age = max(h.age(now), behind(locks, h, now))
	return facts, err
}

// runFacts tells of the runs in work, and of those that ended or were lost.
func runFacts(jobs map[string]serviceJob, locks map[string]jobLock, runs map[string]*row, now time.Time) jobFacts {
	facts := jobFacts{Jobs: oms.Jobs{Runs: []oms.Run{}}, rows: []*row{}}
	inWork := func(name, id string, run *row, start moment) {
		facts.Runs = append(facts.Runs, oms.Run{JobName: name, JobID: id, Instance: run.traits().instance, Start: start.at(now)})
	}
	held := map[string]bool{}
	for name, lock := range locks {
		if !jobOf(jobs, name).held(lock, now) {
			continue
		}
		held[lock.runID] = true
		run, known := runs[lock.runID]
		switch goesOn := known && !run.traits().ended(); {
		case goesOn && !run.start.isZero():
			inWork(name, lock.runID, run, run.start)
			facts.Running++
		case goesOn:
			inWork(name, lock.runID, run, lock.last)
			facts.Queued++
		default:
			inWork(name, lock.runID, run, lock.last)
			facts.Running++
		}
	}
	for id, run := range runs {
		switch t := run.traits(); {
		case t.ended() || held[id]:
		case jobOf(jobs, t.name).lost(locks[t.name], run, now):
			t.outcome = jobCrashed
			lost := *run
			lost.common, lost.end = unique.Make(t), run.stamp
			run = &lost
		case run.start.isZero():
			facts.Queued++
		default:
			inWork(t.name, id, run, run.start)
			facts.Running++
		}
		facts.rows = append(facts.rows, run)
	}
	for name, job := range jobs {
		if job.scheduled(now) && !job.held(locks[name], now) {
			facts.Pending++
		}
	}
	return facts
}

// scheduler returns the pool of the scheduled jobs, with the one that has been due for longest. A scheduler that has never
// taken any job is not in use yet: its jobs came with the tables.
func scheduler(jobs map[string]serviceJob, locks map[string]jobLock, zone *time.Location, now time.Time) map[string]oms.Pool {
	pools := map[string]oms.Pool{}
	taken := false
	for _, lock := range locks {
		taken = taken || !lock.last.isZero()
	}
	if !taken {
		return pools
	}
	for name, job := range jobs {
		if !job.scheduled(now) {
			continue
		}
		pool := oms.Pool{Name: moquiPool, OldestDue: pools[moquiPool].OldestDue}
		if due := job.due(locks[name], zone, now); !due.After(now) {
			pool.OldestDue = oldest(pool.OldestDue, due)
		}
		pools[moquiPool] = pool
	}
	return pools
}

// watchedRuns reads again the runs that have not ended, and those to which locks point.
func (r *reader) watchedRuns(ctx context.Context, locks map[string]jobLock) (map[string]*row, error) {
	ids := lockedRuns(locks)
	for id, run := range r.source.runs.held() {
		if !run.traits().ended() {
			ids[id] = true
		}
	}
	runs := map[string]*row{}
	for chunk := range chunks(ids) {
		if err := r.query(ctx, "runs_by_id", args{"ids": chunk}, into(runs, decodeRun)); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// lockedRuns returns the ids of the runs to which locks point.
func lockedRuns(locks map[string]jobLock) map[string]bool {
	ids := map[string]bool{}
	for _, lock := range locks {
		if lock.runID != "" {
			ids[lock.runID] = true
		}
	}
	return ids
}

// behind says for how long locks have told of runs that are later than the newest one found: then something is wrong with
// how runs are found.
func behind(locks map[string]jobLock, h *history, now time.Time) (age time.Duration) {
	for _, lock := range locks {
		last := lock.last.at(now)
		if told := now.Sub(last); told < remembered && last.Sub(h.newest.at(now)) > lockLead {
			age = max(age, told)
		}
	}
	return age
}
