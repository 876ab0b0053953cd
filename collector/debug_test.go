package collector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

func TestDebug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &fake{
			Facts: facts{Jobs: goldens()["jobs"].source.Facts.Jobs},
			Before: func(ctx context.Context, name string) error {
				note := trace.From(ctx)
				switch name {
				case "jobs":
					note("SELECT status_id, COUNT(*)\n  FROM job_sandbox", 12*time.Millisecond, 3, nil)
				case "orders":
					err := fmt.Errorf("orders: %w", os.ErrDeadlineExceeded)
					note("SELECT order_id FROM order_header", 2*time.Second, 0, err)
					return errors.Join(fmt.Errorf("client KREWE: %w", err), os.ErrClosed)
				case "client":
					return pause(ctx, time.Hour)
				}
				return nil
			},
		})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var page bytes.Buffer
		collector.Debug(ctx, c, []string{"client", "orders", "jobs"}, &page)
		compare(t, "debug.txt", page.String())
		if s := status(t, c, "jobs"); s.Ran {
			t.Errorf("a debug run counts as one of the exporter's: %+v", s)
		}
	})
}

// TestDebugIsShared has many ask for debug runs at once, and some again and again.
func TestDebugIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{Before: func(ctx context.Context, _ string) error { return pause(ctx, 100*time.Millisecond) }}
		c := newClient(t, "KREWE", src, "jobs")
		debug := func(within time.Duration) string {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			var page bytes.Buffer
			collector.Debug(ctx, c, []string{"jobs"}, &page)
			return page.String()
		}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if page := debug(5 * time.Second); !strings.HasPrefix(page, "# client KREWE, collector jobs: succeeded after 100ms\n") {
					t.Error(page)
				}
			})
		}
		all.Wait()
		if n := src.Asked(); n != 1 {
			t.Errorf("1000 at once make %d runs", n)
		}
		start := time.Now()
		for range 8 {
			all.Go(func() {
				for time.Since(start) < 20*time.Second {
					debug(5 * time.Second)
				}
			})
		}
		all.Wait()
		if n := src.Asked(); n < 9 || n > 12 {
			t.Errorf("8 loops of 20 s make %d runs", n-1)
		}
		if page := debug(time.Second); !strings.Contains(page, "no answer within 1s") { // it is too early for another
			t.Error(page)
		}
	})
}
