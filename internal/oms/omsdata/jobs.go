package omsdata

import (
	"strconv"
	"time"
)

// allJobs recur by themselves: 60 every 5 minutes, 90 every 10, 60 each half and each whole hour, 30 daily. That is a
// million runs in 29 days.
const allJobs = 300

func period(job int) int {
	switch {
	case job < 60:
		return 5
	case job < 150:
		return 10
	case job < 210:
		return 30
	case job < 270:
		return 60
	}
	return 24 * 60
}

func (w World) jobTables() []table {
	return []table{
		{"job_sandbox", "job_id, job_name, run_time, pool_id, status_id, service_name, max_retry, current_retry_count, run_by_instance_id, " +
			"start_date_time, finish_date_time, cancel_date_time, job_result, runtime_data_id, temp_expr_id, system_job_enum_id, product_store_id, " +
			stampColumns, w.jobs},
	}
}

// jobs writes the runs in the order in which they began, and the next occurrence of each job.
func (w World) jobs(put put) {
	n := 0
	write := func(job int, status, ranBy string, due time.Time, start, end, cancelled, result, changed string) {
		n++
		name, created := strconv.Itoa(job), stamp(due.Add(-time.Duration(period(job))*time.Minute))
		put(id(n), "Job "+name, stamp(due), "pool", status, "service"+name, "-1", "0", ranBy,
			start, end, cancelled, result, id(job), id(job), "JOB_"+name, "STORE", changed, changed, created, created)
	}
	for minute := int(w.Span / time.Minute); minute >= 0; minute-- {
		for job := range allJobs {
			if minute%period(job) != job%period(job) {
				continue
			}
			due := w.Anchor.Add(-time.Duration(minute)*time.Minute - 2*time.Minute)
			started, ended := due.Add(time.Duration(dice(6, n, 30))*time.Second), due.Add(time.Duration(31+dice(7, n, 60))*time.Second)
			instance, run := "oms"+strconv.Itoa(1+job%2), minute/period(job)
			switch {
			case run == 0 && job%30 == 0: // ten are in progress
				write(job, "SERVICE_RUNNING", instance, due, stamp(started), "", "", "", stamp(started))
			case dice(8, job*100_000+run/5, 40) == 0: // failures come five in a row
				write(job, "SERVICE_FAILED", instance, due, stamp(started), stamp(ended), "", "Service has thrown an error", stamp(ended))
			case dice(9, n, 5000) == 0:
				write(job, "SERVICE_CRASHED", instance, due, stamp(started), "", stamp(ended), "", stamp(ended))
			case dice(9, n, 5000) == 1:
				write(job, "SERVICE_CANCELLED", "", due, "", "", stamp(ended), "", stamp(ended))
			default:
				write(job, "SERVICE_FINISHED", instance, due, stamp(started), stamp(ended), "", "Service completed", stamp(ended))
			}
		}
	}
	for job := range allJobs {
		status, instance, due := "SERVICE_PENDING", "", w.Anchor.Add(time.Duration(1+job%period(job))*time.Minute)
		if job%60 == 1 {
			status, instance, due = "SERVICE_QUEUED", "oms1", w.Anchor
		}
		// A row is made when the run before it begins.
		write(job, status, instance, due, "", "", "", "", stamp(due.Add(-time.Duration(period(job))*time.Minute)))
	}
}
