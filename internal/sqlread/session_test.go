package sqlread

import (
	"go.uber.org/goleak"

	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// busy keeps the server at work for longer than any test; it does not look meanwhile whether its client is still there.
func busy(d config.Driver) string {
	if d == config.Postgres {
		return "SELECT COUNT(*) FROM generate_series(1, 1000000000000)"
	}
	return "SELECT /*limit*/ BENCHMARK(1000000000000, SHA2('a', 256))"
}

// twoTables has two tables of an OMS: one that nobody does without and one that some may lack a column of.
func twoTables() Catalogue {
	return Catalogue{
		SQL: `
-- statement: jobs
-- Counts the jobs, and never comes back while the table is locked.
-- columns: jobs
SELECT /*limit*/ COUNT(*) FROM {{job_sandbox}} WHERE COALESCE(pool_id, '') <> 'other';

-- statement: items
-- Counts the items.
-- columns: items
SELECT /*limit*/ COUNT({{col "order_item" "ship_group_seq_id"}}) FROM {{order_item}};
`,
		Tables: []Table{
			{Name: "job_sandbox", Required: "job_id pool_id", Probed: "lease_updated_stamp"},
			{Name: "order_item", Required: "order_id", Optional: "ship_group_seq_id"},
		},
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testLogger(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// openTwoTables opens a database of testserver.
func openTwoTables(t *testing.T, logger *slog.Logger, db testserver.Database) *DB {
	t.Helper()
	opened, err := Open(logger, "KREWE", db.Config, twoTables())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func onServers(t *testing.T, name string, test func(t *testing.T, server *testserver.Server, db *DB, of testserver.Database)) {
	for kind, start := range testserver.Servers() {
		t.Run(kind, func(t *testing.T) {
			server := start(t)
			of := server.Database(t, name, "America/New_York")
			test(t, server, openTwoTables(t, testLogger(t), of), of)
			if server.Driver() == config.Postgres {
				t.Run("pgbouncer", func(t *testing.T) {
					pooled := testserver.PgBouncer(t, server, 2)
					of := pooled.Database(t, name+"_pooled", "America/New_York")
					test(t, pooled, openTwoTables(t, testLogger(t), of), of)
				})
			}
		})
	}
}

// count asks how many jobs there are.
func count(ctx context.Context, r *Reader) (n int, err error) {
	err = r.Query(ctx, "jobs", nil, func(rec Record) { n = rec.Count("jobs") })
	return n, err
}

// gone waits until no statement of the exporter runs on the server.
func gone(t *testing.T, server *testserver.Server) {
	t.Helper()
	testserver.Eventually(t, 10*time.Second, func() error {
		if running := server.Processes(t); len(running) > 0 {
			return fmt.Errorf("still running: %v", running)
		}
		return nil
	})
}

// TestServerLimit shows that the server itself gives up when the time is over: here nobody else tells it to.
func TestServerLimit(t *testing.T) {
	onServers(t, "limits", func(t *testing.T, server *testserver.Server, db *DB, of testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		defer server.Lock(t, of, "job_sandbox")()
		// Only the server is told of this deadline: the context does not end by it.
		err := db.Read(deadline{ctx, time.Now().Add(3 * time.Second)}, NewLane("jobs"), time.Now(), func(ctx context.Context, r *Reader) error {
			_, err := count(ctx, r)
			return err
		})
		want := regexp.MustCompile("max_statement_time exceeded|maximum statement execution time exceeded|statement timeout")
		if err == nil || !want.MatchString(err.Error()) {
			t.Errorf("error %v, want %q in it", err, want)
		}
		gone(t, server)
	})
}

type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// TestCancelOnServer shows that a statement ends on the server when the scrape gives up, long before its limit, also where a server
// refuses to look at many rows.
func TestCancelOnServer(t *testing.T) {
	onServers(t, "cancels", func(t *testing.T, server *testserver.Server, db *DB, of testserver.Database) {
		if server.Driver() == config.MySQL { // of all but superusers
			testserver.Execute(t, of.Admin, "SET GLOBAL init_connect = 'SET max_join_size = 1'")
		}
		cancelOnServer(t, server, db)
	})
}

func cancelOnServer(t *testing.T, server *testserver.Server, db *DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	done := make(chan error)
	go func() {
		done <- db.Read(ctx, NewLane("jobs"), time.Now(), func(ctx context.Context, r *Reader) error {
			return r.send(ctx, "busy", newStatement(busy(server.Driver()), "n"), nil, func(Record) {})
		})
	}()
	// While it is parsed it hears nothing, and a pooler that has lost its client tells the server nothing any more: then its limit
	// ends it, which is long here.
	var began time.Time
	testserver.Eventually(t, 10*time.Second, func() error {
		if len(server.Processes(t)) == 0 {
			began = time.Time{}
			return errors.New("it does not run yet")
		}
		if began.IsZero() {
			began = time.Now()
		}
		if time.Since(began) < 300*time.Millisecond {
			return errors.New("it may still be parsed")
		}
		return nil
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want it to wrap the cancellation", err)
	}
	gone(t, server)
}

// TestClosedConnections has the server close all connections between two scrapes: the next scrape makes new ones.
func TestClosedConnections(t *testing.T) {
	onServers(t, "closed", func(t *testing.T, server *testserver.Server, db *DB, of testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var pooled []*sql.Conn // all that it may have, at once
		for range of.Config.MaxConnections {
			conn, err := db.pool.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			pooled = append(pooled, conn)
		}
		for _, conn := range pooled {
			_ = conn.Close() // back to the pool
		}
		server.EndConnections(t)
		testserver.Eventually(t, 10*time.Second, func() error {
			if n := server.Connections(t); n > 0 {
				return fmt.Errorf("%d connections are still there", n)
			}
			return nil
		})
		for _, lane := range []Lane{NewLane("jobs"), NewLane("items")} {
			err := db.Read(ctx, lane, time.Now(), func(ctx context.Context, r *Reader) error {
				_, err := count(ctx, r)
				return err
			})
			if err := errors.Join(err, db.Ping(ctx, lane, time.Now())); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestOneState has a row come in the middle of a run: the run does not see it, and the next one does.
func TestOneState(t *testing.T) {
	onServers(t, "state", func(t *testing.T, _ *testserver.Server, db *DB, of testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		run := func(between func(), want int) {
			t.Helper()
			err := db.Read(ctx, NewLane("jobs"), time.Now(), func(ctx context.Context, r *Reader) (err error) {
				for range 2 {
					n, failed := count(ctx, r)
					if err = errors.Join(err, failed); n != want {
						t.Errorf("%d rows, want %d", n, want)
					}
					between()
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		id := 0
		run(func() {
			id++
			testserver.Execute(t, of.Admin, fmt.Sprintf("INSERT INTO job_sandbox (job_id) VALUES ('%d')", id))
		}, 0)
		run(func() {}, 2)
	})
}

// TestReadOnly shows that even a user who may write cannot write by the exporter's transactions.
func TestReadOnly(t *testing.T) {
	onServers(t, "readonly", func(t *testing.T, server *testserver.Server, db *DB, of testserver.Database) {
		grant := "GRANT ALL ON readonly.* TO " + testserver.User + "@'%'"
		if server.Driver() == config.Postgres {
			grant = "GRANT ALL ON ALL TABLES IN SCHEMA public TO " + testserver.User
		}
		testserver.Execute(t, of.Admin, grant)
		readOnly(t, db)
	})
	t.Run("sqlite", func(t *testing.T) {
		of := testserver.Engines()[0].Start(t)(t, "readonly", "America/New_York")
		readOnly(t, openTwoTables(t, testLogger(t), of))
	})
}

func readOnly(t *testing.T, db *DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := db.Read(ctx, NewLane("jobs"), time.Now(), func(ctx context.Context, r *Reader) error {
		_, err := r.conn.ExecContext(ctx, "INSERT INTO job_sandbox (job_id) VALUES ('1')")
		return err
	})
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "read") || !strings.Contains(err.Error(), "client KREWE") {
		t.Errorf("error %v, want one about reading only that names the client", err)
	}
}

// TestMySQLLimit checks the limit of MySQL proper, whose hint MariaDB takes for a comment.
func TestMySQLLimit(t *testing.T) {
	for _, c := range []struct {
		mariaDB bool
		want    string
	}{
		{false, "SELECT /*+ MAX_EXECUTION_TIME(1500) */ /*limit*/ 1"},
		{true, "SET STATEMENT max_statement_time = 1.500 FOR SELECT /*limit*/ 1"},
	} {
		if got := mysqlLimit("SELECT /*limit*/ 1", 1500*time.Millisecond, c.mariaDB); got != c.want {
			t.Errorf("MariaDB %v: %q, want %q", c.mariaDB, got, c.want)
		}
	}
}

// TestKillHitsNobodyElse gives up between two statements, again and again, with one connection for everything.
func TestKillHitsNobodyElse(t *testing.T) {
	onServers(t, "nobodyelse", func(t *testing.T, _ *testserver.Server, db *DB, _ testserver.Database) {
		db.pool.SetMaxOpenConns(1)
		lane := NewLane("jobs")
		for i := range 30 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := db.Read(ctx, lane, time.Now(), func(context.Context, *Reader) error {
				cancel()
				return nil
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			err = db.Read(ctx, lane, time.Now(), func(ctx context.Context, r *Reader) error {
				_, err := count(ctx, r)
				return err
			})
			if err != nil {
				t.Fatalf("after %d times: %v", i, err)
			}
			cancel()
		}
	})
}

// TestFrozenAtTheEnd freezes the server before a transaction ends: the area is free again soon after the deadline.
func TestFrozenAtTheEnd(t *testing.T) {
	onServers(t, "frozen", func(t *testing.T, server *testserver.Server, db *DB, _ testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		free := make(chan struct{})
		go func() {
			defer close(free)
			_ = db.Read(ctx, NewLane("jobs"), time.Now(), func(context.Context, *Reader) error {
				server.Freeze(t)
				return nil
			})
		}()
		select {
		case <-free:
		case <-time.After(30 * time.Second):
			t.Error("the area is still busy")
		}
		server.Thaw()
	})
}
