package sqldb

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// An oracle reads whole tables and says what the facts about the last days must be, by the words of package oms. It shares no
// code with the source.
type oracle struct {
	now  time.Time
	zone *time.Location
	jobs []oracleRow
	file []oracleRow
	sold []oracleRow
}

// An oracleRow is a row by its columns, as text; one that is NULL is empty. Times are instants in RFC 3339.
type oracleRow map[string]string

func (w *world) oracle(t *testing.T, now time.Time) *oracle {
	t.Helper()
	o := &oracle{now: now, zone: w.db.Config.Timezone}
	o.jobs = o.read(t, w, `SELECT job_id, job_name, pool_id, run_by_instance_id, status_id, run_time, start_date_time, finish_date_time,
		cancel_date_time, last_updated_tx_stamp FROM job_sandbox`)
	o.file = o.read(t, w, `SELECT log_id, parent_log_id, config_id, status_id, created_date, start_date_time, finish_date_time,
		cancel_date_time, total_record_count, failed_record_count, last_updated_tx_stamp FROM data_manager_log`)
	o.sold = o.read(t, w, "SELECT product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp FROM order_header")
	return o
}

func (o *oracle) read(t *testing.T, w *world, query string) (all []oracleRow) {
	t.Helper()
	rows, err := w.db.Admin.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // Err reports what matters
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := oracleRow{}
		for i, column := range columns {
			row[column] = o.text(values[i])
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func (o *oracle) text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		if v.Location() == time.UTC && o.zone != time.UTC { // SQLite's driver takes a clock for UTC
			return o.text(v.Format(time.DateTime))
		}
		return v.UTC().Format(time.RFC3339)
	case []byte:
		return o.text(string(v))
	case string:
		return o.instant(v)
	}
	return fmt.Sprint(value)
}

// instant reads a clock without a zone. What the clock showed twice was the later time, unless that is still to come.
func (o *oracle) instant(text string) string {
	clock, err := time.Parse(time.DateTime, text)
	if err != nil {
		return text
	}
	var readings []time.Time
	for offset := -14; offset <= 14; offset++ {
		at := clock.Add(time.Duration(offset) * time.Hour)
		if at.In(o.zone).Format(time.DateTime) == text {
			readings = append(readings, at)
		}
	}
	slices.SortFunc(readings, time.Time.Compare)
	last := readings[len(readings)-1]
	if last.After(o.now) {
		last = readings[0]
	}
	return last.Format(time.RFC3339)
}

// at returns the first of the columns that has a time.
func (r oracleRow) at(columns ...string) (at time.Time) {
	for _, column := range columns {
		if r[column] != "" {
			at, _ = time.Parse(time.RFC3339, r[column])
			return at
		}
	}
	return at
}

func (o *oracle) recent(at time.Time, within time.Duration) bool {
	return !at.IsZero() && !at.Before(o.now.Add(-within))
}

func latest(at *time.Time, other time.Time) {
	if other.After(*at) {
		*at = other
	}
}

const week = 7 * 24 * time.Hour

// jobRuns are OFBiz' jobs, the newest start in each pool, and the newest sign of life of each instance.
func (o *oracle) jobRuns() (jobs map[string]oms.JobRuns, starts, activity map[string]time.Time) {
	jobs, starts, activity = map[string]oms.JobRuns{}, map[string]time.Time{}, map[string]time.Time{}
	newest := func(of map[string]time.Time, name string, at time.Time) {
		if o.recent(at, week) && at.After(of[name]) {
			of[name] = at
		}
	}
	success, cancelled, began := map[string]oracleRow{}, map[string]oracleRow{}, map[string][]time.Time{}
	later := func(of map[string]oracleRow, r oracleRow, when func(oracleRow) time.Time) bool {
		was := of[r["job_name"]]
		if was == nil || cmp.Or(when(r).Compare(when(was)), cmp.Compare(r["job_id"], was["job_id"])) > 0 {
			of[r["job_name"]] = r
			return true
		}
		return false
	}
	for _, r := range o.jobs {
		name, start, end := r["job_name"], r.at("start_date_time"), ended(r)
		newest(starts, r["pool_id"], start)
		newest(activity, r["run_by_instance_id"], start)
		newest(activity, r["run_by_instance_id"], end)
		job := jobs[name]
		job.JobName = name
		if at := event(r); o.recent(at, week) {
			if r["status_id"] == "SERVICE_CANCELLED" {
				later(cancelled, r, event)
			}
			jobs[name] = job
		}
		if o.recent(start, week) {
			began[name] = append(began[name], start)
		}
		if !o.recent(end, week) {
			continue
		}
		if r["status_id"] == "SERVICE_FINISHED" && later(success, r, ended) {
			job.LastSuccess = end
			clock := func(t time.Time) string { return t.In(o.zone).Format(time.DateTime) }
			if first := start.Add(-time.Hour); start.After(end) && clock(first) == clock(start) { // no run begins after its end
				start = first
			}
			took := max(end.Sub(start), 0)
			job.LastDuration = &took
		}
		if o.recent(end, 24*time.Hour) {
			job.Recent++
			if r["status_id"] != "SERVICE_FINISHED" {
				job.RecentFailures++
			}
		}
		jobs[name] = job
	}
	failure := map[string]oracleRow{}
	for _, r := range o.jobs {
		job, end := jobs[r["job_name"]], ended(r)
		if o.recent(end, week) && r["status_id"] != "SERVICE_FINISHED" && end.After(job.LastSuccess) {
			if job.Failures++; job.FirstFailure.IsZero() || end.Before(job.FirstFailure) {
				job.FirstFailure = end
			}
			if later(failure, r, ended) {
				job.LastFailed = &oms.FailedRun{JobID: r["job_id"]}
			}
			jobs[job.JobName] = job
		}
	}
	for name, all := range began {
		slices.SortFunc(all, time.Time.Compare)
		if all = all[max(0, len(all)-8):]; len(all) < 5 {
			continue
		}
		job := jobs[name]
		interval, regular := median(all), 0
		job.UsualInterval = &interval
		for i := range all[1:] {
			if gap := all[i+1].Sub(all[i]); 4*gap >= 3*interval && 4*gap <= 5*interval {
				regular++
			}
		}
		last := all[len(all)-1]
		if off := cancelled[name]; 4*regular >= 3*(len(all)-1) && (off == nil || last.Sub(event(off)) > time.Minute) {
			job.Expected = last.Add(interval)
		}
		jobs[name] = job
	}
	return jobs, starts, activity
}

// median is that of the gaps between times in order.
func median(times []time.Time) time.Duration {
	var gaps []time.Duration
	for i := range times[1:] {
		gaps = append(gaps, times[i+1].Sub(times[i]))
	}
	slices.Sort(gaps)
	if middle := len(gaps) / 2; len(gaps)%2 == 0 {
		return (gaps[middle-1] + gaps[middle]) / 2
	}
	return gaps[len(gaps)/2]
}

// ended returns when a job ended by itself. What a person set by hand has no time of its end.
func ended(r oracleRow) time.Time {
	if !strings.Contains("SERVICE_FINISHED SERVICE_FAILED SERVICE_CRASHED", r["status_id"]) {
		return time.Time{}
	}
	return r.at("finish_date_time", "cancel_date_time")
}

// event returns when a job began, ended or was called off, whichever came last.
func event(r oracleRow) time.Time {
	if r["status_id"] == "SERVICE_CANCELLED" {
		return r.at("last_updated_tx_stamp", "finish_date_time", "cancel_date_time")
	}
	at := r.at("start_date_time")
	latest(&at, ended(r))
	return at
}

// waiting are since when the first due job waits that has not begun, by pool and by the instance that claimed it, and those
// of them that have waited for long.
func (o *oracle) waiting() (pools, claims map[string]time.Time, long map[string]time.Time) {
	pools, claims, long = map[string]time.Time{}, map[string]time.Time{}, map[string]time.Time{}
	for _, r := range o.jobs {
		open := strings.Contains("SERVICE_PENDING SERVICE_QUEUED", r["status_id"])
		due := r.at("run_time")
		if !open || r["start_date_time"]+r["cancel_date_time"] != "" || due.After(o.now) {
			continue
		}
		since := due
		latest(&since, r.at("last_updated_tx_stamp"))
		for key, of := range map[string]map[string]time.Time{r["pool_id"]: pools, r["run_by_instance_id"]: claims} {
			if of[key].IsZero() || since.Before(of[key]) {
				of[key] = since
			}
		}
		if o.now.Sub(since) > 15*time.Minute {
			long[r["job_id"]] = since
		}
	}
	delete(claims, "")
	return pools, claims, long
}

// outcome returns how a file ended, and when.
func (r oracleRow) outcome() (oms.FileOutcome, time.Time) {
	status := strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(r["status_id"], "SERVICE_"), "Dmls"))
	end := r.at("finish_date_time", "cancel_date_time", "start_date_time", "created_date", "last_updated_tx_stamp")
	switch status {
	case "finished":
		// A reset-inventory file without records, or of which all were refused, set no stock.
		n, total := r["failed_record_count"], r["total_record_count"]
		switch reset := slices.Contains([]string{"C0", "C1", "NEVER"}, r["config_id"]); {
		case reset && total == "0":
			return emptyFile, end
		case reset && total == n:
			return oms.FileFailed, end
		}
		if n != "" && n != "0" {
			return oms.FileFinishedWithErrors, end
		}
		return oms.FileFinished, end
	case "failed", "crashed", "cancelled":
		return oms.FileOutcome(status), end
	}
	return "", time.Time{}
}

// fileRuns are the files by configuration; those of always however old.
func (o *oracle) fileRuns(always ...string) map[string]oms.FileRuns {
	configs := map[string]oms.FileRuns{}
	of := func(name string) oms.FileRuns {
		if c, ok := configs[name]; ok {
			return c
		}
		return oms.FileRuns{Config: name, Recent: map[oms.FileOutcome]int{}}
	}
	for _, name := range always {
		configs[name] = of(name)
	}
	for _, r := range o.file {
		outcome, end := r.outcome()
		if outcome == "" || !slices.Contains(always, r["config_id"]) && !o.recent(end, week) {
			continue
		}
		c := of(r["config_id"])
		switch outcome {
		case oms.FileFinished, oms.FileFinishedWithErrors, emptyFile:
			latest(&c.LastSuccess, end)
		case oms.FileFailed, oms.FileCrashed:
			latest(&c.LastFailure, end)
		case oms.FileCancelled:
		}
		if o.recent(end, 24*time.Hour) {
			if outcome == emptyFile {
				outcome = oms.FileFinished
			}
			c.Recent[outcome]++
			if r["failed_record_count"] != "0" {
				c.RecentFailedRecords++ // the world's files refuse one record or none
			}
		}
		configs[c.Config] = c
	}
	return configs
}

// resetSource tells of the files of some configurations.
func (o *oracle) resetSource(configs ...string) (reset oms.ResetSource, last oracleRow) {
	for _, r := range o.file {
		if !slices.Contains(configs, r["config_id"]) {
			continue
		}
		outcome, end := r.outcome()
		if outcome == oms.FileFinished || outcome == oms.FileFinishedWithErrors {
			latest(&reset.LastProcessed, end)
		}
		if received := cmp.Or(r.at("created_date", "start_date_time"), end); r["parent_log_id"] == "" {
			latest(&reset.LastReceived, received)
		}
		if outcome != "" && outcome != oms.FileCancelled {
			if _, was := last.outcome(); last == nil || cmp.Or(end.Compare(was), cmp.Compare(r["log_id"], last["log_id"])) > 0 {
				last = r
			}
		}
	}
	return reset, last
}

// imports are the newest entries by channel.
func (o *oracle) imports() map[oms.Channel]time.Time {
	last := map[oms.Channel]time.Time{}
	for _, r := range o.sold {
		channel := oms.Channel{ProductStore: r["product_store_id"], Channel: r["sales_channel_enum_id"]}
		if at := r.at("entry_date"); o.recent(at, week) && at.After(last[channel]) {
			last[channel] = at
		}
	}
	return last
}

// recentImports counts by channel the orders that entered within a day.
func (o *oracle) recentImports() map[oms.Channel]int {
	entered := map[oms.Channel]int{}
	for _, r := range o.sold {
		if o.recent(r.at("created_tx_stamp", "entry_date"), 24*time.Hour) {
			entered[oms.Channel{ProductStore: r["product_store_id"], Channel: r["sales_channel_enum_id"]}]++
		}
	}
	return entered
}

// judge fails the test where the facts are not what the oracle says. Of Moqui's jobs, whose names begin with M, it knows
// nothing.
func (o *oracle) judge(t *testing.T, f facts) {
	t.Helper()
	same := func(what string, got, want any) {
		if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
			t.Errorf("%s: got\n  %s, and the rows say\n  %s", what, a, b)
		}
	}
	jobs, starts, activity := o.jobRuns()
	found := map[string]string{}
	for _, j := range f.Jobs.History.Jobs {
		if !strings.HasPrefix(j.JobName, "M") {
			found[j.JobName] = jobText(j)
		}
	}
	want := map[string]string{}
	for name, j := range jobs {
		want[name] = jobText(j)
	}
	same("jobs", found, want)
	pools := map[string]time.Time{}
	for _, p := range f.Jobs.Pools {
		if p.Name != moquiPool && !p.LastStart.IsZero() {
			pools[p.Name] = p.LastStart.UTC()
		}
	}
	same("starts", pools, starts)
	due, claims, long := o.waiting()
	overdue, waits := map[string]time.Time{}, map[string]time.Time{}
	for _, p := range f.Jobs.Pools {
		if p.Name != moquiPool && !p.OldestDue.IsZero() {
			overdue[p.Name] = p.OldestDue.UTC()
		}
	}
	claimed := map[string]time.Time{}
	for instance, at := range f.Jobs.Claims {
		if !at.IsZero() && !strings.HasPrefix(instance, "maarg") {
			claimed[instance] = at.UTC()
		}
	}
	for _, w := range f.Jobs.Waits {
		if w.Pool != moquiPool {
			waits[w.JobID] = w.Since.UTC()
		}
	}
	same("overdue", overdue, due)
	same("claims", claimed, claims)
	same("waits", waits, long)
	lives := map[string]time.Time{}
	for instance, at := range f.Jobs.History.Activity {
		if !strings.HasPrefix(instance, "maarg") {
			lives[instance] = at.UTC()
		}
	}
	same("activity", lives, activity)
	configs := map[string]oms.FileRuns{}
	for _, c := range f.Files.History.Configs {
		c.LastSuccess, c.LastFailure = c.LastSuccess.UTC(), c.LastFailure.UTC()
		configs[c.Config] = c
	}
	same("files", configs, o.fileRuns("C0", "C1", "NEVER"))
	for i, of := range [][]string{{"C0"}, {"C1", "NEVER"}} {
		reset, last := o.resetSource(of...)
		got := f.Reset.Sources[i]
		same("reset inventory", []time.Time{got.LastProcessed.UTC(), got.LastReceived.UTC()}, []time.Time{reset.LastProcessed, reset.LastReceived})
		same("records", []string{countText(got.LastRecords.Total), countText(got.LastRecords.Failed)}, []string{last["total_record_count"], last["failed_record_count"]})
	}
	entered := map[oms.Channel]time.Time{}
	recent, wantRecent := map[oms.Channel]int{}, o.recentImports()
	for _, i := range f.Orders.Imports {
		entered[i.Channel] = i.Last.UTC()
		recent[i.Channel] = i.Recent
		wantRecent[i.Channel] += 0 // all that have a newest entry are there
	}
	same("imports", entered, o.imports())
	same("recent imports", recent, wantRecent)
}

func jobText(j oms.JobRuns) string {
	took, every, failed := "", "", ""
	if j.LastDuration != nil {
		took = j.LastDuration.String()
	}
	if j.UsualInterval != nil {
		every = j.UsualInterval.String()
	}
	if j.LastFailed != nil {
		failed = j.LastFailed.JobID
	}
	return fmt.Sprint(j.Failures, j.FirstFailure.UTC(), failed, j.LastSuccess.UTC(), took, j.Recent, j.RecentFailures, every, j.Expected.UTC())
}

func countText(n *int) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}
