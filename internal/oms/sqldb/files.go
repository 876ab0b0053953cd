package sqldb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// waitingFiles lists the statuses of files that wait or are running, in the same order at each call: they are part of a
// statement.
func waitingFiles() []string {
	var waiting []string
	for status, state := range fileStates() {
		switch oms.FileStatus(state) {
		case oms.FilePending, oms.FileQueued, oms.FileRunning:
			waiting = append(waiting, status)
		case oms.FileOther:
		}
	}
	slices.Sort(waiting)
	return waiting
}

// fileStates normalises both vocabularies of data_manager_log: OFBiz writes SERVICE_*, Moqui writes Dmls*.
func fileStates() map[string]string {
	states := map[string]string{}
	for _, s := range []string{"Pending", "Queued", "Running", "Finished", "Failed", "Crashed", "Cancelled"} {
		states["Dmls"+s] = strings.ToLower(s)
		states["SERVICE_"+strings.ToUpper(s)] = strings.ToLower(s)
	}
	return states
}

// recentMargin is what history.Margin is for the files that ended, and the orders that entered, within the last day, of which
// all are held.
const recentMargin = 6 * time.Hour

// fileFacts are what both collectors that read data_manager_log need.
type fileFacts struct {
	scrape         any // for which they were read
	dataManager    oms.DataManager
	resetInventory oms.ResetInventory
	lacking        error // no fault by itself, but where the configuration asks for it
}

// filesArea is what is known of the files of the data manager.
type filesArea struct {
	*area
	unknown unknownStatuses
	states  map[string]string // made once: every row is read by them
	configs []string          // of reset-inventory files, whose latest files count however old
	names   *names
	known   fileConfigs
	notes   *fileNotes
	latest  *lastFiles
	since   firstReadings // of the oldest open file of each configuration and status
	// The two collectors that read data_manager_log share one refresh of it, also one after the other in a scrape.
	refresh flight.Flight[fileFacts]
	last    atomic.Pointer[fileFacts]
}

func newFilesArea(s *Source) *filesArea {
	states, configs := fileStates(), []string(nil)
	for _, source := range s.client.ResetInventory {
		configs = append(configs, source.ConfigIDs...)
	}
	newHistory := func() *history.History {
		return history.New(s.client.Database.Timezone, func(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
			keepFiles(rows, base, floor, configs, k)
		})
	}
	statements := stampedStatements{
		newest: "files_newest", changes: "files_changes", byID: "files_by_id",
		unstamped: "files_unstamped", unstampedNewest: "files_unstamped_newest",
	}
	notes, known, latest := new(fileNotes), newNames(configs...), newLastFiles(configs)
	decode := fileDecoder(states, notes, known, configs...)
	read := stamped(statements, func(rec sqlread.Record) history.Row {
		r := decode(rec)
		latest.note(&r)
		return r
	}, latest)
	return &filesArea{
		area: newArea(s, "files", sqlread.NewLane("files"), newHistory, read), states: states, configs: configs, names: known, notes: notes,
		latest: latest,
	}
}

// fileDecoder returns what reads file_columns, and notes what they say about jobs; the configurations in reset are those of
// reset-inventory files.
func fileDecoder(states map[string]string, notes *fileNotes, known *names, reset ...string) func(sqlread.Record) history.Row {
	return func(rec sqlread.Record) history.Row {
		config := known.of(rec.Text("config_id"), oms.Other)
		r := decodeFile(rec, config, states[rec.Text("status_id")], slices.Contains(reset, config))
		notes.note(rec, &r)
		return r
	}
}

// emptyFile is the outcome of a reset-inventory file that finished and had no record. For all others it is as good as
// finished.
const emptyFile = "empty"

// decodeFile reads file_columns of a file in some state. A reset-inventory file of which every record was refused has failed,
// whatever its status says: it set no stock.
func decodeFile(rec sqlread.Record, config, state string, reset bool) history.Row {
	t := history.Attributes{Name: config, Child: rec.Text("parent_log_id") != ""}
	r := history.Row{
		ID: rec.Text("log_id"), Created: rec.Moment("created_date"), Start: rec.Moment("start_date_time"),
		Records: history.Records{
			Total: history.Noted(rec.Number("total_record_count")), Failed: history.Noted(rec.Number("failed_record_count")),
		},
		Stamp: rec.Moment("last_updated_tx_stamp"),
	}
	switch outcome := oms.FileOutcome(state); outcome {
	case oms.FileFinished:
		total, refused := r.Records.Total.Fact(), r.Records.Failed.Count()
		switch {
		case reset && total != nil && *total == 0:
			t.Outcome = emptyFile
		case reset && total != nil && refused >= *total:
			t.Outcome = string(oms.FileFailed)
		case refused > 0 || rec.Text("error_record_content_id") != "": // OFBiz writes the refused records there, and may not count them
			t.Outcome = string(oms.FileFinishedWithErrors)
		default:
			t.Outcome = string(oms.FileFinished)
		}
	case oms.FileFinishedWithErrors, oms.FileFailed, oms.FileCrashed, oms.FileCancelled:
		t.Outcome = string(outcome)
	}
	if t.Ended() {
		r.End = walltime.FirstSet(rec.Moment("finish_date_time"), rec.Moment("cancel_date_time"), r.Start, r.Created, r.Stamp)
	}
	r.Attrs = unique.Make(t)
	return r
}

func succeeded(t history.Attributes) bool {
	outcome := oms.FileOutcome(t.Outcome)
	return outcome == oms.FileFinished || outcome == oms.FileFinishedWithErrors
}

func empty(t history.Attributes) bool { return t.Outcome == emptyFile }

func failedFile(t history.Attributes) bool {
	outcome := oms.FileOutcome(t.Outcome)
	return outcome == oms.FileFailed || outcome == oms.FileCrashed
}

// received is when the file reached the data manager. A child repeats a crashed file and was not received again.
func received(r *history.Row) walltime.Moment {
	if r.Attributes().Child {
		return walltime.Moment{}
	}
	return walltime.FirstSet(r.Created, r.Start, r.End)
}

// keepFiles keeps of each configuration the last success, failure, and reception, and counts all that ended recently. The
// files of the configurations in always are kept however old they are.
func keepFiles(rows map[string]*history.Row, base, floor time.Time, always []string, k *history.Retained) {
	for id, r := range rows {
		if !slices.Contains(always, r.Attributes().Name) && r.End.Latest().Before(floor) && received(r).Latest().Before(floor) {
			delete(rows, id)
		}
	}
	of := func(kind string, is func(history.Attributes) bool) func(*history.Row) history.Group {
		return func(r *history.Row) history.Group {
			if t := r.Attributes(); is(t) {
				return history.Group{Kind: kind, Name: t.Name}
			}
			return history.Group{}
		}
	}
	k.Latest(rows, of(finished, succeeded), history.EndOf)
	k.Latest(rows, of("failed", failedFile), history.EndOf)
	k.Latest(rows, of(emptyFile, empty), history.EndOf)
	k.Latest(rows, of("ended", history.Attributes.Ended), history.EndOf)
	k.Latest(rows, of("received", func(history.Attributes) bool { return true }), received)
	k.CountSince(base.Add(-oms.RecentFiles-recentMargin), always...) // see stampedTable.LatestUnstamped
}

// DataManager implements oms.Source. A file in an unknown status may be seen 5 minutes late.
func (s *Source) DataManager(ctx context.Context, now time.Time) (oms.DataManager, error) {
	facts, err := s.fileFacts(ctx, now)
	return facts.dataManager, err
}

// ResetInventory implements oms.Source.
func (s *Source) ResetInventory(ctx context.Context, now time.Time) (oms.ResetInventory, error) {
	facts, err := s.fileFacts(ctx, now)
	if err == nil && facts.lacking != nil && len(s.client.ResetInventory) > 0 {
		err = s.db.Describe(ctx, fmt.Errorf("reset_inventory: %w", facts.lacking))
	}
	return facts.resetInventory, err
}

func (s *Source) fileFacts(ctx context.Context, now time.Time) (fileFacts, error) {
	if last := s.files.last.Load(); last != nil && last.scrape == oms.ScrapeFrom(ctx) {
		return *last, nil
	}
	return s.files.refresh.Do(ctx, func(ctx context.Context) (facts fileFacts, err error) {
		err = s.db.Read(ctx, s.files.lane, now, func(ctx context.Context, r *sqlread.Reader) (err error) {
			facts, err = s.readFiles(ctx, r, now)
			return err
		})
		if facts.scrape = oms.ScrapeFrom(ctx); err == nil && facts.scrape != nil {
			s.files.last.Store(&facts)
		}
		return facts, err
	})
}

// fileConfigs are the configurations of the data manager, as of the last look.
type fileConfigs struct {
	at      time.Time
	configs oms.List[oms.FileConfig]
	left    int // that are not among them
}

// refresh reads the configurations when it is time: no more than mostNames, and those in always.
func (c *fileConfigs) refresh(ctx context.Context, r *sqlread.Reader, now time.Time, always []string) error {
	if !r.Has("file_configs") {
		*c = fileConfigs{}
		return nil
	}
	if c.configs.Known && !walltime.Due(now, c.at, statusesEvery) {
		return nil
	}
	all, left := []oms.FileConfig{}, 0
	err := r.Query(ctx, "file_configs", nil, func(rec sqlread.Record) {
		if len(all) >= mostNames && !slices.Contains(always, rec.Text("config_id")) {
			left++
			return
		}
		all = append(all, fileConfig(rec))
	})
	if err == nil {
		*c = fileConfigs{now, oms.Known(all), left}
	}
	return err
}

// fileConfig reads what a configuration is and whether it takes files.
func fileConfig(rec sqlread.Record) oms.FileConfig {
	disabled := strings.HasSuffix(strings.ToUpper(rec.Text("execution_mode_id")), "DISABLED")
	return oms.FileConfig{Config: rec.Text("config_id"), Enabled: !disabled}
}

// of returns the state of some configurations, or nil where none can be read.
func (c *fileConfigs) of(configs []string) map[string]oms.ResetConfig {
	if !c.configs.Known {
		return nil
	}
	found := map[string]oms.ResetConfig{}
	for _, config := range configs {
		found[config] = oms.ResetConfig{}
	}
	for _, known := range c.configs.All {
		if _, asked := found[known.Config]; asked {
			found[known.Config] = oms.ResetConfig{Known: true, Enabled: known.Enabled}
		}
	}
	return found
}

func (s *Source) readFiles(ctx context.Context, r *sqlread.Reader, now time.Time) (fileFacts, error) {
	var facts fileFacts
	if has, err := s.files.requireTable(r, "data_manager_log"); !has {
		facts.lacking = r.Schema.MissingTable("data_manager_log")
		return facts, err
	}
	unknown, err := s.files.unknown.refresh(ctx, r, now, "files_statuses", func(status string) bool { return s.files.states[status] != "" })
	if err != nil {
		return facts, err
	}
	counts, open := map[oms.OpenFiles]oms.OpenFiles{}, map[string]*history.Row{}
	s.files.names.merged = 0
	s.files.since.begin(now)
	err = r.Query(ctx, "files_open", sqlread.Args{"unknown": unknown}, func(rec sqlread.Record) {
		if id := rec.Text("log_id"); id != "" {
			open[id] = new(history.Row)
			return
		}
		key := oms.OpenFiles{Config: s.files.names.of(rec.Text("config_id"), oms.Other), Status: oms.FileStatus(s.files.states[rec.Text("status_id")])}
		if key.Status == "" {
			key.Status = oms.FileOther
		}
		oldest := rec.Moment("oldest_created")
		if key.Status == oms.FileRunning {
			oldest = rec.Moment("oldest_started")
		}
		since := s.files.since.at(rec.Text("status_id")+" "+rec.Text("config_id"), "", oldest, now)
		sum := counts[key]
		counts[key] = oms.OpenFiles{
			Config: key.Config, Status: key.Status, Count: sum.Count + rec.Count("files"), Oldest: walltime.Earlier(sum.Oldest, since),
		}
	})
	if err != nil {
		return facts, err
	}
	facts.dataManager.Open, facts.dataManager.Merged = oms.Known(slices.Collect(maps.Values(counts))), s.files.names.merged
	if err := s.files.known.refresh(ctx, r, now, s.files.configs); err != nil {
		return facts, err
	}
	facts.dataManager.Configs, facts.dataManager.ConfigsLeft = s.files.known.configs, s.files.known.left
	h, err := s.files.advance(ctx, r, now, open, nil)
	if h == nil {
		return facts, err
	}
	facts.dataManager.History = &oms.FileHistory{
		Configs: fileRuns(h, s.files.configs, now), Age: h.Age(now),
		RefusalsUnknown: !r.Schema.Column("data_manager_log", "failed_record_count"),
	}
	facts.resetInventory.Age = h.Age(now)
	configured := configuredFiles(h, s.files.configs)
	for _, source := range s.client.ResetInventory {
		reset := resetSource(configured, source.ConfigIDs, now)
		reset.Source, reset.Configs, reset.Files = source.Source, s.files.known.of(source.ConfigIDs), s.files.latest.of(source.ConfigIDs, now)
		for _, config := range source.ConfigIDs {
			running := counts[oms.OpenFiles{Config: config, Status: oms.FileRunning}]
			reset.Running += running.Count
			reset.RunningSince = walltime.Earlier(reset.RunningSince, running.Oldest)
		}
		facts.resetInventory.Sources = append(facts.resetInventory.Sources, reset)
	}
	return facts, err
}

// fileRuns sums up the files that ended within the last days, by configuration; of those in always, however old.
func fileRuns(h *history.History, always []string, now time.Time) []oms.FileRuns {
	since := now.Add(-oms.RecentFiles)
	ended := h.CountedSince(since, now)
	configs := map[string]oms.FileRuns{}
	config := func(name string) oms.FileRuns {
		if c, known := configs[name]; known {
			return c
		}
		return oms.FileRuns{Config: name, Recent: map[oms.FileOutcome]int{}}
	}
	for _, name := range always {
		configs[name] = config(name)
	}
	last := func(t history.Attributes, end time.Time) oms.FileRuns {
		c := config(t.Name)
		switch {
		case succeeded(t) || empty(t):
			c.LastSuccess = walltime.Later(c.LastSuccess, end)
		case failedFile(t):
			c.LastFailure = walltime.Later(c.LastFailure, end)
		}
		return c
	}
	for _, r := range h.Rows() {
		t, end := r.Attributes(), r.End.At(now)
		if r.End.IsZero() || !remembered(end, now) && !slices.Contains(always, t.Name) {
			continue
		}
		configs[t.Name] = last(t, end)
		if !end.Before(since) {
			if ended[r.Attrs] == nil {
				ended[r.Attrs] = new(history.Tally)
			}
			ended[r.Attrs].Add(end, r.Records.Failed.Count())
		}
	}
	for attrs, sum := range ended {
		t := attrs.Value()
		outcome := oms.FileOutcome(t.Outcome)
		if empty(t) {
			outcome = oms.FileFinished
		}
		c := last(t, sum.Last) // the row of the last one may have gone
		c.Recent[outcome] += sum.Rows
		c.RecentFailedRecords += sum.Refused
		configs[t.Name] = c
	}
	return slices.Collect(maps.Values(configs))
}

// configuredFiles returns the files of the reset-inventory configurations.
func configuredFiles(h *history.History, configs []string) map[string][]*history.Row {
	files := map[string][]*history.Row{}
	for _, r := range h.Rows() {
		if config := r.Attributes().Name; slices.Contains(configs, config) {
			files[config] = append(files[config], r)
		}
	}
	return files
}

// resetSource describes the reset-inventory files of some configurations.
func resetSource(files map[string][]*history.Row, configs []string, now time.Time) oms.ResetSource {
	var reset oms.ResetSource
	last := new(history.Row)
	for _, config := range configs {
		for _, r := range files[config] {
			end := r.End.At(now)
			t := r.Attributes()
			if succeeded(t) {
				reset.LastProcessed = walltime.Later(reset.LastProcessed, end)
			}
			if came := received(r); !came.IsZero() {
				reset.LastReceived = walltime.Later(reset.LastReceived, came.At(now))
			}
			if was := last.End.At(now); (succeeded(t) || failedFile(t) || empty(t)) && (end.After(was) || (end.Equal(was) && r.ID > last.ID)) {
				last = r
			}
		}
	}
	reset.LastRecords = oms.Records{Total: last.Records.Total.Fact(), Failed: last.Records.Failed.Fact()}
	return reset
}
