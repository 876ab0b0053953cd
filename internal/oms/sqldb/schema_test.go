package sqldb

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSchemaChanges takes tables and columns away, under a living source, and gives some back: the facts are always those
// that a fresh start would find.
func TestSchemaChanges(t *testing.T) {
	const rows = `
INSERT INTO job_sandbox (job_id, job_name, system_job_enum_id, pool_id, status_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
  ('1', 'Import', 'JOB_IMP', 'pool', 'SERVICE_FAILED', '2026-11-16 11:00:00', '2026-11-16 11:01:00', '2026-11-16 11:01:00'),
  ('2', 'Import', 'JOB_IMP', 'pool', 'SERVICE_FAILED', '2026-11-18 11:00:00', '2026-11-18 11:01:00', '2026-11-18 11:01:00');
INSERT INTO facility_type (facility_type_id, parent_type_id) VALUES ('RETAIL_STORE', NULL);
INSERT INTO facility (facility_id, facility_type_id) VALUES ('S1', 'RETAIL_STORE');
INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES ('O1', 'SALES_ORDER', 'ORDER_APPROVED', '2026-11-18 11:00:00', '2026-11-18 11:00:00');
INSERT INTO order_item (order_id, order_item_seq_id, ship_group_seq_id, status_id) VALUES ('O1', '1', '1', 'ITEM_APPROVED');
INSERT INTO order_item_ship_group (order_id, ship_group_seq_id, facility_id) VALUES ('O1', '1', 'S1');
INSERT INTO order_item_ship_group_assoc (order_id, order_item_seq_id, ship_group_seq_id) VALUES ('O1', '1', '1');
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, failed_record_count, last_updated_tx_stamp) VALUES ('1', 'C', 'SERVICE_FINISHED', '2026-11-18 11:00:00', '2026-11-18 11:00:00', 7, '2026-11-18 11:00:00');`
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "changes", "America/New_York")
			testserver.Execute(t, db.Admin, rows)
			w := &world{db: db, now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config}
			w.long = w.source(t)
			upper := `"JOB_SANDBOX"`
			if engine.Driver == config.MySQL {
				upper = "`JOB_SANDBOX`"
			}
			change := func(statements string) {
				t.Helper()
				testserver.Execute(t, db.Admin, statements)
				db.Grant(t)
				w.now = w.now.Add(6 * time.Minute) // after which the catalogue is looked at again
			}
			expectJob := func(name string, failures int) {
				t.Helper()
				f := w.facts(t, w.long, w.now)
				if len(f.Jobs.History.Jobs) != 1 || f.Jobs.History.Jobs[0].JobName != name || f.Jobs.History.Jobs[0].Failures != failures {
					t.Errorf("jobs %+v, want %s with %d failures", f.Jobs.History.Jobs, name, failures)
				}
			}
			expectStage := func(stages ...string) {
				t.Helper()
				var got []string
				for _, u := range w.facts(t, w.long, w.now).Orders.Unfulfilled.All {
					got = append(got, u.Place)
				}
				if !slices.Equal(got, stages) {
					t.Errorf("orders wait in %v, want %v", got, stages)
				}
			}
			expectJob("JOB_IMP", 2)
			expectStage("store")

			change("ALTER TABLE job_sandbox RENAME TO other; ALTER TABLE other RENAME TO " + upper)
			expectJob("JOB_IMP", 2)
			change("ALTER TABLE order_item DROP COLUMN ship_group_seq_id")
			expectStage("store") // by the association
			change("DROP TABLE order_facility_change")
			expectStage("store") // since its approval, for all that is known
			change("DROP TABLE order_item_ship_group_assoc")
			expectStage() // nothing tells where the order waits, so nobody says that it is in the queue
			change("ALTER TABLE data_manager_log DROP COLUMN failed_record_count")
			if h := w.facts(t, w.long, w.now).Files.History; !h.RefusalsUnknown || len(h.Configs) != 1 || h.Configs[0].Recent[oms.FileFinished] != 1 {
				t.Errorf("files %+v, want one that finished, and not a word on records", h)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			facts, err := w.long.Instance(ctx, w.now)
			want := []oms.Column{
				{Table: "order_item", Column: "ship_group_seq_id"}, {Table: "order_item_ship_group_assoc"},
				{Table: "order_facility_change"}, {Table: "data_manager_log", Column: "failed_record_count"},
			}
			if err != nil || !slices.Equal(facts.Missing, want) {
				t.Errorf("missing %v and error %v, want %v", facts.Missing, err, want)
			}

			change("ALTER TABLE data_manager_log ADD failed_record_count DECIMAL(20,0)")
			change("UPDATE data_manager_log SET failed_record_count = 3")
			if h := w.facts(t, w.long, w.now).Files.History; h.RefusalsUnknown || h.Configs[0].RecentFailedRecords != 3 {
				t.Errorf("files %+v, want the three refused records of the column that came", h)
			}

			// Away, and back with a row from before: nothing that was known of the old table counts. As long as there is another
			// generation, its jobs are those that there are.
			change("ALTER TABLE " + upper + " RENAME TO away")
			if facts, err := w.long.Jobs(ctx, w.now); err != nil || !facts.Runs.Known || facts.History == nil || len(facts.History.Jobs) > 0 {
				t.Errorf("facts %+v and error %v, want those of a client without OFBiz' jobs", facts, err)
			}
			change("ALTER TABLE away RENAME TO " + upper)
			expectJob("JOB_IMP", 2)
			// One of the tables of Moqui's jobs without the others is no vintage: it was dropped, or may not be read any more.
			change("ALTER TABLE service_job_run_lock RENAME TO away")
			if facts, err := w.long.Jobs(ctx, w.now); err == nil || !strings.Contains(err.Error(), "table service_job_run_lock is not in the database, or its user may not read it") {
				t.Errorf("facts %+v and error %v, want it to name the table", facts, err)
			}
			change("ALTER TABLE away RENAME TO service_job_run_lock")
			expectJob("JOB_IMP", 2)
			change("DROP TABLE service_job_run")
			expectJob("JOB_IMP", 2)
			change("ALTER TABLE " + upper + " RENAME TO away")
			if _, err := w.long.Jobs(ctx, w.now); err == nil || !strings.Contains(err.Error(), "client KREWE: table job_sandbox is not in the database") {
				t.Errorf("error %v, want it to name the client and the table", err)
			}
			change(`INSERT INTO away (job_id, job_name, system_job_enum_id, pool_id, status_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
				('3', 'Import', 'JOB_IMP', 'pool', 'SERVICE_FAILED', '2026-11-15 11:00:00', '2026-11-15 11:01:00', '2026-11-15 11:01:00');
				ALTER TABLE away RENAME TO job_sandbox`)
			expectJob("JOB_IMP", 3)
			change("ALTER TABLE job_sandbox DROP COLUMN system_job_enum_id")
			expectJob("Import", 3)
			change("ALTER TABLE job_sandbox DROP COLUMN pool_id")
			if _, err := w.long.Jobs(ctx, w.now); err == nil || !strings.Contains(err.Error(), "table job_sandbox has no column pool_id") {
				t.Errorf("error %v, want it to name the column", err)
			}
		})
	}
}
