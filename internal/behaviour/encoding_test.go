package behaviour

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestEncodings has names with an é in databases of other encodings, and in SQL_ASCII, where nothing says how bytes are to be
// read: all is measured, and what is no UTF-8 is replaced in labels.
func TestEncodings(t *testing.T) {
	server := testserver.Postgres(t)
	for encoding, want := range map[string]string{"LATIN1": "caf\u00e9", "SQL_ASCII": "caf\ufffd", "UTF8": "caf\u00e9"} {
		t.Run(encoding, func(t *testing.T) {
			name := strings.ToLower(encoding)
			db := server.Database(t, name, "UTC")
			// All that is in there so far is ASCII.
			testserver.Execute(t, server.Admin(t, "postgres"), "UPDATE pg_database SET encoding = pg_char_to_encoding('"+encoding+"') WHERE datname = '"+name+"'")
			quoted := `E'caf\xe9'`
			if encoding == "UTF8" {
				quoted = `E'caf\xc3\xa9'`
			}
			admin := server.Admin(t, name)
			testserver.Execute(t, admin, strings.ReplaceAll(`
INSERT INTO job_sandbox (job_id, job_name, pool_id, status_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
  (NAME, NAME, NAME, 'SERVICE_FAILED', NOW(), NOW(), NOW());
INSERT INTO job_sandbox (job_id, job_name, pool_id, status_id, start_date_time, run_by_instance_id, last_updated_tx_stamp) VALUES
  ('1', NAME, NAME, 'SERVICE_RUNNING', NOW(), NAME, NOW());
INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp) VALUES
  (NAME, 'SALES_ORDER', 'ORDER_APPROVED', NAME, NAME, NOW(), NOW());
INSERT INTO order_item (order_id, order_item_seq_id, ship_group_seq_id, status_id) VALUES (NAME, '1', '1', 'ITEM_APPROVED');
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, last_updated_tx_stamp) VALUES
  (NAME, NAME, 'SERVICE_FINISHED', NOW(), NOW(), NOW());
INSERT INTO service_job (job_name, cron_expression, paused) VALUES (NAME, '0 0/15 * * * ?', 'N');
INSERT INTO service_job_run (job_run_id, job_name, start_time, end_time, has_error) VALUES ('100000', NAME, NOW(), NOW(), 'Y');
INSERT INTO service_job_run_lock (job_name, last_run_time) VALUES (NAME, NOW())`, "NAME", quoted))
			client := watch(t, "KREWE", db.Config, t.Output())
			testserver.Eventually(t, time.Minute, func() error {
				series, failed := look(t, 20*time.Second, client)
				for _, metric := range []string{"oms_job_consecutive_failures", "oms_job_running_seconds", "oms_orders_imported_total", "oms_data_manager_recent_files"} {
					if !slices.ContainsFunc(series, func(s string) bool { return strings.HasPrefix(s, metric+" ") && strings.Contains(s, "="+want) }) {
						failed = append(failed, metric)
					}
				}
				if len(failed) > 0 {
					return fmt.Errorf("failed, or without a label %q: %v", want, failed)
				}
				return nil
			})
		})
	}
}
