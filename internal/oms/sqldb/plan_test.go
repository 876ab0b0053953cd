package sqldb

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsdata"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// dataEnd is when the data of omsdata end here.
var dataEnd = time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)

// What is open in the data, among 40 000 orders, 34 000 jobs and 6700 files.
const (
	createdOrders = 300
	openSales     = 4400
	openItems     = 2 * openSales
	reconciled    = 4600
	recentOrders  = 32_000
	unsynced      = 1600
	fulfilled     = 32_000
	reachedRows   = 3500 // statuses within 2 hours
	pendingJobs   = 300
	openMessages  = 25
)

// A limit is how many rows a statement may look at: so many, and so many for each that it returns.
type limit struct{ fixed, each int }

// usual is that of a statement that returns what it looks at: MariaDB and PostgreSQL count an entry of an index and its row,
// or a row and that nothing follows it.
var usual = limit{4, 2}

// limits are the others.
var limits = map[string]limit{
	// These sum up a set. Each row of it is looked up by the index, and again in a temporary table or two.
	"orders_open":    {4*openSales + 60, 0},  // and the ends of statuses that nobody knows
	"orders_created": {6 * createdOrders, 0}, // and an attribute of each
	// A thousand orders, the attributes of each, and a temporary table of their names.
	"orders_attributes": {12_000, 0},
	"orders_waiting":    {12 * openItems, 0}, // and order, ship group, facility, facility change and status
	"orders_missing":    {5 * reconciled, 0}, // and an order for each
	// The orders of the last days, a temporary table or two of them, and for each its identification and attribute, or its double.
	"orders_unsynced":          {12*recentOrders + 8*unsynced, 0},
	"orders_duplicate":         {10 * recentOrders, 0},
	"orders_renamed":           {9 * recentOrders, 0},
	"fulfillments_unconfirmed": {8 * fulfilled, 0},
	// The entries of an index up to the bound, which PostgreSQL also looks up where it has not vacuumed; and a page of ids, in a
	// temporary table.
	"orders_bound":             {3 * recentOrders, 0},
	"fulfillments_bound":       {3 * fulfilled, 0},
	"orders_page_of_ids":       {5 * history.SequencePage, 0},
	"fulfillments_page_of_ids": {5 * history.SequencePage, 0},
	// The statuses and changes of the last hours, and of Moqui's rows up to a page more; for each order its header and its past.
	"orders_approved":               {4*history.SequencePage + 8*reachedRows, 0},
	"orders_unfillable":             {4*history.SequencePage + 3*reachedRows, 0},
	"orders_approved_page_of_ids":   {5 * history.SequencePage, 0},
	"orders_unfillable_page_of_ids": {5 * history.SequencePage, 0},

	"jobs_open":     {4 * pendingJobs, 2},
	"messages_open": {12 * openMessages, 0}, // and once for each of its parts
	// It also passes over what it need not return: orders that entered long ago.
	"orders_unstamped": {2*openSales + 100, 2},
	// MariaDB counts an entry of the index for each end of each status, and the rows of its temporary table.
	"files_open":        {60, 2},
	"orders_statuses":   {60, 2},
	"files_statuses":    {60, 2},
	"messages_statuses": {60, 2},
	"file_configs":      {60, 2}, // and of a table that it opens for the first time
	// It reads all of the few dozen facilities, and twice a table of a few dozen types or a few rows of a temporary table.
	"facilities_virtual": {60, 2},
	"facility_types":     {8, 2},
	// It groups the zones of some hundred jobs in a temporary table.
	"survey_schedule_zones": {4 * pendingJobs, 0},
	// Of tables that it opens for the first time, MariaDB also counts what it reads about their columns, which are many.
	"survey_store_zones": {200, 2},
	"survey_configs":     {60, 2},
	"runs_by_id":         {20, 2},
	"runs_between":       {4, 2},
	// It passes over those that are no sales, and on PostgreSQL and SQLite over what has a stamp.
	"orders_unstamped_newest": {2004, 0},
	// The ids come first, through a temporary table that MariaDB sorts.
	"jobs_unstamped":         {4, 5},
	"jobs_unstamped_newest":  {4, 5},
	"files_unstamped":        {4, 5},
	"files_unstamped_newest": {4, 5},
}

// scanned is from how many rows on PostgreSQL rather reads the whole table than looks each of them up: nine are sent as a list of
// 64, a hundredth of the files. On a real table, with a hundred times as many, it never comes to that.
const scanned = 9

// unsorted are the statements for which PostgreSQL reads all rows without a stamp: its index does not have their ids.
var unsorted = map[string]bool{
	"jobs_unstamped": true, "jobs_unstamped_newest": true, "files_unstamped": true, "files_unstamped_newest": true,
}

// TestPlans has every engine count how many rows each statement looks at, on the open orders, jobs and files of a large
// client and a part of its past: in scrapes, and in what they do every 5 and every 15 minutes. It does so too where Moqui wrote
// some rows, which have no stamp, and where it made the tables, without OFBiz' stamps.
func TestPlans(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			db := engine.Start(t)(t, "plans", "UTC")
			omsdata.Fill(t, db.Config.Driver, db.Admin, omsdata.World{Anchor: dataEnd, Orders: 40_000, Span: 24 * time.Hour})
			testserver.Execute(t, db.Admin, "UPDATE job_sandbox SET run_time = '2026-11-18 12:00:00' WHERE status_id = 'SERVICE_PENDING' AND job_name LIKE '%7'")
			if engine.Name == "mysql" { // which otherwise reads all orders as soon as a ninth of them is open
				testserver.Execute(t, db.Admin, `INSERT INTO order_header (order_id, order_type_id, status_id, order_date, entry_date, created_tx_stamp)
					SELECT CONCAT('0', order_id), 'SALES_ORDER', 'ORDER_COMPLETED', '2025-11-18', '2025-11-18', '2025-11-18' FROM order_header;
					ANALYZE TABLE order_header`)
			}
			unsent, found := plans(t, db)
			// play plays another state of the stamps, and takes out of unsent what is sent there.
			play := func(name, change string) {
				testserver.Execute(t, db.Admin, change)
				if db.Config.Driver == config.Postgres { // as its autovacuum does, in its own time
					testserver.Execute(t, db.Admin, "VACUUM ANALYZE")
				}
				t.Run(name, func(t *testing.T) {
					not, also := plans(t, db)
					maps.Copy(found, also)
					maps.DeleteFunc(unsent, func(name string, _ bool) bool { return !not[name] })
				})
			}
			if db.Config.Driver == config.MySQL {
				var names []string
				for _, table := range tables() {
					names = append(names, table.Name)
				}
				db.MixCollations(t, names)
				play("mixed collations", "")
			}
			play("some stamps", `UPDATE order_header SET created_tx_stamp = NULL WHERE order_id LIKE '%1' OR order_id LIKE '%4' OR order_id LIKE '%8';
				UPDATE order_fulfillment_history SET created_tx_stamp = NULL WHERE fulfillment_log_id LIKE '%1';
				UPDATE job_sandbox SET last_updated_tx_stamp = NULL WHERE job_id LIKE '%1' OR job_id LIKE '%4' OR job_id LIKE '%8';
				UPDATE data_manager_log SET last_updated_tx_stamp = NULL WHERE log_id LIKE '%1' OR log_id LIKE '%4' OR log_id LIKE '%8';
				UPDATE order_status SET created_tx_stamp = NULL WHERE order_id LIKE '%1' OR order_id LIKE '%4' OR order_id LIKE '%8';
				UPDATE order_facility_change SET created_tx_stamp = NULL WHERE order_id LIKE '%1' OR order_id LIKE '%4' OR order_id LIKE '%8';`)
			play("no stamps", `ALTER TABLE order_header RENAME COLUMN created_tx_stamp TO away;
				ALTER TABLE data_manager_log RENAME COLUMN last_updated_tx_stamp TO away;
				ALTER TABLE order_status RENAME COLUMN created_tx_stamp TO away;
				ALTER TABLE order_facility_change RENAME COLUMN created_tx_stamp TO away;
				UPDATE job_sandbox SET last_updated_tx_stamp = NULL`)
			if !found["jobs_by_id"] || !found["files_by_id"] && db.Config.Driver != config.Postgres {
				t.Errorf("rows were looked up by %v only", found)
			}
			for name, never := range unsent {
				if never {
					t.Errorf("%s was not sent", name)
				}
			}
		})
	}
}

// plans returns the statements that were not sent, and those that looked rows up by their ids alone.
func plans(t *testing.T, db testserver.Database) (unsent, found map[string]bool) {
	t.Helper()
	s, err := Open(testLogger(t), config.Client{
		Name: "KREWE", Timezone: time.UTC, Database: db.Config,
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
		ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}}},
		LastMile: []config.LastMileTarget{{
			Target: "netsuite", IdentificationTypes: []string{"NETSUITE_ORDER_ID"}, Attributes: []string{"EXPORTED"}, Grace: 4 * time.Hour,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	looked := watch(t, s)
	unsent, found = map[string]bool{}, map[string]bool{}
	statements, err := Statements(db.Config.Driver)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range statements {
		unsent[st.Name] = strings.Contains(st.SQL, "/*limit*/")
	}
	ctx, cancel := context.WithTimeout(trace.With(t.Context(), func(name string, _ time.Duration, rows int, err error) {
		most, special := limits[name]
		if !special {
			most = usual
		}
		lookedUp := strings.HasSuffix(name, "_by_id")
		n := looked()
		within := n <= most.fixed+most.each*rows
		if lookedUp && rows > 0 && within {
			found[name] = true
		}
		scans := db.Config.Driver == config.Postgres && (lookedUp && rows >= scanned || unsorted[name])
		if err == nil && !within && !scans && name != "columns" {
			t.Errorf("%s looked at %d rows for %d that it returned", name, n, rows)
		}
		unsent[name] = false
	}), 5*time.Minute)
	defer cancel()
	for err := oms.ErrIncomplete; errors.Is(err, oms.ErrIncomplete); s.db.Wait() {
		err = ask(ctx, s, dataEnd)
	}
	testserver.Execute(t, db.Admin, "UPDATE job_sandbox SET status_id = 'SERVICE_CANCELLED' WHERE status_id = 'SERVICE_RUNNING'") // each is looked up
	for _, later := range []time.Duration{30 * time.Second, 5 * time.Minute, 15 * time.Minute} {
		if err := ask(ctx, s, dataEnd.Add(later)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Attributes(ctx, dataEnd); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Survey(ctx, dataEnd); err != nil {
		t.Fatal(err)
	}
	return unsent, found
}
