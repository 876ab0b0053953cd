package sqldb

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
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
