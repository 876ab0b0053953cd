package sqlread

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestKillBehindBalancer gives a statement up behind a balancer that leads each connection to another server, where a
// connection of the same user with the same id runs the same: that goes on, and the right one ends.
func TestKillBehindBalancer(t *testing.T) {
	for kind, start := range map[string]func(testing.TB) *testserver.Server{"mariadb": testserver.MariaDB, "mysql": testserver.MySQL} {
		t.Run(kind, func(t *testing.T) { killBehindBalancer(t, start(t), start(t)) })
	}
}

func killBehindBalancer(t *testing.T, one, other *testserver.Server) {
	t.Helper()
	of, theirs := one.Database(t, "balanced", "UTC"), other.Database(t, "balanced", "UTC")
	for range 100 { // the ids of the one are ahead of the other's
		_ = one.Connections(t)
	}
	relay := relayTo(t, addressIn(t, config.MySQL, dsnOf(t, of)), addressIn(t, config.MySQL, dsnOf(t, theirs)))
	of.Config.DSN = config.EnvSecret(strings.Replace(dsnOf(t, of), addressIn(t, config.MySQL, dsnOf(t, of)), relay.address, 1))
	run := func(of testserver.Database, connected func(*Reader)) (cancel func(), done chan error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		done = make(chan error, 1)
		db := openTwoTables(t, testLogger(t), of)
		go func() {
			done <- db.Read(ctx, NewLane("jobs"), time.Now(), func(ctx context.Context, r *Reader) error {
				connected(r)
				return r.send(ctx, "busy", newStatement(busy(config.MySQL), "n"), nil, func(Record) {})
			})
		}()
		return cancel, done
	}
	running := func(server *testserver.Server) error {
		if n := len(server.Processes(t)); n != 1 {
			return fmt.Errorf("%d statements run", n)
		}
		return nil
	}
	idOf := func(r *Reader) (id int64) {
		if err := r.conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			t.Error(err)
		}
		return id
	}

	ids := make(chan int64, 1)
	cancel, done := run(of, func(r *Reader) { ids <- idOf(r) })
	defer cancel()
	id := <-ids
	admin := other.Admin(t, "balanced")
	for {
		conn, err := admin.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var next int64
		if err := conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID() + 1").Scan(&next); err != nil {
			t.Fatal(err)
		}
		discard(conn)
		if next > id {
			t.Fatalf("the id %d has been given away", id)
		}
		if next == id {
			break
		}
	}
	cancelTheirs, theirsDone := run(theirs, func(r *Reader) { ids <- idOf(r) })
	defer cancelTheirs()
	if theirID := <-ids; theirID != id {
		t.Fatalf("the ids are %d and %d, and should be the same", id, theirID)
	}
	for _, server := range []*testserver.Server{one, other} {
		testserver.Eventually(t, 10*time.Second, func() error { return running(server) })
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want it to wrap the cancellation", err)
	}
	gone(t, one)
	if err := running(other); err != nil {
		t.Errorf("on the other server %v", err)
	}
	cancelTheirs()
	if err := <-theirsDone; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want it to wrap the cancellation", err)
	}
	gone(t, other)
}
