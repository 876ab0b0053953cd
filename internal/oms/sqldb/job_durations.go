package sqldb

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// A job's usual duration is computed from at least and at most so many of its last successes.
	leastDurations, mostDurations = 10, 20
	usualPercent                  = 95
)

// jobDurations are how long the last successes of each job took, in milliseconds. They are noted as rows are read: of a run that was purged
// or edited since, it stays known how long it took.
type jobDurations struct {
	mu   sync.Mutex
	jobs map[string][]byte // packed endings
}

// note takes in a row. One that is read again is the same.
func (d *jobDurations) note(r *history.Row) {
	t := r.Attributes()
	if t.Outcome != jobFinished || r.Start.IsZero() || r.End.IsZero() {
		return
	}
	end := r.End.Latest()
	run := history.Ending{At: end.Unix(), Number: int(history.ClampUint32(end.Sub(r.Start.At(end)).Milliseconds()))}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.jobs == nil {
		d.jobs = map[string][]byte{}
	}
	all := slices.AppendSeq(make([]history.Ending, 0, mostDurations+1), history.Endings(d.jobs[t.Name]))
	at, known := slices.BinarySearchFunc(all, run, func(a, b history.Ending) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Number, b.Number))
	})
	if known || at == 0 && len(all) == mostDurations || len(all) == 0 && len(d.jobs) >= history.MostNames {
		return
	}
	all = slices.Insert(all, at, run)
	d.jobs[t.Name] = slices.Clone(history.AppendEndings(nil, all[max(0, len(all)-mostDurations):])) // with no room for more
}

// complete adds to the facts about jobs how long each usually takes, and forgets jobs that are not known any more.
func (d *jobDurations) complete(jobs *oms.JobHistory, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	recent := func(run history.Ending) bool { return remembered(time.Unix(run.At, 0), now) }
	maps.DeleteFunc(d.jobs, func(_ string, runs []byte) bool {
		for run := range history.Endings(runs) {
			if recent(run) {
				return false
			}
		}
		return true
	})
	var took []int
	for i := range jobs.Jobs {
		took = took[:0]
		for run := range history.Endings(d.jobs[jobs.Jobs[i].JobName]) {
			if recent(run) {
				took = append(took, run.Number)
			}
		}
		if n := len(took); n >= leastDurations {
			slices.Sort(took)
			jobs.Jobs[i].UsualDuration = new(time.Duration(took[(n*usualPercent+99)/100-1]) * time.Millisecond)
		}
	}
}
