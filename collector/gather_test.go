package collector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// pause waits for d or for the end of ctx, as a statement does.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func status(t *testing.T, c *collector.Client, name string) collector.Status {
	t.Helper()
	for _, s := range c.Status() {
		if s.Collector == name {
			return s
		}
	}
	t.Fatalf("no status of %s", name)
	return collector.Status{}
}

func TestHangingSourceCostsTheOthersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		good := newClient(t, "ADOC", goldens()["jobs"].source)
		alone := scrape(t, 10*time.Second, []*collector.Client{good})
		bad := newClient(t, "KREWE", &fake{Facts: facts{Jobs: goldens()["jobs"].source.Facts.Jobs}, Before: func(_ context.Context, name string) error {
			if name == "orders" {
				<-release // does not even heed its cancellation
			}
			return nil
		}})

		start := time.Now()
		text := scrape(t, 10*time.Second, []*collector.Client{bad, good})
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("the scrape took %s", took)
		}
		for line := range strings.Lines(alone) {
			want(t, text, strings.TrimSpace(line))
		}
		want(t, text,
			`oms_collector_success{client="KREWE",collector="orders"} 0`,
			`oms_collector_duration_seconds{client="KREWE",collector="orders"} 10`,
			`oms_collector_success{client="KREWE",collector="jobs"} 1`,
			`oms_collector_duration_seconds{client="KREWE",collector="jobs"} 0`,
			`oms_jobs{client="KREWE",status="pending"} 31`,
			`!oms_orders{channel="",client="KREWE"`, `!oms_collector_data_age_seconds{client="KREWE",collector="orders"}`)
		if s := status(t, bad, "orders"); !s.Ran || s.Success || s.Err.Error() != "no answer within 10s" {
			t.Errorf("status %+v", s)
		}
	})
}

// What holds up the questions to the OMS, holds up no others.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, elsewhere := &fake{}, &fake{Facts: facts{Reports: &oms.ReportRun{}}}
		c := collector.NewClient(collector.Options{
			Logger: slog.New(slog.DiscardHandler), Collectors: collector.All(), Now: func() time.Time { return now },
		}, config.Client{Name: "KREWE", Timezone: time.UTC}, collector.Sources{
			OMS: src, DropFolders: omstest.DropFolders{Fake: elsewhere}, Reports: omstest.Reports{Fake: elsewhere},
			Hold: func(ctx context.Context) error { return pause(ctx, time.Hour) },
		})
		scrape(t, 5*time.Second, []*collector.Client{c})
		for _, s := range c.Status() {
			if ofOMS := s.Collector != "sftp" && s.Collector != "reports"; s.Success == ofOMS {
				t.Errorf("%s: success %t", s.Collector, s.Success)
			}
		}
		if src.Asked() != 0 || elsewhere.Asked() != 2 {
			t.Errorf("%d questions to the OMS, %d to others", src.Asked(), elsewhere.Asked())
		}
	})
}

func TestTwoScrapesShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{
			Facts:  facts{Orders: oms.Orders{Open: oms.Known([]oms.OpenOrders{})}},
			Before: func(ctx context.Context, _ string) error { return pause(ctx, 10*time.Second) },
		}
		c := newClient(t, "KREWE", src, "orders")
		var first, second string
		var wg sync.WaitGroup
		wg.Go(func() { first = scrape(t, 5*time.Second, []*collector.Client{c}) })
		wg.Go(func() { second = scrape(t, 20*time.Second, []*collector.Client{c}) })
		wg.Wait()
		want(t, first, `oms_collector_success{client="KREWE",collector="orders"} 0`, "!oms_orders{")
		want(t, second, `oms_collector_success{client="KREWE",collector="orders"} 1`,
			`oms_collector_duration_seconds{client="KREWE",collector="orders"} 10`,
			`oms_orders{channel="",client="KREWE",product_store="",status="created"} 0`)
		if n := src.Asked(); n != 1 {
			t.Errorf("%d runs", n)
		}
		if s := status(t, c, "orders"); !s.Success || !s.LastSuccess.Equal(now) || s.Duration != 10*time.Second || s.Err != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestOneHangingUpDoesNotCancelTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &fake{Before: func(ctx context.Context, _ string) error { return pause(ctx, 10*time.Second) }}, "orders")
		ctx, hangUp := context.WithCancel(context.Background())
		var other string
		var wg sync.WaitGroup
		wg.Go(func() { exposition(t, collector.Gather(ctx, []*collector.Client{c}, nil)) })
		synctest.Wait()
		wg.Go(func() { other = scrape(t, 20*time.Second, []*collector.Client{c}) })
		synctest.Wait()
		hangUp()
		synctest.Wait()
		if s := status(t, c, "orders"); s.Ran {
			t.Errorf("hanging up counts as a run: %+v", s)
		}
		wg.Wait()
		want(t, other, `oms_collector_success{client="KREWE",collector="orders"} 1`)
	})
}

func TestLastWaiterCancelsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cancelled atomic.Bool
		c := newClient(t, "KREWE", &fake{Before: func(ctx context.Context, _ string) error {
			defer func() { cancelled.Store(ctx.Err() != nil) }()
			return pause(ctx, time.Hour)
		}}, "orders")
		scrape(t, 5*time.Second, []*collector.Client{c})
		synctest.Wait()
		if !cancelled.Load() {
			t.Error("the run goes on")
		}
	})
}

func TestFailureIsLoggedWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		src := &fake{}
		c := newClientWith(t, collector.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, "KREWE", src, "orders")
		for _, err := range []string{"", "refused", "refused", "refused", "unknown host", "", ""} {
			src.Err = nil
			if err != "" {
				src.Err = errors.New(err)
			}
			text := scrape(t, time.Second, []*collector.Client{c})
			want(t, text, fmt.Sprintf(`oms_collector_last_success_timestamp_seconds{client="KREWE",collector="orders"} %g`, float64(now.Unix())))
		}
		var got []string
		for line := range strings.Lines(log.String()) {
			_, line, _ = strings.Cut(line, " ") // the time
			got = append(got, strings.TrimSpace(line))
		}
		wanted := []string{
			`level=WARN msg="the collector failed" client=KREWE collector=orders duration_seconds=0 err=refused`,
			`level=WARN msg="the collector failed" client=KREWE collector=orders duration_seconds=0 err="unknown host"`,
			`level=INFO msg="the collector works" client=KREWE collector=orders duration_seconds=0`,
		}
		if strings.Join(got, "\n") != strings.Join(wanted, "\n") {
			t.Errorf("logged\n%s", log.String())
		}
	})
}

// TestPanic has each collector panic in turn: it is the one that fails, and its stack is logged once.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := goldens()["reports"].source
		src.Facts.DropFolders = goldens()["sftp_partial"].source.Facts.DropFolders
		for _, broken := range collector.All() {
			var log bytes.Buffer
			opts := collector.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
			src.Before = func(_ context.Context, name string) error {
				if name == broken.Name() {
					panic("boom")
				}
				return nil
			}
			c := newClientWith(t, opts, "KREWE", src)
			scrape(t, time.Second, []*collector.Client{c})
			text := scrape(t, time.Second, []*collector.Client{c})
			want(t, text, "!gather_test.go")
			if n := strings.Count(text, "\noms_collector_success{"); n != len(collector.All()) {
				t.Errorf("%d collectors answer:\n%s", n, text)
			}
			for _, s := range c.Status() {
				if failed := s.Err != nil && s.Err.Error() == "panic: boom"; failed != (s.Collector == broken.Name()) {
					t.Errorf("%s panics, and of %s: %v", broken.Name(), s.Collector, s.Err)
				}
			}
			if n := strings.Count(log.String(), "runtime/debug.Stack"); n != 1 || !strings.Contains(log.String(), "gather_test.go") {
				t.Errorf("%d stacks in the log: %s", n, log.String())
			}
		}
	})
}

func TestGenerationIsTheLastOneKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{Facts: facts{Instance: oms.Instance{Generation: oms.GenerationOFBiz}}}
		clients := []*collector.Client{newClient(t, "KREWE", src)}
		info := func(generation string) string {
			return `oms_client_info{brand="krewe",client="KREWE",generation="` + generation + `",region="us",timezone="America/Chicago"} 1`
		}
		want(t, scrape(t, time.Second, clients, "orders"), info("unknown"), `!collector="client"`)
		want(t, scrape(t, time.Second, clients), info("ofbiz"))
		src.Facts.Instance, src.Err = oms.Instance{Generation: oms.GenerationUnknown}, errors.New("refused")
		want(t, scrape(t, time.Second, clients), info("ofbiz"), `oms_collector_success{client="KREWE",collector="client"} 0`)
		src.Facts.Instance, src.Err = oms.Instance{Generation: oms.GenerationBoth}, nil
		want(t, scrape(t, time.Second, clients), info("both"), "!ofbiz")
	})
}

func TestScrapeWhileClosing(t *testing.T) {
	for range 20 {
		src := &fake{}
		src.Before = func(context.Context, string) error {
			if src.Closed() > 0 {
				t.Error("a run began after the source was closed")
			}
			return nil
		}
		clients := []*collector.Client{newClient(t, "KREWE", src)}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for src.Closed() == 0 {
					want(t, scrape(t, time.Minute, clients), `oms_client_utc_offset_seconds{client="KREWE"} -18000`)
				}
			})
		}
		wg.Go(func() {
			if err := clients[0].Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		want(t, scrape(t, time.Minute, clients), `oms_collector_success{client="KREWE",collector="jobs"} 0`)
	}
}

func TestCloseWaitsForRunsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{Before: func(ctx context.Context, _ string) error { return pause(ctx, 5*time.Second) }}
		clients := []*collector.Client{newClient(t, "KREWE", src, "jobs")}
		var text string
		var wg sync.WaitGroup
		wg.Go(func() { text = scrape(t, 10*time.Second, clients) })
		synctest.Wait()
		start := time.Now()
		if err := clients[0].Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second || src.Closed() == 0 {
			t.Errorf("closed after %s, source closed: %t", took, src.Closed() > 0)
		}
		wg.Wait()
		want(t, text, `oms_collector_success{client="KREWE",collector="jobs"} 1`)
	})
}
