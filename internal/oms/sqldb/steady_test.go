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
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSteadyScrape shows what a scrape sends between those that also look at what they do every 5 and every 15 minutes:
// each statement once. On the servers it also shows how many round trips that takes, and on MariaDB that none of them looks
// at the past: its counters rise by far less than a table has rows.
func TestSteadyScrape(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "steady", "UTC")
			fillForPlans(t, db)
			var answered *atomic.Int64
			if db.Config.Driver == config.Postgres {
				answered = roundTrips(t, &db)
			}
			s, err := Open(testLogger(t), config.Client{
				Name: "KREWE", Timezone: time.UTC, Database: db.Config,
				ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"C1"}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			now := time.Date(2026, 11, 9, 10, 35, 0, 0, time.UTC) // where the past ends
			testserver.Eventually(t, time.Minute, func() error {
				_, err := scrape(t.Context(), s, now)
				return err
			})
			if _, err := scrape(t.Context(), s, now.Add(30*time.Second)); err != nil { // which prepares what this connection has not sent yet
				t.Fatal(err)
			}
			before := counted(t, db, answered)
			sent, err := scrape(t.Context(), s, now.Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int{
				"orders_open": 1, "orders_created": 1, "orders_waiting": 1, "orders_changes": 1,
				"jobs_pending": 1, "jobs_open": 1, "jobs_changes": 1, "job_locks": 1,
				"job_run_locks": 1, "runs_between": 1,
				"files_open": 1, "files_open_ids": 1, "files_changes": 1,
				"messages_open": 1,
			}
			if !maps.Equal(sent, want) {
				t.Errorf("sent %v, want %v", sent, want)
			}
			if db.Config.Driver == config.SQLite {
				return
			}
			after := counted(t, db, answered)
			// Each of four areas begins and ends a transaction. The fifth has a ping, which MariaDB does not count, but it counts
			// the statement that asks for the count.
			if n := after.commands - before.commands; n != len(want)+4*2+1 {
				t.Errorf("%d round trips for %d statements", n, len(want))
			}
			if n := after.rows - before.rows; n > 10000 {
				t.Errorf("looked at %d rows", n)
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
	ctx = oms.WithTrace(ctx, func(statement string, _ time.Duration, _ int, _ error) {
		mu.Lock()
		defer mu.Unlock()
		sent[statement]++
	})
	_, instance := s.Instance(ctx, now)
	_, orders := s.Orders(ctx, now)
	_, jobs := s.Jobs(ctx, now)
	_, files := s.DataManager(ctx, now)
	_, resets := s.ResetInventory(ctx, now)
	_, messages := s.SystemMessages(ctx, now)
	return sent, errors.Join(instance, orders, jobs, files, resets, messages)
}

// count is what a server has done so far: the commands that it was sent and, on MariaDB, how often a row was looked at.
type count struct{ commands, rows int }

func counted(t *testing.T, db testserver.Database, answered *atomic.Int64) (c count) {
	t.Helper()
	if db.Config.Driver == config.Postgres {
		c.commands = int(answered.Load())
	}
	if db.Config.Driver != config.MySQL {
		return c
	}
	err := db.Admin.QueryRowContext(t.Context(), `SELECT SUM(IF(variable_name = 'QUESTIONS', variable_value, 0)),
		SUM(IF(variable_name LIKE 'HANDLER\_READ\_%', variable_value, 0)) FROM information_schema.global_status`).
		Scan(&c.commands, &c.rows)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
