package sqldb

import (
	"fmt"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
)

// moquiWorld is the part of a world that Moqui writes: servers with banks of run ids, and jobs with locks.
type moquiWorld struct {
	next    int     // where the next bank begins; the ids soon grow a digit
	servers [3]bank // one of them is slow to use its ids up
	// prefixes are those of the servers' ids: in every other history each has its own.
	prefixes [3]string
	open     []moquiRun
}

type bank struct {
	id, left int
	taken    time.Time
}

type moquiRun struct {
	id, job string
	at      time.Time
	locked  bool
}

func moquiJobNames() []string { return []string{"M1", "M2", "M3", "M4"} }

// moquiPast makes jobs, and runs of the last days in the order of their ids.
func (w *world) moquiPast(t *testing.T) {
	w.moqui.next = 9960
	if w.IntN(2) == 0 {
		w.moqui.prefixes = [3]string{"", "M", "M2-"}
	}
	for i, name := range moquiJobNames() {
		w.exec(t, fmt.Sprintf("INSERT INTO service_job (job_name, cron_expression, paused, expire_lock_time) VALUES ('%s', '%s', 'N', '%d')",
			name, []string{"0 0/15 * * * ?", "0 30 1 * * ?", "0 0 0/6 ? * MON-FRI", "every now and then"}[i], 30+200*i))
		w.exec(t, fmt.Sprintf("INSERT INTO service_job_run_lock (job_name, last_run_time, last_updated_stamp) VALUES ('%s', %s, %[2]s)",
			name, w.quoted(w.now.Add(-time.Duration(i)*time.Hour))))
	}
	for at := w.now.Add(-9 * 24 * time.Hour); at.Before(w.now); at = at.Add(time.Duration(1+w.IntN(10*60)) * time.Minute) {
		w.moquiRun(t, at, w.IntN(len(w.moqui.servers)), false)
	}
}

// moquiRun makes a run, with the next id of a server.
func (w *world) moquiRun(t *testing.T, at time.Time, server int, lock bool) {
	b := &w.moqui.servers[server]
	if b.left == 0 || at.Sub(b.taken) > 12*time.Hour { // it was started again meanwhile
		*b = bank{id: w.moqui.next, left: 1 + w.IntN(6), taken: at}
		w.moqui.next += 6
	}
	run := moquiRun{id: w.moqui.prefixes[server] + fmt.Sprint(b.id), job: w.pick(moquiJobNames()...), at: at, locked: lock && w.IntN(3) > 0}
	b.id, b.left = b.id+1, b.left-1
	parameters, failed, start, end := "NULL", "NULL", w.quoted(at), "NULL"
	if !run.locked && w.IntN(2) == 0 {
		parameters = "'{}'"
	}
	switch ended := w.IntN(5) > 0; {
	case ended:
		failed, end = w.pick("'Y'", "'N'", "'N'"), w.quoted(at.Add(time.Duration(w.IntN(600))*time.Second))
	case w.IntN(4) == 0:
		start = "NULL"
		fallthrough
	default:
		w.moqui.open = append(w.moqui.open, run)
	}
	w.exec(t, fmt.Sprintf(`INSERT INTO service_job_run (job_run_id, job_name, parameters, host_name, has_error, start_time, end_time, last_updated_stamp)
		VALUES ('%s', '%s', %s, '%s', %s, %s, %s, %s)`, run.id, run.job, parameters, w.pick("maarg-1", "maarg-2"), failed, start, end, w.quoted(at)))
	if run.locked {
		id := "NULL"
		if end == "NULL" {
			id = "'" + run.id + "'"
		}
		w.exec(t, fmt.Sprintf("UPDATE service_job_run_lock SET job_run_id = %s, last_run_time = %s, last_updated_stamp = %[2]s WHERE job_name = '%[3]s'",
			id, w.quoted(at), run.job))
	}
}

// moquiQuick makes changes that the next look finds: new runs, and ends of those in work.
func (w *world) moquiQuick(t *testing.T) {
	highest := 0
	for i, b := range w.moqui.servers {
		if b.id > w.moqui.servers[highest].id {
			highest = i
		}
	}
	for range w.IntN(5) {
		w.moquiRun(t, w.now.Add(-time.Duration(w.IntN(20))*time.Second), highest, true)
	}
	for range w.IntN(3) {
		if len(w.moqui.open) == 0 {
			return
		}
		i := w.IntN(len(w.moqui.open))
		run := w.moqui.open[i]
		w.moqui.open = append(w.moqui.open[:i], w.moqui.open[i+1:]...)
		if w.now.Sub(run.at) > history.Remembered { // nobody waits for it any more
			continue
		}
		if run.locked && w.IntN(4) > 0 { // now and then the lock stays
			w.exec(t, fmt.Sprintf("UPDATE service_job_run_lock SET job_run_id = NULL, last_updated_stamp = %s WHERE job_run_id = '%s'", w.quoted(w.now), run.id))
		}
		if w.IntN(4) > 0 { // now and then the lock is given back only
			w.exec(t, fmt.Sprintf(`UPDATE service_job_run SET start_time = COALESCE(start_time, %s), end_time = %s, has_error = '%s',
				last_updated_stamp = %[2]s WHERE job_run_id = '%[4]s'`, w.quoted(w.now.Add(-time.Minute)), w.quoted(w.now), w.pick("Y", "N"), run.id))
		}
	}
}

// moquiSlow makes changes that are found a quarter of an hour later: runs with ids that were passed over, edits, purges.
func (w *world) moquiSlow(t *testing.T) {
	for range w.IntN(4) {
		w.moquiRun(t, w.now.Add(-time.Duration(w.IntN(20))*time.Second), w.IntN(len(w.moqui.servers)), true)
	}
	table := worldTable{"service_job_run", "job_run_id"}
	for range w.IntN(2) {
		if id := w.anyID(t, table); w.long.runs.Rows()[id].Attributes().Ended() {
			w.exec(t, fmt.Sprintf("UPDATE service_job_run SET has_error = '%s' WHERE job_run_id = '%s'", w.pick("Y", "N"), id))
		}
		w.remove(t, table, w.anyID(t, table))
	}
	if w.IntN(6) == 0 { // Moqui's own purge
		w.exec(t, "DELETE FROM service_job_run WHERE COALESCE(end_time, start_time) < '"+w.wall(w.now.Add(-96*time.Hour))+"'")
	}
}
