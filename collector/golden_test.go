package collector_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ago(d time.Duration) time.Time { return now.Add(-d) }

type golden struct {
	collector string
	source    *source
}

// goldens are facts, and the collector that turns them into metrics, by golden file.
func goldens() map[string]golden {
	web := oms.Channel{ProductStore: "STORE", Channel: "WEB_SALES_CHANNEL"}
	pos := oms.Channel{ProductStore: "STORE", Channel: "POS_SALES_CHANNEL"}
	return map[string]golden{
		"client": {"client", &source{instance: oms.Instance{
			Generation: oms.GenerationBoth,
			Missing:    []oms.Column{{Table: "job_manager_lock"}, {Table: "data_manager_log", Column: "failed_record_count"}},
			ClockSkew:  new(-90 * time.Second),
		}}},
		"client_unreachable": {"client", &source{err: errors.New("connection refused")}},

		"orders": {"orders", &source{orders: oms.Orders{
			Open: []oms.OpenOrders{
				{Channel: web, Status: oms.OrderCreated, Count: 9},
				{Channel: web, Status: oms.OrderApproved, Count: 120},
				{Channel: pos, Status: oms.OrderHeld, Count: 2},
			},
			Created: []oms.CreatedOrders{
				{Channel: web, Oldest: ago(7 * time.Hour), OlderThan: []int{5, 3, 1, 0, 0}},
				{Channel: pos, Oldest: ago(-2 * time.Second), OlderThan: []int{0, 0, 0, 0, 0}},
			},
			Excluded:    map[string]int{"channel:LOOP_EXCH": 4, "missing_attribute:SIGNIFYD_APPROVED": 0},
			Unfulfilled: []oms.WaitingOrders{{Place: "store", Count: 40, Oldest: ago(50 * time.Hour)}},
			Parked: []oms.WaitingOrders{
				{Place: "UNFILLABLE_PARKING", Count: 3, Oldest: ago(25 * time.Hour)},
				{Place: "BACKORDER_PARKING"},
			},
			Imports: []oms.Import{
				{Channel: web, Last: ago(30 * time.Second), Seen: 17},
				{Channel: oms.Channel{ProductStore: "STORE_2"}, Last: ago(3 * 24 * time.Hour)},
			},
			Missing: []oms.MissingOrders{{Shop: "10000", Count: 2}, {Shop: "SHOPIFY_CA"}},
			Age:     2 * time.Minute,
		}}},
		"orders_idle": {"orders", &source{orders: oms.Orders{
			Open: []oms.OpenOrders{}, Created: []oms.CreatedOrders{},
			Unfulfilled: []oms.WaitingOrders{}, Parked: []oms.WaitingOrders{}, Imports: []oms.Import{},
		}}},
		"orders_partial": {"orders", &source{err: errors.New("statement timeout"), orders: oms.Orders{
			Open: []oms.OpenOrders{{Channel: web, Status: oms.OrderCreated, Count: 9}},
		}}},

		"jobs": {"jobs", &source{jobs: oms.Jobs{
			Pending: 31, Queued: 2, Running: 4,
			Runs: []oms.Run{
				{JobName: "JOB_IMP_ORD/STORE/SHOP", JobID: "10001", Instance: "ofbiz1", Start: ago(15 * time.Minute)},
				{JobName: "JOB_RST_INV", JobID: "10002", Instance: "ofbiz1", Start: ago(50 * time.Minute)},
				{JobName: "JOB_RST_INV", JobID: "10003", Instance: "ofbiz2", Start: ago(16 * time.Minute)},
				{JobName: "new in town \xff", JobID: "10004", Instance: "ofbiz2"},
			},
			Pools: []oms.Pool{
				{Name: "pool", OldestDue: ago(20 * time.Second), LastStart: ago(5 * time.Second)},
				{Name: "pool", OldestDue: ago(80 * time.Second), LastStart: ago(9 * time.Second)},
				{Name: "idle"},
			},
			Locks: map[string]bool{"_NA_": false, "ofbiz2": true},
			History: &oms.JobHistory{
				Age:      4 * time.Minute,
				Activity: map[string]time.Time{"ofbiz1": ago(time.Second), "ofbiz2": ago(time.Hour)},
				Jobs: []oms.JobRuns{
					{JobName: "JOB_RST_INV", LastSuccess: ago(24 * time.Hour), LastDuration: new(95 * time.Second)},
					{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(45 * time.Minute)},
				},
			},
		}}},
		"jobs_none":      {"jobs", &source{}}, // a vintage without jobs
		"jobs_look_back": {"jobs", &source{err: oms.ErrLookBack, jobs: oms.Jobs{Runs: []oms.Run{}, Pools: []oms.Pool{{Name: "pool"}}}}},
		"jobs_one_generation": {"jobs", &source{err: errors.New("statement timeout"), jobs: oms.Jobs{
			Pending: 3, Running: 1, Partial: true,
			Runs:    []oms.Run{{JobName: "sync", JobID: "100001", Instance: "maarg-1", Start: ago(20 * time.Minute)}},
			History: &oms.JobHistory{Jobs: []oms.JobRuns{{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(45 * time.Minute)}}},
		}}},
		"jobs_partial": {"jobs", &source{err: errors.New("statement timeout"), jobs: oms.Jobs{
			History: &oms.JobHistory{Jobs: []oms.JobRuns{{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(45 * time.Minute)}}},
		}}},

		"data_manager": {"data_manager", &source{dataManager: oms.DataManager{
			Open: []oms.OpenFiles{
				{Config: "IMP_ORD", Status: oms.FilePending, Count: 3, Oldest: ago(2 * time.Hour)},
				{Config: "RESET_INVENTORY", Status: oms.FileRunning, Count: 1, Oldest: ago(10 * time.Minute)},
				{Config: "RESET_INVENTORY", Status: oms.FileOther, Count: 1, Oldest: ago(time.Minute)},
			},
			History: &oms.FileHistory{Age: 90 * time.Second, Configs: []oms.FileRuns{
				{Config: "RESET_INVENTORY", LastSuccess: ago(24 * time.Hour), LastFailure: ago(23 * time.Hour),
					Recent:              map[oms.FileOutcome]int{oms.FileFinishedWithErrors: 1, oms.FileFailed: 2},
					RecentFailedRecords: 57},
				{Config: "EXP_FULFILLMENT", LastSuccess: ago(time.Hour)},
			}},
		}}},
		// Without dates and counts: what is not known is absent, and no zero.
		"data_manager_unknown": {"data_manager", &source{dataManager: oms.DataManager{
			Open: []oms.OpenFiles{
				{Config: "IMP_ORD", Status: oms.FilePending, Count: 1, Oldest: ago(2 * time.Hour)},
				{Config: "IMP_ORD", Status: oms.FileRunning, Count: 2},
				{Config: "\xfe", Status: oms.FileRunning, Count: 1}, // shown like the next one
				{Config: "\xff", Status: oms.FileRunning, Count: 1, Oldest: ago(time.Hour)},
			},
			History: &oms.FileHistory{RefusalsUnknown: true, Configs: []oms.FileRuns{
				{Config: "IMP_ORD", Recent: map[oms.FileOutcome]int{oms.FileFinished: 3}},
			}},
		}}},
		"data_manager_look_back": {"data_manager", &source{err: oms.ErrLookBack, dataManager: oms.DataManager{
			Open: []oms.OpenFiles{{Config: "IMP_ORD", Status: oms.FileQueued, Count: 1, Oldest: ago(time.Minute)}},
		}}},

		"reset_inventory": {"reset_inventory", &source{resetInventory: oms.ResetInventory{
			Age: time.Minute,
			Sources: []oms.ResetSource{
				{Source: "wms", LastProcessed: ago(72*time.Hour + 30*time.Minute), LastReceived: ago(20 * time.Minute),
					LastRecords: oms.Records{Total: new(5000), Failed: new(12)}, Running: 1, RunningSince: ago(10 * time.Minute)},
				{Source: "shopify"},
			},
		}}},
		"reset_inventory_look_back": {"reset_inventory", &source{err: oms.ErrLookBack}},

		"system_messages": {"system_messages", &source{systemMessages: []oms.OpenMessages{
			{Type: "OMSFulfillmentFeed", Direction: oms.MessageOut, Status: oms.MessageFailing, Count: 2, Oldest: ago(4 * time.Hour)},
			{Type: "OMSFulfillmentFeed", Direction: oms.MessageOut, Status: oms.MessageError, Count: 3, Oldest: ago(50 * time.Hour)},
			{Type: "ShopifyOrderWebhook", Direction: oms.MessageIn, Status: oms.MessageOther, Count: 1, Oldest: ago(time.Hour)},
			{Type: "ShopifyOrderWebhook", Direction: oms.MessageIn, Status: oms.MessageOther, Count: 4, Oldest: ago(time.Minute)},
			{Type: "", Direction: oms.MessageIn, Status: oms.MessageReceived, Count: 1, Oldest: ago(-time.Second)},
		}}},
		"system_messages_idle":   {"system_messages", &source{systemMessages: []oms.OpenMessages{}}},
		"system_messages_absent": {"system_messages", &source{}}, // stock OFBiz has no such table
		"system_messages_failed": {"system_messages", &source{err: errors.New("statement timeout")}},

		"sftp": {"sftp", &source{dropFolders: []oms.DropLocation{
			{Location: "reset-inventory", Source: "wms", Age: 4 * time.Minute, Folders: []oms.DropFolder{
				{Folder: oms.FolderInbox, Files: 3, Oldest: ago(2 * time.Hour), Newest: ago(time.Minute)},
				{Folder: oms.FolderFailed},
				{Folder: oms.FolderArchive, Files: 100_000, Oldest: ago(47 * time.Hour), Newest: ago(23 * time.Hour), Truncated: true},
			}, Invalid: map[oms.InvalidReason]int{oms.InvalidNotCSV: 1, oms.InvalidHeader: 2}},
			{Location: "unchecked", Source: "wms", Folders: []oms.DropFolder{
				{Folder: oms.FolderInbox, Files: 1, Oldest: ago(-time.Second), Newest: ago(-time.Second)},
			}},
		}}},
		"sftp_partial": {"sftp", &source{
			err: errors.New(`location gone: the folder inbox "/gone" does not exist`),
			dropFolders: []oms.DropLocation{
				{Location: "seen", Source: "wms", Folders: []oms.DropFolder{{Folder: oms.FolderInbox}}},
				{Location: "gone", Source: "shopify"},
			},
		}},

		"reports": {"reports", &source{reports: &oms.ReportRun{Age: 3 * time.Minute, Dashboards: []oms.Dashboard{
			{Name: "krewe-order-sync", Charts: []oms.Chart{
				{Name: "Created orders", DataSource: "KREWE", Took: 1200 * time.Millisecond, Rows: 17, Read: ago(40 * time.Minute)},
				{Name: "Unfillable", DataSource: "KREWE", Took: 80 * time.Millisecond, Rows: 1, Read: ago(3 * time.Minute),
					Values: map[string]float64{"orders": 4, "worth": 120.5}},
				{Name: "Import errors", DataSource: "KREWE Solr", Took: 30 * time.Millisecond, Failures: 3,
					Failure: &oms.ReportFailure{Reason: oms.ReportDataSourceLogin, Text: "401 Client Error: Unauthorized"}},
				{Name: "Old", Failures: 1, Failure: &oms.ReportFailure{Reason: oms.ReportDeleted, Text: "the chart 7 is deleted"}},
			}},
			{Name: "Fulfillment"},
		}}}},
		"reports_partial": {"reports", &source{
			err: errors.New("dashboard nec: login: https://tathya.example.com refuses the login"),
			reports: &oms.ReportRun{Dashboards: []oms.Dashboard{
				{Name: "nec", Failure: &oms.ReportFailure{Reason: oms.ReportLogin, Text: "https://tathya.example.com refuses the login"}, Failures: 4},
			}},
		}},
	}
}

// compare fails the test unless got is what the golden file says.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", file), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := fs.ReadFile(os.DirFS("testdata"), file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(golden) {
		t.Errorf("got\n%s\nwant\n%s", got, golden)
	}
}

func TestGolden(t *testing.T) {
	for name, g := range goldens() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // stops the clock by which durations are told
				c := newClient(t, "KREWE", g.source, g.collector)
				got := scrape(t, time.Second, []*collector.Client{c})
				compare(t, name+".prom", got)
			})
		})
	}
}

func TestLint(t *testing.T) {
	for name, g := range goldens() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		problems, err := testutil.GatherAndLint(collector.Gather(ctx, []*collector.Client{newClient(t, "KREWE", g.source)}, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
	}
}
