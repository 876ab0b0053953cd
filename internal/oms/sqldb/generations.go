package sqldb

import (
	"context"
	"errors"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// jobFacts are what one generation of the OMS tells of its jobs, its history as rows.
type jobFacts struct {
	oms.Jobs
	rows []row // nil until its look back is complete
	age  time.Duration
}

// Jobs implements oms.Source: the jobs of both generations, as far as each is there. A job of which both tell has one
// history.
//
// They are read one after the other, on the one connection of the jobs. If one of them cannot be read, the facts are
// those of the other.
func (s *Source) Jobs(ctx context.Context, now time.Time) (oms.Jobs, error) {
	both := s.generation() == oms.GenerationBoth
	first, release := part(ctx, both, 1, 2)
	ofbiz, ofbizErr := s.ofbizJobs(first, now)
	release()
	second, release := part(ctx, both, 9, 10) // what the first has found must still be in time
	moqui, moquiErr := s.moquiJobs(second, now)
	release()

	facts, err := ofbiz.Jobs, ofbizErr
	switch {
	case failed(ofbizErr) && failed(moquiErr):
		err = errors.Join(ofbizErr, moquiErr)
	case failed(moquiErr) || ofbizErr == nil:
		err = moquiErr
	}
	facts.Partial = failed(err)
	facts.Pending += moqui.Pending
	facts.Queued += moqui.Queued
	facts.Running += moqui.Running
	if moqui.Runs != nil {
		facts.Runs = append(moqui.Runs, facts.Runs...)
	}
	// A pool whose last start is not known must not stand beside one whose is: nobody could tell it from one in which
	// nothing starts.
	if !errors.Is(ofbizErr, oms.ErrLookBack) {
		facts.Pools = append(facts.Pools, moqui.Pools...)
	}
	if ofbiz.rows != nil || moqui.rows != nil {
		facts.History = jobHistory(append(moqui.rows, ofbiz.rows...), now)
		facts.History.Age = max(ofbiz.age, moqui.age)
	}
	return facts, err
}

// failed says that facts could not be had, apart from a history that is still to be read.
func failed(err error) bool { return err != nil && !errors.Is(err, oms.ErrLookBack) }

// part returns a context that ends after a part of the time which remains, if others need the rest.
func part(ctx context.Context, shared bool, of, all time.Duration) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !shared || !limited {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(deadline)*of/all)
}

// generation returns what was last found in the database.
func (s *Source) generation() oms.Generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schema == nil {
		return oms.GenerationUnknown
	}
	return s.schema.generation
}
