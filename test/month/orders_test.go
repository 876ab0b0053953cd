package month

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// approvedOrders are how many orders of a client were approved, within 3 hours and at all, and how many were unfillable.
type approvedOrders struct{ within3h, all, unfillable float64 }

// TestOrders has the clients live for three hours, and compares what the service levels record of their orders with what their databases hold
// at the end.
func TestOrders(t *testing.T) {
	start := clockChange.Add(30 * time.Hour) // in the morning
	e := newExporter(t, start, *seed)
	s := newForesightServer(t, []string{"oms_service_levels"})
	s.retain(t, "oms:orders_approved[1d]")
	s.retain(t, "oms:orders_unfillable[1d]")
	if err := e.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := map[string]approvedOrders{}
	for _, c := range e.configs {
		before[c.Name] = ordersOf(t, c)
	}
	for n := range 60 + 1 { // orders are looked for every 5 minutes, which is every second step, also in the last one
		now := start.Add(time.Duration(n) * step)
		if err := e.advance(t.Context(), now, nil); err != nil {
			t.Fatal(err)
		}
		scrapes, err := e.scrape(t.Context())
		if err == nil {
			err = s.store(t.Context(), now, scrapes)
		}
		if err == nil {
			_, err = s.evaluate(t.Context(), now)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var all approvedOrders
	for _, c := range e.configs {
		want, was := ordersOf(t, c), before[c.Name]
		want = approvedOrders{want.within3h - was.within3h, want.all - was.all, want.unfillable - was.unfillable}
		got := approvedOrders{
			s.recorded(t, `oms:orders_approved{client="`+c.Name+`",le="10800.0"}`),
			s.recorded(t, `oms:orders_approved{client="`+c.Name+`",le="+Inf"}`),
			s.recorded(t, `oms:orders_unfillable{client="`+c.Name+`"}`),
		}
		if got != want {
			t.Errorf("%s: recorded %+v, the database has %+v", c.Name, got, want)
		}
		all = approvedOrders{all.within3h + got.within3h, all.all + got.all, all.unfillable + got.unfillable}
	}
	if all.within3h == 0 || all.unfillable == 0 {
		t.Errorf("the clients had %+v: too few to prove anything", all)
	}
	t.Logf("%+v", all)
}

// recorded adds up the samples of a series.
func (s *server) recorded(t *testing.T, series string) (sum float64) {
	t.Helper()
	for _, v := range s.values(t, series) {
		if !math.IsNaN(v) { // the end of a series
			sum += v
		}
	}
	return sum
}

// ordersOf counts the orders that a client's database has, by its own means.
func ordersOf(t *testing.T, c config.Client) (n approvedOrders) {
	t.Helper()
	dsn, err := c.Database.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it only reads
	counted := "order_type_id = 'SALES_ORDER' AND sales_channel_enum_id NOT IN ('" + strings.Join(c.Orders.CreatedExclude.Channels, "', '") + "')"
	for _, attribute := range c.Orders.CreatedExclude.MissingAttributes {
		counted += fmt.Sprintf(" AND order_id IN (SELECT order_id FROM order_attribute WHERE attr_name = '%s')", attribute)
	}
	query := `WITH approved AS (SELECT order_id, min(status_datetime) AS at FROM order_status WHERE status_id = 'ORDER_APPROVED' GROUP BY order_id)
SELECT count(*), coalesce(sum(round((julianday(at) - julianday(entry_date)) * 86400) <= 10800), 0),
  (SELECT count(DISTINCT order_id) FROM order_facility_change WHERE facility_id IN ('UNFILLABLE_PARKING', 'UNF_HOLD_PARKING')
    AND order_id IN (SELECT order_id FROM order_header WHERE ` + counted + `))
FROM order_header JOIN approved USING (order_id) WHERE ` + counted
	if err := db.QueryRowContext(t.Context(), query).Scan(&n.all, &n.within3h, &n.unfillable); err != nil {
		t.Fatal(err)
	}
	return n
}
