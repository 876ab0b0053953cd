package sqldb

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestFirsts has approvals and unfillable orders come late, in the future, and while nobody can read them, on every engine: each counts
// once, and none that was there before the exporter started.
func TestFirsts(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "firsts", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			s, orders := w.source(t), 0
			// come has an order approved an hour after its entry, and unfillable at the same time, by rows with a timestamp so long ago.
			come := func(ago time.Duration) {
				orders++
				id, at, entered := "'"+strconv.Itoa(10000+orders)+"'", w.quoted(w.now.Add(-ago)), w.quoted(w.now.Add(-ago-time.Hour))
				w.exec(t, "INSERT INTO order_header (order_id, order_type_id, status_id, entry_date) VALUES ("+id+", 'SALES_ORDER', 'ORDER_APPROVED', "+entered+")")
				w.exec(t, "INSERT INTO order_status (order_status_id, order_id, status_id, status_datetime, created_tx_stamp) VALUES ("+
					id+", "+id+", 'ORDER_APPROVED', "+at+", "+at+")")
				w.exec(t, "INSERT INTO order_facility_change (order_facility_change_id, order_id, facility_id, change_datetime, created_tx_stamp) VALUES ("+
					id+", "+id+", 'UNFILLABLE_PARKING', "+at+", "+at+")")
			}
			look := func(s *Source, want uint64, when string) {
				t.Helper()
				facts, _ := s.Orders(t.Context(), w.now)
				s.db.Wait()
				if facts.Approvals == nil || facts.Unfillable == nil {
					t.Fatalf("%s: nothing is known", when)
				}
				a := *facts.Approvals
				if a.Count != want || a.Within[2] != 0 || a.Within[3] != want || a.Total != time.Duration(want)*time.Hour || *facts.Unfillable != want {
					t.Errorf("%s: %v approved, %d unfillable, want %d", when, a, *facts.Unfillable, want)
				}
			}
			later := func(by time.Duration) { w.now = w.now.Add(by) }

			come(time.Minute)
			come(3 * time.Hour)
			look(s, 0, "what was there at the start")
			come(0)
			come(-400 * 24 * time.Hour) // a clock that is wrong
			later(5 * time.Minute)
			look(s, 2, "two more")
			come(0)
			later(4 * time.Minute)
			look(s, 2, "before it is time")
			later(time.Minute)
			refused, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := s.Orders(refused, w.now); err == nil {
				t.Fatal("an answer to nobody")
			}
			later(time.Minute)
			look(s, 3, "after a failure")

			for range 30 { // nobody can read them for 15 hours
				later(30 * time.Minute)
				come(0)
			}
			facts, _ := s.Orders(t.Context(), w.now)
			if n := facts.Approvals.Count; n <= 3 || n > 3+9 {
				t.Errorf("%d approved with the first statement after 15 hours, want what 4 hours brought", n)
			}
			for range 3 { // which does not wait for 5 minutes
				later(time.Second)
				_, _ = s.Orders(t.Context(), w.now)
			}
			look(s, 33, "after 15 hours")

			come(110 * time.Minute) // its transaction took as long
			later(time.Hour)
			look(s, 34, "a late one")
			later(time.Hour)
			look(s, 34, "read again")

			restarted := s.WithoutHistory()
			look(restarted, 0, "a new start")
			come(0)
			later(5 * time.Minute)
			look(restarted, 1, "one more after it")

			w.exec(t, "ALTER TABLE order_status RENAME COLUMN order_status_id TO away")
			later(5 * time.Minute)
			if facts, err := restarted.Orders(t.Context(), w.now); err != nil || facts.Approvals != nil || facts.Unfillable == nil {
				t.Errorf("without a column of the statuses: approved %v, unfillable %v, error %v", facts.Approvals, facts.Unfillable, err)
			}
			w.exec(t, "ALTER TABLE order_status RENAME COLUMN away TO order_status_id")
			later(5 * time.Minute)
			look(restarted, 1, "with that column again")
		})
	}
}

// TestFirstsWithoutTimestamp has Moqui write approvals and unfillable orders, which have no timestamp, while their ids grow a digit, and
// another server with another prefix: all count.
func TestFirstsWithoutTimestamp(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "unstamped", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			come := func(prefix string, first, last int, ago time.Duration) {
				t.Helper()
				var orders, statuses, changes []string
				at := w.quoted(w.now.Add(-ago))
				for n := first; n <= last; n++ {
					id := "'" + prefix + strconv.Itoa(n) + "'"
					orders = append(orders, "("+id+", 'SALES_ORDER', 'ORDER_APPROVED', "+at+")")
					statuses = append(statuses, "("+id+", "+id+", 'ORDER_APPROVED', "+at+")")
					changes = append(changes, "("+id+", "+id+", 'UNFILLABLE_PARKING', "+at+")")
				}
				w.exec(t, "INSERT INTO order_header (order_id, order_type_id, status_id, entry_date) VALUES "+strings.Join(orders, ","))
				w.exec(t, "INSERT INTO order_status (order_status_id, order_id, status_id, status_datetime) VALUES "+strings.Join(statuses, ","))
				w.exec(t, "INSERT INTO order_facility_change (order_facility_change_id, order_id, facility_id, change_datetime) VALUES "+strings.Join(changes, ","))
			}
			s := w.source(t)
			look := func(want uint64) {
				t.Helper()
				w.now = w.now.Add(5 * time.Minute)
				facts, _ := s.Orders(t.Context(), w.now)
				s.db.Wait()
				if facts.Approvals == nil || facts.Unfillable == nil || facts.Approvals.Count != want || *facts.Unfillable != want {
					t.Fatalf("approved %+v, unfillable %+v, want %d", facts.Approvals, facts.Unfillable, want)
				}
			}
			come("", 97000, 99989, 30*24*time.Hour) // more than one page
			come("", 99990, 99995, time.Hour)
			look(0)
			come("", 99996, 99999, 0)
			come("", 100000, 100004, 0)
			look(9)
			come("M", 100, 102, 0)
			come("", 100005, 100005, 0)
			look(13)
		})
	}
}
