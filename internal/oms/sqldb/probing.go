package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// look returns the schema, probing for it at first and from time to time. Of the areas that find it due at once, one
// probes; the others go on with what is known or, at first, wait for it.
func (s *Source) look(ctx context.Context, r *reader, now time.Time) (*schema, map[string]*statement, error) {
	sch, statements, again := s.known(now)
	if !again {
		return sch, statements, nil
	}
	select {
	case s.probing <- struct{}{}:
	default:
		if sch != nil {
			return sch, statements, nil
		}
		select {
		case s.probing <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, errors.New("the tables are still being looked up")
		}
	}
	defer func() { <-s.probing }()
	if sch, statements, again = s.known(now); !again { // somebody has just been here
		return sch, statements, nil
	}
	return s.probe(ctx, r, now)
}

// known returns what is known of the schema, and whether it is time to look again.
func (s *Source) known(now time.Time) (sch *schema, statements map[string]*statement, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	every := probeEvery
	if s.doubtful {
		every = probeAgain
	}
	return s.schema, s.statements, s.schema == nil || due(now, s.probed, every)
}

// probe looks at the database's catalogue, and says in the log what is missing when that is news.
func (s *Source) probe(ctx context.Context, r *reader, now time.Time) (*schema, map[string]*statement, error) {
	sch, err := s.dialect.probe(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var before []oms.Column
	if s.schema != nil {
		before = s.schema.missing
	}
	if s.schema.equal(sch) {
		s.probed, s.doubtful = now, false
		return s.schema, s.statements, nil
	}
	statements, err := render(s.dialect, sch, s.client.Orders.CreatedExclude.MissingAttributes)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case slices.Equal(before, sch.missing):
	case len(sch.missing) == 0:
		s.logger.Info("nothing is missing in this database any more")
	default:
		s.logger.Info("this database lacks something: the metrics that need it are absent", "missing", fmt.Sprint(sch.missing))
	}
	s.schema, s.statements, s.probed, s.doubtful = sch, statements, now, false
	return sch, statements, nil
}

// doubt has the schema looked at again soon: something is wrong, so it may have changed.
func (s *Source) doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubtful = true
}

// need says whether the area's table can be used; it is an error if it cannot, unless a vintage may lack the table. Then
// what is held of it is worth nothing any more.
func (r *reader) need(a *area, table string) (bool, error) {
	if r.schema.has(table) {
		return true, nil
	}
	a.forget()
	if r.schema.without(table) {
		return false, nil
	}
	r.source.doubt()
	return false, r.schema.need(table)
}
