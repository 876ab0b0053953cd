package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// moqui is the part of a client that Moqui runs: jobs with schedules and locks, runs whose ids have a prefix, and messages to
// other systems.
type moqui struct {
	random *rand.Rand // its own, so that the rest of the client is the same with it and without
	runs   int
	sent   int
}

// moquiJob is a job with its lock.
type moquiJob struct {
	stamps
	name, cron string
	every      time.Duration // or, when 0, daily at this time of the server's day
	at         time.Duration
	longest    time.Duration // that a run takes
}

func moquiJobs() []*moquiJob {
	const s, m, h = time.Second, time.Minute, time.Hour
	return []*moquiJob{
		{name: "poll_SystemMessageFileSync", cron: "0 0/5 * * * ?", every: 5 * m, longest: 20 * s},
		{name: "send_AllProducedSystemMessages", cron: "0 0/15 * * * ?", every: 15 * m, longest: 40 * s},
		{name: "queue_OrderUpdates", cron: "0 0/30 * * * ?", every: 30 * m, longest: 3 * m},
		{name: "generate_OrderReconciliationReport", cron: "0 30 2 * * ?", at: 2*h + 30*m, longest: 10 * m},
	}
}

func (j *moquiJob) table() table {
	return table{"service_job", "job_name, service_name, cron_expression, paused, expire_lock_time, min_retry_time", 1}
}

func (j *moquiJob) values() []any { return []any{j.name, "co.hotwax." + j.name, j.cron, "N", 120, 5} }

// moquiRun is a run of a job.
type moquiRun struct {
	stamps
	id             string
	job            *moquiJob
	started, ended time.Time
}

func (r *moquiRun) table() table {
	return table{"service_job_run", "job_run_id, job_name, host_name, has_error, start_time, end_time", 1}
}

func (r *moquiRun) values() []any {
	failed := ""
	if !r.ended.IsZero() {
		failed = "N"
	}
	return []any{r.id, r.job.name, "maarg-0", failed, r.started, r.ended}
}

// lockOf is the lock of a job as it is now; run is empty when it is free.
func lockOf(j *moquiJob, run string, last time.Time) row {
	return &fixed{into: table{"service_job_run_lock", "job_name, job_run_id, last_run_time", 1}, cells: []any{j.name, run, last}}
}

// message is a system message to another system.
type message struct {
	stamps
	id, status string
	made, sent time.Time
}

func (m *message) table() table {
	return table{"system_message", "system_message_id, system_message_type_id, system_message_remote_id, status_id, is_outgoing, " +
		"init_date, processed_date, last_attempt_date, fail_count", 1}
}

func (m *message) values() []any {
	return []any{m.id, "ShopifyFulfillment", "SHOPIFY", m.status, "Y", m.made, m.sent, m.sent, 0}
}

// openMoqui plans the first run of each of Moqui's jobs, and the first message.
func (c *client) openMoqui(seed uint64) {
	c.moquiServer.random = rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same seed must give the same rows
	for _, j := range moquiJobs() {
		c.put(j)
		c.after(c.untilMoqui(j), func() { c.runMoqui(j) })
	}
	c.after(time.Minute, c.message)
}

// untilMoqui is how long it takes until Moqui's scheduler, which looks every minute, takes the job.
func (c *client) untilMoqui(j *moquiJob) time.Duration {
	clock := c.now.In(c.serverZone)
	midnight := time.Date(clock.Year(), clock.Month(), clock.Day(), 0, 0, 0, 0, c.serverZone)
	next := c.now.Truncate(j.every).Add(j.every)
	if j.every == 0 {
		if next = midnight.Add(j.at); !next.After(c.now) {
			next = midnight.AddDate(0, 0, 1).Add(j.at)
		}
	}
	return next.Sub(c.now) + c.moquiBetween(0, 59*time.Second)
}

func (c *client) moquiBetween(shortest, longest time.Duration) time.Duration {
	return shortest + time.Duration(c.moquiServer.random.Int64N(int64((longest-shortest)/time.Second)+1))*time.Second
}

// runMoqui begins a run, which holds the lock of its job until it ends, and plans the next.
func (c *client) runMoqui(j *moquiJob) {
	c.moquiServer.runs++
	r := &moquiRun{id: fmt.Sprint("M", 100_000+c.moquiServer.runs), job: j, started: c.now}
	c.put(r)
	c.put(lockOf(j, r.id, c.now))
	c.after(c.moquiBetween(j.longest/10, j.longest), func() {
		r.ended = c.now
		c.put(r)
		c.put(lockOf(j, "", r.started))
	})
	c.after(c.untilMoqui(j), func() { c.runMoqui(j) })
}

// message produces a system message, which is soon sent.
func (c *client) message() {
	c.moquiServer.sent++
	m := &message{id: fmt.Sprint("M", 100_000+c.moquiServer.sent), status: "SmsgProduced", made: c.now}
	c.put(m)
	c.after(c.moquiBetween(time.Minute, 14*time.Minute), func() {
		m.status, m.sent = "SmsgSent", c.now
		c.put(m)
	})
	c.after(c.moquiBetween(5*time.Minute, 30*time.Minute), c.message)
}
