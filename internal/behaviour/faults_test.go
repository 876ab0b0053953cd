package behaviour

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// short is the deadline of a scrape against a fault.
const short = 1500 * time.Millisecond

// TestServerFaults starts one server of each kind that can hang, and lets it suffer one fault after another.
func TestServerFaults(t *testing.T) {
	for name, start := range testserver.Servers() {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			t.Run("frozen", func(t *testing.T) { frozenServer(t, server) }) // alone: it counts goroutines
			t.Parallel()
			t.Run("locked table", func(t *testing.T) { lockedTable(t, server) })
			t.Run("one generation locked", func(t *testing.T) { oneGenerationLocked(t, server) })
			t.Run("one scraper hangs up", func(t *testing.T) { oneScraperHangsUp(t, server) })
			t.Run("plain words", func(t *testing.T) { plainWords(t, name, server) })
		})
	}
}

// watch is a client on a database, with the real clock and a log that can be read.
func watch(t *testing.T, name string, db config.Database, log io.Writer) *collector.Client {
	t.Helper()
	client, _ := watchSource(t, name, db, log)
	return client
}

// watchSource also returns the client's source.
func watchSource(t *testing.T, name string, db config.Database, log io.Writer) (*collector.Client, *sqldb.Source) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := config.Client{Name: name, Timezone: time.UTC, Database: db}
	source, err := sqldb.Open(logger, cfg)
	if err != nil {
		t.Fatal(err)
	}
	client := collector.NewClient(collector.Options{
		Logger: logger, Collectors: collector.All(), MaxSeries: 500, Now: time.Now,
	}, cfg, collector.Sources{OMS: source})
	t.Cleanup(func() { _ = client.Close() })
	return client, source
}

// look scrapes with a deadline and returns the series without their values, and what failed.
func look(t *testing.T, timeout time.Duration, clients ...*collector.Client) (series, failed []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	families, err := collector.Gather(ctx, clients, nil).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			var text strings.Builder
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
				fmt.Fprintf(&text, " %s=%s", l.GetName(), l.GetValue())
			}
			series = append(series, family.GetName()+text.String())
			if family.GetName() == "oms_collector_success" && m.GetGauge().GetValue() == 0 {
				failed = append(failed, labels["client"]+" "+labels["collector"])
			}
		}
	}
	return series, failed
}

// healthy scrapes until nothing fails, and returns the series.
func healthy(t *testing.T, clients ...*collector.Client) []string {
	t.Helper()
	var series []string
	testserver.Eventually(t, 30*time.Second, func() error {
		var failed []string
		if series, failed = look(t, 10*time.Second, clients...); len(failed) > 0 {
			return fmt.Errorf("failed: %v", failed)
		}
		return nil
	})
	return series
}

// collectorsOf lists all collectors of a client as look says which failed.
func collectorsOf(c *collector.Client) []string {
	var names []string
	for _, s := range c.Status() {
		names = append(names, c.Name()+" "+s.Collector)
	}
	slices.Sort(names)
	return names
}

func of(client string, series []string) []string {
	return slices.DeleteFunc(slices.Clone(series), func(s string) bool { return !strings.Contains(s, " client="+client) })
}

// frozenServer stops one client's server during scrapes: the other's series are complete and in time, and when it
// goes on, everything is as before.
func frozenServer(t *testing.T, frozen *testserver.Server) {
	other := testserver.Engines()[0]
	a := watch(t, "FROZEN", frozen.Database(t, "frozen", "America/New_York").Config, io.Discard)
	b := watch(t, "OTHER", other.Start(t)(t, "other", "America/New_York").Config, io.Discard)
	before := of("OTHER", healthy(t, a, b))
	healthy(t, a, b)
	goroutines, connections := runtime.NumGoroutine(), frozen.Connections(t)

	frozen.Freeze(t)
	for range 3 {
		start := time.Now()
		series, failed := look(t, short, a, b)
		if took := time.Since(start); took > 2*short {
			t.Errorf("the scrape took %s", took)
		}
		if want := collectorsOf(a); !slices.Equal(failed, want) {
			t.Errorf("failed %v, want %v", failed, want)
		}
		if got := of("OTHER", series); !slices.Equal(got, before) {
			t.Errorf("the other client's series: %d, want %d", len(got), len(before))
		}
		if got := of("FROZEN", series); !slices.Contains(got, "oms_client_info client=FROZEN generation=both timezone=UTC") {
			t.Errorf("no oms_client_info of the frozen client in %v", got)
		}
	}
	frozen.Thaw()
	healthy(t, a, b)
	testserver.Eventually(t, 30*time.Second, func() error {
		if n, c := runtime.NumGoroutine(), frozen.Connections(t); n > goroutines || c > connections {
			return fmt.Errorf("%d goroutines, %d before; %d connections, %d before", n, goroutines, c, connections)
		}
		return nil
	})
}

// lockedTable locks one table: only the collectors whose facts are in it fail, and their statements do not stay behind.
func lockedTable(t *testing.T, server *testserver.Server) {
	db := server.Database(t, "locked", "America/New_York")
	client := watch(t, "LOCKED", db.Config, io.Discard)
	healthy(t, client)
	for table, want := range map[string][]string{
		"job_sandbox":      {"LOCKED jobs"},
		"job_manager_lock": {"LOCKED jobs"},
		"service_job":      {"LOCKED jobs"},
		"data_manager_log": {"LOCKED data_manager", "LOCKED reset_inventory"},
		"order_header":     {"LOCKED orders"},
		"order_item":       {"LOCKED orders"},
		"system_message":   {"LOCKED system_messages"},
	} {
		unlock := server.Lock(t, db, table)
		_, failed := look(t, short, client)
		if !slices.Equal(failed, want) {
			t.Errorf("%s locked: failed %v, want %v", table, failed, want)
		}
		testserver.Eventually(t, 10*time.Second, func() error {
			if running := server.Processes(t); len(running) > 0 {
				return fmt.Errorf("still on the server: %v", running)
			}
			return nil
		})
		unlock()
		healthy(t, client)
	}
}

// oneGenerationLocked locks the jobs of one generation: those of the other are still told of, but not how many there are.
func oneGenerationLocked(t *testing.T, server *testserver.Server) {
	db := server.Database(t, "generations", "UTC")
	at := time.Now().UTC().Add(-time.Minute).Format(time.DateTime)
	testserver.Execute(t, db.Admin, strings.ReplaceAll(`
		INSERT INTO job_sandbox (job_id, job_name, pool_id, status_id, start_date_time, finish_date_time, last_updated_tx_stamp)
		VALUES ('1', 'ofbiz', 'pool', 'SERVICE_FINISHED', 'AT', 'AT', 'AT');
		INSERT INTO service_job_run (job_run_id, job_name, has_error, start_time, end_time) VALUES ('100001', 'moqui', 'N', 'AT', 'AT')`, "AT", at))
	client := watch(t, "BOTH", db.Config, io.Discard)
	healthy(t, client)
	for table, jobs := range map[string][]string{"service_job_run": {"ofbiz"}, "job_sandbox": {"moqui"}} {
		unlock := server.Lock(t, db, table)
		series, failed := look(t, short, client)
		unlock()
		if want := []string{"BOTH jobs"}; !slices.Equal(failed, want) {
			t.Errorf("%s locked: failed %v, want %v", table, failed, want)
		}
		var got []string
		for _, s := range series {
			if job, found := strings.CutPrefix(s, "oms_job_last_success_timestamp_seconds client=BOTH job_name="); found {
				got = append(got, job)
			}
			if strings.HasPrefix(s, "oms_jobs ") {
				t.Errorf("%s locked: %s cannot be known", table, s)
			}
		}
		if !slices.Equal(got, jobs) {
			t.Errorf("%s locked: jobs %v, want %v", table, got, jobs)
		}
		healthy(t, client)
	}
}

// oneScraperHangsUp has two wait for the same locked table: one leaves, and the other gets its answer.
func oneScraperHangsUp(t *testing.T, server *testserver.Server) {
	db := server.Database(t, "hangup", "America/New_York")
	client := watch(t, "KREWE", db.Config, io.Discard)
	healthy(t, client)
	unlock := server.Lock(t, db, "job_manager_lock")

	impatient, hangUp := context.WithCancel(t.Context())
	left, answered := make(chan struct{}), make(chan []string)
	go func() {
		_, _ = collector.Gather(impatient, []*collector.Client{client}, nil).Gather()
		close(left)
	}()
	testserver.Eventually(t, 10*time.Second, func() error {
		if len(server.Processes(t)) == 0 {
			return fmt.Errorf("no statement waits yet")
		}
		return nil
	})
	go func() {
		_, failed := look(t, 20*time.Second, client)
		answered <- failed
	}()
	// The second has joined when all that is not locked has run for it too; then the first leaves.
	testserver.Eventually(t, 10*time.Second, func() error {
		if _, failed := look(t, short, client); !slices.Equal(failed, []string{"KREWE jobs"}) {
			return fmt.Errorf("failed: %v", failed)
		}
		return nil
	})
	hangUp()
	<-left
	unlock()
	if failed := <-answered; len(failed) > 0 {
		t.Errorf("the patient scraper got no answer from %v", failed)
	}
}

// plainWords checks what people read when something is wrong, and that the password is nowhere in it.
func plainWords(t *testing.T, name string, server *testserver.Server) {
	good := server.Database(t, "words", "America/New_York")
	dsn, err := good.Config.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	with := func(old, replacement string) config.Database {
		db := good.Config
		db.DSN = config.EnvSecret(strings.Replace(dsn, old, replacement, 1))
		return db
	}
	dropped := server.Database(t, "dropped", "America/New_York")
	testserver.Execute(t, dropped.Admin, "DROP TABLE job_sandbox; DROP TABLE service_job_run")
	emptied := server.Database(t, "emptied", "America/New_York").As(t, "nobody", omsTables())
	cases := map[string]struct {
		db   config.Database
		want []string // in the state of the collector jobs
	}{
		"wrong password": {with(testserver.Password, testserver.Password+"x"),
			[]string{"client KREWE: " + address(t, dsn) + " refuses the login of user " + testserver.User, map[string]string{"mariadb": "Access denied for user", "mysql": "Access denied for user", "postgres": "password authentication failed"}[name], "; the next attempt is at "}},
		"unknown host":  {with("127.0.0.1", "no-such-host.invalid"), []string{"client KREWE: no name server ", "no-such-host.invalid"}},
		"nobody there":  {with("127.0.0.1", "127.0.0.2"), []string{"client KREWE: nothing listens at 127.0.0.2:", "connection refused"}},
		"dropped table": {with("/words", "/dropped"), []string{"client KREWE: table job_sandbox is not in the database"}},
		"empty":         {emptied, []string{"client KREWE: the database has no OMS tables, or its user is not allowed to read any"}},
		"no DSN":        {config.Database{Driver: good.Config.Driver, DSN: config.EnvSecret("%" + testserver.Password), Timezone: time.UTC, MaxConnections: 4}, []string{"client KREWE: connect: the DSN is not of the form"}},
		"quoted":        {with(address(t, dsn), quoting(t, good.Config.Driver)), []string{"client KREWE: ", " refuses the login of user ", "<secret>"}},
		"no secret":     {config.Database{Driver: good.Config.Driver, DSN: config.FileSecret(filepath.Join(t.TempDir(), "gone")), Timezone: time.UTC, MaxConnections: 4}, []string{"client KREWE: connect: ", "no such file"}},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			var out bytes.Buffer // all that a person can see
			client := watch(t, "KREWE", c.db, &out)
			series, failed := look(t, 5*time.Second, client)
			if !slices.Contains(failed, "KREWE jobs") {
				t.Errorf("failed %v, want KREWE jobs among them", failed)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			collector.Debug(ctx, client, nil, &out)
			for _, s := range client.Status() {
				fmt.Fprintln(&out, s)
				if s.Collector != "jobs" {
					continue
				}
				for _, want := range c.want {
					if s.Err == nil || !strings.Contains(s.Err.Error(), want) {
						t.Errorf("error %v, want %q in it", s.Err, want)
					}
				}
			}
			fmt.Fprintln(&out, series)
			if strings.Contains(out.String(), testserver.Password) {
				t.Errorf("the password shows in\n%s", out.String())
			}
		})
	}
}

var hostPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func address(t *testing.T, dsn string) string {
	t.Helper()
	found := hostPort.FindString(dsn)
	if found == "" {
		t.Fatal("no address in the DSN")
	}
	return found
}

// quoting is the address of a server that refuses everybody, and quotes the password in its refusal.
func quoting(t *testing.T, driver config.Driver) string {
	t.Helper()
	refusal := "no " + testserver.Password + " here"
	var packet []byte
	if driver == config.Postgres { // an ErrorResponse
		fields := "SFATAL\x00C28P01\x00M" + refusal + "\x00\x00"
		packet = append(binary.BigEndian.AppendUint32([]byte{'E'}, uint32(4+len(fields))), fields...)
	} else { // an ERR packet in place of the handshake
		body := append([]byte{0xff, 0x15, 0x04}, refusal...)
		packet = append([]byte{byte(len(body)), 0, 0, 0}, body...)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if driver == config.Postgres {
				_, _ = conn.Read(make([]byte, 1024)) // the start-up message, or a request for TLS, which it refuses too
			}
			_, _ = conn.Write(packet)
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}
