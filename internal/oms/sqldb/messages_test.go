package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// onSQLite is a source on the tables that the statements leave.
func onSQLite(t *testing.T, name, statements string) (context.Context, *Source) {
	t.Helper()
	db := testserver.Engines()[0].Start(t)(t, name, "UTC")
	testserver.Execute(t, db.Admin, statements)
	s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx, s
}

// TestHeapOfMessages has more messages in error than are looked at: those in other states are all seen.
func TestHeapOfMessages(t *testing.T) {
	var rows []string
	for i := range 10_500 {
		rows = append(rows, fmt.Sprintf("('%d', 'Feed', 'SmsgError', 'Y')", i))
	}
	rows = append(rows, "('a', 'Feed', 'SmsgProduced', 'Y')", "('b', 'Feed', 'SmsgNewInTown', 'Y')", "('c', 'Feed', NULL, 'Y')")
	ctx, s := onSQLite(t, "heap", "INSERT INTO system_message (system_message_id, system_message_type_id, status_id, is_outgoing) VALUES "+
		strings.Join(rows, ", "))
	open, err := s.SystemMessages(ctx, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[oms.MessageStatus]int{}
	for _, m := range open.All {
		counts[m.Status] += m.Count
	}
	if len(counts) != 3 || counts[oms.MessageError] != 10_000 || counts[oms.MessageProduced] != 1 || counts[oms.MessageOther] != 2 {
		t.Errorf("got %v", counts)
	}
}

// TestWithoutMoqui asks stock OFBiz, which has neither system messages nor reconciliations: that is no failure.
func TestWithoutMoqui(t *testing.T) {
	ctx, s := onSQLite(t, "stock", "DROP TABLE system_message; DROP TABLE shopify_oms_order_recon; "+
		"DROP INDEX orderext_id_idx; ALTER TABLE order_header DROP COLUMN external_id")
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	if open, err := s.SystemMessages(ctx, now); open.Known || err != nil {
		t.Errorf("messages %v and error %v, want neither", open, err)
	}
	testserver.Eventually(t, time.Minute, func() error { // until the first look back is over
		orders, err := s.Orders(ctx, now)
		if orders.Missing != nil {
			t.Errorf("missing orders %v", orders.Missing)
		}
		return err
	})
	instance, err := s.Instance(ctx, now)
	want := []oms.Column{{Table: "order_header", Column: "external_id"}, {Table: "system_message"}, {Table: "shopify_oms_order_recon"}}
	if err != nil || !slices.Equal(instance.Missing, want) {
		t.Errorf("missing %v and error %v, want %v", instance.Missing, err, want)
	}
}
