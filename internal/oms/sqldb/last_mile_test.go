package sqldb

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestLastMileIsComplete has orders and fulfillments whose ids grow a digit, and more of them than are looked at, with and without
// timestamps, on every engine: all are counted, or it is said that some are not.
func TestLastMileIsComplete(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "last_mile", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{
				Name: "KREWE", Timezone: time.UTC, Database: w.db.Config,
				LastMile: []config.LastMileTarget{{Target: "netsuite", IdentificationTypes: []string{"NETSUITE_ORDER_ID"}, Grace: 4 * time.Hour}},
			}
			// insert makes orders, each with a fulfillment that is not confirmed. Those with a day of 0 are recent.
			insert := func(prefix string, first, last, day int, stamped bool) {
				t.Helper()
				at := w.quoted(w.now.Add(-5*time.Hour - time.Duration(day)*24*time.Hour))
				stamp := "NULL"
				if stamped {
					stamp = at
				}
				var orders, fulfillments []string
				for id := first; id <= last; id++ {
					orders = append(orders, fmt.Sprintf("('%s%d', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', %s, %s)", prefix, id, at, stamp))
					fulfillments = append(fulfillments, fmt.Sprintf("('%s%d', '%[1]s%d', '_NA_', %s, %s)", prefix, id, at, stamp))
				}
				for rows := range slices.Chunk(orders, 1000) {
					w.exec(t, "INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, entry_date, created_tx_stamp) VALUES "+strings.Join(rows, ","))
				}
				for rows := range slices.Chunk(fulfillments, 1000) {
					w.exec(t, "INSERT INTO order_fulfillment_history (fulfillment_log_id, order_id, external_fulfillment_id, created_date, created_tx_stamp) VALUES "+strings.Join(rows, ","))
				}
			}
			// expect compares what is counted, and what is said not to be.
			expect := func(what string, orders, fulfillments int, says ...string) {
				t.Helper()
				facts, err := w.source(t).LastMile(t.Context(), w.now)
				if err != nil || len(facts.Unsynced) != 1 || facts.Unconfirmed == nil {
					t.Fatalf("%s: %+v: %v", what, facts, err)
				}
				if facts.Unsynced[0].Count != orders || *facts.Unconfirmed != fulfillments {
					t.Errorf("%s: %d orders and %d fulfillments, want %d and %d", what, facts.Unsynced[0].Count, *facts.Unconfirmed, orders, fulfillments)
				}
				if !slices.Equal(facts.Partial, says) {
					t.Errorf("%s: it says %q, want %q", what, facts.Partial, says)
				}
			}
			insert("", 93001, 99990, 30, false) // more than one page
			insert("", 99991, 99999, 1, false)
			insert("", 100000, 100004, 0, false)
			expect("the ids have become longer", 14, 14)
			insert("KR", 9990, 9999, 30, false)
			insert("KR", 10000, 10002, 0, false)
			insert("", 100100, 100101, 0, true)
			insert("UC", 10000, 10009, 30, false)
			expect("several prefixes, and timestamps", 19, 19)
			w.exec(t, `INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, entry_date) VALUES ('ZZ-', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', `+w.quoted(w.now)+`)`)
			expect("an id that is no number", 19, 19, `the ids of orders like "ZZ-" do not end in a number: those without a timestamp are not measured`)
			w.exec(t, "DELETE FROM order_header")
			w.exec(t, "DELETE FROM order_fulfillment_history")

			const bound = 50_000
			more := []string{"more than 50000 orders of the last 7 days: only the newest are measured", "more than 50000 fulfillments of the last 7 days: only the newest are measured"}
			insert("", 120_001, 120_000+bound, 0, true)
			insert("", 110_001, 111_000, 30, true)
			expect("as many as are looked at", bound, bound)
			insert("", 120_000, 120_000, 1, true)
			expect("one more", bound, bound, more...)
			w.exec(t, "UPDATE order_header SET created_tx_stamp = NULL WHERE order_id >= '120001'")
			w.exec(t, "UPDATE order_fulfillment_history SET created_tx_stamp = NULL WHERE fulfillment_log_id >= '120001'")
			w.exec(t, "DELETE FROM order_header WHERE order_id = '120000'")
			w.exec(t, "DELETE FROM order_fulfillment_history WHERE fulfillment_log_id = '120000'")
			expect("as many without timestamps", bound, bound)
			insert("", 120_000, 120_000, 1, false)
			expect("one more without a timestamp", bound, bound, more...)
		})
	}
}
