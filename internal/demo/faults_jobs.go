package demo

import (
	"slices"
	"strconv"
	"time"
)

const (
	// outage is for how long a dead instance has shown no activity, and stuck jobs have run.
	outage = time.Hour
	// idle is for how long a scheduler that is down has started nothing.
	idle = 25 * time.Minute
	// lost is how long ago a schedule was lost: more than three of its intervals.
	lost = 2 * time.Hour
	// streak is the time in which every run of the failing job failed.
	streak = 75 * time.Minute
)

func (c *client) setJobStuck(on bool) {
	const name = "job-stuck"
	if on {
		c.heldRuns[name] = []*run{c.ran(c.job("JOB_IMP_ORD_UPD"), running, c.instances()[0], outage)}
		return
	}
	// The guide's fix. A row that a person sets to failed keeps its empty finish time.
	for _, r := range c.heldRuns[name] {
		r.status = failed
		c.put(r)
		c.rerun(r.job, r)
	}
	delete(c.heldRuns, name)
}

// setInstanceDied leaves the runs of the second instance behind. When it is back it does as OFBiz does: what it finds running
// has crashed and is run once more.
func (c *client) setInstanceDied(on bool) {
	if on {
		c.silence()
		for _, enum := range []string{"JOB_IMP_ITM_CNCL", "JOB_IMP_RTN", "UL_RCNT_INV", "JOB_BKR_ORD"} {
			r := c.ran(c.job(enum), running, c.instances()[1], outage)
			c.heldRuns[instanceDied] = append(c.heldRuns[instanceDied], r)
		}
		return
	}
	for _, r := range c.heldRuns[instanceDied] {
		r.status, r.cancelled = crashed, c.now
		c.put(r)
		c.rerun(r.job, r)
	}
	delete(c.heldRuns, instanceDied)
}

// silence takes all activity from the second instance since it died: what it did since, the first one did.
func (c *client) silence() {
	died := c.now.Add(-outage)
	for _, r := range c.runs {
		if r.instance == c.instances()[1] && (r.status == running || r.finished.After(died) || r.cancelled.After(died)) {
			r.instance = c.instances()[0]
			c.put(r)
		}
	}
}

// setJobClaimed leaves behind what the second instance had claimed, one row of it not even queued: no other takes such rows, and
// the schedules of their jobs stand still. A person gives them back in the end.
func (c *client) setJobClaimed(on bool) {
	if !on {
		for _, r := range c.heldRuns[jobClaimed] {
			r.status, r.instance = pending, ""
			c.start(r)
		}
		delete(c.heldRuns, jobClaimed)
		return
	}
	c.silence()
	for i, enum := range []string{"JOB_IMP_RTN", "JOB_IMP_ITM_CNCL", "JOB_BKR_ORD_UNF"} {
		r := c.job(enum).next
		if r == nil || r.status != pending {
			continue
		}
		r.due, r.instance, r.created = c.now.Add(-outage), c.instances()[1], c.now.Add(-2*outage)
		if i > 0 {
			r.status = queued
		}
		c.put(r)
		r.updated = r.due // the claim and its queueing were an hour ago
		c.heldRuns[jobClaimed] = append(c.heldRuns[jobClaimed], r)
	}
}

// setScheduleLost lets the server have died, a while ago, between a start of the job and the next row (OFBIZ-13370). What ran since
// were other calls.
func (c *client) setScheduleLost(on bool) {
	j := c.job("JOB_UL_PRCS")
	if !on {
		c.schedule(j, c.now, "")
		return
	}
	died := c.now.Add(-lost)
	for _, r := range c.runs {
		if r.job == j && r.started.After(died) {
			r.job, r.name, r.service = nil, strconv.FormatInt(r.started.UnixMilli(), 10), "sendOrderNotification"
			c.put(r)
		}
	}
	if r := j.next; r != nil && r.status == pending {
		r.status, r.instance, r.due, r.started, r.cancelled = crashed, c.instances()[0], died, died, died.Add(time.Minute)
		c.put(r)
	}
	j.next = nil
}

// setJobFlaky makes failures of two of three late runs, but not of the last; more follow. That the ticket ends before a day is over,
// they have succeeded in the end.
func (c *client) setJobFlaky(on bool) {
	c.flakes = 0
	if !on {
		for _, r := range c.heldRuns[jobFlaky] {
			c.finish(r, done, "")
		}
		delete(c.heldRuns, jobFlaky)
		return
	}
	n := 0
	for _, r := range slices.Backward(c.runs) {
		if r.job != c.job(flakyJob) || r.status != done {
			continue
		}
		if n++; n%3 != 1 {
			c.flake(r, r.finished)
		}
	}
}

// flaked makes a failure of a run that ends, unless the two before it failed, and says whether it did.
func (c *client) flaked(r *run) bool {
	c.flakes++
	if c.flakes%3 != 0 {
		c.flake(r, c.now)
	}
	return c.flakes%3 != 0
}

func (c *client) flake(r *run, at time.Time) {
	r.status, r.finished, r.result = failed, at, "Connection reset"
	c.put(r)
	c.heldRuns[jobFlaky] = append(c.heldRuns[jobFlaky], r)
}

// setJobFailing makes failures of the latest runs, and runs the job with success in the end.
func (c *client) setJobFailing(on bool) {
	j := c.job(failingJob)
	if !on {
		c.rerun(j, &run{instance: c.instances()[0]})
		return
	}
	count := 0
	for _, r := range c.runs {
		if r.job == j && !r.finished.IsZero() && r.finished.After(c.now.Add(-streak)) {
			r.status, r.result = failed, "Required parameter shopId is missing"
			c.put(r)
			count++
		}
	}
	for ; count < 4; count++ { // after an outage there may be few
		r := c.ran(j, failed, c.instances()[0], streak-time.Duration(count)*10*time.Minute)
		r.finished = r.started
	}
}

// setSchedulerDown takes back what was started lately: those jobs are due since. They start when the poller is back.
func (c *client) setSchedulerDown(on bool) {
	if !on {
		due := c.due
		c.due = nil
		for _, r := range due {
			c.start(r)
		}
		return
	}
	c.importByHand()
	for _, r := range c.runs {
		if r.started.Before(c.now.Add(-idle)) {
			continue
		}
		if r.beside { // what fixed another fault stays, else that would be back
			r.started, r.finished = c.now.Add(-idle), c.now.Add(-idle)
			c.put(r)
			continue
		}
		r.status, r.cancelled, r.started, r.finished, r.instance, r.result = dropped, c.now, time.Time{}, time.Time{}, "", ""
		c.put(r)
		if r.job == nil {
			continue
		}
		next := r.job.next
		if next == nil || next.status != pending { // another fault has it
			continue
		}
		if r.due.Before(next.due) {
			next.due = r.due
			c.put(next)
			next.updated = next.created.Add(-time.Hour) // nobody has touched it since it waits
		}
		if !slices.Contains(c.due, next) {
			c.due = append(c.due, next)
		}
	}
}

func (c *client) job(enum string) *job {
	return c.jobs[slices.IndexFunc(c.jobs, func(j *job) bool { return j.enum == enum })]
}

// ran inserts a run of a job beside its chain that started so long ago.
func (c *client) ran(j *job, status, instance string, age time.Duration) *run {
	at := c.now.Add(-age)
	r := &run{stamps: stamps{created: at}, id: c.id(), name: j.name, service: j.service, status: status, job: j,
		instance: instance, due: at, started: at, beside: true}
	c.put(r)
	c.keep(r)
	return r
}

// rerun runs a job once more after the old run, with success.
func (c *client) rerun(j *job, old *run) {
	r := c.ran(j, done, old.instance, 0)
	r.previous, r.finished = old.id, c.now
}
