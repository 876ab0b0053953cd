package testserver_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var kinds = map[string]struct {
	start       func(testing.TB) *testserver.Server
	driver      config.Driver
	sqlDriver   string
	sleep, zone string
	shape       string // a query for a digest of the columns and indexes that a database has
}{
	"MariaDB":    {testserver.MariaDB, config.MySQL, "mysql", "SELECT sleep(60)", "SELECT @@time_zone", shapeMySQL},
	"mysql":      {testserver.MySQL, config.MySQL, "mysql", "SELECT sleep(60)", "SELECT @@time_zone", shapeMySQL},
	"PostgreSQL": {testserver.Postgres, config.Postgres, "pgx", "SELECT pg_sleep(60)", "SHOW timezone", shapePostgres},
}

const (
	shapeMySQL = `SELECT concat(count(*), ' ', sum(crc32(concat_ws(' ', name, place, detail, more, further)))) FROM (
		SELECT table_name AS name, ordinal_position AS place, column_name AS detail, column_type AS more, collation_name AS further
			FROM information_schema.columns WHERE table_schema = database()
		UNION ALL SELECT concat(table_name, ' ', index_name), seq_in_index, column_name, non_unique, index_type
			FROM information_schema.statistics WHERE table_schema = database()) AS parts`
	shapePostgres = `SELECT count(*) || ' ' || md5(string_agg(part, '; ' ORDER BY part)) FROM (
		SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, character_maximum_length, collation_name) AS part
			FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public') AS parts`
)

// TestOtherTables changes the tables of an OMS, as a developer does: the next server has them as they are now.
func TestOtherTables(t *testing.T) {
	mySQL, postgres := omsschema.MySQL, omsschema.Postgres
	defer func() { omsschema.MySQL, omsschema.Postgres = mySQL, postgres }()
	const added = ";\nCREATE TABLE added_later (id VARCHAR(20) PRIMARY KEY);\n"
	omsschema.MySQL, omsschema.Postgres = mySQL+added, postgres+added
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			server := kind.start(t)
			for _, database := range []string{"krewe", "ucg"} {
				server.NewDatabase(t, database)
				testserver.Execute(t, server.Admin(t, database), "INSERT INTO added_later (id) VALUES ('1')")
			}
		})
	}
}

func TestDatabases(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := kind.start(t)
			if got := server.Driver(); got != kind.driver {
				t.Errorf("driver %q, want %q", got, kind.driver)
			}
			dsn := server.NewDatabase(t, "krewe")
			server.NewDatabase(t, "ucg")
			db, err := sql.Open(kind.sqlDriver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()

			t.Run("the user reads what is granted and nothing else", func(t *testing.T) {
				owner := server.Admin(t, "krewe")
				testserver.Execute(t, owner, `INSERT INTO order_header (order_id) VALUES ('M100');
					CREATE TABLE person (first_name VARCHAR(100)); INSERT INTO person VALUES ('Ada')`)
				var orders int
				err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM order_header").Scan(&orders)
				if err != nil || orders != 1 {
					t.Errorf("%d orders, error %v; want 1", orders, err)
				}
				for _, statement := range []string{
					"INSERT INTO order_header (order_id) VALUES ('M101')",
					"UPDATE order_header SET status_id = 'ORDER_CANCELLED'",
					"UPDATE job_sandbox SET status_id = 'SERVICE_FAILED' WHERE job_id = '1'",
					"DELETE FROM order_header",
					"TRUNCATE TABLE order_header",
					"SELECT grand_total FROM order_header",
					"SELECT order_id FROM order_header ORDER BY grand_total",
					"SELECT * FROM order_header",
					"SELECT message_text FROM system_message",
					"SELECT errors FROM service_job_run",
					"SELECT first_name FROM person",
					"SELECT count(*) FROM shipment",
				} {
					if err := inWriting(t.Context(), db, statement); err == nil || !strings.Contains(err.Error(), "denied") {
						t.Errorf("%s gives %v, want it denied", statement, err)
					}
				}
			})
			t.Run("each database has tables of its own, like those of the others", func(t *testing.T) {
				server.NewDatabase(t, "third")
				var want string
				for _, name := range []string{"krewe", "ucg", "third"} {
					admin := server.Admin(t, name)
					if name != "krewe" { // which has the order of above
						testserver.Execute(t, admin, "CREATE TABLE person (first_name VARCHAR(100))")
					}
					var orders int
					if err := admin.QueryRowContext(t.Context(), "SELECT count(*) FROM order_header").Scan(&orders); err != nil || orders > 0 && name != "krewe" {
						t.Errorf("%s: %d orders, error %v", name, orders, err)
					}
					var got string
					if err := admin.QueryRowContext(t.Context(), kind.shape).Scan(&got); err != nil || want != "" && got != want {
						t.Errorf("%s: columns and indexes %s, error %v; want %s", name, got, err, want)
					}
					want = got
				}
			})
			t.Run("the password counts", func(t *testing.T) {
				stranger, err := sql.Open(kind.sqlDriver, strings.Replace(dsn, testserver.Password, "wrong", 1))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = stranger.Close() }()
				if err := stranger.PingContext(t.Context()); err == nil {
					t.Error("a wrong password is good enough")
				}
			})
			t.Run("the clock shows UTC", func(t *testing.T) {
				var zone string
				if err := db.QueryRowContext(t.Context(), kind.zone).Scan(&zone); err != nil || zone != "UTC" && zone != "+00:00" {
					t.Errorf("zone %q, error %v", zone, err)
				}
			})
			t.Run("statements and connections show", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				slept := make(chan error, 1)
				go func() { slept <- query(ctx, db, kind.sleep) }()
				testserver.Eventually(t, 10*time.Second, func() error {
					if got := server.Processes(t); len(got) != 1 || got[0] != kind.sleep {
						return fmt.Errorf("running %q, want %q alone", got, kind.sleep)
					}
					return nil
				})
				if n := server.Connections(t); n < 1 {
					t.Errorf("%d connections during a statement", n)
				}
				cancel()
				if err := <-slept; err == nil {
					t.Error("the cancelled statement succeeded")
				}
			})
			t.Run("a frozen server is silent", func(t *testing.T) {
				server.Freeze(t)
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				if err := query(ctx, db, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the frozen server answers %v", err)
				}
				server.Thaw()
				if err := query(t.Context(), db, "SELECT 1"); err != nil {
					t.Errorf("after the thaw: %v", err)
				}
			})
			t.Run("a forgotten frost ends with its test", func(t *testing.T) {
				t.Run("freeze", func(t *testing.T) { server.Freeze(t) })
				if err := query(t.Context(), db, "SELECT 1"); err != nil {
					t.Error(err)
				}
			})
			t.Run("nothing outlives the test process", func(t *testing.T) { killVictim(t, name) })
		})
	}
}

const victim = "TESTSERVER_VICTIM"

// TestVictim is the test process that killVictim kills. It does nothing else.
func TestVictim(t *testing.T) {
	switch name := os.Getenv(victim); name {
	case "":
		return
	case "sshd": // with a session, which has processes of its own
		s := testserver.SSHD(t)
		session(t, s, key(t, s))
		s.Freeze(t)
	default:
		kinds[name].start(t).Freeze(t)
	}
	fmt.Println("frozen")
	select {}
}

// killVictim kills a test process whose server is frozen, which is the hardest case: nothing in it can react.
func killVictim(t *testing.T, kind string) {
	dir, err := os.MkdirTemp("", "victim-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // so that the server can enter
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victim+"="+kind, "TMPDIR="+dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if said != "frozen\n" {
		t.Errorf("the victim says %q, %v", said, err)
	}
	if len(processesIn(t, dir)) == 0 {
		t.Error("the victim's server is not to be seen")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	testserver.Eventually(t, 10*time.Second, func() error {
		if pids := processesIn(t, dir); len(pids) > 0 {
			return fmt.Errorf("still there: %q", pids)
		}
		return nil
	})
}

// processesIn returns the processes that work below a folder.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(links, func(link string) bool {
		folder, err := os.Readlink(link)
		return err != nil || !strings.HasPrefix(folder, dir)
	})
}

// inWriting runs a statement in a transaction that may write, as far as the user may.
func inWriting(ctx context.Context, db *sql.DB, statement string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "START TRANSACTION READ WRITE"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, statement)
	_, failed := conn.ExecContext(ctx, "ROLLBACK")
	return errors.Join(err, failed)
}

// query runs a query to its end.
func query(ctx context.Context, db *sql.DB, statement string) error {
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
	}
	return rows.Err()
}

func TestMissingProgram(t *testing.T) {
	for required, want := range map[string]string{"": "--- SKIP: TestPrometheus", "1": "--- FAIL: TestPrometheus"} {
		notes := filepath.Join(t.TempDir(), "notes")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPrometheus$", "-test.v")
		cmd.Env = append(os.Environ(), "REQUIRE_SERVERS="+required, "NOT_TESTED="+notes, "PATH=/nowhere", "GOPATH=/nowhere")
		output, err := cmd.CombinedOutput()
		if failed := err != nil; failed != (required == "1") || !strings.Contains(string(output), want) ||
			!strings.Contains(string(output), "prometheus is not installed: make tools") {
			t.Errorf("REQUIRE_SERVERS=%s: %v\n%s", required, err, output)
		}
		noted, err := os.ReadFile(notes)
		if want := map[string]string{"": "prometheus is not installed: make tools\n"}[required]; string(noted) != want {
			t.Errorf("REQUIRE_SERVERS=%s: noted %q, error %v, want %q", required, noted, err, want)
		}
	}
}

func TestPrometheus(t *testing.T) {
	t.Parallel()
	base := testserver.Prometheus(t, "global: {external_labels: {proof: mine}}\nscrape_configs: []\n")
	body, err := testserver.Page(t.Context(), http.MethodGet, base+"/api/v1/status/config")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(body, "proof: mine") {
		t.Errorf("Prometheus runs with another configuration: %s", body)
	}
}
