package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsdata"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// TestRefusedReconciliation has a reconciliation that cannot be compared: it is tried every 2 minutes, meanwhile its table counts
// as missing, and the other facts about orders are there.
func TestRefusedReconciliation(t *testing.T) {
	w := &world{db: testserver.Engines()[2].Start(t)(t, "reconciliation", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
	w.long = w.source(t)
	w.exec(t, `INSERT INTO order_header (order_id, order_type_id, status_id, entry_date) VALUES ('1', 'SALES_ORDER', 'ORDER_CREATED', '2026-11-18 16:00:00')`)
	w.exec(t, `INSERT INTO shopify_oms_order_recon (system_message_remote_id, shopify_order_id, order_created_at, last_updated_stamp)
		VALUES ('SHOPIFY', '1', NULL, '2026-11-18 02:00:00')`)
	w.exec(t, "ALTER TABLE shopify_oms_order_recon ALTER COLUMN order_created_at TYPE json USING NULL") // which has no order
	one := []oms.MissingOrders{{Shop: "SHOPIFY", Count: 1}}
	for _, step := range []struct {
		after  time.Duration
		change string
		reads  int
		shops  []oms.MissingOrders
	}{
		{reads: 1},
		{after: 30 * time.Second},
		{after: time.Minute, change: "ALTER TABLE shopify_oms_order_recon ALTER COLUMN order_created_at TYPE timestamp USING timestamp '2026-11-17 10:00:00'"},
		{after: 30 * time.Second, reads: 1, shops: one},
		{after: time.Minute, shops: one},
	} {
		w.now = w.now.Add(step.after)
		if step.change != "" {
			w.exec(t, step.change)
		}
		reads := 0
		ctx, cancel := context.WithTimeout(trace.With(t.Context(), func(statement string, _ time.Duration, _ int, _ error) {
			if statement == "orders_missing" {
				reads++
			}
		}), time.Minute)
		facts, err := w.long.Orders(ctx, w.now)
		cancel()
		w.long.db.Wait()
		if err != nil && !errors.Is(err, oms.ErrIncomplete) || reads != step.reads || !slices.Equal(facts.Missing, step.shops) || len(facts.Open.All) == 0 {
			t.Errorf("at %s: read %d times, missing %v, error %v, open %v; want %d and %v",
				w.now.Format(time.TimeOnly), reads, facts.Missing, err, facts.Open, step.reads, step.shops)
		}
		instance, err := w.long.Instance(t.Context(), w.now)
		if told := slices.Contains(instance.Missing, oms.Column{Table: "shopify_oms_order_recon"}); err != nil || told != (step.shops == nil) {
			t.Errorf("at %s: lacking %v, error %v", w.now.Format(time.TimeOnly), instance.Missing, err)
		}
	}
}

// TestLockedReconciliation has somebody lock the table: the other facts about orders come in time.
func TestLockedReconciliation(t *testing.T) {
	for _, engine := range testserver.Engines() {
		if engine.Name == "sqlite" { // which locks no single table
			continue
		}
		t.Run(engine.Name, func(t *testing.T) {
			w := &world{db: engine.Start(t)(t, "locked", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
			w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
			s := w.source(t)
			w.exec(t, `INSERT INTO order_header (order_id, order_type_id, status_id, entry_date) VALUES ('1', 'SALES_ORDER', 'ORDER_CREATED', '2026-11-18 16:00:00')`)
			lock := "LOCK TABLES shopify_oms_order_recon WRITE"
			if w.db.Config.Driver == config.Postgres {
				lock = "BEGIN; LOCK TABLE shopify_oms_order_recon IN ACCESS EXCLUSIVE MODE"
			}
			if _, err := s.Orders(t.Context(), w.now); err != nil && !errors.Is(err, oms.ErrIncomplete) { // which probes the schema
				t.Fatal(err)
			}
			s.db.Wait()
			w.exec(t, lock)
			w.now = w.now.Add(time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			facts, err := s.Orders(ctx, w.now)
			if err == nil || ctx.Err() != nil || len(facts.Open.All) == 0 || facts.Missing != nil {
				t.Errorf("error %v, in time: %t, open %v, missing %v", err, ctx.Err() == nil, facts.Open, facts.Missing)
			}
		})
	}
}

// TestViews has views in the place of all tables, as an administrator grants them: everything is measured.
func TestViews(t *testing.T) {
	kinds := map[config.Driver][]string{config.MySQL: {"VIEW"}, config.Postgres: {"VIEW", "MATERIALIZED VIEW"}}
	for _, engine := range testserver.Engines()[1:] { // SQLite has tables only
		t.Run(engine.Name, func(t *testing.T) {
			newDatabase := engine.Start(t)
			for i, kind := range kinds[engine.Driver] {
				w := &world{db: newDatabase(t, fmt.Sprint("views", i), "UTC"), now: dataEnd}
				w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
				omsdata.Fill(t, w.db.Config.Driver, w.db.Admin, omsdata.World{Anchor: dataEnd, Orders: 500, Span: time.Hour})
				for _, wanted := range tables() {
					table := wanted.Name
					w.exec(t, "ALTER TABLE "+table+" RENAME TO the_"+table)
					w.exec(t, "CREATE "+kind+" "+table+" AS SELECT * FROM the_"+table)
					if w.db.Config.Driver == config.Postgres {
						w.exec(t, "GRANT SELECT ON "+table+" TO PUBLIC")
					}
				}
				s := w.source(t)
				testserver.Eventually(t, time.Minute, func() error {
					_, err := scrape(t.Context(), s, w.now)
					return err
				})
				if facts, err := s.Instance(t.Context(), w.now); err != nil || len(facts.Missing) > 0 {
					t.Errorf("%s: missing %v, error %v", kind, facts.Missing, err)
				}
			}
		})
	}
}
