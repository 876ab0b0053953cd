package collector_test

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ago(d time.Duration) time.Time { return now.Add(-d) }

type golden struct {
	collector string
	source    *fake
}

// goldens are facts, and the collector that turns them into metrics, by golden file.
func goldens() map[string]golden {
	web := oms.Channel{ProductStore: "STORE", Channel: "WEB_SALES_CHANNEL"}
	pos := oms.Channel{ProductStore: "STORE", Channel: "POS_SALES_CHANNEL"}
	return map[string]golden{
		"client": {"client", &fake{Facts: facts{Instance: oms.Instance{
			Generation: oms.GenerationBoth,
			Missing:    []oms.Column{{Table: "job_manager_lock"}, {Table: "data_manager_log", Column: "failed_record_count"}},
		}, Clock: oms.Clock{
			Skew: new(-5*time.Hour - 12*time.Second), Stillness: new(18 * time.Second), Fitting: "UTC-05:00 (America/New_York)",
			Instances: map[string]time.Duration{"krewe1": -12 * time.Second, "krewe2": -5 * time.Hour},
		}}}},
		"client_unreachable": {"client", &fake{Err: errors.New("connection refused")}},

		"orders": {"orders", &fake{Facts: facts{Orders: oms.Orders{
			Open: oms.Known([]oms.OpenOrders{
				{Channel: web, Status: oms.OrderCreated, Count: 9},
				{Channel: web, Status: oms.OrderApproved, Count: 120},
				{Channel: pos, Status: oms.OrderHeld, Count: 2},
			}),
			Created: oms.Known([]oms.CreatedOrders{
				{Channel: web, Oldest: ago(7 * time.Hour), OlderThan: []int{5, 3, 1, 0, 0}},
				{Channel: pos, Oldest: ago(-2 * time.Second), OlderThan: []int{0, 0, 0, 0, 0}},
			}),
			Excluded:    map[string]int{"channel:LOOP_EXCH": 4, "missing_attribute:SIGNIFYD_APPROVED": 0},
			Unfulfilled: oms.Known([]oms.WaitingOrders{{Place: "store", Count: 40, Oldest: ago(50 * time.Hour)}}),
			Parked: []oms.WaitingOrders{
				{Place: "UNFILLABLE_PARKING", Count: 3, Oldest: ago(25 * time.Hour)},
				{Place: "BACKORDER_PARKING"},
			},
			Imports: []oms.Import{
				{Channel: web, Last: ago(30 * time.Second), Seen: 17, Recent: 340},
				{Channel: oms.Channel{ProductStore: "STORE_2"}, Last: ago(3 * 24 * time.Hour)},
			},
			Approvals: &oms.Approvals{
				Count: 30, Within: []uint64{5, 12, 20, 24, 25, 26, 28, 28, 29}, Total: 61*time.Hour + 500*time.Millisecond,
			},
			Unfillable: new(uint64(4)),
			Missing:    []oms.MissingOrders{{Shop: "10000", Count: 2}, {Shop: "SHOPIFY_CA"}},
			Age:        2 * time.Minute,
		}}}},
		"orders_idle": {"orders", &fake{Facts: facts{Orders: oms.Orders{
			Open: oms.Known([]oms.OpenOrders{}), Created: oms.Known([]oms.CreatedOrders{}),
			Unfulfilled: oms.Known([]oms.WaitingOrders{}), Parked: []oms.WaitingOrders{}, Imports: []oms.Import{},
		}}}},
		"orders_partial": {"orders", &fake{Err: errors.New("statement timeout"), Facts: facts{Orders: oms.Orders{
			Open: oms.Known([]oms.OpenOrders{{Channel: web, Status: oms.OrderCreated, Count: 9}}),
		}}}},

		"last_mile_truncated": {"last_mile", &fake{Facts: facts{LastMile: oms.LastMile{
			Duplicate: oms.Known([]oms.DuplicateOrders{}), Partial: []string{"more than 50000 orders of the last 7 days: only the newest are measured"},
		}}}},
		"last_mile_failed": {"last_mile", &fake{Err: errors.New("statement timeout")}},

		"jobs": {"jobs", &fake{Facts: facts{Jobs: oms.Jobs{
			Pending: 31, Queued: 2, Running: 4,
			Runs: oms.Known([]oms.Run{
				{JobName: "JOB_IMP_ORD/STORE/SHOP", JobID: "10001", Instance: "ofbiz1", Start: ago(15 * time.Minute)},
				{JobName: "JOB_RST_INV", JobID: "10002", Instance: "ofbiz1", Generation: oms.JobOfOFBiz, Start: ago(50 * time.Minute)},
				{JobName: "JOB_RST_INV", JobID: "10003", Instance: "maarg-1", Generation: oms.JobOfMoqui, Start: ago(16 * time.Minute)},
				{JobName: "new in town \xff", JobID: "10004", Instance: "ofbiz2"},
			}),
			Waits: []oms.Wait{
				{JobName: "JOB_APR_ORD", JobID: "10005", Pool: "pool", Instance: "ofbiz3", Generation: oms.JobOfOFBiz, Since: ago(time.Hour)},
				{JobName: "JOB_APR_ORD", JobID: "10006", Pool: "pool", Generation: oms.JobOfOFBiz, Since: ago(16 * time.Minute)},
				{JobName: "sync", Pool: "moqui", Generation: oms.JobOfMoqui, Since: ago(17 * time.Minute)},
			},
			Claims:     map[string]time.Time{"ofbiz3": ago(time.Hour), "ofbiz1": {}},
			Scheduled:  map[string]bool{"JOB_APR_ORD": true, "sync": true},
			Unreadable: []string{"each 60 minutes"},
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
					{JobName: "JOB_RST_INV", LastSuccess: ago(24 * time.Hour), LastDuration: new(95 * time.Second), UsualDuration: new(40 * time.Second), Recent: 96, RecentFailures: 9},
					{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(45 * time.Minute), Recent: 5, RecentFailures: 5,
						LastFailed: &oms.FailedRun{JobID: "10007", Generation: oms.JobOfOFBiz, DataManagerLog: "20001"}},
					{JobName: "JOB_LOST", LastSuccess: ago(40 * time.Hour), UsualInterval: new(30 * time.Minute), Expected: ago(39*time.Hour + 30*time.Minute)},
				},
			},
		}}}},
		"jobs_none":      {"jobs", &fake{}}, // a vintage without jobs
		"jobs_look_back": {"jobs", &fake{Err: oms.ErrIncomplete, Facts: facts{Jobs: oms.Jobs{Runs: oms.Known([]oms.Run{}), Pools: []oms.Pool{{Name: "pool"}}}}}},
		"jobs_one_generation": {"jobs", &fake{Err: errors.New("statement timeout"), Facts: facts{Jobs: oms.Jobs{
			Pending: 3, Running: 1, Partial: true,
			Runs:    oms.Known([]oms.Run{{JobName: "sync", JobID: "100001", Instance: "maarg-1", Start: ago(20 * time.Minute)}}),
			History: &oms.JobHistory{Jobs: []oms.JobRuns{{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(45 * time.Minute)}}},
		}}}},
		"jobs_partial": {"jobs", &fake{Err: errors.New("statement timeout"), Facts: facts{Jobs: oms.Jobs{
			History: &oms.JobHistory{Jobs: []oms.JobRuns{{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(45 * time.Minute)}}},
		}}}},

		"data_manager": {"data_manager", &fake{Facts: facts{DataManager: oms.DataManager{
			Open: oms.Known([]oms.OpenFiles{
				{Config: "IMP_ORD", Status: oms.FilePending, Count: 3, Oldest: ago(2 * time.Hour)},
				{Config: "RESET_INVENTORY", Status: oms.FileRunning, Count: 1, Oldest: ago(10 * time.Minute)},
				{Config: "RESET_INVENTORY", Status: oms.FileOther, Count: 1, Oldest: ago(time.Minute)},
			}),
			Configs: oms.Known([]oms.FileConfig{{Config: "RESET_INVENTORY", Enabled: true}, {Config: "IMP_OLD"}}),
			History: &oms.FileHistory{Age: 90 * time.Second, Configs: []oms.FileRuns{
				{Config: "RESET_INVENTORY", LastSuccess: ago(24 * time.Hour), LastFailure: ago(23 * time.Hour),
					Recent:              map[oms.FileOutcome]int{oms.FileFinishedWithErrors: 1, oms.FileFailed: 2},
					RecentFailedRecords: 57},
				{Config: "EXP_FULFILLMENT", LastSuccess: ago(time.Hour)},
			}},
		}}}},
		// Without dates and counts: what is not known is absent, and no zero.
		"data_manager_unknown": {"data_manager", &fake{Facts: facts{DataManager: oms.DataManager{
			Open: oms.Known([]oms.OpenFiles{
				{Config: "IMP_ORD", Status: oms.FilePending, Count: 1, Oldest: ago(2 * time.Hour)},
				{Config: "IMP_ORD", Status: oms.FileRunning, Count: 2},
				{Config: "\xfe", Status: oms.FileRunning, Count: 1}, // shown like the next one
				{Config: "\xff", Status: oms.FileRunning, Count: 1, Oldest: ago(time.Hour)},
			}),
			History: &oms.FileHistory{RefusalsUnknown: true, Configs: []oms.FileRuns{
				{Config: "IMP_ORD", Recent: map[oms.FileOutcome]int{oms.FileFinished: 3}},
			}},
		}}}},
		"data_manager_look_back": {"data_manager", &fake{Err: oms.ErrIncomplete, Facts: facts{DataManager: oms.DataManager{
			Open: oms.Known([]oms.OpenFiles{{Config: "IMP_ORD", Status: oms.FileQueued, Count: 1, Oldest: ago(time.Minute)}}),
		}}}},

		"reset_inventory": {"reset_inventory", &fake{Facts: facts{ResetInventory: oms.ResetInventory{
			Age: time.Minute,
			Sources: []oms.ResetSource{
				{Source: "wms", Configs: map[string]oms.ResetConfig{"RESET_INVENTORY": {Known: true, Enabled: true}, "RST_INV": {}},
					LastProcessed: ago(72*time.Hour + 30*time.Minute), LastReceived: ago(20 * time.Minute),
					LastRecords: oms.Records{Total: new(5000), Failed: new(12)}, Running: 1, RunningSince: ago(10 * time.Minute),
					Files: filesOf(time.UTC, func(_ int, day time.Time) []oms.ProcessedFile {
						return []oms.ProcessedFile{fileAt(day, 11, 40, 5000)}
					})},
				{Source: "shopify"},
			},
		}}}},
		"reset_inventory_look_back": {"reset_inventory", &fake{Err: oms.ErrIncomplete}},

		"system_messages": {"system_messages", &fake{Facts: facts{SystemMessages: oms.Known([]oms.OpenMessages{
			{Type: "OMSFulfillmentFeed", Direction: oms.MessageOut, Status: oms.MessageFailing, Count: 2, Oldest: ago(4 * time.Hour)},
			{Type: "OMSFulfillmentFeed", Direction: oms.MessageOut, Status: oms.MessageError, Count: 3, Oldest: ago(50 * time.Hour)},
			{Type: "ShopifyOrderWebhook", Direction: oms.MessageIn, Status: oms.MessageOther, Count: 1, Oldest: ago(time.Hour)},
			{Type: "ShopifyOrderWebhook", Direction: oms.MessageIn, Status: oms.MessageOther, Count: 4, Oldest: ago(time.Minute)},
			{Type: "", Direction: oms.MessageIn, Status: oms.MessageReceived, Count: 1, Oldest: ago(-time.Second)},
		})}}},
		"system_messages_idle":   {"system_messages", &fake{Facts: facts{SystemMessages: oms.Known([]oms.OpenMessages{})}}},
		"system_messages_absent": {"system_messages", &fake{}}, // stock OFBiz has no such table
		"system_messages_failed": {"system_messages", &fake{Err: errors.New("statement timeout")}},

		"sftp": {"sftp", &fake{Facts: facts{DropFolders: []oms.DropLocation{
			{Location: "reset-inventory", Source: "wms", Age: 4 * time.Minute, Folders: []oms.DropFolder{
				{Folder: oms.FolderInbox, Files: 3, Oldest: ago(2 * time.Hour), Newest: ago(time.Minute)},
				{Folder: oms.FolderFailed},
				{Folder: oms.FolderArchive, Files: 100_000, Oldest: ago(47 * time.Hour), Newest: ago(23 * time.Hour), Truncated: true},
			}, Checked: true, Invalid: map[oms.InvalidReason]int{oms.InvalidNotCSV: 1, oms.InvalidHeader: 2},
				Refused: &oms.RefusedFile{Name: "stock.csv", Reason: oms.InvalidHeader, Begin: "facility,sku,on_hand"}},
			{Location: "unchecked", Source: "wms", Folders: []oms.DropFolder{
				{Folder: oms.FolderInbox, Files: 1, Oldest: ago(-time.Second), Newest: ago(-time.Second)},
			}},
		}}}},
		"sftp_partial": {"sftp", &fake{
			Err: errors.New(`location gone: the folder inbox "/gone" does not exist`),
			Facts: facts{DropFolders: []oms.DropLocation{
				{Location: "seen", Source: "wms", Folders: []oms.DropFolder{{Folder: oms.FolderInbox}}},
				{Location: "gone", Source: "shopify"},
			}},
		}},

		"reports": {"reports", &fake{Facts: facts{Reports: &oms.ReportRun{Age: 3 * time.Minute, Dashboards: []oms.Dashboard{
			{Name: "krewe-order-sync", Charts: []oms.Chart{
				{Name: "Created orders", DataSource: "KREWE", Took: 1200 * time.Millisecond, Rows: 17, Read: ago(40 * time.Minute)},
				{Name: "Unfillable", DataSource: "KREWE", Took: 80 * time.Millisecond, Rows: 1, Read: ago(3 * time.Minute),
					Values: map[string]float64{"orders": 4, "worth": 120.5}},
				{Name: "Import errors", DataSource: "KREWE Solr", Took: 30 * time.Millisecond, Failures: 3,
					Failure: &oms.ReportFailure{Reason: oms.ReportDataSourceLogin, Text: "401 Client Error: Unauthorized"}},
				{Name: "Old", Failures: 1, Failure: &oms.ReportFailure{Reason: oms.ReportDeleted, Text: "the chart 7 is deleted"}},
			}},
			{Name: "Fulfillment"},
		}}}}},
		"reports_partial": {"reports", &fake{
			Err: errors.New("dashboard nec: login: https://tathya.example.com refuses the login"),
			Facts: facts{Reports: &oms.ReportRun{Dashboards: []oms.Dashboard{
				{Name: "nec", Failure: &oms.ReportFailure{Reason: oms.ReportLogin, Text: "https://tathya.example.com refuses the login"}, Failures: 4},
			}}},
		}},
	}
}

// TestBadSecrets has clients of a file whose secrets cannot be used.
func TestBadSecrets(t *testing.T) {
	t.Setenv("OMS_TEST_DSN", "nonsense")
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	if err := os.WriteFile(file, []byte(`clients:
- {name: ADOC, timezone: UTC, database: {driver: sqlite, dsn: /oms.db, timezone: UTC}}
- name: KREWE
  timezone: UTC
  database: {driver: mysql, dsn: "${OMS_TEST_DSN}", timezone: UTC}
  reset_inventory: [{source: wms, config_ids: [A]}]
  sftp:
  - {location: a, source: wms, address: host, username: u, password_file: absent, known_hosts_file: absent, path: /}
  superset: {url: http://host, username: u, password_file: absent, dashboards: [d]}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var clients []*collector.Client
		for _, c := range cfg.Clients {
			clients = append(clients, collector.NewClient(collector.Options{
				Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
			}, c, collector.Sources{OMS: &fake{}}))
		}
		compare(t, "misconfigured.prom", scrape(t, time.Second, clients))
	})
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
