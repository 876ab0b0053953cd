package sqldb

import (
	"maps"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestNewStatuses has rows whose statuses come and go between two looks at the statuses in use: those that are known are
// counted at once, and those that nobody knows with the next look.
func TestNewStatuses(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			w := &world{db: engine.Start(t)(t, "statuses", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			w.long = w.source(t)
			set := func(file, message string) {
				w.exec(t, "DELETE FROM data_manager_log")
				w.exec(t, "DELETE FROM system_message")
				w.exec(t, "INSERT INTO data_manager_log (log_id, config_id, status_id) VALUES ('1', 'C', "+file+")")
				w.exec(t, "INSERT INTO system_message (system_message_id, status_id, is_outgoing) VALUES ('1', "+message+", 'Y')")
			}
			for _, step := range []struct {
				after         time.Duration
				file, message string // from now on; as before where empty
				want          map[string]int
			}{
				{file: "'DmlsFinished'", message: "'SmsgSent'"},
				{after: time.Minute, file: "'SERVICE_PENDING'", message: "'SmsgError'", want: map[string]int{"pending": 1, "error": 1}},
				{after: time.Minute, file: "NULL", message: "NULL", want: map[string]int{"other": 2}},
				{after: time.Minute, file: "'DmlsNew'", message: "'SmsgNew'"},
				{after: 2 * time.Minute, want: map[string]int{"other": 2}},
				{after: time.Minute, want: map[string]int{"other": 2}},
				{after: time.Minute, file: "'DmlsQueued'", message: "'SmsgReceived'", want: map[string]int{"queued": 1, "received": 1}},
			} {
				w.now = w.now.Add(step.after)
				if step.file != "" {
					set(step.file, step.message)
				}
				got := map[string]int{}
				for _, files := range w.facts(t, w.long, w.now).Files.Open.All {
					got[string(files.Status)] += files.Count
				}
				messages, err := w.long.SystemMessages(t.Context(), w.now)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range messages.All {
					got[string(m.Status)] += m.Count
				}
				if !maps.Equal(got, step.want) {
					t.Errorf("at %s: %v, want %v", w.now.Format(time.TimeOnly), got, step.want)
				}
			}
		})
	}
}

// TestFacilities parks an order in a facility that is new since the last scrape, and whose type is: both are there at once.
func TestFacilities(t *testing.T) {
	w := &world{db: testserver.Engines()[0].Start(t)(t, "facilities", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
	w.long = w.source(t)
	expect := func(after time.Duration, want map[string]int) {
		t.Helper()
		w.now = w.now.Add(after)
		got := map[string]int{}
		for _, parked := range w.facts(t, w.long, w.now).Orders.Parked {
			got[parked.Place] = parked.Count
		}
		if !maps.Equal(got, want) {
			t.Errorf("at %s: %v, want %v", w.now.Format(time.TimeOnly), got, want)
		}
	}
	w.exec(t, "INSERT INTO facility_type (facility_type_id, parent_type_id) VALUES ('NA', 'VIRTUAL_FACILITY')")
	w.exec(t, "INSERT INTO facility (facility_id, facility_type_id) VALUES ('_NA_', 'NA')")
	expect(0, map[string]int{"_NA_": 0})
	w.exec(t, "INSERT INTO facility_type (facility_type_id, parent_type_id) VALUES ('RELEASED', 'VIRTUAL_FACILITY')")
	w.exec(t, "INSERT INTO facility (facility_id, facility_type_id) VALUES ('NEW', 'RELEASED'), ('EMPTY', 'NA')")
	w.exec(t, "INSERT INTO order_header (order_id, order_type_id, status_id) VALUES ('1', 'SALES_ORDER', 'ORDER_APPROVED')")
	w.exec(t, "INSERT INTO order_item (order_id, order_item_seq_id, ship_group_seq_id, status_id) VALUES ('1', '1', '1', 'ITEM_APPROVED')")
	w.exec(t, "INSERT INTO order_item_ship_group (order_id, ship_group_seq_id, facility_id) VALUES ('1', '1', 'NEW')")
	expect(time.Minute, map[string]int{"_NA_": 0, "NEW": 1, "EMPTY": 0})
}
