package sqldb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// mostLastFiles is how many files of a configuration the statement files_of_config reads.
	mostLastFiles = 500
	// lastFilesFor is how old a file may be to count for a habit: more than ten weekends, and less than a season.
	lastFilesFor = 90 * 24 * time.Hour
)

// lastFiles are the last files of the reset-inventory configurations that set stock. They are noted as rows are read, and every
// 5 minutes, when the last files are read again, those rows replace them: what was purged is gone, as after a fresh start.
type lastFiles struct {
	mu    sync.Mutex
	files map[string]map[string]lastFile // by configuration and id; which configurations there are does not change
}

type lastFile struct {
	end     walltime.Moment
	records history.Number
}

func newLastFiles(configs []string) *lastFiles {
	files := map[string]map[string]lastFile{}
	for _, config := range configs {
		files[config] = map[string]lastFile{}
	}
	return &lastFiles{files: files}
}

// configs returns the configurations, in the same order each time; none where there is no receiver.
func (l *lastFiles) configs() []string {
	if l == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(l.files))
}

// note takes in a row.
func (l *lastFiles) note(r *history.Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := r.Attributes()
	files, watched := l.files[t.Name]
	switch {
	case !watched:
	case !succeeded(t) || r.End.IsZero():
		delete(files, r.ID)
	default:
		files[r.ID] = lastFile{r.End, r.Records.Total}
	}
}

// replace takes in all rows of a configuration.
func (l *lastFiles) replace(config string, rows []*history.Row) {
	l.mu.Lock()
	clear(l.files[config])
	l.mu.Unlock()
	for _, r := range rows {
		l.note(r)
	}
}

// of returns the files of some configurations as of now, the oldest first.
func (l *lastFiles) of(configs []string, now time.Time) []oms.ProcessedFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []oms.ProcessedFile
	for _, config := range configs {
		first := len(all)
		for id, f := range l.files[config] {
			end := f.end.At(now)
			if now.Sub(end) > lastFilesFor {
				delete(l.files[config], id)
				continue
			}
			all = append(all, oms.ProcessedFile{Config: config, Processed: end, Records: f.records.Fact()})
		}
		if more := len(all) - first - mostLastFiles; more > 0 { // that came within 5 minutes
			slices.SortFunc(all[first:], byProcessed)
			all = slices.Delete(all, first, first+more)
		}
	}
	slices.SortFunc(all, byProcessed)
	return all
}

// byProcessed is an order in which no two files of different facts are equal.
func byProcessed(a, b oms.ProcessedFile) int {
	records := func(f oms.ProcessedFile) int {
		if f.Records == nil {
			return -1
		}
		return *f.Records
	}
	return cmp.Or(a.Processed.Compare(b.Processed), strings.Compare(a.Config, b.Config), cmp.Compare(records(a), records(b)))
}
