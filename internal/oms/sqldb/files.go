package sqldb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// waitingFiles lists the statuses of files that wait or are in work, in the same order at each call: they are part of a
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

// recentSpare is what spare is for the files that ended within the last hours, of which all are held.
const recentSpare = 6 * time.Hour

// fileFacts are what both collectors that read data_manager_log need.
type fileFacts struct {
	scrape         any // for which they were read
	dataManager    oms.DataManager
	resetInventory oms.ResetInventory
	lacking        error // no fault by itself, but where the configuration asks for it
}

func (s *Source) newFileHistory() *history {
	var configs []string
	for _, source := range s.client.ResetInventory {
		configs = append(configs, source.ConfigIDs...)
	}
	h := newHistory("files", s.decodeFile, func(rows map[string]*row, base, floor time.Time, k *kept) {
		keepFiles(rows, base, floor, configs, k)
	})
	h.configs = configs
	return h
}

// decodeFile reads file_columns.
func (s *Source) decodeFile(rec record) row {
	t := traits{name: rec.text(1), child: rec.text(3) != ""}
	r := row{
		id: rec.text(0), created: rec.moment(4), start: rec.moment(5),
		records: records{noted(rec.number(8)), noted(rec.number(9))},
		stamp:   rec.moment(10),
	}
	switch outcome := oms.FileOutcome(s.fileStates[rec.text(2)]); outcome {
	case oms.FileFinished:
		if t.outcome = string(outcome); r.records.failed.count() > 0 {
			t.outcome = string(oms.FileFinishedWithErrors)
		}
	case oms.FileFinishedWithErrors, oms.FileFailed, oms.FileCrashed, oms.FileCancelled:
		t.outcome = string(outcome)
	}
	if t.ended() {
		r.end = first(rec.moment(6), rec.moment(7), r.start, r.created, r.stamp)
	}
	r.common = unique.Make(t)
	return r
}

// records are the numbers of a file's records.
type records struct{ total, failed number }

// A number is 1 more than what the OMS says, and 0 where it does not say: without a pointer, because many are held.
type number int64

func noted(n int, is bool) number {
	if !is {
		return 0
	}
	return number(n) + 1
}

func (n number) fact() *int {
	if n == 0 {
		return nil
	}
	return new(int(n - 1))
}

// count is what is said, or 0.
func (n number) count() int { return int(max(n-1, 0)) }

func (t traits) succeeded() bool {
	outcome := oms.FileOutcome(t.outcome)
	return outcome == oms.FileFinished || outcome == oms.FileFinishedWithErrors
}

func (t traits) failedFile() bool {
	outcome := oms.FileOutcome(t.outcome)
	return outcome == oms.FileFailed || outcome == oms.FileCrashed
}

// received is when the file reached the data manager. A child repeats a crashed file and was not received again.
func (r *row) received() moment {
	if r.traits().child {
		return moment{}
	}
	return first(r.created, r.start, r.end)
}

// keepFiles keeps of each configuration the last success, failure, and reception, and counts all that ended recently. The
// files of the configurations in always are kept however old they are.
func keepFiles(rows map[string]*row, base, floor time.Time, always []string, k *kept) {
	for id, r := range rows {
		if !slices.Contains(always, r.traits().name) && r.end.hi().Before(floor) && r.received().hi().Before(floor) {
			delete(rows, id)
		}
	}
	of := func(kind string, is func(traits) bool) func(*row) group {
		return func(r *row) group {
			if t := r.traits(); is(t) {
				return group{kind, t.name}
			}
			return group{}
		}
	}
	k.latest(rows, of(finished, traits.succeeded), endOf)
	k.latest(rows, of("failed", traits.failedFile), endOf)
	k.latest(rows, of("ended", traits.ended), endOf)
	k.latest(rows, of("received", func(traits) bool { return true }), (*row).received)
	k.counted = base.Add(-oms.RecentFiles - recentSpare)
}

// DataManager implements oms.Source. A file in a status that nobody knows may be seen 5 minutes late.
func (s *Source) DataManager(ctx context.Context, now time.Time) (oms.DataManager, error) {
	facts, err := s.fileFacts(ctx, now)
	return facts.dataManager, err
}

// ResetInventory implements oms.Source.
func (s *Source) ResetInventory(ctx context.Context, now time.Time) (oms.ResetInventory, error) {
	facts, err := s.fileFacts(ctx, now)
	if err == nil && facts.lacking != nil && len(s.client.ResetInventory) > 0 {
		err = s.plain(ctx, fmt.Errorf("reset_inventory: %w", facts.lacking))
	}
	return facts.resetInventory, err
}

func (s *Source) fileFacts(ctx context.Context, now time.Time) (fileFacts, error) {
	if last := s.lastFiles.Load(); last != nil && last.scrape == oms.ScrapeFrom(ctx) {
		return *last, nil
	}
	return s.dataManager.Do(ctx, func(ctx context.Context) (facts fileFacts, err error) {
		err = s.read(ctx, s.files, now, func(ctx context.Context, r *reader) (err error) {
			facts, err = s.readFiles(ctx, r, now)
			return err
		})
		if facts.scrape = oms.ScrapeFrom(ctx); err == nil && facts.scrape != nil {
			s.lastFiles.Store(&facts)
		}
		return facts, err
	})
}

func (s *Source) readFiles(ctx context.Context, r *reader, now time.Time) (fileFacts, error) {
	var facts fileFacts
	if has, err := r.need(s.files, "data_manager_log"); !has {
		facts.lacking = r.schema.need("data_manager_log")
		return facts, err
	}
	unknown, err := s.strangeFiles.look(ctx, r, now, "files_statuses", func(status string) bool { return s.fileStates[status] != "" })
	if err != nil {
		return facts, err
	}
	counts, open := map[oms.OpenFiles]oms.OpenFiles{}, map[string]*row{}
	err = r.query(ctx, "files_open", args{"unknown": unknown}, func(rec record) {
		if id := rec.text(5); id != "" {
			open[id] = new(row)
			return
		}
		key := oms.OpenFiles{Config: rec.text(0), Status: oms.FileStatus(s.fileStates[rec.text(1)])}
		if key.Status == "" {
			key.Status = oms.FileOther
		}
		since := rec.moment(3).at(now)
		if key.Status == oms.FileRunning {
			since = rec.moment(4).at(now)
		}
		sum := counts[key]
		counts[key] = oms.OpenFiles{
			Config: key.Config, Status: key.Status, Count: sum.Count + rec.count(2), Oldest: oldest(sum.Oldest, since),
		}
	})
	if err != nil {
		return facts, err
	}
	facts.dataManager.Open = slices.AppendSeq([]oms.OpenFiles{}, maps.Values(counts))
	h, err := s.advance(ctx, s.files, r, now, open, nil)
	if h == nil {
		return facts, err
	}
	facts.dataManager.History = &oms.FileHistory{
		Configs: fileRuns(h, now), Age: h.age(now),
		RefusalsUnknown: !r.schema.columns["data_manager_log.failed_record_count"],
	}
	facts.resetInventory.Age = h.age(now)
	configured := configuredFiles(h)
	for _, source := range s.client.ResetInventory {
		reset := resetSource(configured, source.ConfigIDs, now)
		reset.Source = source.Source
		for _, config := range source.ConfigIDs {
			running := counts[oms.OpenFiles{Config: config, Status: oms.FileRunning}]
			reset.Running += running.Count
			reset.RunningSince = oldest(reset.RunningSince, running.Oldest)
		}
		facts.resetInventory.Sources = append(facts.resetInventory.Sources, reset)
	}
	return facts, err
}

// fileRuns sums up the files that ended within the last days, by configuration; of those in h.configs, however old.
func fileRuns(h *history, now time.Time) []oms.FileRuns {
	type ended struct {
		last            time.Time
		recent, refused int
	}
	since := now.Add(-oms.RecentFiles)
	add := func(sum *ended, end time.Time, refused int) {
		if sum.last = newest(sum.last, end); !end.Before(since) {
			sum.recent++
			sum.refused += refused
		}
	}
	counted := make([]ended, len(h.counted.kinds))
	for _, e := range h.counted.entries {
		add(&counted[e.kind], h.counted.end(e).at(now), h.counted.kinds[e.kind].refused)
	}
	sums := map[unique.Handle[traits]]*ended{}
	for i, k := range h.counted.kinds {
		sum := &counted[i]
		if other := sums[k.common]; other != nil {
			sum.last, sum.recent, sum.refused = newest(sum.last, other.last), sum.recent+other.recent, sum.refused+other.refused
		}
		sums[k.common] = sum
	}
	for _, r := range h.rows {
		if r.end.isZero() {
			continue
		}
		if sums[r.common] == nil {
			sums[r.common] = new(ended)
		}
		add(sums[r.common], r.end.at(now), r.records.failed.count())
	}
	configs := map[string]oms.FileRuns{}
	for _, config := range h.configs {
		configs[config] = oms.FileRuns{Config: config, Recent: map[oms.FileOutcome]int{}}
	}
	for common, s := range sums {
		t := common.Value()
		if s.last.Before(now.Add(-remembered)) && !slices.Contains(h.configs, t.name) {
			continue
		}
		c, ok := configs[t.name]
		if !ok {
			c = oms.FileRuns{Config: t.name, Recent: map[oms.FileOutcome]int{}}
		}
		switch {
		case t.succeeded():
			c.LastSuccess = newest(c.LastSuccess, s.last)
		case t.failedFile():
			c.LastFailure = newest(c.LastFailure, s.last)
		}
		if s.recent > 0 {
			c.Recent[oms.FileOutcome(t.outcome)] += s.recent
			c.RecentFailedRecords += s.refused
		}
		configs[t.name] = c
	}
	return slices.Collect(maps.Values(configs))
}

// configuredFiles returns the files of the reset-inventory configurations.
func configuredFiles(h *history) map[string][]*row {
	files := map[string][]*row{}
	for _, r := range h.rows {
		if config := r.traits().name; slices.Contains(h.configs, config) {
			files[config] = append(files[config], r)
		}
	}
	return files
}

// resetSource tells of the reset-inventory files of some configurations.
func resetSource(files map[string][]*row, configs []string, now time.Time) oms.ResetSource {
	var reset oms.ResetSource
	last := new(row)
	for _, config := range configs {
		for _, r := range files[config] {
			end := r.end.at(now)
			t := r.traits()
			if t.succeeded() {
				reset.LastProcessed = newest(reset.LastProcessed, end)
			}
			if received := r.received(); !received.isZero() {
				reset.LastReceived = newest(reset.LastReceived, received.at(now))
			}
			if was := last.end.at(now); (t.succeeded() || t.failedFile()) && (end.After(was) || (end.Equal(was) && r.id > last.id)) {
				last = r
			}
		}
	}
	reset.LastRecords = oms.Records{Total: last.records.total.fact(), Failed: last.records.failed.fact()}
	return reset
}
