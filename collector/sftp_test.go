package collector_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// dropFolders asks one server that never answers, beside others that have.
type dropFolders struct {
	seen     []oms.DropLocation
	closed   bool
	closeErr error
}

func (d *dropFolders) Look(ctx context.Context, _ time.Time) ([]oms.DropLocation, error) {
	<-ctx.Done()
	return d.seen, context.Cause(ctx)
}

func (d *dropFolders) Close() error {
	d.closed = true
	return d.closeErr
}

// A server that is silent to the end costs the other locations nothing.
func TestSilentDropFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folders := &dropFolders{seen: goldens()["sftp_partial"].source.dropFolders}
		c := collector.NewClient(collector.Options{
			Logger: slog.New(slog.DiscardHandler), Collectors: collector.All(), Now: func() time.Time { return now },
		}, config.Client{Name: "KREWE", Timezone: time.UTC}, collector.Sources{OMS: &source{}, DropFolders: folders})
		start := time.Now()
		text := scrape(t, 10*time.Second, []*collector.Client{c})
		if took := time.Since(start); took != 9*time.Second {
			t.Errorf("the scrape took %s", took)
		}
		want(t, text, `oms_sftp_files{client="KREWE",folder="inbox",location="seen",source="wms"} 0`,
			`oms_collector_success{client="KREWE",collector="sftp"} 0`, `oms_collector_duration_seconds{client="KREWE",collector="sftp"} 9`,
			`oms_collector_success{client="KREWE",collector="jobs"} 1`, `oms_collector_duration_seconds{client="KREWE",collector="jobs"} 0`)
	})
}

func TestClientWithoutDropFolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &source{})
		want(t, scrape(t, time.Second, []*collector.Client{c}), "!sftp", `oms_collector_success{client="KREWE",collector="jobs"} 1`)
		want(t, scrape(t, time.Second, []*collector.Client{c}, "sftp"), "!collector=", `oms_client_utc_offset_seconds{client="KREWE"} -18000`)
		for _, s := range c.Status() {
			if s.Collector == "sftp" {
				t.Errorf("status %+v", s)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var page bytes.Buffer
		collector.Debug(ctx, c, []string{"sftp"}, &page)
		want(t, page.String(), "# client KREWE has none of these collectors")
	})
}

func TestCloseClosesEverySource(t *testing.T) {
	src, folders, charts := &source{}, &dropFolders{closeErr: errors.New("not cleanly")}, reports{&source{}}
	c := collector.NewClient(collector.Options{}, config.Client{Name: "KREWE"},
		collector.Sources{OMS: src, DropFolders: folders, Reports: charts})
	if err := c.Close(); !errors.Is(err, folders.closeErr) || !src.closed.Load() || !folders.closed || !charts.closed.Load() {
		t.Errorf("error %v, OMS closed: %t, drop folders closed: %t, reports closed: %t",
			err, src.closed.Load(), folders.closed, charts.closed.Load())
	}
}
