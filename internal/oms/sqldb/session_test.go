package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// waiting is a statement that never comes back while job_sandbox is locked.
const waiting = "SELECT /*limit*/ COUNT(*) FROM job_sandbox"

// busy keeps the server at work for longer than any test; it does not look meanwhile whether its client is still there.
func busy(d config.Driver) string {
	if d == config.Postgres {
		return "SELECT COUNT(*) FROM generate_series(1, 1000000000000)"
	}
	return "SELECT /*limit*/ BENCHMARK(1000000000000, MD5('a'))"
}

func onServers(t *testing.T, name string, test func(t *testing.T, server *testserver.Server, s *Source, db testserver.Database)) {
	for kind, start := range map[string]func(testing.TB) *testserver.Server{"mariadb": testserver.MariaDB, "postgres": testserver.Postgres} {
		t.Run(kind, func(t *testing.T) {
			server := start(t)
			db := server.Database(t, name, "America/New_York")
			s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			test(t, server, s, db)
		})
	}
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
	onServers(t, "limits", func(t *testing.T, server *testserver.Server, s *Source, db testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		defer server.Lock(t, db, "job_sandbox")()
		// Only the server is told of this deadline: the context does not end by it.
		err := s.read(deadline{ctx, time.Now().Add(3 * time.Second)}, s.jobs, time.Now(), func(ctx context.Context, r *reader) error {
			return r.send(ctx, "waiting", newStatement(waiting), nil, func(record) {})
		})
		want := map[config.Driver]string{config.MySQL: "max_statement_time exceeded", config.Postgres: "statement timeout"}
		if err == nil || !strings.Contains(err.Error(), want[server.Driver()]) {
			t.Errorf("error %v, want %q in it", err, want[server.Driver()])
		}
		gone(t, server)
	})
}

type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// TestCancelOnServer shows that a statement ends on the server when the scrape gives up, long before its limit.
func TestCancelOnServer(t *testing.T) {
	onServers(t, "cancels", func(t *testing.T, server *testserver.Server, s *Source, _ testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		done := make(chan error)
		go func() {
			done <- s.read(ctx, s.jobs, time.Now(), func(ctx context.Context, r *reader) error {
				return r.send(ctx, "busy", newStatement(busy(server.Driver())), nil, func(record) {})
			})
		}()
		testserver.Eventually(t, 10*time.Second, func() error {
			if len(server.Processes(t)) == 0 {
				return errors.New("it does not run yet")
			}
			return nil
		})
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want it to wrap the cancellation", err)
		}
		gone(t, server)
	})
}

// TestClosedConnections has the server close all connections between two scrapes: the next scrape makes new ones.
func TestClosedConnections(t *testing.T) {
	onServers(t, "closed", func(t *testing.T, server *testserver.Server, s *Source, db testserver.Database) {
		now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
		testserver.Eventually(t, time.Minute, func() error {
			_, err := scrape(t.Context(), s, now)
			return err
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var pooled []*sql.Conn // all that it may have, at once
		for range db.Config.MaxConnections {
			conn, err := s.db.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			pooled = append(pooled, conn)
		}
		for _, conn := range pooled {
			_ = conn.Close() // back to the pool
		}
		end := "KILL USER " + testserver.User
		if server.Driver() == config.Postgres {
			end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + testserver.User + "'"
		}
		testserver.Execute(t, db.Admin, end)
		testserver.Eventually(t, 10*time.Second, func() error {
			if n := server.Connections(t); n > 0 {
				return fmt.Errorf("%d connections are still there", n)
			}
			return nil
		})
		if _, err := scrape(t.Context(), s, now.Add(30*time.Second)); err != nil {
			t.Error(err)
		}
	})
}

// TestOneState has a row come in the middle of a run: the run does not see it, and the next one does.
func TestOneState(t *testing.T) {
	onServers(t, "state", func(t *testing.T, _ *testserver.Server, s *Source, db testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		run := func(between func(), want int) {
			t.Helper()
			err := s.read(ctx, s.jobs, time.Now(), func(ctx context.Context, r *reader) (err error) {
				for range 2 {
					n := -1
					err = errors.Join(err, r.send(ctx, "counting", newStatement(waiting), nil, func(rec record) { n = rec.count(0) }))
					if n != want {
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
			testserver.Execute(t, db.Admin, fmt.Sprintf("INSERT INTO job_sandbox (job_id) VALUES ('%d')", id))
		}, 0)
		run(func() {}, 2)
	})
}

// TestReadOnly shows that even a user who may write cannot write by the exporter's transactions.
func TestReadOnly(t *testing.T) {
	onServers(t, "readonly", func(t *testing.T, server *testserver.Server, s *Source, db testserver.Database) {
		grant := "GRANT ALL ON readonly.* TO " + testserver.User + "@'%'"
		if server.Driver() == config.Postgres {
			grant = "GRANT ALL ON ALL TABLES IN SCHEMA public TO " + testserver.User
		}
		testserver.Execute(t, db.Admin, grant)
		readOnly(t, s)
	})
	t.Run("sqlite", func(t *testing.T) {
		db := testserver.Engines()[0].Start(t)(t, "readonly", "America/New_York")
		s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		readOnly(t, s)
	})
}

func readOnly(t *testing.T, s *Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := s.read(ctx, s.jobs, time.Now(), func(ctx context.Context, r *reader) error {
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
		{false, "SELECT /*+ MAX_EXECUTION_TIME(1500) */ 1"},
		{true, "SET STATEMENT max_statement_time = 1.500 FOR SELECT /*limit*/ 1"},
	} {
		if got := mysqlLimit("SELECT /*limit*/ 1", 1500*time.Millisecond, c.mariaDB); got != c.want {
			t.Errorf("MariaDB %v: %q, want %q", c.mariaDB, got, c.want)
		}
	}
}
