package discover_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/discover"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// daily are the times of files: one on each of some days, the oldest first, so long after midnight UTC.
func daily(days int, after ...time.Duration) (all []time.Time) {
	for ago := days; ago > 0; ago-- {
		for _, d := range after {
			all = append(all, time.Now().Truncate(24*time.Hour).AddDate(0, 0, -ago).Add(d))
		}
	}
	return all
}

// TestFacts has facts that the three clients do not have, and what the entry says of them. Now is a Saturday, 00:00 in UTC.
func TestFacts(t *testing.T) {
	hours := func(skew float64) *time.Duration { d := time.Duration(skew * float64(time.Hour)); return &d }
	stores := oms.Known([]string{"Local", "America/Chicago"})
	for name, test := range map[string]struct {
		change func(*omstest.Fake)
		sftp   bool
		took   time.Duration
		want   string // lines, of which each must be there; one after ! must not
	}{
		"ahead":      {func(f *omstest.Fake) { f.Facts.Clock.Skew = hours(5.5) }, false, 0, "In this zone the newest timestamp is 0s old.\ntimezone: Asia/Kolkata\n!NOT SURE"},
		"no store":   {func(f *omstest.Fake) { f.Facts.Clock.Skew = hours(0.01) }, false, 0, "In this zone the newest timestamp is 36s ahead of now. Zones\ntimezone: UTC"},
		"behind":     {func(f *omstest.Fake) { f.Facts.Clock.Stillness = hours(5.01) }, false, 9 * time.Second, "NOT SURE: nothing was written to the database meanwhile. In this zone the newest timestamp would be 36s old.\ntimezone: America/New_York"},
		"store off":  {func(f *omstest.Fake) { f.Facts.Clock.Stillness, f.Facts.Survey.StoreZones = hours(8), stores }, false, 9 * time.Second, "timezone: America/Los_Angeles\nIn America/Chicago, the product stores' zone (product_store.default_time_zone_string), it would be 2h0m0s old.\nIt is the product stores' zone\ntimezone: America/Chicago"},
		"store idle": {func(f *omstest.Fake) { f.Facts.Clock.Stillness, f.Facts.Survey.StoreZones = hours(6.2), stores }, false, 9 * time.Second, "NOT SURE: no zone explains the newest timestamp. In America/Chicago\ntimezone: America/Chicago"},
		"lagging":    {func(f *omstest.Fake) { f.Facts.Clock.Skew = hours(-4.8) }, false, 9 * time.Second, "NOT SURE: no zone explains the newest timestamp.\ntimezone: UTC"},
		"zoned": {func(f *omstest.Fake) {
			f.Facts.Clock.Skew, f.Facts.Clock.Zoned, f.Facts.Survey.StoreZones = hours(0), true, stores
		}, false, 0, "The newest timestamp has a zone of its own; only those of Moqui's tables have none. This is the product stores' zone\ntimezone: America/Chicago"},
		"no rows": {func(f *omstest.Fake) { f.Facts.Clock.Skew = nil }, false, 9 * time.Second, "NOT SURE: there is no timestamp yet, and no zone is named anywhere in the OMS.\ntimezone: UTC"},

		"at all hours": {func(f *omstest.Fake) {
			f.Facts.LastFiles["RESET_INVENTORY"] = daily(30, 0, 4*time.Hour, 9*time.Hour, 14*time.Hour, 20*time.Hour)
		}, false, 0, "# no process_by: no usual time: the last 150 files were processed at all hours of 30 days\nconfig_ids: [RESET_INVENTORY]"},
		"around midnight": {func(f *omstest.Fake) {
			f.Facts.LastFiles["RESET_INVENTORY"] = daily(20, 23*time.Hour+50*time.Minute, 24*time.Hour+10*time.Minute)
		}, false, 0, `# process_by: ["00:30"]   # the last 40 files were processed between 23:50 and 00:10, every day`},
		"twice on workdays": {func(f *omstest.Fake) {
			f.Facts.LastFiles["RESET_INVENTORY"] = slices.DeleteFunc(daily(40, 7*time.Hour, 21*time.Hour), func(at time.Time) bool { return at.Weekday() == time.Sunday || at.Weekday() == time.Saturday })
		}, false, 0, "# process_by: [\"07:30\", \"21:30\"]   # the last 60 files were processed between 07:00 and 07:00, or between 21:00 and 21:00, Mon to Fri\n# days: [Mon, Tue, Wed, Thu, Fri]"},
		"until midnight": {func(f *omstest.Fake) {
			f.Facts.LastFiles["RESET_INVENTORY"] = slices.DeleteFunc(daily(40, 23*time.Hour+40*time.Minute), func(at time.Time) bool { return at.Weekday() == time.Sunday })
		}, false, 0, "# process_by: [\"00:00\"]   # the last 35 files were processed between 23:40 and 23:40, Mon to Sat\n!# days:"},
		"on some days": {func(f *omstest.Fake) {
			for _, at := range daily(42, 12*time.Hour) {
				if at.Weekday()%2 == 1 {
					f.Facts.LastFiles["RESET_INVENTORY"] = append(f.Facts.LastFiles["RESET_INVENTORY"], at)
				}
			}
		}, false, 0, "between 12:00 and 12:00, Mon, Wed, Fri\n# days: [Mon, Wed, Fri]"},
		"exceptions": {func(f *omstest.Fake) {
			f.Facts.LastFiles["RESET_INVENTORY"] = append(daily(30, 12*time.Hour), daily(2, 18*time.Hour)...)
		}, false, 0, "12:00 and 12:00, every day; 2 of them at other times"},
		"too few": {func(f *omstest.Fake) { f.Facts.LastFiles["RESET_INVENTORY"] = daily(1, 12*time.Hour) }, false, 0, "# no process_by: no usual time: only 1 file within 60 days"},
		"no configurations": {func(f *omstest.Fake) {
			f.Facts.Survey.Configs = oms.List[oms.SurveyedConfig]{}
			f.Facts.Instance.Missing = []oms.Column{{Table: "data_manager_config"}, {Table: "service_job"}}
			f.Facts.DataManager.History = &oms.FileHistory{Configs: []oms.FileRuns{{Config: "GBLT_RST_INV"}}}
			f.Facts.LastFiles["GBLT_RST_INV"] = daily(10, 12*time.Hour)
		}, false, 0, "#   data_manager_config: not there, or not granted: the grants on data_manager_config are in deploy/database/postgres.sql\n!service_job\nconfig_ids: [GBLT_RST_INV]"},
		"no reset":  {func(f *omstest.Fake) { f.Facts.LastFiles = nil }, false, 0, "# No configuration that looks like reset inventory is in use\n# reset_inventory:\n# config_ids: [RESET_INVENTORY]"},
		"no server": {func(*omstest.Fake) {}, false, 0, "# sftp: not checked, because no server was given. According to data_manager_config, the files of RESET_INVENTORY are in \"/in\", and their names match \"*.csv\"."},
		"no folder": {func(f *omstest.Fake) {
			f.Facts.DropFolders = []oms.DropLocation{{Err: errors.New("the server is away")}}
		}, true, 0, "#   SFTP: the server is away\n# sftp: no folder of a source in use could be listed."},
		"no path": {func(f *omstest.Fake) { f.Facts.Survey.Configs.All[0].ImportPath = "" }, true, 0, "#   SFTP: no import_path of a configuration in use is known, so no folder can be suggested: the login works"},
		"no names in common": {func(f *omstest.Fake) {
			f.Facts.Survey.Configs.All[0].Pattern = ""
			f.Facts.DropFolders = []oms.DropLocation{{Folders: []oms.DropFolder{{Folder: oms.FolderInbox, Unmatched: 2, Examples: []string{"a1.csv", "b1.csv"}}}}}
		}, true, 0, `pattern: "*"   # derived from the file names, such as a1.csv`},
		"empty": {func(f *omstest.Fake) {
			f.Facts.Survey.Configs.All[0].Pattern = ""
			f.Facts.DropFolders = []oms.DropLocation{{Folders: []oms.DropFolder{{Folder: oms.FolderInbox}}}}
		}, true, 0, `pattern: "*"   # the folder has no files: write the pattern of the file names`},
		"incomplete": {func(f *omstest.Fake) {
			f.Err = nil
			f.Before = func(_ context.Context, collector string) error {
				if collector == "orders" {
					return oms.ErrIncomplete
				}
				return nil
			}
		}, false, 14 * time.Second, "#   orders: the answer is not complete yet"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &omstest.Fake{Facts: omstest.Facts{
					Instance: oms.Instance{Generation: oms.GenerationOFBiz},
					Clock:    oms.Clock{Skew: hours(0)},
					Survey: oms.Survey{Configs: oms.Known([]oms.SurveyedConfig{
						{FileConfig: oms.FileConfig{Config: "RESET_INVENTORY", Enabled: true}, ImportPath: "/in", Pattern: "*.csv"},
					})},
					LastFiles: map[string][]time.Time{"RESET_INVENTORY": daily(10, 12*time.Hour)},
				}}
				if name == "behind" || strings.HasPrefix(name, "store ") {
					f.Facts.Clock.Skew = nil
				}
				if name == "on some days" {
					f.Facts.LastFiles = map[string][]time.Time{}
				}
				test.change(f)
				src := discover.Sources{Now: time.Now, OMS: func(*time.Location) (oms.Source, error) { return f, nil }}
				if test.sftp {
					src.DropFolders = func(ctx context.Context, _ []config.SFTP) ([]oms.DropLocation, error) {
						return omstest.DropFolders{Fake: f}.Inspect(ctx, time.Now())
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				begin := time.Now()
				entry, err := discover.Entry(ctx, discover.Connections{
					Name: "KREWE", Driver: "postgres", DSN: "host=db user=exporter password=${PW}",
					SFTP: discover.SFTP{Address: "sftp.example.com", Username: "no", PasswordFile: "p", KnownHostsFile: "k"},
				}, config.Client{}, src, func(string) {})
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				for want := range strings.SplitSeq(test.want, "\n") {
					not, absent := strings.CutPrefix(want, "!")
					if strings.Contains(entry, not) == absent {
						t.Errorf("%q in\n%s", want, entry)
					}
				}
				if f.Closed() != 2 {
					t.Errorf("of two sources %d were closed", f.Closed())
				}
				valid(t, entry)
			})
		})
	}
}
