package behaviour

import (
	"database/sql"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestPooler scrapes two clients by PgBouncer in transaction mode, all their areas at once, where it has few connections or a
// single one: everything is measured, what is given up ends on the server, and who comes after finds nothing changed.
func TestPooler(t *testing.T) {
	postgres := testserver.Postgres(t)
	for size := 1; size <= 3; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			server, name := testserver.PgBouncer(t, postgres, size), fmt.Sprint("pooled", size)
			db := server.Database(t, name, "America/New_York")
			krewe, ucg := watch(t, "KREWE", db.Config, io.Discard), watch(t, "UCG", db.Config, io.Discard)
			healthy(t, krewe, ucg)
			var scrapes sync.WaitGroup
			for range 3 {
				scrapes.Go(func() {
					for range 5 {
						if _, failed := look(t, 10*time.Second, krewe, ucg); len(failed) > 0 {
							t.Errorf("failed: %v", failed)
						}
					}
				})
			}
			scrapes.Wait()

			unlock := server.Lock(t, db, "job_sandbox")
			if _, failed := look(t, short, krewe, ucg); !slices.Contains(failed, "KREWE jobs") || !slices.Contains(failed, "UCG jobs") {
				t.Errorf("with a locked table failed %v", failed)
			}
			testserver.Eventually(t, 10*time.Second, func() error {
				if running := server.Processes(t); len(running) > 0 {
					return fmt.Errorf("still running: %v", running)
				}
				return nil
			})
			unlock()
			healthy(t, krewe, ucg)

			other, err := sql.Open("pgx", server.UserDSN(name)+"&default_query_exec_mode=simple_protocol")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = other.Close() }()
			for range 2 * size {
				var state string
				err := other.QueryRowContext(t.Context(), "SELECT current_setting('timezone') || ' ' || current_setting('statement_timeout') || ' ' || "+
					"(SELECT COUNT(*) FROM pg_prepared_statements)").Scan(&state)
				if want := "UTC 1min 0"; err != nil || state != want {
					t.Errorf("the next one finds %q, %v, want %q", state, err, want)
				}
			}
		})
	}
}
