package check_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/check"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// TestClient has what no server can be made to say at will, and the bound of the time.
func TestClient(t *testing.T) {
	fits, hour := time.Duration(0), time.Hour
	chart := func(n int) oms.Chart {
		return oms.Chart{Name: fmt.Sprint("c", n), Failure: &oms.ReportFailure{Reason: oms.ReportNoQueryContext, Text: "no query"}}
	}
	hang := func(collector string) func(context.Context, string) error {
		return func(ctx context.Context, asked string) error {
			if asked == collector {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		change func(*omstest.Fake)
		want   string // the findings that are not ok, one a line: area, problem, fix
		took   time.Duration
	}{
		"right": {func(*omstest.Fake) {}, "", 0},
		"idle": {func(f *omstest.Fake) { f.Facts.Clock = oms.Clock{Stillness: &hour} },
			"zone|nothing is being written, and the newest timestamp is 1h0m0s old if database.timezone (America/Bogota) is right|Run the check again", 15 * time.Second},
		"empty": {func(f *omstest.Fake) { f.Facts.Clock = oms.Clock{} }, "zone|there is no timestamp|", 15 * time.Second},
		"a server's clock": {func(f *omstest.Fake) {
			f.Facts.Clock.Instances = map[string]time.Duration{"app1": time.Second, "app2": -hour}
		}, `zone|the application server "app2" writes timestamps that are 1h0m0s behind now|Correct the clock`, 0},
		"no zone explains it": {func(f *omstest.Fake) { f.Facts.Clock.Skew = new(17 * time.Minute) }, "zone|17m0s ahead of now|No time zone explains it", 0},
		"hung orders":         {func(f *omstest.Fake) { f.Before = hang("orders") }, "orders|deadline exceeded|", 19 * time.Second},
		"hung database":       {func(f *omstest.Fake) { f.Before = hang("client") }, "database|deadline exceeded|Correct database\nschema|not checked|\nzone|not checked|\norders|not checked|\nlast_mile|not checked|\njobs|not checked|\ndata_manager|not checked|\nreset_inventory wms|not checked|\nsystem_messages|not checked|", 20 * time.Second},
		"hung folders":        {func(f *omstest.Fake) { f.Before = hang("sftp") }, "sftp|deadline exceeded|", 19 * time.Second},
		"other generation": {func(f *omstest.Fake) {
			f.Facts.Instance.Missing = []oms.Column{{Table: "service_job"}, {Table: "system_message"}}
		}, "", 0},
		"grants": {func(f *omstest.Fake) {
			f.Facts.Instance.Missing = []oms.Column{{Table: "facility"}, {Table: "service_job", Column: "paused"}}
		}, "schema|table facility|deploy/database/mysql.sql\nschema|column service_job.paused|deploy/database/mysql.sql", 0},
		"unreached dashboard": {func(f *omstest.Fake) { f.Facts.Reports.Dashboards = nil }, "superset sync|the check did not get to it within 20s|", 0},
		"many charts": {func(f *omstest.Fake) {
			for n := range 7 {
				f.Facts.Reports.Dashboards[0].Charts = append(f.Facts.Reports.Dashboards[0].Charts, chart(n))
			}
		}, strings.Repeat("superset sync|: no query|save it once\n", 5) + "superset sync|2 more charts fail|", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				zone, err := time.LoadLocation("America/Bogota")
				if err != nil {
					t.Fatal(err)
				}
				client := config.Client{
					Name: "KREWE", Database: config.Database{Driver: config.MySQL, Timezone: zone},
					ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"A"}}},
					SFTP:           []config.SFTP{{Location: "in", Pattern: "*.csv"}},
					Superset:       config.Superset{Dashboards: []string{"sync"}},
				}
				f := &omstest.Fake{Facts: omstest.Facts{
					Instance:    oms.Instance{Generation: oms.GenerationOFBiz},
					Clock:       oms.Clock{Skew: &fits},
					DataManager: oms.DataManager{Configs: oms.Known([]oms.FileConfig{{Config: "A", Enabled: true}})},
					DropFolders: []oms.DropLocation{{Location: "in"}},
					Reports:     &oms.ReportRun{Dashboards: []oms.Dashboard{{Name: "sync"}}},
				}}
				test.change(f)
				begin := time.Now()
				found := check.Client(t.Context(), client, check.Sources{
					OMS: f, DropFolders: omstest.DropFolders{Fake: f}, Reports: omstest.Reports{Fake: f}, Skips: func(string) bool { return false },
				})
				if took := time.Since(begin); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				var wrong []check.Finding
				for _, f := range found {
					if !f.OK {
						wrong = append(wrong, f)
					}
				}
				var want []string
				if test.want != "" {
					want = strings.Split(test.want, "\n")
				}
				if len(wrong) != len(want) {
					t.Fatalf("found %+v, want %q", wrong, want)
				}
				for i, f := range wrong {
					parts := strings.Split(want[i], "|")
					if f.Area != parts[0] || !strings.Contains(f.Problem, parts[1]) || !strings.Contains(f.Fix, parts[2]) || f.Fix == "" {
						t.Errorf("found %+v, want %q", f, want[i])
					}
				}
			})
		})
	}
}

// TestLookBack has a first look back that takes longer than the check: the channels are not known, and the rest is as it should be.
func TestLookBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &omstest.Fake{Facts: omstest.Facts{Clock: oms.Clock{Skew: new(time.Duration)}}}
		f.Before = func(_ context.Context, collector string) error {
			if collector == "orders" { // the only area that is asked, and after the schema
				f.Err = oms.ErrIncomplete
			}
			return nil
		}
		client := config.Client{Name: "KREWE", Database: config.Database{Timezone: time.UTC}}
		client.Orders.CreatedExclude.Channels = []string{"LOOP"}
		skips := func(collector string) bool { return collector != "orders" }
		found := check.Client(t.Context(), client, check.Sources{OMS: f, Skips: skips})
		last := found[len(found)-1]
		if last.OK || last.Area != "orders" || !strings.Contains(last.Problem, "not all channels are known yet") {
			t.Errorf("found %+v", found)
		}
	})
}
