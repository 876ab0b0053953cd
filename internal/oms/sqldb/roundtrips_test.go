package sqldb

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// roundTrips puts something between the exporter and a PostgreSQL server that counts how often the latter says that it has
// answered (ReadyForQuery).
func roundTrips(t *testing.T, db *testserver.Database) *atomic.Int64 {
	t.Helper()
	dsn, err := db.Config.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	between, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n, address := new(atomic.Int64), server.Host
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := between.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			running.Go(func() { relay(t, client, address, n) })
		}
	})
	t.Cleanup(func() {
		_ = between.Close()
		running.Wait()
	})
	server.Host = between.Addr().String()
	db.Config.DSN = config.EnvSecret(server.String())
	return n
}

// relay passes on what a client and its server say until one of them hangs up.
func relay(t *testing.T, client net.Conn, address string, n *atomic.Int64) {
	server, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	for head := make([]byte, 5); ; { // each message has its type and its length, which counts itself
		if _, err := io.ReadFull(server, head); err != nil {
			break
		}
		if head[0] == 'Z' {
			n.Add(1)
		}
		_, err1 := client.Write(head)
		_, err2 := io.CopyN(client, server, int64(binary.BigEndian.Uint32(head[1:]))-4)
		if errors.Join(err1, err2) != nil {
			break
		}
	}
	_ = client.Close()
	asking.Wait()
}
