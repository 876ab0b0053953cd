package sqldb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsdata"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// dataEnd is when the data of omsdata end here.
var dataEnd = time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)

// What is open in the data, among 40 000 orders, 34 000 jobs and 6700 files.
const (
	createdOrders = 300
	openSales     = 4400
	openItems     = 2 * openSales
	reconciled    = 4600
	pendingJobs   = 300
	openMessages  = 25
)

// A limit is how many rows a statement may look at: so many, and so many for each that it returns.
type limit struct{ fixed, each int }

// usual is that of a statement that returns what it looks at: MariaDB and PostgreSQL count an entry of an index and its row,
// or a row and that nothing follows it. The 100 are for small tables, and for what servers themselves look up.
var usual = limit{100, 2}

// limits are the others.
var limits = map[string]limit{
	// These sum up a set. Each row of it is looked up by the index, and again in a temporary table or two.
	"orders_open":    {4 * openSales, 0},
	"orders_created": {6 * createdOrders, 0}, // and an attribute of each
	"orders_waiting": {11 * openItems, 0},    // and order, ship group, facility, facility change and status
	"orders_missing": {5 * reconciled, 0},    // and an order for each
	"jobs_open":      {4 * pendingJobs, 2},
	"messages_open":  {12 * openMessages, 0}, // and once for each of its parts
	// These also pass over what they need not return: pending jobs, and orders that entered long ago.
	"jobs_pending_unstamped": {2 * pendingJobs, 2},
	"orders_unstamped":       {2*openSales + 100, 2},
	// PostgreSQL rather looks at all 6700 files than looks hundreds of them up.
	"files_by_id": {6800, 2},
}

// TestPlans has every engine count how many rows each statement looks at, on the open orders, jobs and files of a large
// client and a part of its past: in scrapes, and in what they do every 5 and every 15 minutes. It does so too where Moqui made
// the tables, without OFBiz' stamps.
func TestPlans(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "plans", "UTC")
			omsdata.Fill(t, db.Config.Driver, db.Admin, omsdata.World{Anchor: dataEnd, Orders: 40_000, Span: 24 * time.Hour})
			unsent := plans(t, db)
			testserver.Execute(t, db.Admin, `ALTER TABLE order_header RENAME COLUMN created_tx_stamp TO away;
				ALTER TABLE data_manager_log RENAME COLUMN last_updated_tx_stamp TO away;
				UPDATE job_sandbox SET last_updated_tx_stamp = NULL WHERE status_id = 'SERVICE_PENDING'`)
			t.Run("without stamps", func(t *testing.T) {
				also := plans(t, db)
				for name := range unsent {
					if unsent[name] && also[name] {
						t.Errorf("%s was not sent", name)
					}
				}
			})
		})
	}
}

// plans returns the statements that were not sent.
func plans(t *testing.T, db testserver.Database) (unsent map[string]bool) {
	t.Helper()
	s, err := Open(testLogger(t), config.Client{
		Name: "KREWE", Timezone: time.UTC, Database: db.Config,
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
		ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	looked := watch(t, s)
	unsent = map[string]bool{}
	for _, section := range sections() {
		unsent[section.name] = section.kind == "statement"
	}
	ctx, cancel := context.WithTimeout(oms.WithTrace(t.Context(), func(name string, _ time.Duration, rows int, err error) {
		most, special := limits[name]
		if !special {
			most = usual
		}
		if n := looked(); err == nil && n > most.fixed+most.each*rows && name != "columns" {
			t.Errorf("%s looked at %d rows for %d that it returned", name, n, rows)
		}
		unsent[name] = false
	}), 5*time.Minute)
	defer cancel()
	for err := oms.ErrLookBack; errors.Is(err, oms.ErrLookBack); s.background.Wait() {
		err = ask(ctx, s, dataEnd)
	}
	for _, later := range []time.Duration{30 * time.Second, 5 * time.Minute, 15 * time.Minute} {
		if err := ask(ctx, s, dataEnd.Add(later)); err != nil {
			t.Fatal(err)
		}
	}
	return unsent
}
