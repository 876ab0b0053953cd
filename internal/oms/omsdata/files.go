package omsdata

import (
	"strconv"
	"time"
)

const fileEvery = 30 * 24 * time.Hour / 200_000

func (w World) fileTables() []table {
	return []table{
		{"data_manager_log", "log_id, config_id, log_type_enum_id, created_by_user_login, created_date, start_date_time, finish_date_time, status_id, " +
			"run_by_instance_id, total_record_count, failed_record_count, upload_file_content_id, " + stampColumns, w.files},
	}
}

// files writes the data manager's files: of 30 configurations, two of which come once a day and two are Moqui's, which
// leaves timestamps out. The last ones are pending and running.
func (w World) files(put put) {
	n := int(w.Span / fileEvery)
	for age := n - 1; age >= 0; age-- {
		created := w.Anchor.Add(-time.Duration(age)*fileEvery - 3*time.Second)
		took := time.Duration(5+dice(10, age, 50)) * time.Second
		kind := dice(11, age, 28)
		config, status, refused := "IMPORT_"+strconv.Itoa(kind), "FINISHED", ""
		switch age % 6667 {
		case 3000:
			config = "RESET_INVENTORY"
		case 3333:
			config = "SYNC_SHOPIFY_INV"
		}
		switch fate := dice(12, age, 100); {
		case age < 3:
			status = "PENDING"
		case age < 6:
			status = "RUNNING"
		case fate == 0:
			status = "FAILED"
		case fate < 4:
			refused = strconv.Itoa(fate)
		}
		started, ended := stamp(created.Add(2*time.Second)), stamp(created.Add(took))
		changed := ended
		if status == "PENDING" {
			started, ended, changed = "", "", stamp(created)
		}
		if status == "RUNNING" {
			ended, changed = "", started
		}
		stamps := []string{changed, changed, stamp(created), stamp(created)}
		if kind < 2 {
			status = map[string]string{"FINISHED": "DmlsFinished", "FAILED": "DmlsFailed", "PENDING": "DmlsPending", "RUNNING": "DmlsRunning"}[status]
			stamps = []string{changed, "", "", ""}
		} else {
			status = "SERVICE_" + status
		}
		put(append([]string{id(n - age), config, "IMPORT", "system", stamp(created), started, ended, status, "oms1", "500", refused, id(n - age)}, stamps...)...)
	}
}
