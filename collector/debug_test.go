package collector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

func TestDebug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &source{
			jobs: goldens()["jobs"].source.jobs,
			before: func(ctx context.Context, name string) error {
				trace := oms.TraceFrom(ctx)
				switch name {
				case "jobs":
					trace("SELECT status_id, COUNT(*)\n  FROM job_sandbox", 12*time.Millisecond, 3, nil)
				case "orders":
					err := fmt.Errorf("orders: %w", os.ErrDeadlineExceeded)
					trace("SELECT order_id FROM order_header", 2*time.Second, 0, err)
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
