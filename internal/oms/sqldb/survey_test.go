package sqldb

import (
	"fmt"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSurvey reads what the command discover asks for, also where this vintage lacks it: nothing else lacks it then.
func TestSurvey(t *testing.T) {
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	for _, test := range []struct{ name, change, want string }{
		{"all", "", "{{true [America/New_York UTC]} {true [Asia/Kolkata]} {true [{{A false}  a#B /in *.csv} {{B true} b   }]} []}"},
		{
			"older", "DROP TABLE product_store; ALTER TABLE job_sandbox DROP COLUMN recurrence_time_zone; ALTER TABLE data_manager_config DROP COLUMN import_path",
			"{{false []} {false []} {true [{{A false}  a#B  *.csv} {{B true} b   }]} [product_store.default_time_zone_string job_sandbox.recurrence_time_zone data_manager_config.import_path]}",
		},
		{"no data manager", "DROP TABLE data_manager_config", "{{true [America/New_York UTC]} {true [Asia/Kolkata]} {false []} []}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := testserver.Engines()[0].Start(t)(t, "survey", "UTC")
			testserver.Execute(t, db.Admin, `
				INSERT INTO product_store (product_store_id, default_time_zone_string) VALUES ('1', 'UTC'), ('2', 'America/New_York'), ('3', ' America/New_York'), ('4', NULL);
				INSERT INTO job_sandbox (job_id, status_id, recurrence_time_zone) VALUES ('1', 'SERVICE_PENDING', 'Asia/Kolkata'), ('2', 'SERVICE_FINISHED', 'UTC'), ('3', 'SERVICE_PENDING', NULL);
				INSERT INTO data_manager_config (config_id, execution_mode_id, description, import_service_name, import_path, file_name_pattern) VALUES
				  ('B', 'DMC_QUEUE', 'b', NULL, NULL, NULL), ('A', 'DMC_DISABLED', NULL, 'a#B', '/in', '*.csv');`+test.change)
			s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			found, err := s.Survey(t.Context(), now)
			if got := fmt.Sprint(found); err != nil || got != test.want {
				t.Errorf("error %v, got\n%s, want\n%s", err, got, test.want)
			}
			instance, err := s.Instance(t.Context(), now)
			if lacking := instance.Lacking(); err != nil || len(lacking) > 1 || len(lacking) == 1 && lacking[0] != (oms.Column{Table: "data_manager_config"}) {
				t.Errorf("error %v, lacking %v", err, lacking)
			}
		})
	}
}

// TestLastFiles has the files of a configuration that set something, whatever the order of their ids.
func TestLastFiles(t *testing.T) {
	db := testserver.Engines()[0].Start(t)(t, "last_files", "America/New_York")
	testserver.Execute(t, db.Admin, `INSERT INTO data_manager_log (log_id, config_id, status_id, finish_date_time, total_record_count, failed_record_count) VALUES
		('9', 'A', 'SERVICE_FINISHED', '2026-11-18 11:00:00', 10, 3), ('10', 'A', 'DmlsFinished', '2026-11-18 09:00:00', NULL, NULL),
		('11', 'A', 'SERVICE_FAILED', '2026-11-18 10:00:00', 10, 0), ('12', 'A', 'SERVICE_FINISHED', '2026-11-18 10:30:00', 0, 0),
		('13', 'A', 'SERVICE_FINISHED', '2026-11-18 10:40:00', 5, 5), ('14', 'B', 'SERVICE_FINISHED', '2026-11-18 10:50:00', 5, 0), ('15', 'A', 'SERVICE_RUNNING', NULL, NULL, NULL)`)
	s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	files, err := s.LastFiles(t.Context(), time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC), "A")
	if got, want := fmt.Sprint(files), "[2026-11-18 14:00:00 +0000 UTC 2026-11-18 16:00:00 +0000 UTC]"; err != nil || got != want {
		t.Errorf("error %v, got %s, want %s", err, got, want)
	}
}
