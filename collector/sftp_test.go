package collector_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// dropFolders asks one server that never answers, beside others that have.
type dropFolders struct {
	seen     []oms.DropLocation
	closed   bool
	closeErr error
}

func (d *dropFolders) Inspect(ctx context.Context, _ time.Time) ([]oms.DropLocation, error) {
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
		folders := &dropFolders{seen: goldens()["sftp_partial"].source.Facts.DropFolders}
		c := collector.NewClient(collector.Options{
			Logger: slog.New(slog.DiscardHandler), Collectors: collector.All(), Now: func() time.Time { return now },
		}, config.Client{Name: "KREWE", Timezone: time.UTC}, collector.Sources{OMS: &fake{}, DropFolders: folders})
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
		c := newClient(t, "KREWE", &fake{})
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
	src, folders, charts := &fake{}, &dropFolders{closeErr: errors.New("not cleanly")}, omstest.Reports{Fake: &fake{}}
	c := collector.NewClient(collector.Options{}, config.Client{Name: "KREWE"},
		collector.Sources{OMS: src, DropFolders: folders, Reports: charts})
	if err := c.Close(); !errors.Is(err, folders.closeErr) || src.Closed() != 1 || !folders.closed || charts.Closed() != 1 {
		t.Errorf("error %v, OMS closed: %d times, drop folders closed: %t, reports closed: %d times",
			err, src.Closed(), folders.closed, charts.Closed())
	}
}

// TestMisconfigured says in words, of a run that succeeds, which configuration is wrong and which pattern matches nothing.
func TestMisconfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := oms.ResetSource{Source: "wms", Configs: map[string]oms.ResetConfig{
			"RESET_INVENTORY": {Known: true, Enabled: true}, "RST_INV": {}, "OLD": {Known: true},
		}}
		files := oms.DropLocation{Location: "drop", Source: "wms", Folders: []oms.DropFolder{
			{Folder: oms.FolderInbox, Unmatched: 2}, {Folder: oms.FolderArchive, Older: 1},
		}}
		src := &fake{Facts: facts{ResetInventory: oms.ResetInventory{Sources: []oms.ResetSource{reset}}, DropFolders: []oms.DropLocation{files}}}
		c := newClient(t, "KREWE", src)
		look := func(name, remarks string) {
			t.Helper()
			scrape(t, time.Second, []*collector.Client{c})
			got := status(t, c, name)
			if text := strings.Join(got.Remarks, "; "); !got.Success || text != remarks || got.Misconfigured != (remarks != "") {
				t.Errorf("%s: success %v, misconfigured %v, %q, want %q", name, got.Success, got.Misconfigured, text, remarks)
			}
		}
		look("reset_inventory", "source wms: the configuration OLD is disabled in the data manager; "+
			"source wms: the data manager has no configuration RST_INV")
		src.Facts.ResetInventory.Sources[0].Configs = nil // it may not be read
		look("reset_inventory", "")
	})
}

// TestMisfit has a pattern that matches nothing where files lie.
func TestMisfit(t *testing.T) {
	for name, c := range map[string]struct {
		folders []oms.DropFolder
		misfit  bool
	}{
		"files beside the pattern":            {[]oms.DropFolder{{Folder: oms.FolderInbox, Unmatched: 2}, {Folder: oms.FolderArchive}}, true},
		"in the archive":                      {[]oms.DropFolder{{Folder: oms.FolderInbox}, {Folder: oms.FolderArchive, Unmatched: 2}}, true},
		"none":                                {[]oms.DropFolder{{Folder: oms.FolderInbox}, {Folder: oms.FolderArchive}}, false},
		"only among those that failed":        {[]oms.DropFolder{{Folder: oms.FolderInbox}, {Folder: oms.FolderFailed, Unmatched: 2}}, false},
		"others that match":                   {[]oms.DropFolder{{Folder: oms.FolderInbox, Unmatched: 2, Files: 1}}, false},
		"others that matched a long time ago": {[]oms.DropFolder{{Folder: oms.FolderInbox, Unmatched: 2}, {Folder: oms.FolderArchive, Older: 1}}, false},
	} {
		if got := (oms.DropLocation{Folders: c.folders}).Misfit(); got != c.misfit {
			t.Errorf("%s: %v", name, got)
		}
	}
}
