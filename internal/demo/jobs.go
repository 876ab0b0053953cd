package demo

import (
	"slices"
	"strconv"
	"time"
)

// job is a recurring job: a chain of rows in job_sandbox, each of which was inserted when the one before it started.
type job struct {
	jobKind
	store, shop string
	zone        string // in which it recurs
	root        string // the first row's key
	next        *run   // the pending row
	failed      bool   // its last run failed; the next one will not
}

// run is a row of job_sandbox.
type run struct {
	stamps
	id, name, service, status, previous, instance, result string
	job                                                   *job // nil: a persisted asynchronous call
	due, started, finished, cancelled                     time.Time
	beside                                                bool // the job's chain, as "run now" does
}

func (r *run) table() table {
	return table{"job_sandbox", "job_id, job_name, run_time, priority, pool_id, status_id, parent_job_id, previous_job_id, " +
		"service_name, max_retry, current_retry_count, temp_expr_id, run_by_instance_id, start_date_time, " +
		"finish_date_time, cancel_date_time, job_result, recurrence_time_zone, system_job_enum_id, product_store_id, " +
		"shop_id, run_as_user, run_time_epoch, created_date", 1}
}

func (r *run) values() []any {
	var parent, enum, store, shop, recurrence, zone string
	if j := r.job; j != nil {
		enum, store, shop, recurrence, zone = j.enum, j.store, j.shop, j.recurrence(), j.zone
		if r.id != j.root {
			parent = j.root
		}
	}
	var epoch any
	if !r.due.IsZero() {
		epoch = r.due.UnixMilli()
	}
	return []any{r.id, r.name, r.due, 50, pool, r.status, parent, r.previous, r.service, 0, 0, recurrence, r.instance,
		r.started, r.finished, r.cancelled, r.result, zone, enum, store, shop, "system", epoch, r.created}
}

const (
	pool    = "pool"
	pending = "SERVICE_PENDING"
	queued  = "SERVICE_QUEUED"
	running = "SERVICE_RUNNING"
	done    = "SERVICE_FINISHED"
	failed  = "SERVICE_FAILED"
	crashed = "SERVICE_CRASHED"
	dropped = "SERVICE_CANCELLED"

	// recentRuns is for how long runs are kept at hand: more than any fault looks back.
	recentRuns = 12 * time.Hour
	// purgeJobs is OFBiz' purge. It is bound by the one index that helps.
	purgeJobs = `DELETE FROM job_sandbox WHERE last_updated_tx_stamp < ?
AND status_id IN ('SERVICE_FINISHED', 'SERVICE_FAILED', 'SERVICE_CRASHED', 'SERVICE_CANCELLED')`
	purgeAfter = 4 * 24 * time.Hour
)

// scheduleJobs writes the drafts and recurrences, and plans the first run of every job.
func (c *client) scheduleJobs() {
	recurrences := map[string]bool{}
	for _, kind := range jobKinds() {
		if kind.enum != "" {
			draft := &job{jobKind: kind, zone: c.zone.String()}
			c.put(&run{id: "DRAFT_" + c.id(), name: kind.name, service: kind.service, status: "SERVICE_DRAFT", job: draft})
		}
		if name := kind.recurrence(); !recurrences[name] {
			recurrences[name] = true
			c.put(kind.expression())
		}
		for i := range max(kind.shops, 1) {
			j := &job{jobKind: kind, zone: c.zone.String()}
			if kind.shops > 0 {
				j.store, j.shop = c.stores[i], shop(i)
			}
			c.jobs = append(c.jobs, j)
			due := c.nextAt(c.now, kind.at)
			if kind.every > 0 {
				due = c.now.Add(c.between(0, kind.every))
			}
			c.schedule(j, due, "")
		}
	}
	c.after(c.between(0, time.Hour), c.call)
}

// schedule inserts a job's next row.
func (c *client) schedule(j *job, due time.Time, previous string) {
	j.next = c.newRun(j, due, previous)
	if j.root == "" {
		j.root = j.next.id
	}
	c.poll(j.next)
}

func (c *client) newRun(j *job, due time.Time, previous string) *run {
	r := &run{id: c.id(), name: j.name, service: j.service, status: pending, previous: previous, job: j, due: due}
	c.put(r)
	return r
}

// poll has a pending row started when the poller comes by after its time: it does so every 30 s.
func (c *client) poll(r *run) {
	c.after(max(r.due.Sub(c.now), 0)+c.between(0, 29*time.Second), func() { c.start(r) })
}

// call makes a persisted asynchronous call now and then. OFBiz names those by the clock.
func (c *client) call() {
	r := &run{id: c.id(), name: strconv.FormatInt(c.now.UnixMilli(), 10), service: "sendOrderNotification",
		status: pending, due: c.now}
	c.put(r)
	c.poll(r)
	c.after(c.between(20*time.Minute, time.Hour), c.call)
}

// start starts a pending row, unless the scheduler is down, and inserts the next row of its job.
func (c *client) start(r *run) {
	instance, longest := c.instance(), time.Minute
	if r.status != pending || r.instance != "" { // claimed
		return
	}
	if c.on[schedulerDown] {
		if !slices.Contains(c.due, r) {
			c.due = append(c.due, r)
		}
		return
	}
	r.status, r.started, r.instance = running, c.now, instance
	c.put(r)
	c.keep(r)
	if j := r.job; j != nil {
		longest = j.longest
		c.schedule(j, c.nextRun(j, r.due), r.id)
	}
	c.after(c.between(longest/10, longest), func() { c.end(r) })
}

// nextRun returns the time after now at which a job is due again.
func (c *client) nextRun(j *job, due time.Time) time.Time {
	if j.every == 0 {
		return c.nextAt(c.now, j.at)
	}
	for !due.After(c.now) {
		due = due.Add(j.every)
	}
	return due
}

// end ends a run. Now and then one fails, but never twice, and only of jobs that soon run again.
func (c *client) end(r *run) {
	unlucky := c.chance(0.004)
	j := r.job
	switch {
	case r.status != running:
	case j != nil && c.on[jobFlaky] && j.enum == flakyJob && c.flaked(r):
	case j != nil && (c.on[jobFailing] && j.enum == failingJob || unlucky && !j.failed && 0 < j.every && j.every <= time.Hour):
		j.failed = true
		c.finish(r, failed, "Read timed out while calling Shopify")
	default:
		if j != nil {
			j.failed = false
			switch j.service {
			case purgeService:
				c.purge = c.now.Add(-purgeAfter)
			case importService:
				c.importUploads()
			}
		}
		c.finish(r, done, "")
	}
}

func (c *client) finish(r *run, status, result string) {
	r.status, r.finished, r.result = status, c.now, result
	c.put(r)
}

// keep keeps a run at hand for the faults.
func (c *client) keep(r *run) {
	c.runs = append(c.runs, r)
	if len(c.runs)%256 == 0 {
		c.runs = slices.DeleteFunc(c.runs, func(r *run) bool { return r.started.Before(c.now.Add(-recentRuns)) })
	}
}

// instance picks the application server that takes a job. The second one may have died.
func (c *client) instance() string {
	if c.chance(0.5) && !c.on[instanceDied] && !c.on[jobClaimed] {
		return c.instances()[1]
	}
	return c.instances()[0]
}
