package omsdata

import (
	"strconv"
	"time"
)

const (
	moquiJobs    = 40
	runEvery     = 30 * 24 * time.Hour / 120_000
	messageEvery = 30 * 24 * time.Hour / 200_000
)

func (w World) moquiTables() []table {
	return []table{
		{"service_job_run", "job_run_id, job_name, user_id, has_error, host_name, start_time, end_time, last_updated_stamp", w.runs},
		{"service_job", "job_name, service_name, cron_expression, paused, last_updated_stamp",
			func(put put) {
				for job := range moquiJobs {
					put(moquiJob(job), "service.run#"+strconv.Itoa(job), "0 */15 * * * ?", "N", w.at(365*24*time.Hour))
				}
			}},
		{"service_job_run_lock", "job_name, job_run_id, last_run_time, last_updated_stamp",
			func(put put) {
				for job := range moquiJobs {
					run := ""
					if job < 3 {
						run = runID(int(w.Span/runEvery) - job)
					}
					put(moquiJob(job), run, w.at(time.Minute), w.at(time.Minute))
				}
			}},
		{"system_message", "system_message_id, system_message_type_id, system_message_remote_id, status_id, is_outgoing, init_date, processed_date, " +
			"last_attempt_date, fail_count, last_updated_stamp", w.messages},
	}
}

// runID returns an id as Moqui's sequences begin.
func runID(i int) string { return strconv.Itoa(100_000 + i) }

func moquiJob(i int) string { return "moqui_job_" + strconv.Itoa(i) }

// runs writes the runs of Moqui's jobs, each job in its turn; the last three are in progress.
func (w World) runs(put put) {
	n := int(w.Span / runEvery)
	for age := n - 1; age >= 0; age-- {
		start := w.Anchor.Add(-time.Duration(age)*runEvery - time.Minute)
		failed, end := "N", stamp(start.Add(time.Duration(1+dice(13, age, 40))*time.Second))
		switch {
		case age < 3:
			failed, end = "", ""
		case dice(14, age/(5*moquiJobs)*moquiJobs+age%moquiJobs, 40) == 0:
			failed = "Y"
		}
		put(runID(n-age), moquiJob(age%moquiJobs), "_NA_", failed, "maarg-1", stamp(start), end, stamp(start.Add(time.Minute)))
	}
}

// messages writes the system messages. The last ones are not finished.
func (w World) messages(put put) {
	n := int(w.Span / messageEvery)
	for age := n - 1; age >= 0; age-- {
		made := stamp(w.Anchor.Add(-time.Duration(age) * messageEvery))
		out, status, failures := "Y", "SmsgSent", "0"
		if age%2 == 1 {
			out, status = "N", "SmsgConsumed"
		}
		switch {
		case age < 5:
			status = "SmsgProduced"
		case age < 25:
			status, failures = "SmsgProduced", "2"
		case age < 2000 && age%200 == 30:
			status, failures = "SmsgError", "3"
		}
		put(id(n-age), "Type"+strconv.Itoa(dice(15, age, 30)), "SHOPIFY", status, out, made, made, made, failures, made)
	}
}
