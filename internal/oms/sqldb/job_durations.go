package sqldb

import (
	"cmp"
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

// jobDurations are how long the last successes of each job took. They are noted as rows are read: of a run that was purged or edited
// since, it stays known how long it took.
type jobDurations struct {
	mu   sync.Mutex
	jobs map[string][]jobDuration // the latest first
}

// A jobDuration is small, because each job has some.
type jobDuration struct {
	end  uint32 // in seconds of Unix time
	took uint32 // in milliseconds
}

// note takes in a row. One that is read again is the same.
func (d *jobDurations) note(r *history.Row) {
	t := r.Attributes()
	if t.Outcome != jobFinished || r.Start.IsZero() || r.End.IsZero() {
		return
	}
	end := r.End.Latest()
	run := jobDuration{history.ClampUint32(end.Unix()), history.ClampUint32(end.Sub(r.Start.At(end)).Milliseconds())}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.jobs == nil {
		d.jobs = map[string][]jobDuration{}
	}
	all := d.jobs[t.Name]
	at, known := slices.BinarySearchFunc(all, run, func(a, b jobDuration) int {
		return cmp.Or(cmp.Compare(b.end, a.end), cmp.Compare(b.took, a.took))
	})
	if known || at == mostDurations || all == nil && len(d.jobs) >= history.MostNames {
		return
	}
	if all == nil {
		all = make([]jobDuration, 0, mostDurations) // with no room for more
	}
	d.jobs[t.Name] = slices.Insert(all[:min(len(all), mostDurations-1)], at, run)
}

// complete adds to the facts about jobs how long each usually takes, and forgets jobs that are not known any more.
func (d *jobDurations) complete(jobs *oms.JobHistory, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, all := range d.jobs {
		if !remembered(time.Unix(int64(all[0].end), 0), now) {
			delete(d.jobs, name)
		}
	}
	for i := range jobs.Jobs {
		var took []uint32
		for _, run := range d.jobs[jobs.Jobs[i].JobName] {
			if remembered(time.Unix(int64(run.end), 0), now) {
				took = append(took, run.took)
			}
		}
		if n := len(took); n >= leastDurations {
			slices.Sort(took)
			jobs.Jobs[i].UsualDuration = new(time.Duration(took[(n*usualPercent+99)/100-1]) * time.Millisecond)
		}
	}
}
