package sqldb

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsdata"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// TestSteadyScrape shows what a scrape sends between those that also look at what they do every 5 and every 15 minutes:
// each statement once. On the servers it also shows how many round trips that takes.
func TestSteadyScrape(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "steady", "UTC")
			omsdata.Fill(t, db.Config.Driver, db.Admin, omsdata.World{Anchor: dataEnd, Orders: 5000, Span: 6 * time.Hour})
			testserver.Execute(t, db.Admin, `UPDATE service_job_run SET end_time = start_time, has_error = 'N' WHERE end_time IS NULL AND job_run_id NOT IN (
				SELECT job_run_id FROM service_job_run_lock WHERE job_run_id IS NOT NULL)`) // runs in progress without a lock would be looked up by their ids
			var answered *atomic.Int64
			if db.Config.Driver == config.Postgres {
				answered = roundTrips(t, &db)
			}
			s, err := Open(testLogger(t), config.Client{
				Name: "KREWE", Timezone: time.UTC, Database: db.Config,
				ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			now := dataEnd
			testserver.Eventually(t, time.Minute, func() error {
				_, err := scrape(t.Context(), s, now)
				return err
			})
			if _, err := scrape(t.Context(), s, now.Add(30*time.Second)); err != nil { // which prepares what this connection has not sent yet
				t.Fatal(err)
			}
			before := commands(t, db, answered)
			sent, err := scrape(t.Context(), s, now.Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int{
				"orders_open": 1, "orders_created": 1, "orders_waiting": 1, "orders_changes": 1,
				"facility_types": 1, "facilities_virtual": 1,
				"jobs_open": 1, "jobs_changes": 1, "service_jobs": 1, "runs_between": 1,
				"files_open": 1, "files_changes": 1,
				"messages_open": 1,
			}
			if !maps.Equal(sent, want) {
				t.Errorf("sent %v, want %v", sent, want)
			}
			if db.Config.Driver == config.SQLite {
				return
			}
			// Each of five areas begins and ends a transaction, and the sixth asks whether the server answers. MariaDB also counts
			// the statement that asks for the count.
			around := 5*2 + 1
			if db.Config.Driver == config.MySQL {
				around++
			}
			if n := commands(t, db, answered) - before; n != len(want)+around {
				t.Errorf("%d round trips for %d statements", n, len(want))
			}
		})
	}
}

// scrape asks for everything at once, and returns how often each statement was sent.
func scrape(ctx context.Context, s oms.Source, now time.Time) (map[string]int, error) {
	var mu sync.Mutex
	sent := map[string]int{}
	ctx, cancel := context.WithTimeout(oms.WithScrape(ctx), time.Minute)
	defer cancel()
	ctx = trace.With(ctx, func(statement string, _ time.Duration, _ int, _ error) {
		mu.Lock()
		defer mu.Unlock()
		sent[statement]++
	})
	return sent, ask(ctx, s, now)
}

// ask asks for everything.
func ask(ctx context.Context, s oms.Source, now time.Time) error {
	_, instance := s.Instance(ctx, now)
	_, orders := s.Orders(ctx, now)
	_, lastMile := s.LastMile(ctx, now)
	_, jobs := s.Jobs(ctx, now)
	_, files := s.DataManager(ctx, now)
	_, resets := s.ResetInventory(ctx, now)
	_, messages := s.SystemMessages(ctx, now)
	return errors.Join(instance, orders, lastMile, jobs, files, resets, messages)
}

// commands counts what the server was sent so far.
func commands(t *testing.T, db testserver.Database, answered *atomic.Int64) (n int) {
	t.Helper()
	if db.Config.Driver == config.Postgres {
		return int(answered.Load())
	}
	if db.Config.Driver != config.MySQL {
		return 0
	}
	var name string
	if err := db.Admin.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
