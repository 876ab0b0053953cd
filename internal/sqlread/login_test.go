package sqlread

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A relay is an address that leads to servers, to each of them in turn.
type relay struct {
	address     string
	connections atomic.Int64 // so far
}

// relayTo starts a relay for the length of the test.
func relayTo(t *testing.T, servers ...string) *relay {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{address: listener.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			n := r.connections.Add(1) - 1
			to, err := new(net.Dialer).DialContext(context.WithoutCancel(t.Context()), "tcp", servers[int(n)%len(servers)])
			if err != nil {
				_ = from.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
				open.Go(func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return r
}

// dsnOf returns the database's DSN.
func dsnOf(t *testing.T, of testserver.Database) string {
	t.Helper()
	dsn, err := of.Config.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// addressIn returns host and port of a DSN.
func addressIn(t *testing.T, driver config.Driver, dsn string) string {
	t.Helper()
	if driver == config.Postgres {
		cfg, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		return postgresAddress(cfg)
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Addr
}

// TestRefusedLogin has all lanes at once log in with a wrong password: one attempt is made, the next when the back-off is
// over, and the next but that at once when the secret has changed. What was let in before goes on.
func TestRefusedLogin(t *testing.T) {
	onServers(t, "refusals", func(t *testing.T, server *testserver.Server, _ *DB, of testserver.Database) {
		good := dsnOf(t, of)
		relay := relayTo(t, addressIn(t, server.Driver(), good))
		good = strings.Replace(good, addressIn(t, server.Driver(), good), relay.address, 1)
		file := filepath.Join(t.TempDir(), "dsn")
		of.Config.DSN = config.FileSecret(file)
		write := func(dsn string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(dsn), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		wrong := func(n int) string {
			return strings.Replace(good, testserver.Password, fmt.Sprintf("%swrong%d", testserver.Password[1:], n), 1)
		}
		db := openTwoTables(t, testLogger(t), of)
		lanes := []Lane{NewLane("a"), NewLane("b"), NewLane("c"), NewLane("d"), NewLane("e")}
		start := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		// scrape returns what the lanes report, without repetition.
		scrape := func(after time.Duration) []string {
			var mu sync.Mutex
			var all []string
			var wg sync.WaitGroup
			for i, l := range lanes {
				wg.Go(func() {
					read := func() error { return db.Ping(ctx, l, start.Add(after)) }
					if i > 0 {
						read = func() error {
							return db.Read(ctx, l, start.Add(after), func(ctx context.Context, r *Reader) error {
								_, err := count(ctx, r)
								return err
							})
						}
					}
					err := read()
					mu.Lock()
					defer mu.Unlock()
					all = append(all, fmt.Sprint(err))
				})
			}
			wg.Wait()
			slices.Sort(all)
			return slices.Compact(all)
		}
		ok := []string{"<nil>"}
		for i, step := range []struct {
			after    time.Duration
			dsn      string
			attempts int64
			next     string // in every error; empty where there is none
		}{
			{0, wrong(1), 1, "17:00:10"},
			{9 * time.Second, "", 0, "17:00:10"},
			{10 * time.Second, "", 1, "17:00:30"},
			{29 * time.Second, "", 0, "17:00:30"},
			{30 * time.Second, "", 1, "17:01:10"},
			{31 * time.Second, wrong(2), 1, "17:00:41"}, // another secret begins again
			{32 * time.Second, good, int64(len(lanes)), ""},
			{33 * time.Second, wrong(3), 0, ""}, // all are connected
			{20 * time.Minute, "", 0, ""},
		} {
			if step.dsn != "" {
				write(step.dsn)
			}
			before := relay.connections.Load()
			said := scrape(step.after)
			attempts := relay.connections.Load() - before
			words := " refuses the login of user " + testserver.User + ", check the user name and the password in the DSN"
			switch {
			case step.next == "" && !slices.Equal(said, ok):
				t.Errorf("step %d: %v", i, said)
			case step.next != "" && (len(said) != 1 || !strings.HasPrefix(said[0], "client KREWE: "+relay.address+words) ||
				!strings.HasSuffix(said[0], "; the next attempt is at "+step.next+" UTC")):
				t.Errorf("step %d: %v", i, said)
			}
			if attempts != step.attempts && step.next != "" || attempts > step.attempts {
				t.Errorf("step %d: %d attempts, want %d", i, attempts, step.attempts)
			}
			if strings.Contains(fmt.Sprint(said), testserver.Password[1:]) {
				t.Errorf("step %d: the password shows: %v", i, said)
			}
		}

		// Nobody who was let in is left, and the server is away for a while: that is no refusal.
		write(good)
		db.pool.SetMaxIdleConns(-1)
		db.pool.SetMaxIdleConns(len(lanes))
		server.Freeze(t)
		short, stop := context.WithTimeout(ctx, 500*time.Millisecond)
		defer stop()
		if err := db.Ping(short, lanes[0], start.Add(time.Hour)); err == nil || strings.Contains(err.Error(), "next attempt") {
			t.Errorf("frozen server: %v", err)
		}
		server.Thaw()
		if said := scrape(time.Hour); !slices.Equal(said, ok) {
			t.Errorf("after that: %v", said)
		}
	})
}
