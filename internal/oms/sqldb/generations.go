package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// jobFacts are the facts of one generation of the OMS about its jobs, its history as rows.
type jobFacts struct {
	oms.Jobs
	rows   []*history.Row        // nil until its backfill is complete
	recent map[string]tally      // of runs that are not among them
	starts map[string][]begunRun // as well
	alive  map[string]time.Time  // by instance when it last renewed a lease
	// strange is the id of a run that cannot be followed.
	strange string
	age     time.Duration
}

// Jobs implements oms.Source: the jobs of both generations, as far as each is there. A job of which both tell has one
// history.
//
// They are read one after the other, on the one connection of the jobs and in one transaction. If one of them cannot be
// read, the facts are those of the other: Moqui's jobs get a transaction of their own where OFBiz' have failed or taken half
// of the time.
func (s *Source) Jobs(ctx context.Context, now time.Time) (oms.Jobs, error) {
	ctx, first, inTime, release := s.shares(ctx)
	defer release()
	var ofbiz, moqui jobFacts
	var moquiErr error
	begun := false
	ofbizErr := s.db.Read(first, s.jobs.lane, now, func(ctx context.Context, r *sqlread.Reader) (err error) {
		ofbiz, err = s.ofbizJobs(ctx, r, now)
		if begun = !failed(err) && inTime(); begun {
			moqui, moquiErr = s.moquiJobs(ctx, r, now)
			moquiErr = s.db.Describe(ctx, moquiErr)
		}
		return err
	})
	if !begun {
		moquiErr = s.db.Read(ctx, s.runs.lane, now, func(ctx context.Context, r *sqlread.Reader) (err error) {
			moqui, err = s.moquiJobs(ctx, r, now)
			return err
		})
	}

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
	if moqui.Runs.Known {
		facts.Runs = oms.Known(append(moqui.Runs.All, facts.Runs.All...))
		facts.Scheduled = merged(moqui.Scheduled, facts.Scheduled)
		facts.Claims = merged(moqui.Claims, facts.Claims)
	}
	facts.Waits = append(facts.Waits, moqui.Waits...)
	facts.Unreadable = moqui.Unreadable
	// A pool whose last start is not known must not stand beside one whose is: nobody could tell it from one in which
	// nothing starts.
	if !errors.Is(ofbizErr, oms.ErrIncomplete) {
		facts.Pools = append(facts.Pools, moqui.Pools...)
	}
	if ofbiz.rows != nil || moqui.rows != nil {
		facts.History = jobHistory(now, moqui, ofbiz)
		s.durations.complete(facts.History, now)
		facts.History.Age = max(ofbiz.age, moqui.age)
		facts.History.Activity = s.signs.of(now, moqui, ofbiz)
		s.files.notes.complete(facts.History, now)
		for instance, at := range ofbiz.alive {
			facts.History.Activity[instance] = walltime.Later(facts.History.Activity[instance], at)
		}
	}
	if err == nil && moqui.strange != "" {
		err = s.db.Describe(ctx, fmt.Errorf("runs such as %q in service_job_run cannot be followed: their ids are not a prefix and a number", moqui.strange))
	}
	return facts, err
}

// merged has what is in either, and what is in both as in the second.
func merged[V any](first, second map[string]V) map[string]V {
	all := map[string]V{}
	maps.Copy(all, first)
	maps.Copy(all, second)
	return all
}

// failed says that facts could not be had, apart from a history that is still to be read.
func failed(err error) bool { return err != nil && !errors.Is(err, oms.ErrIncomplete) }

// shares divides the time where there are two generations: all of it but a tenth, so that what the first has found is still
// in time when the second is not; and the first half, which does not end any more if inTime is called before it has. When
// it does end, the server is told: the limit that it was given is that of both.
func (s *Source) shares(ctx context.Context) (all, first context.Context, inTime func() bool, release context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !limited || s.generation() != oms.GenerationBoth {
		return ctx, ctx, func() bool { return true }, func() {}
	}
	left := time.Until(deadline)
	all, release = context.WithTimeout(ctx, left*9/10)
	first, end := context.WithCancelCause(all)
	timer := time.AfterFunc(left/2, func() { end(context.DeadlineExceeded) })
	return all, first, timer.Stop, release
}

// generation returns what was last found in the database.
func (s *Source) generation() oms.Generation {
	if schema, _ := s.db.Known(time.Now()); schema != nil {
		return generationOf(schema)
	}
	return oms.GenerationUnknown
}
