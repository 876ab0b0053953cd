package sqldb

import (
	"context"
	"maps"
	"slices"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/quartz"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// moquiPool is the name of the pool in which Moqui's scheduled jobs are counted: Moqui has one scheduler.
	moquiPool = "moqui"
	// lockLead is how far a lock may be ahead of the newest run that is found.
	lockLead = 10 * time.Minute
)

// decodeRun reads run_columns.
func decodeRun(rec sqlread.Record) history.Row {
	t := history.Attributes{Name: rec.Text("job_name"), Pool: moquiPool, Instance: rec.Text("host_name"), Manual: rec.Count("manual") > 0}
	r := history.Row{ID: rec.Text("job_run_id"), Start: rec.Moment("start_time"), End: rec.Moment("end_time")}
	switch {
	case r.End.IsZero():
	case rec.Text("has_error") == "Y":
		t.Outcome = jobFailed
	default:
		t.Outcome = jobFinished
	}
	r.Stamp = walltime.FirstSet(r.End, r.Start, rec.Moment("last_updated_stamp")) // before it starts, the last is that of its creation
	r.Attrs = unique.Make(t)
	return r
}

// runsArea is what is known of Moqui's jobs.
type runsArea struct {
	*area
	starts    firstReadings
	schedules map[string]*quartz.Schedule // by their cron expressions
}

func newRunsArea(s *Source) *runsArea {
	const name = "Moqui's jobs"
	newHistory := func() *history.History {
		return history.NewSequenced(s.client.Database.Timezone, history.KeepOpen(keepJobs))
	}
	read := func(r *sqlread.Reader) history.Reader { return runTable{r, s} }
	return &runsArea{area: newArea(s, name, s.jobs.lane.As(name), newHistory, read)}
}

// moquiJobs reads service_job, its locks and its runs. Before its backfill is complete, of the runs to which no lock
// points nothing is known.
func (s *Source) moquiJobs(ctx context.Context, r *sqlread.Reader, now time.Time) (facts jobFacts, err error) {
	if g := generationOf(r.Schema); g != oms.GenerationMoqui && g != oms.GenerationBoth {
		s.runs.Forget()
		return facts, nil
	}
	for _, table := range []string{"service_job", "service_job_run", "service_job_run_lock"} {
		if has, err := s.runs.requireTable(r, table); !has {
			return facts, err
		}
	}
	jobs, locks, runs, err := s.serviceJobs(ctx, r)
	if err != nil {
		return facts, err
	}
	s.instance.clock.observe("Moqui's locks", lastLock(locks), now)
	if err := s.unlockedRuns(ctx, r, runs); err != nil {
		return facts, err
	}
	open := maps.Clone(runs)
	maps.DeleteFunc(open, func(_ string, run *history.Row) bool { return run.Attributes().Ended() })
	recently := maps.Clone(runs) // what ended before is found as all others are
	maps.DeleteFunc(recently, func(_ string, run *history.Row) bool {
		return run.Attributes().Ended() && now.Sub(run.End.At(now)) > time.Hour
	})
	h, err := s.runs.advance(ctx, r, now, open, recently)
	if h != nil {
		maps.Copy(runs, h.Rows())
	}
	s.runs.starts.begin(now)
	newest := newestScheduled(runs)
	if h != nil {
		for t, at := range h.Begun() {
			newest.note(t, at)
		}
	}
	facts = runFacts(jobs, locks, runs, newest, &s.runs.starts, now)
	s.instance.clock.begun(&s.runs.starts)
	pools, due := scheduler(jobs, locks, s.client.Database, now)
	facts.Waits = append(facts.Waits, due...)
	for _, w := range facts.Waits {
		pools[moquiPool] = oms.Pool{Name: moquiPool, OldestDue: walltime.Earlier(pools[moquiPool].OldestDue, w.Since)}
	}
	facts.Waits = slices.DeleteFunc(facts.Waits, func(w oms.Wait) bool { return !longWait(w.Since, now) })
	if h == nil {
		facts.rows = nil
		return facts, err
	}
	facts.rows = slices.DeleteFunc(facts.rows, func(run *history.Row) bool { return h.Rows()[run.ID] == nil }) // one that is counted already
	facts.Pools = lastStarts(pools, runs, now)
	facts.recent, facts.starts = recentRuns(h, now), begunRuns(h, now)
	facts.age = max(h.Age(now), behind(locks, h, now))
	facts.strange = h.Strange()
	return facts, err
}

// lastLock is when a lock was last taken or given back.
func lastLock(locks map[string]jobLock) (last walltime.Moment) {
	for _, l := range locks {
		if at := walltime.FirstSet(l.changed, l.last); at.Stored().After(last.Stored()) {
			last = at
		}
	}
	return last
}

// runFacts describes the runs in progress, those that wait for a thread, and those that ended or were lost.
func runFacts(
	jobs map[string]serviceJob, locks map[string]jobLock, runs map[string]*history.Row, newest begins, starts *firstReadings, now time.Time,
) jobFacts {
	facts := jobFacts{
		Jobs: oms.Jobs{Runs: oms.Known[oms.Run](nil), Scheduled: map[string]bool{}, Claims: map[string]time.Time{}},
		rows: []*history.Row{},
	}
	inWork := func(name, id string, run *history.Row, start walltime.Moment) {
		facts.Running++
		facts.Scheduled[name] = true
		facts.Runs.All = append(facts.Runs.All, oms.Run{
			JobName: name, JobID: id, Instance: run.Attributes().Instance, Generation: oms.JobOfMoqui, Start: starts.at(id, run.Attributes().Instance, start, now),
		})
	}
	waits := func(name, id string, run *history.Row, since walltime.Moment) {
		facts.Queued++
		facts.Scheduled[name] = true
		instance, at := run.Attributes().Instance, since.At(now)
		facts.Waits = append(facts.Waits, oms.Wait{
			JobName: name, JobID: id, Pool: moquiPool, Instance: instance, Generation: oms.JobOfMoqui, Since: at,
		})
		if instance != "" {
			facts.Claims[instance] = walltime.Earlier(facts.Claims[instance], at)
		}
	}
	held := map[string]bool{}
	for name, lock := range locks {
		if !jobOf(jobs, name).locked(lock, now) {
			continue
		}
		held[lock.runID] = true
		run, known := runs[lock.runID]
		switch goesOn := known && !run.Attributes().Ended(); {
		case goesOn && !run.Start.IsZero():
			inWork(name, lock.runID, run, run.Start)
		case goesOn:
			waits(name, lock.runID, run, lock.last)
		default:
			inWork(name, lock.runID, run, lock.last)
		}
	}
	for id, run := range runs {
		switch t := run.Attributes(); {
		case t.Ended() || held[id]:
		case jobOf(jobs, t.Name).abandoned(locks[t.Name], run, newest[t.Name], now):
			t.Outcome = jobCrashed
			lost := *run
			lost.Attrs, lost.End = unique.Make(t), run.Stamp
			run = &lost
		case run.Start.IsZero():
			waits(t.Name, id, run, run.Stamp)
		default:
			inWork(t.Name, id, run, run.Start)
		}
		facts.rows = append(facts.rows, run)
	}
	for name, job := range jobs {
		if job.scheduled(now) && !job.locked(locks[name], now) {
			facts.Pending++
		}
		switch {
		case !job.inForce(now):
		case job.schedule != nil:
			facts.Scheduled[name] = true
		case job.refused:
			facts.Unreadable = append(facts.Unreadable, name)
		}
	}
	return facts
}

// begun is when a run of Moqui began or, before it has, came to be.
func begun(run *history.Row) walltime.Moment { return walltime.FirstSet(run.Start, run.Stamp) }

// begins are when the newest run of each job began that the scheduler began.
type begins map[string]walltime.Moment

func (b begins) note(t history.Attributes, at walltime.Moment) {
	if !t.Manual && at.Earliest().After(b[t.Name].Earliest()) {
		b[t.Name] = at
	}
}

func newestScheduled(runs map[string]*history.Row) begins {
	newest := begins{}
	for _, run := range runs {
		newest.note(run.Attributes(), begun(run))
	}
	return newest
}

// scheduler returns the pool of the scheduled jobs, and those that are due. A scheduler that has never taken any job is not in
// use yet: its jobs came with the tables.
func scheduler(jobs map[string]serviceJob, locks map[string]jobLock, database config.Database, now time.Time) (map[string]oms.Pool, []oms.Wait) {
	pools, waits := map[string]oms.Pool{}, []oms.Wait(nil)
	taken := false
	for _, lock := range locks {
		taken = taken || !lock.last.IsZero()
	}
	if !taken {
		return pools, nil
	}
	for name, job := range jobs {
		if !job.scheduled(now) {
			continue
		}
		pools[moquiPool] = oms.Pool{Name: moquiPool}
		if due := job.due(locks[name], database, now); !due.After(now) {
			waits = append(waits, oms.Wait{JobName: name, Pool: moquiPool, Generation: oms.JobOfMoqui, Since: due})
		}
	}
	return pools, waits
}

// unlockedRuns reads again the runs that have not ended and are not among those to which locks point.
func (s *Source) unlockedRuns(ctx context.Context, r *sqlread.Reader, runs map[string]*history.Row) error {
	ids := map[string]bool{}
	for id, run := range s.runs.Rows() {
		if !run.Attributes().Ended() && runs[id] == nil {
			ids[id] = true
		}
	}
	for chunk := range history.Chunks(ids) {
		if err := r.Query(ctx, "runs_by_id", sqlread.Args{"ids": chunk}, decodeInto(runs, decodeRun)); err != nil {
			return err
		}
	}
	return nil
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

// behind says for how long locks have referred to runs that are later than the newest one found: then something is wrong with
// how runs are found.
func behind(locks map[string]jobLock, h *history.History, now time.Time) (age time.Duration) {
	for _, lock := range locks {
		last := lock.last.At(now)
		if told := now.Sub(last); told < history.Remembered && last.Sub(h.Newest().At(now)) > lockLead {
			age = max(age, told)
		}
	}
	return age
}
