package check_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/check"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// An unread OMS has a history that has not been read.
type unread struct{ *omstest.Fake }

func (u unread) Orders(context.Context, time.Time) (oms.Orders, error) {
	return oms.Orders{Open: oms.Known[oms.OpenOrders](nil)}, oms.ErrIncomplete
}

func (u unread) Jobs(context.Context, time.Time) (oms.Jobs, error) {
	return oms.Jobs{Runs: oms.Known[oms.Run](nil), Scheduled: map[string]bool{"A": true}}, oms.ErrIncomplete
}

func (u unread) DataManager(context.Context, time.Time) (oms.DataManager, error) {
	return oms.DataManager{Open: oms.Known[oms.OpenFiles](nil)}, oms.ErrIncomplete
}

func (u unread) ResetInventory(context.Context, time.Time) (oms.ResetInventory, error) {
	return oms.ResetInventory{}, oms.ErrIncomplete
}

// TestSanityUnread has a history that is not read in time: what needs it is unknown, and the rest is said.
func TestSanityUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &omstest.Fake{Facts: omstest.Facts{Clock: oms.Clock{Skew: new(time.Duration)}, SystemMessages: oms.Known[oms.OpenMessages](nil)}}
		client := config.Client{
			Name: "KREWE", Timezone: time.UTC, Database: config.Database{Timezone: time.UTC},
			ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"A"}}},
		}
		found := check.Client(t.Context(), client, check.Sources{OMS: unread{f}, Skips: func(string) bool { return false }, Sanity: true})
		var lines []string
		for _, f := range found {
			if area, ok := strings.CutPrefix(f.Area, "sanity "); ok {
				text, _, _ := strings.Cut(f.Problem+f.Note, ",")
				lines = append(lines, area+": "+text)
			}
		}
		want := "orders: it is unknown|jobs scheduled: seen|jobs started: it is unknown|data_manager: it is unknown|reset_inventory wms: it is unknown|" +
			"system_messages: not seen yet; no message is open"
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestSanity has one change after another in a client of which everything has been seen.
func TestSanity(t *testing.T) {
	const hour = "1999-12-31T18:00:00-05:00, 1h0m0s ago" // synctest's clock starts at 2000-01-01 UTC
	zone, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	right := []string{
		`orders|seen from channel "WEB" of product store "S", last at ` + hour + `; entered within 24 hours: 7`,
		`jobs scheduled|seen, scheduled jobs: 2`,
		`jobs started|seen in pool "pool", last at ` + hour,
		`jobs finished|seen, last at ` + hour + `; runs that ended within 24 hours: 5, failed: 2`,
		`data_manager|seen by configuration "B", last at ` + hour + `; files that ended within 24 hours: 6, failed: 3`,
		`reset_inventory wms|seen, last at ` + hour,
		`system_messages|seen, open messages: 9, failing: 3, in error: 4; the oldest is there since 1999-12-31T18:00:00-05:00`,
		`sftp in|seen in folder archive, last at ` + hour,
		`superset sync|seen, last at ` + hour + `; charts: 3, with a result: 2, with rows: 1`,
	}
	for name, test := range map[string]struct {
		change func(f *omstest.Fake, last time.Time)
		want   []string // the lines that differ
	}{
		"right": {func(*omstest.Fake, time.Time) {}, nil},
		"many channels": {func(f *omstest.Fake, last time.Time) {
			for n := range 22 {
				f.Facts.Orders.Imports = append(f.Facts.Orders.Imports, oms.Import{Channel: oms.Channel{ProductStore: "S", Channel: "C"}, Last: last.Add(time.Duration(n+1) * time.Minute)})
			}
		}, []string{`orders|seen from 3 more channels, last at 1999-12-31T18:22:00-05:00, 38m0s ago`}},
		"ahead": {func(f *omstest.Fake, last time.Time) {
			f.Facts.ResetInventory.Sources[0].LastProcessed = last.Add(3 * time.Hour)
		},
			[]string{`reset_inventory wms|seen, last at 1999-12-31T21:00:00-05:00, 2h0m0s ahead of now`}},
		"nothing ran": {func(f *omstest.Fake, _ time.Time) {
			f.Facts.Jobs = oms.Jobs{Runs: oms.Known[oms.Run](nil), Unreadable: []string{"A"}, Pools: []oms.Pool{{Name: "pool"}}, History: &oms.JobHistory{}}
		}, []string{
			`jobs scheduled|not seen yet; schedules that Moqui rejects: 1`, `jobs started|not seen yet; jobs wait in pool "pool"`,
			`jobs finished|not seen yet; runs that ended within 24 hours: 0, failed: 0`,
		}},
		"received": {func(f *omstest.Fake, last time.Time) {
			f.Facts.ResetInventory.Sources[0] = oms.ResetSource{Source: "wms", LastReceived: last}
		},
			[]string{`reset_inventory wms|not seen yet; a file was received at 1999-12-31T18:00:00-05:00 and has not set stock`}},
		"failed files only": {func(f *omstest.Fake, _ time.Time) {
			f.Facts.DataManager.History.Configs = f.Facts.DataManager.History.Configs[:1]
		},
			[]string{`data_manager|not seen yet; files that ended within 24 hours: 3, failed: 3`}},
		"other OMS": {func(f *omstest.Fake, _ time.Time) {
			f.Facts.Orders, f.Facts.Jobs, f.Facts.DataManager.Open, f.Facts.SystemMessages = oms.Orders{}, oms.Jobs{}, oms.List[oms.OpenFiles]{}, oms.List[oms.OpenMessages]{}
		}, []string{
			`orders|not checked: this OMS has no orders`, `jobs|not checked: this OMS has no jobs`,
			`data_manager|not checked: this OMS has no data manager`, `system_messages|not checked: this OMS has no system messages`,
		}},
		"no files": {func(f *omstest.Fake, _ time.Time) {
			f.Facts.DropFolders[0].Folders[1].Newest = time.Time{}
			f.Facts.Reports.Dashboards[0].Charts = f.Facts.Reports.Dashboards[0].Charts[1:]
		}, []string{`sftp in|not seen yet`, `superset sync|not seen yet; charts: 2, with a result: 1, with rows: 0`}},
		"failing": {func(f *omstest.Fake, _ time.Time) {
			f.Before = func(_ context.Context, collector string) error {
				if collector == "jobs" || collector == "orders" {
					return errors.New("broken")
				}
				return nil
			}
			f.Facts.DropFolders[0] = oms.DropLocation{Location: "in", Err: errors.New("broken")}
			f.Facts.Reports.Dashboards[0].Failure = &oms.ReportFailure{Reason: oms.ReportLogin, Text: "broken"}
		}, []string{
			`orders|WRONG: not checked, because the area orders cannot be read`, `jobs|WRONG: not checked, because the area jobs cannot be read`,
			`sftp in|WRONG: not checked, because the area sftp in cannot be read`, `superset sync|WRONG: not checked, because the area superset sync cannot be read`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				last := time.Now().Add(-time.Hour)
				client := config.Client{
					Name: "KREWE", Timezone: zone, Database: config.Database{Driver: config.MySQL, Timezone: zone},
					ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"A"}}},
					SFTP:           []config.SFTP{{Location: "in", Pattern: "*.csv"}},
					Superset:       config.Superset{Dashboards: []string{"sync"}},
				}
				f := &omstest.Fake{Facts: omstest.Facts{
					Clock: oms.Clock{Skew: new(time.Duration)},
					Orders: oms.Orders{
						Open:    oms.Known[oms.OpenOrders](nil),
						Imports: []oms.Import{{Channel: oms.Channel{ProductStore: "S", Channel: "WEB"}, Last: last, Recent: 7}},
					},
					Jobs: oms.Jobs{
						Runs: oms.Known[oms.Run](nil), Scheduled: map[string]bool{"A": true, "B": true},
						Pools: []oms.Pool{{Name: "pool", LastStart: last}, {Name: "pool", LastStart: last.Add(-time.Hour)}},
						History: &oms.JobHistory{Jobs: []oms.JobRuns{
							{JobName: "A", Recent: 2, RecentFailures: 2}, {JobName: "B", Recent: 3, LastSuccess: last},
						}},
					},
					DataManager: oms.DataManager{
						Open: oms.Known[oms.OpenFiles](nil), Configs: oms.Known([]oms.FileConfig{{Config: "A", Enabled: true}}),
						History: &oms.FileHistory{Configs: []oms.FileRuns{
							{Config: "A", LastFailure: last, Recent: map[oms.FileOutcome]int{oms.FileFailed: 2, oms.FileCrashed: 1}},
							{Config: "B", LastSuccess: last, Recent: map[oms.FileOutcome]int{oms.FileFinished: 3}},
						}},
					},
					ResetInventory: oms.ResetInventory{Sources: []oms.ResetSource{{Source: "wms", LastProcessed: last}}},
					SystemMessages: oms.Known([]oms.OpenMessages{
						{Type: "T", Status: oms.MessageProduced, Count: 2, Oldest: last.Add(time.Minute)}, {Type: "T", Status: oms.MessageFailing, Count: 3},
						{Type: "U", Status: oms.MessageError, Count: 4, Oldest: last},
					}),
					DropFolders: []oms.DropLocation{{Location: "in", Folders: []oms.DropFolder{
						{Folder: oms.FolderInbox}, {Folder: oms.FolderArchive, Newest: last}, {Folder: oms.FolderFailed, Newest: last.Add(time.Minute)},
					}}},
					Reports: &oms.ReportRun{Dashboards: []oms.Dashboard{{Name: "sync", Charts: []oms.Chart{
						{Name: "a", Rows: 3, Read: last}, {Name: "b", Read: last}, {Name: "c", Failure: &oms.ReportFailure{Text: "broken"}},
					}}}},
				}}
				test.change(f, last)
				found := check.Client(t.Context(), client, check.Sources{
					OMS: f, DropFolders: omstest.DropFolders{Fake: f}, Reports: omstest.Reports{Fake: f}, Skips: func(string) bool { return false }, Sanity: true,
				})
				lines := map[string]string{} // by area the last one
				for _, found := range found {
					area, ok := strings.CutPrefix(found.Area, "sanity ")
					if !ok {
						continue
					}
					lines[area] = found.Note
					if !found.OK {
						lines[area] = "WRONG: " + found.Problem
					}
					if seen := strings.HasPrefix(found.Note, "seen"); (found.Seen != nil && *found.Seen) != seen || (found.Last != nil) != strings.Contains(found.Note, ", last at ") {
						t.Errorf("%+v", found)
					}
				}
				want := map[string]string{}
				for _, line := range append(right[:len(right):len(right)], test.want...) {
					area, text, _ := strings.Cut(line, "|")
					want[area] = text
				}
				for area, text := range want {
					if strings.HasPrefix(area, "jobs ") && want["jobs"] != "" {
						continue // it is one line then
					}
					if !strings.HasPrefix(lines[area], text) {
						t.Errorf("%s: %q, want %q", area, lines[area], text)
					}
				}
			})
		})
	}
}
