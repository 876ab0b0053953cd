package sqldb

import (
	"context"
	"time"
)

// statusesEvery is how often a table is looked through for statuses that nobody knows.
const statusesEvery = 5 * time.Minute

// strangers are the statuses in use in a table that nobody knows, as of the last look. A new one is seen with the next, so
// its rows may be missing for as long; rows in a known status, or in none, are found without it. Whoever has the
// connection of the table's area may use them.
type strangers struct {
	at       time.Time
	statuses []string
}

// look sends the statement that lists the statuses, when it is time, and returns those that are not known.
func (s *strangers) look(ctx context.Context, r *reader, now time.Time, statement string, known func(string) bool) ([]string, error) {
	if !due(now, s.at, statusesEvery) {
		return s.statuses, nil
	}
	var found []string
	err := r.query(ctx, statement, nil, func(rec record) {
		if status := rec.text(0); !rec.null(0) && !known(status) {
			found = append(found, status)
		}
	})
	if err == nil {
		s.at, s.statuses = now, found
	}
	return found, err
}
