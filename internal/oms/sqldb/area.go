package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// An area is a part of the OMS that has one connection at a time and a history. It is the host of its follower.
type area struct {
	*history.Follower
	source *Source
	name   string
	lane   sqlread.Lane
	// read returns the area's table as a run reads it.
	read func(r *sqlread.Reader) history.Reader
}

func newArea(s *Source, name string, lane sqlread.Lane, newHistory func() *history.History, read func(*sqlread.Reader) history.Reader) *area {
	a := &area{source: s, name: name, lane: lane, read: read}
	a.Follower = history.NewFollower(name, a, newHistory)
	return a
}

// advance returns the area's history, brought up to date. Until it is complete it returns nil and an error that wraps
// oms.ErrIncomplete.
func (a *area) advance(ctx context.Context, r *sqlread.Reader, now time.Time, open, extra map[string]*history.Row) (*history.History, error) {
	h, err := a.Advance(ctx, a.read(r), now, open, extra)
	if h == nil {
		a.peek(ctx, r, now)
	}
	switch {
	case errors.Is(err, history.ErrIncomplete):
		err = incomplete{err}
	case err == nil && h.Forgot():
		err = fmt.Errorf("the history of %s has more than %d names: those written longest ago are not measured", a.name, history.MostNames)
	}
	return h, err
}

// peek looks at the newest timestamp while there is no history, so that the clock is known before the first age is exported. The backfill
// reports its errors.
func (a *area) peek(ctx context.Context, r *sqlread.Reader, now time.Time) {
	if t, ok := a.read(r).(history.Table); ok {
		if newest, err := t.Newest(ctx); err == nil {
			a.Advanced(newest, now)
		}
	}
}

// incomplete says in the words of package oms that a history is not complete.
type incomplete struct{ error }

func (e incomplete) Unwrap() error { return e.error }

func (e incomplete) Is(target error) bool { return target == oms.ErrIncomplete }

// requireTable says whether the area's table can be used; it is an error if it cannot, unless an OMS version may lack the table. Then
// what is held of it is worth nothing any more.
func (a *area) requireTable(r *sqlread.Reader, table string) (bool, error) {
	has, err := a.source.requireTable(r, table)
	if !has {
		a.Forget()
		a.source.instance.clock.forget(a.name)
	}
	return has, err
}

// Go implements host.
func (a *area) Go(fn func(context.Context)) bool { return a.source.db.Go(fn) }

// Step implements host.
func (a *area) Step(ctx context.Context, now time.Time, fn func(context.Context, history.Reader) error) (took time.Duration, err error) {
	if err := a.lane.Acquire(ctx); err != nil {
		return 0, err
	}
	defer a.lane.Release()
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, history.StepTimeout)
	defer cancel()
	err = a.source.db.ReadHeld(ctx, now, func(ctx context.Context, r *sqlread.Reader) error { return fn(ctx, a.read(r)) })
	return time.Since(start), err
}

// Advanced implements host. A run of Moqui with a start in the future is remembered as such also when that is put right: the locks,
// which are read each time, show it.
func (a *area) Advanced(newest walltime.Moment, now time.Time) {
	if a == a.source.runs.area && newest.Earliest().Sub(now) > clockFits {
		a.source.instance.clock.forget(a.name)
		return
	}
	a.source.instance.clock.observe(a.name, newest, now)
}

// Delayed implements host.
func (a *area) Delayed(err error) {
	a.source.logger.Warn("the backfill continues at the next scrape", "area", a.name, "err", err.Error()+flight.Stack(err))
}

// decodeInto returns what puts decoded rows into a batch.
func decodeInto(batch map[string]*history.Row, decode func(sqlread.Record) history.Row) func(sqlread.Record) {
	return decoded(decode, func(r *history.Row) { batch[r.ID] = r })
}

// decoded returns what puts decoded rows.
func decoded(decode func(sqlread.Record) history.Row, put func(*history.Row)) func(sqlread.Record) {
	return func(rec sqlread.Record) {
		r := decode(rec)
		put(&r)
	}
}

// stampedStatements are those by which a table with timestamps is read.
type stampedStatements struct {
	newest, changes, byID string
	unstamped             string // empty where unstampedNewest finds all that matter
	unstampedNewest       string
}

// A stampedTable is a table with timestamps as a run reads it.
type stampedTable struct {
	*sqlread.Reader
	statements stampedStatements
	decode     func(sqlread.Record) history.Row
	last       *lastFiles // of files: those of the configurations whose latest files count however old
}

// stamped returns what reads such a table.
func stamped(statements stampedStatements, decode func(sqlread.Record) history.Row, last *lastFiles) func(*sqlread.Reader) history.Reader {
	return func(r *sqlread.Reader) history.Reader { return stampedTable{r, statements, decode, last} }
}

func (t stampedTable) Version() string { return t.Text(t.statements.byID) }

func (t stampedTable) query(ctx context.Context, statement string, named sqlread.Args, put func(*history.Row)) error {
	return t.Query(ctx, statement, named, decoded(t.decode, put))
}

func (t stampedTable) ByID(ctx context.Context, ids []string, put func(*history.Row)) error {
	return t.query(ctx, t.statements.byID, sqlread.Args{"ids": ids}, put)
}

func (t stampedTable) Newest(ctx context.Context) (newest walltime.Moment, err error) {
	if !t.Has(t.statements.newest) { // Moqui made the table
		return newest, nil
	}
	before := sqlread.Args{"to": t.Stored(walltime.Never)}
	err = t.Query(ctx, t.statements.newest, before, func(rec sqlread.Record) { newest = rec.Moment("newest") })
	return newest, err
}

func (t stampedTable) Changes(ctx context.Context, from, to time.Time, put func(*history.Row)) error {
	return t.query(ctx, t.statements.changes, sqlread.Args{"from": t.Stored(from), "to": t.Stored(to)}, put)
}

func (t stampedTable) Unstamped(ctx context.Context, after string, put func(*history.Row)) error {
	if t.statements.unstamped == "" {
		return nil
	}
	return t.query(ctx, t.statements.unstamped, sqlread.Args{"after": after}, put)
}

func (t stampedTable) LatestUnstamped(ctx context.Context, put func(*history.Row)) error {
	err := t.query(ctx, t.statements.unstampedNewest, nil, put)
	for _, config := range t.last.configs() {
		if err != nil {
			break
		}
		var rows []*history.Row
		err = t.query(ctx, "files_of_config", sqlread.Args{"config": config}, func(r *history.Row) {
			rows = append(rows, r)
			put(r)
		})
		if err == nil {
			t.last.replace(config, rows)
		}
	}
	return err
}

// A runTable is Moqui's runs, which have no timestamps with an index, as a run of the exporter reads them.
type runTable struct {
	*sqlread.Reader
	source *Source
}

// decode reads run_columns, and notes how long the run took.
func (t runTable) decode(rec sqlread.Record) history.Row {
	r := decodeRun(rec)
	t.source.durations.note(&r)
	return r
}

func (t runTable) Version() string { return t.Text("runs_by_id") }

func (t runTable) ByID(ctx context.Context, ids []string, put func(*history.Row)) error {
	return t.Query(ctx, "runs_by_id", sqlread.Args{"ids": ids}, decoded(t.decode, put))
}

func (t runTable) Between(ctx context.Context, from, to string, put func(*history.Row)) error {
	span := sqlread.Args{"from": from, "to": to, "length": len(from)}
	return t.Query(ctx, "runs_between", span, decoded(t.decode, put))
}

func (t runTable) Last(ctx context.Context, from, to string) (id string, err error) {
	err = t.Query(ctx, "runs_last", sqlread.Args{"from": from, "to": to}, func(rec sqlread.Record) { id = rec.Text("job_run_id") })
	return id, err
}

func (t runTable) Locked(ctx context.Context) (map[string]bool, error) {
	_, locks, _, err := t.source.serviceJobs(ctx, t.Reader)
	return lockedRuns(locks), err
}
