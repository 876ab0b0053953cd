package sqldb

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// statusesEvery is how often a table is searched for unknown statuses.
const statusesEvery = 5 * time.Minute

// unknownStatuses are the unknown statuses in use in a table, as of the last read. A new one is seen with the next, so
// its rows may be missing for as long; rows in a known status, or in none, are found without it.
type unknownStatuses struct {
	at       time.Time
	statuses []string
}

// refresh sends the statement that lists the statuses, when it is time, and returns those that are not known.
func (s *unknownStatuses) refresh(ctx context.Context, r *sqlread.Reader, now time.Time, statement string, known func(string) bool) ([]string, error) {
	if !walltime.Due(now, s.at, statusesEvery) {
		return s.statuses, nil
	}
	var found []string
	err := r.Query(ctx, statement, nil, func(rec sqlread.Record) {
		if status := rec.Text("status_id"); !rec.Null("status_id") && !known(status) {
			found = append(found, status)
		}
	})
	if err == nil {
		s.at, s.statuses = now, found
	}
	return found, err
}
