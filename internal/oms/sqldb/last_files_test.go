package sqldb

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestLastFilesThatSetStock has files from before the backfill, one that ends, one that is edited and one that is purged, on every engine: what is
// told of them is what a fresh start tells.
func TestLastFilesThatSetStock(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "last_files", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{
				Name: "KREWE", Timezone: time.UTC, Database: w.db.Config,
				ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY", "RST_INV"}}},
			}
			s := w.source(t)
			file := func(id int, config, status string, records string, end time.Duration) {
				at := w.quoted(w.now.Add(-end))
				w.exec(t, `INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, last_updated_tx_stamp,
					total_record_count, failed_record_count) VALUES ('`+strconv.Itoa(id)+"', '"+config+"', '"+status+"', "+at+", "+at+", "+at+", "+at+", "+records+")")
			}
			const day = 24 * time.Hour
			file(10001, "RESET_INVENTORY", "SERVICE_FINISHED", "500, 0", 91*day) // too long ago
			file(10002, "RESET_INVENTORY", "SERVICE_FINISHED", "501, 1", 30*day)
			file(10003, "RST_INV", "DmlsFinished", "NULL, NULL", 29*day)
			file(10004, "RESET_INVENTORY", "SERVICE_FINISHED", "502, 502", 28*day) // all refused
			file(10005, "RESET_INVENTORY", "SERVICE_FAILED", "503, 0", 2*day)
			file(10006, "OTHER", "SERVICE_FINISHED", "504, 0", 2*day)
			file(10007, "RESET_INVENTORY", "SERVICE_RUNNING", "505, 0", 20*time.Minute)
			file(10008, "RESET_INVENTORY", "SERVICE_FINISHED", "506, 0", day)

			look := func(s *Source) (text []string) {
				t.Helper()
				for err := oms.ErrIncomplete; err != nil; s.db.Wait() {
					var reset oms.ResetInventory
					if reset, err = s.ResetInventory(t.Context(), w.now); err == nil {
						for _, f := range reset.Sources[0].Files {
							records := "unknown"
							if f.Records != nil {
								records = strconv.Itoa(*f.Records)
							}
							text = append(text, f.Config+" "+records+" "+w.now.Sub(f.Processed).String())
						}
					} else if !errors.Is(err, oms.ErrIncomplete) {
						t.Fatal(err)
					}
				}
				return text
			}
			expect := func(when string, want ...string) {
				t.Helper()
				if got := look(s); !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", when, got, want)
				}
				if got := look(w.source(t)); !slices.Equal(got, want) {
					t.Errorf("%s, after a fresh start: %q, want %q", when, got, want)
				}
			}
			expect("at first", "RESET_INVENTORY 501 720h0m0s", "RST_INV unknown 696h0m0s", "RESET_INVENTORY 506 24h0m0s")

			w.now = w.now.Add(time.Minute)
			w.exec(t, "UPDATE data_manager_log SET status_id = 'SERVICE_FINISHED', finish_date_time = "+w.quoted(w.now)+", last_updated_tx_stamp = "+w.quoted(w.now)+" WHERE log_id = '10007'")
			w.exec(t, "UPDATE data_manager_log SET status_id = 'SERVICE_FAILED', last_updated_tx_stamp = "+w.quoted(w.now)+" WHERE log_id = '10008'")
			expect("a minute later", "RESET_INVENTORY 501 720h1m0s", "RST_INV unknown 696h1m0s", "RESET_INVENTORY 505 0s")

			w.exec(t, "DELETE FROM data_manager_log WHERE log_id = '10002'")
			w.now = w.now.Add(6 * time.Minute)
			expect("after a purge", "RST_INV unknown 696h7m0s", "RESET_INVENTORY 505 6m0s")
		})
	}
}
