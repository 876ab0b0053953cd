package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestManyOpenOrders has so many open orders that they are looked at every ten minutes only, which the answer's age says;
// created orders are new all the same. When they are few again, each scrape looks.
func TestManyOpenOrders(t *testing.T) {
	w := &world{db: testserver.Engines()[0].Start(t)(t, "many", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
	w.long = w.source(t)
	orders := func(first, last int, status, stamp string) {
		var rows []string
		for i := first; i <= last; i++ {
			rows = append(rows, fmt.Sprintf("('%d', 'SALES_ORDER', '%s', '2026-11-18 16:00:00', %s)", i, status, stamp))
		}
		w.exec(t, "INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES "+strings.Join(rows, ","))
	}
	look := func(after time.Duration) (approved, created int, entered uint64, age time.Duration) {
		t.Helper()
		w.now = w.now.Add(after)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		facts, err := w.long.Orders(ctx, w.now)
		w.long.db.Wait()
		if err != nil && !errors.Is(err, oms.ErrIncomplete) {
			t.Fatal(err)
		}
		for _, o := range facts.Open.All {
			if o.Status == oms.OrderApproved {
				approved += o.Count
			}
		}
		for _, o := range facts.Created.All {
			created += o.OlderThan[0]
		}
		for _, i := range facts.Imports {
			entered += i.Seen
		}
		for _, o := range facts.Unfulfilled.All { // a wait is as long as it was at the look: the order may have left since
			entered := time.Date(2026, 11, 18, 16, 0, 0, 0, time.UTC)
			if waits, waited := w.now.Sub(o.Oldest), w.now.Add(-facts.Age).Sub(entered); waits != waited {
				t.Errorf("an order waits for %s, and waited for %s when it was looked at", waits, waited)
			}
		}
		return approved, created, entered, facts.Age
	}
	expect := func(name string, after time.Duration, approved, created int, entered uint64, age time.Duration) {
		t.Helper()
		a, c, e, g := look(after)
		if a != approved || c != created || e != entered || g != age {
			t.Errorf("%s: %d approved, %d created, %d entered, %s old; want %d, %d, %d, %s", name, a, c, e, g, approved, created, entered, age)
		}
	}
	orders(1, 1001, "ORDER_APPROVED", "'2026-11-18 16:00:00'")
	w.exec(t, "INSERT INTO order_item (order_id, order_item_seq_id, status_id) VALUES ('1', '1', 'ITEM_APPROVED')")
	expect("at first", 0, 1001, 0, 0, 0)
	look(time.Second) // with the look back complete
	orders(1002, 1010, "ORDER_APPROVED", "NULL")
	orders(1011, 1012, "ORDER_CREATED", "'2026-11-18 16:59:00'")
	expect("from the last look", 2*time.Minute, 1001, 2, 2, 2*time.Minute+time.Second)
	expect("a new look", 8*time.Minute, 1010, 2, 11, 0)
	w.exec(t, "UPDATE order_header SET status_id = 'ORDER_COMPLETED' WHERE status_id = 'ORDER_APPROVED'")
	expect("from that", time.Minute, 1010, 2, 11, time.Minute)
	expect("few again", 9*time.Minute, 0, 2, 11, 0)
	orders(1013, 1013, "ORDER_APPROVED", "'2026-11-18 17:09:00'")
	expect("with each scrape", time.Second, 1, 2, 12, 0)
}
