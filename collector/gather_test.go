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
	"github.com/oms-exporter/oms_exporter/internal/oms"
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
		bad := newClient(t, "KREWE", &source{jobs: goldens()["jobs"].source.jobs, before: func(_ context.Context, name string) error {
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

func TestTwoScrapesShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{
			orders: oms.Orders{Open: []oms.OpenOrders{}},
			before: func(ctx context.Context, _ string) error { return pause(ctx, 10*time.Second) },
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
		if n := src.calls.Load(); n != 1 {
			t.Errorf("%d runs", n)
		}
		if s := status(t, c, "orders"); !s.Success || !s.LastSuccess.Equal(now) || s.Duration != 10*time.Second || s.Err != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestOneHangingUpDoesNotCancelTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &source{before: func(ctx context.Context, _ string) error { return pause(ctx, 10*time.Second) }}, "orders")
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
		c := newClient(t, "KREWE", &source{before: func(ctx context.Context, _ string) error {
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
		src := &source{}
		c := newClientWith(t, collector.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, "KREWE", src, "orders")
		for _, err := range []string{"", "refused", "refused", "refused", "unknown host", "", ""} {
			src.err = nil
			if err != "" {
				src.err = errors.New(err)
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

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		opts := collector.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		c := newClientWith(t, opts, "KREWE", &source{before: func(_ context.Context, name string) error {
			if name == "jobs" {
				panic("boom")
			}
			return nil
		}})
		text := scrape(t, time.Second, []*collector.Client{c})
		want(t, text, `oms_collector_success{client="KREWE",collector="jobs"} 0`,
			`oms_collector_success{client="KREWE",collector="orders"} 1`, "!source_test.go")
		if s := status(t, c, "jobs"); s.Err == nil || s.Err.Error() != "panic: boom" {
			t.Errorf("status %+v", s)
		}
		if !strings.Contains(log.String(), "source_test.go") {
			t.Errorf("no stack in the log: %s", log.String())
		}
	})
}

func TestGenerationIsTheLastOneKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{instance: oms.Instance{Generation: oms.GenerationOFBiz}}
		clients := []*collector.Client{newClient(t, "KREWE", src)}
		info := func(generation string) string {
			return `oms_client_info{brand="krewe",client="KREWE",generation="` + generation + `",region="us",timezone="America/Chicago"} 1`
		}
		want(t, scrape(t, time.Second, clients, "orders"), info("unknown"), `!collector="client"`)
		want(t, scrape(t, time.Second, clients), info("ofbiz"))
		src.instance, src.err = oms.Instance{Generation: oms.GenerationUnknown}, errors.New("refused")
		want(t, scrape(t, time.Second, clients), info("ofbiz"), `oms_collector_success{client="KREWE",collector="client"} 0`)
		src.instance, src.err = oms.Instance{Generation: oms.GenerationBoth}, nil
		want(t, scrape(t, time.Second, clients), info("both"), "!ofbiz")
	})
}

func TestScrapeWhileClosing(t *testing.T) {
	for range 20 {
		src := &source{}
		src.before = func(context.Context, string) error {
			if src.closed.Load() {
				t.Error("a run began after the source was closed")
			}
			return nil
		}
		clients := []*collector.Client{newClient(t, "KREWE", src)}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for !src.closed.Load() {
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
		src := &source{before: func(ctx context.Context, _ string) error { return pause(ctx, 5*time.Second) }}
		clients := []*collector.Client{newClient(t, "KREWE", src, "jobs")}
		var text string
		var wg sync.WaitGroup
		wg.Go(func() { text = scrape(t, 10*time.Second, clients) })
		synctest.Wait()
		start := time.Now()
		if err := clients[0].Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second || !src.closed.Load() {
			t.Errorf("closed after %s, source closed: %t", took, src.closed.Load())
		}
		wg.Wait()
		want(t, text, `oms_collector_success{client="KREWE",collector="jobs"} 1`)
	})
}
