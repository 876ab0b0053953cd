package superset

import (
	"sync"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// streaks are what failed when it was last asked, over runs that did not reach it.
type streaks struct {
	mu      sync.Mutex
	failing map[item]streak
}

// item is a dashboard or, with a name, a chart of it.
type item struct{ dashboard, chart string }

// streak is how many runs in a row something has failed, and how it did last.
type streak struct {
	failures int
	last     oms.ReportFailure
}

// next counts what a run found, nil when it is well. It returns what was before, too: nothing when that was well.
func (s *streaks) next(i item, found *oms.ReportFailure) (now, before streak) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.failing[i]
	if found == nil {
		delete(s.failing, i)
		return streak{}, before
	}
	now = streak{failures: before.failures + 1, last: *found}
	s.failing[i] = now
	return now, before
}

// keep forgets what a dashboard does not have any more.
func (s *streaks) keep(dashboard string, found dashboard) {
	has := map[string]bool{"": true}
	for _, charts := range [][]chart{found.charts, found.gone} {
		for _, c := range charts {
			has[c.name] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.failing {
		if i.dashboard == dashboard && !has[i.chart] {
			delete(s.failing, i)
		}
	}
}
