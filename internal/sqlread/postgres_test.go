package sqlread

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestIdleConnections has many connections read, and measures what each of them keeps: there are six for each client.
func TestIdleConnections(t *testing.T) {
	const connections, most = 20, 14 << 10
	of := testserver.Postgres(t).Database(t, "idle", "America/New_York")
	testserver.Execute(t, of.Admin, "ALTER ROLE exporter CONNECTION LIMIT -1")
	of.Config.MaxConnections = 1 + connections
	db := openTwoTables(t, testLogger(t), of)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var read func(connections int)
	read = func(connections int) {
		if connections == 0 {
			return
		}
		err := db.Read(ctx, NewLane("items"), time.Now(), func(ctx context.Context, r *Reader) error {
			read(connections - 1)
			return r.Query(ctx, "items", nil, func(Record) {})
		})
		if err != nil {
			t.Error(err)
		}
	}
	held := func() int64 {
		var m runtime.MemStats
		for range 3 { // what is in a sync.Pool goes with the second
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	read(1)
	before := held()
	for range 2 { // the second time with connections that have been idle
		read(1 + connections)
	}
	if each := (held() - before) / connections; each > most {
		t.Errorf("each connection holds %d bytes, want at most %d", each, most)
	}
	if open := db.Pool().Stats().OpenConnections; open != 1+connections {
		t.Errorf("%d connections are open, want %d", open, 1+connections)
	}
}
