package behaviour

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
)

// TestConnections scrapes a server that never answers: each area of the OMS waits for one connection, and by default there is
// one for each.
func TestConnections(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	const plenty = 10 * config.DefaultMaxConnections
	client, source := watchSource(t, "SILENT", config.Database{
		Driver: config.MySQL, DSN: config.EnvSecret("u@tcp(" + silent.Addr().String() + ")/oms"), Timezone: time.UTC, MaxConnections: plenty,
	}, io.Discard)
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	scraped := make(chan error)
	go func() {
		_, err := collector.Gather(ctx, []*collector.Client{client}, nil).Gather()
		scraped <- err
	}()
	most := 0
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case <-tick.C:
			most = max(most, source.DB().Pool().Stats().OpenConnections)
			continue
		case err := <-scraped:
			tick.Stop()
			if err != nil {
				t.Error(err)
			}
		}
		break
	}
	if most != config.DefaultMaxConnections {
		t.Errorf("a scrape uses %d connections at once, and config.DefaultMaxConnections is %d", most, config.DefaultMaxConnections)
	}
}
