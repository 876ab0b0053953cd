package sqldb

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestManyGroups has more channels, running jobs and configurations than can be held: what is held is bounded, everything is
// counted or its lack is told.
func TestManyGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	const channels, running, configs = 300_000, 60_000, 80_000
	db := testserver.Engines()[0].Start(t)(t, "many", "UTC")
	now := time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)
	// The orders and files are older than what the history holds: this is about what is open, and about the names of jobs.
	testserver.Execute(t, db.Admin, strings.NewReplacer("NOW", now.Add(-20*24*time.Hour).Format("'2006-01-02 15:04:05'"),
		"SINCE", now.Add(-24*time.Hour).Format("datetime('2006-01-02 15:04:05', '-' || i || ' seconds')"), "TODAY", now.Format("'2006-01-02 15:04:05'")).Replace(fmt.Sprintf(`
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, order_date, created_tx_stamp)
		SELECT 'M' || (1000000 + i), 'SALES_ORDER', 'ORDER_CREATED', 'STORE_' || i, 'CHANNEL_' || i, NOW, NOW, NOW FROM n;
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO job_sandbox (job_id, job_name, service_name, pool_id, status_id, run_time, start_date_time, last_updated_tx_stamp)
		SELECT 1000000 + i, 'Job ' || i, 'service' || i, 'pool', 'SERVICE_RUNNING', SINCE, SINCE, SINCE FROM n;
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, last_updated_tx_stamp)
		SELECT 1000000 + i, 'CONFIG_' || i, 'SERVICE_PENDING', NOW, NOW FROM n;
		INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES ('M1', 'SALES_ORDER', 'ORDER_COMPLETED', TODAY, TODAY);
		INSERT INTO job_sandbox (job_id, status_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES ('1', 'SERVICE_FINISHED', TODAY, TODAY, TODAY);
		INSERT INTO data_manager_log (log_id, status_id, finish_date_time, last_updated_tx_stamp) VALUES ('1', 'SERVICE_FINISHED', TODAY, TODAY);
		INSERT INTO data_manager_config (config_id) SELECT config_id FROM data_manager_log WHERE config_id IS NOT NULL;
	`, channels, running, configs)))
	s, err := Open(testLogger(t), config.Client{
		Name: "KREWE", Timezone: time.UTC, Database: db.Config,
		ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"CONFIG_79999"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })

	const most = 100 << 20
	highest, stop := peak(), make(chan struct{})
	measured := make(chan uint64)
	go func() {
		for {
			select {
			case <-stop:
				measured <- highest
				return
			case <-time.After(20 * time.Millisecond):
				highest = max(highest, peak())
			}
		}
	}()
	var orders oms.Orders
	var jobs oms.Jobs
	var files oms.DataManager
	var jobsErr error
	testserver.Eventually(t, 2*time.Minute, func() error {
		var ordersErr, filesErr error
		orders, ordersErr = s.Orders(t.Context(), now)
		jobs, jobsErr = s.Jobs(t.Context(), now)
		files, filesErr = s.DataManager(context.WithoutCancel(t.Context()), now)
		if errors.Is(jobsErr, oms.ErrIncomplete) {
			return jobsErr
		}
		return errors.Join(ordersErr, filesErr)
	})
	close(stop)
	if got := <-measured; got > most {
		t.Errorf("%d MiB are held at most", got>>20)
	} else {
		t.Logf("%d MiB are held at most", got>>20)
	}

	count, other := 0, 0
	for _, o := range orders.Open.All {
		count += o.Count
		if o.ProductStore == oms.Other {
			other += o.Count
		}
	}
	if count != channels || other != channels-mostNames || orders.Merged != other || len(orders.Created.All) != mostNames+1 {
		t.Errorf("%d open orders, %d of other channels, %d merged, %d channels of created ones",
			count, other, orders.Merged, len(orders.Created.All))
	}
	if jobs.Running != mostWaiting || len(jobs.Runs.All) != mostWaiting || jobsErr == nil || !strings.Contains(jobsErr.Error(), "5000 or more jobs are running: the others are not measured") ||
		!strings.Contains(jobsErr.Error(), "the history of jobs has more than 10000 names: those written longest ago are not measured") {
		t.Errorf("%d jobs run, %d are known: %v", jobs.Running, len(jobs.Runs.All), jobsErr)
	}
	count, other = 0, 0
	for _, f := range files.Open.All {
		count += f.Count
		if f.Config == oms.Other {
			other += f.Count
		}
	}
	if count != configs || other != configs-mostNames || files.Merged != other || len(files.Configs.All) != mostNames+1 || files.ConfigsLeft != configs-mostNames-1 {
		t.Errorf("%d files, %d of other configurations, %d merged, %d configurations and %d left out",
			count, other, files.Merged, len(files.Configs.All), files.ConfigsLeft)
	}
}

// peak is how many bytes of the heap are in use after what is garbage by now is taken away.
func peak() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
