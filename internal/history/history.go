// Package history follows tables that are too large to be read at each scrape by what changes in them. It knows no SQL: it is
// given a Table or a Sequence.
package history

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// Remembered is how long an ended run or file counts, and a job or configuration is known after its last.
	Remembered = 7 * 24 * time.Hour
	// Margin widens what is kept, so that a clock that is up to a day off does not cut into what counts.
	Margin = 26 * time.Hour
	// MostNames is how many jobs, configurations or channels are known: where there are more, those of which rows were written last.
	MostNames = 10_000

	// A timestamp is the start of its transaction, by its server's clock, so rows come late. They are looked for behind the
	// newest timestamp: hardly, at each refresh; some way every 5 minutes, with what else that pass looks for; and far.
	overlap     = 2 * time.Minute
	passEvery   = 5 * time.Minute
	passOverlap = 15 * time.Minute
	rereadEvery = 15 * time.Minute
	// Reread is how far back of the newest timestamp all is read again every 15 minutes.
	Reread = 2 * time.Hour

	// Page is how many rows table.Unstamped returns, unless there are fewer.
	Page = 1000
	// burst is how many changes of an overlap are too many to be read again at each refresh.
	burst        = 1000
	idsAtOnce    = 512
	verifyAtOnce = 16 * idsAtOnce // rows looked up in one refresh; the rest follow in the next ones
	// countedAtOnce is how many of the rows that only count are looked up each time: where there are more of them, the others
	// wait for the next times.
	countedAtOnce = 2 * idsAtOnce
	// mostUnseen is how many of the rows that are being read are held until they are looked through.
	mostUnseen = 12 * Page
	slackRows  = 200 // that are held beyond those on which the facts rest, until they are looked through again
	renewEvery = 24 * time.Hour
)

// A History follows a table by its changes. It holds just the rows on which its facts rest, so it is small however
// long the table, and the facts are at all times what a fresh look at the last days would give:
//   - changes are read from the newest timestamp in the database on, two minutes of overlap included, because the clocks
//     of an OMS' servers may differ; never from our own clock;
//   - every 5 minutes the last quarter of an hour, and every 15 minutes the last two hours are read again for rows that
//     were committed late; and then the rows held are looked up, for those that were purged or edited without a timestamp;
//   - rows without timestamps are followed by id while they are open. Every 5 minutes those with the highest ids are read again,
//     and the next page of all others.
//
// The runs of Moqui's jobs have no timestamps with an index: their changes are found by their ids, see Sequence.
//
// If a row is lost that made others superfluous, the answer would need those: then the history is invalid, and a new backfill
// replaces it. So it does when a row that only counted, and is not held any more, is open again or ends once more; when a column has
// come or gone by which rows are read; and once a day, for rows that are not held and that somebody purged, or edited without a timestamp.
type History struct {
	zone    *time.Location // in which the OMS writes
	keep    Retention
	ids     *sequences // of a table whose changes are found by its ids
	version string     // of the source when it was last read: another one shows another schema

	rows      map[string]*Row
	counted   packedRows  // further rows, of which nothing else matters
	settled   settledRows // and those that are not even known by their ids any more
	settledTo time.Time   // which ended before then
	countedTo time.Time   // and those do not count any more that ended before then
	reread    []string    // names of which none is settled
	// edited are further such names: one of their rows was edited when it may have been settled, so others will be. A backfill because
	// of that takes them over, so that there is one for each name and day.
	edited    map[string]bool
	begun     packedRows // rows of which it matters when they began; some are counted, too
	starts    string     // the kind of their groups
	rested    int        // on how many of the rows the facts rested when that was last looked at
	displaced groups     // those of which rows were dropped
	forgot    bool       // whether there were too many names

	mostUnseen int

	// arrived counts the rows that were put here and are fresh, by name and outcome; nil where nobody wants to know.
	arrived map[unique.Handle[Attributes]]uint64

	// After a burst of changes the overlap begins behind what was read of it: readTo. The passes find what was committed late.
	readTo    time.Time
	burstEnds walltime.Moment // the last timestamp of the burst

	newest       walltime.Moment // the newest timestamp
	past         walltime.Moment // the newest timestamp that was not in the future when it was read
	open         map[string]*Row // what was waiting or in progress at the last refresh
	invalidSince time.Time       // since when a row is lost that made others superfluous

	rereadAt   time.Time // our clock at the last full refresh
	unverified []string  // rows held that are still to be looked up since then
	counter    string    // the last counted row that was to be looked up
	passedAt   time.Time // our clock at the last pass
	after      string    // where the next page of rows without timestamps begins
	paged      bool      // whether all pages were read once

	backfill  backfill
	completed time.Time // our clock when the backfill was
}

// New returns an empty history of a Table whose timestamps are in zone.
func New(zone *time.Location, keep Retention) *History {
	return &History{zone: zone, keep: keep, rows: map[string]*Row{}, edited: map[string]bool{}, mostUnseen: mostUnseen}
}

// NewCounting returns a history that also counts the rows which come, if that is less than Fresh ago.
func NewCounting(zone *time.Location, keep Retention) *History {
	h := New(zone, keep)
	h.arrived = map[unique.Handle[Attributes]]uint64{}
	return h
}

// NewSequenced returns a history of a Sequence.
func NewSequenced(zone *time.Location, keep Retention) *History {
	h := New(zone, keep)
	h.ids = &sequences{}
	return h
}

// refresh brings the history up to date. open is what waits or is in progress now, extra is what the caller read besides.
func (h *History) refresh(ctx context.Context, src Reader, now time.Time, open, extra map[string]*Row) error {
	batch := maps.Clone(extra)
	if batch == nil {
		batch = map[string]*Row{}
	}
	if version := src.Version(); version != h.version {
		h.version = version
		h.invalidate(now)
	}
	full := walltime.Due(now, h.rereadAt, rereadEvery)
	err := h.read(ctx, src, now, full, batch)
	if err == nil {
		if full {
			counted := h.counted.after(h.counter, countedAtOnce)
			if len(counted) > 0 {
				h.counter = counted[len(counted)-1]
			}
			all := maps.Clone(h.rows)
			for e := range h.begun.all() {
				all[h.begun.id(e)] = nil
			}
			h.rereadAt, h.unverified = now, slices.AppendSeq(counted, maps.Keys(all))
		}
		err = h.verify(ctx, src, now, open, batch)
	}
	h.put(batch, now) // whatever was read is true
	if err == nil {
		h.open, h.backfill.base = open, time.Time{}
	}
	if full || len(h.rows) > withSlack(h.rested)+slackRows {
		h.prune(now, err == nil)
	}
	return err
}

// read reads what changed and, when it is time, some rows without timestamps.
func (h *History) read(ctx context.Context, src Reader, now time.Time, full bool, batch map[string]*Row) error {
	if h.ids != nil {
		return h.ids.read(ctx, src.(Sequence), h, now, batch) //nolint:forcetypeassert // who makes such a history has one
	}
	t := src.(Table) //nolint:forcetypeassert // as above
	// The newest timestamp may also have gone, or been fixed: soon so if it is in the future.
	if empty := h.newest.IsZero(); empty || full || h.newest.Earliest().After(now) {
		if err := h.prime(ctx, t); err != nil {
			return err
		}
		// What is in the table now may be days old where nothing was, and where nobody has looked for long.
		unread := !h.rereadAt.IsZero() && now.Sub(h.rereadAt) > Reread-passOverlap
		if !h.newest.IsZero() && (empty || unread) {
			h.invalidate(now)
		}
	}
	pass := walltime.Due(now, h.passedAt, passEvery)
	if !h.newest.IsZero() {
		since := h.base(now).Add(-overlap)
		switch {
		case full:
			since = walltime.Earlier(h.base(now), h.backfill.base).Add(-Reread)
		case pass:
			since = h.base(now).Add(-passOverlap)
		}
		if !full && !pass && h.readTo.After(since) {
			since = h.readTo
		}
		if err := h.readChanges(ctx, t, since, now, batch); err != nil {
			return err
		}
	}
	if pass {
		return h.pass(ctx, t, now, batch)
	}
	return nil
}

// readChanges reads what changed since then. Where that is a burst, the next refreshes begin at its last timestamp, and behind it where
// that alone is one: thousands of rows that one transaction wrote have all the same timestamp.
func (h *History) readChanges(ctx context.Context, t Table, since, now time.Time, batch map[string]*Row) error {
	n, last, put := 0, walltime.Moment{}, h.through(batch, now)
	err := t.Changes(ctx, h.floorOf(since), walltime.Never, func(r *Row) {
		put(r)
		if !r.Stamp.Earliest().After(now) { // one in the future must not hide what comes before it
			n++
			last = r.Stamp
		}
	})
	if err != nil || n <= burst {
		return err
	}
	if h.readTo = last.Earliest(); last.Equal(h.burstEnds) {
		h.readTo = h.readTo.Add(time.Microsecond)
	}
	h.burstEnds = last
	return nil
}

// verify reads by id the rows that are no longer open, and after a full refresh those held that are due. What is gone is
// dropped.
func (h *History) verify(ctx context.Context, src Reader, now time.Time, open, batch map[string]*Row) error {
	again := map[string]bool{}
	for id := range h.open {
		_, still := open[id]
		again[id] = !still
	}
	share, asked := h.unverified[:min(len(h.unverified), verifyAtOnce)], map[string]bool{}
	for _, id := range share {
		asked[id] = true
	}
	known := held(h, asked)
	for id := range asked {
		again[id] = again[id] || known(id)
	}
	maps.DeleteFunc(again, func(id string, want bool) bool {
		_, have := batch[id]
		return have || !want
	})
	for chunk := range Chunks(again) {
		if err := src.ByID(ctx, chunk, into(batch)); err != nil {
			return err
		}
	}
	maps.DeleteFunc(again, func(id string, _ bool) bool { return batch[id] != nil })
	begun := find(&h.begun, again)
	for id := range again { // they are gone
		if r := h.rows[id]; r != nil && r.supersedes || h.beganAnother(begun, id, nil) {
			h.invalidate(now)
		}
		delete(h.rows, id)
	}
	h.counted.remove(find(&h.counted, again))
	h.begun.remove(begun)
	if h.unverified = h.unverified[len(share):]; len(h.unverified) == 0 {
		h.unverified = nil // the array, too
	}
	return nil
}

// Chunks returns ids in as large parts as one statement takes.
func Chunks(ids map[string]bool) iter.Seq[[]string] {
	return slices.Chunk(slices.Collect(maps.Keys(ids)), idsAtOnce)
}

// Rows returns the rows on which the facts rest, apart from those that only count. Nobody may change them.
func (h *History) Rows() map[string]*Row { return h.rows }

// Strange returns an id of a Sequence that is no number behind a prefix: rows with such ids can go unnoticed. It is empty where
// none was seen.
func (h *History) Strange() string {
	if h.ids == nil {
		return ""
	}
	return h.ids.strange
}

// Newest returns the newest timestamp that was read.
func (h *History) Newest() walltime.Moment { return h.newest }

// A Tally is how many rows ended, or came, the records that they refused, and when the last one ended.
type Tally struct {
	Rows, Refused int
	Last          time.Time
}

// Add adds a row that ended then with these refused records.
func (t *Tally) Add(end time.Time, refused int) {
	t.Rows++
	t.Refused += refused
	t.Last = walltime.Later(t.Last, end)
}

// CountedSince sums up the rows that only count and ended since then, to the second, by what they have in common: the name and the
// outcome alone.
func (h *History) CountedSince(since, now time.Time) map[unique.Handle[Attributes]]*Tally {
	all := map[unique.Handle[Attributes]]*Tally{}
	tally := func(attrs unique.Handle[Attributes]) *Tally {
		if all[attrs] == nil {
			all[attrs] = new(Tally)
		}
		return all[attrs]
	}
	for e := range h.counted.all() {
		if end := h.counted.at(e).At(now); !end.Before(since) {
			tally(h.counted.attrs(e)).Add(end, e.Number)
		}
	}
	for attrs, endings := range h.settled.all() {
		for e := range endings {
			if end := time.Unix(e.At, 0).UTC(); !end.Before(since) {
				tally(attrs).Add(end, e.Number)
			}
		}
	}
	return all
}

// Begun yields the attributes of rows that are not among Rows, and when they began, if that is among the latest starts.
func (h *History) Begun() iter.Seq2[Attributes, walltime.Moment] {
	return func(yield func(Attributes, walltime.Moment) bool) {
		for e := range h.begun.all() {
			if !yield(h.begun.attrs(e).Value(), h.begun.at(e)) {
				return
			}
		}
	}
}

// beganAnother says of a row of which it matters when it began whether others were dropped because of that, and it is not like that
// any more: the row is r now, or gone.
func (h *History) beganAnother(begun map[string]packed, id string, r *Row) bool {
	e, has := begun[id]
	if !has {
		return false
	}
	name, start := h.begun.attrs(e).Value().Name, h.begun.at(e).Stored()
	same := r != nil && r.Attributes().Name == name && r.Start.Stored().Truncate(time.Second).Equal(start)
	return !same && h.displaced.has(Group{h.starts, name})
}

// held returns what says of these rows whether h holds them.
func held[V any](h *History, ids map[string]V) func(id string) bool {
	counted, begun := find(&h.counted, ids), find(&h.begun, ids)
	return func(id string) bool { return h.rows[id] != nil || has(counted, id) || has(begun, id) }
}

// pass reads the latest rows without timestamps, and a page of the others.
func (h *History) pass(ctx context.Context, t Table, now time.Time, batch map[string]*Row) error {
	err := t.LatestUnstamped(ctx, into(batch))
	if err == nil {
		err = h.unstamped(ctx, t, batch)
	}
	if err == nil {
		h.passedAt = now
	}
	return err
}

// unstamped reads the next page of rows without timestamps.
func (h *History) unstamped(ctx context.Context, t Table, batch map[string]*Row) error {
	n, last, put := 0, "", into(batch)
	err := t.Unstamped(ctx, h.after, func(r *Row) {
		n++
		last = r.ID
		put(r)
	})
	if err != nil {
		return err
	}
	if h.after = last; n < Page {
		h.after, h.paged = "", true
	}
	return nil
}

// prime finds the newest timestamp, where the table has any.
func (h *History) prime(ctx context.Context, t Table) error {
	newest, err := t.Newest(ctx)
	if err != nil {
		return err
	}
	if h.newest = newest; h.past.Stored().After(h.newest.Stored()) {
		h.past = h.newest
	}
	return nil
}

// into returns what puts rows into a batch.
func into(batch map[string]*Row) func(*Row) { return func(r *Row) { batch[r.ID] = r } }

// through returns what puts rows into a batch, of which there may be any number: those before are looked through as soon as they are many.
// None of them is settled, as they are read again if the statement fails.
func (h *History) through(batch map[string]*Row, now time.Time) func(*Row) {
	return func(r *Row) {
		if batch[r.ID] = r; len(batch) >= h.mostUnseen {
			h.put(batch, now)
			clear(batch)
			if h.forgetNames(); len(h.rows) >= h.mostUnseen {
				h.prune(now, false)
			}
		}
	}
}

// put takes rows over, and notes if one changed that made others superfluous.
func (h *History) put(batch map[string]*Row, now time.Time) {
	var came []*Row
	counted, begun := find(&h.counted, batch), find(&h.begun, batch)
	for id, r := range batch {
		isNew := h.rows[id] == nil && !has(counted, id) && !has(begun, id)
		if h.arrived != nil && isNew && !r.End.Latest().Before(h.settledTo) {
			came = append(came, r)
		}
		if isNew && h.maySettled(r) {
			h.edited[r.Attributes().Name] = true
			h.invalidate(now)
		}
		if h.beganAnother(begun, id, r) {
			h.invalidate(now)
		}
		old, have := h.rows[id]
		if have && old.supersedes {
			if r.supersedes = true; !old.same(r) && !old.continues(r) {
				h.invalidate(now)
			}
		}
		h.rows[id] = r
		if r.Stamp.Stored().After(h.newest.Stored()) {
			h.newest = r.Stamp
		}
		if r.Stamp.Stored().After(h.past.Stored()) && !r.Stamp.Earliest().After(now) {
			h.past = r.Stamp
		}
	}
	h.counted.remove(counted) // until the next prune
	h.begun.remove(begun)
	for _, r := range came {
		if h.isFresh(r.End, now) {
			h.arrived[r.Attributes().brief()]++
		}
	}
}

// Arrivals returns how many rows came since it was last asked, by name and outcome alone, where before is the history that
// was asked then: h or, if the backfill was repeated, the one before h. What is in h and not in that one came meanwhile.
// Without any before, nothing came yet.
func (h *History) Arrivals(before *History, now time.Time) map[unique.Handle[Attributes]]uint64 {
	came := h.arrived
	if came == nil {
		return nil
	}
	h.arrived = map[unique.Handle[Attributes]]uint64{}
	switch before {
	case nil:
		return nil
	case h:
		return came
	}
	arrived := map[string]unique.Handle[Attributes]{}
	// By a clock that was wrong for a moment, one of them may take for fresh what the other did not hold any more, or had settled.
	fresh := func(end walltime.Moment) bool {
		return h.isFresh(end, now) && before.isFresh(end, now) && !end.Latest().Before(before.settledTo)
	}
	for _, r := range h.rows {
		if fresh(r.End) {
			arrived[r.ID] = r.Attributes().brief()
		}
	}
	for e := range h.counted.all() {
		if fresh(h.counted.at(e)) {
			arrived[h.counted.id(e)] = h.counted.attrs(e) // which are brief
		}
	}
	came = before.arrived
	known := held(before, arrived)
	for id, attrs := range arrived {
		if !known(id) {
			came[attrs]++
		}
	}
	return came
}

// isFresh says of what ended, or came, then whether it is young enough to have come just now.
func (h *History) isFresh(end walltime.Moment, now time.Time) bool {
	return end.Latest().After(h.base(now).Add(-Fresh))
}

// invalidate notes that the answer would need rows which are not held any more.
func (h *History) invalidate(now time.Time) {
	if h.invalidSince.IsZero() {
		h.invalidSince = now
	}
}

// maySettled says of a row that is not held that it may be settled, as it ended long ago, or began then and was not open: somebody edited
// it, or it would not be read.
func (h *History) maySettled(r *Row) bool {
	t, began := r.Attributes(), r.Start
	if r.End.IsZero() && began.IsZero() {
		began = r.Created
	}
	switch {
	case r.Stamp.IsZero(), h.open[r.ID] != nil, h.staysKnown(t.Name):
		return false
	case h.ids != nil && h.completed.IsZero(), !r.Stamp.Latest().After(h.backfill.base): // the backfill reads it, or read it, as it is
		return false
	case !r.End.IsZero() && r.End.Latest().Before(h.settledTo):
		return r.End.Latest().After(h.countedTo)
	}
	return t.Open == "" && !began.IsZero() && began.Latest().Before(h.settledTo)
}

// staysKnown says whether rows with this name are never settled.
func (h *History) staysKnown(name string) bool {
	return h.edited[name] || slices.Contains(h.reread, name)
}

// prune drops the rows on which nothing rests, and most of those of which little matters. None is settled where something failed, as
// it may be gone, and would be counted for ever.
func (h *History) prune(now time.Time, settle bool) {
	base := h.base(now)
	for _, r := range h.rows {
		r.supersedes = false
	}
	for e := range h.begun.all() {
		if id := h.begun.id(e); h.rows[id] == nil {
			h.rows[id] = &Row{ID: id, Attrs: h.begun.attrs(e), Start: h.begun.at(e)}
		}
	}
	h.forgetNames()
	k := Retained{rows: map[string]bool{}, begun: map[string]bool{}, former: h.displaced}
	h.keep(h.rows, base, base.Add(-Remembered-Margin), &k)
	h.countedTo, h.reread = k.counted, k.reread
	h.counted.prune(func(e packed) bool { return k.Counts(h.counted.at(e)) })
	var counted, begun []*Row
	for id, r := range h.rows {
		if !k.rows[id] && k.Counts(r.End) {
			counted = append(counted, r)
		}
		if !k.rows[id] && k.begun[id] {
			begun = append(begun, r)
		}
	}
	h.counted.put(counted, Attributes.brief, EndOf)
	h.begun, h.starts = packedRows{}, k.kind
	h.begun.put(begun, unique.Make[Attributes], StartOf)
	if settle && len(h.unverified) == 0 {
		h.settle(base, &k)
	}
	h.displaced = k.displaced
	if !settle { // more follows soon
		maps.DeleteFunc(h.rows, func(id string, _ *Row) bool { return !k.rows[id] })
		h.rested = len(h.rows)
		return
	}
	// A map that rows are deleted from stays as large as it was, and rows that a backfill left here and there hold the memory around
	// them.
	rows, held := make(map[string]*Row, len(k.rows)), make([]Row, 0, len(k.rows))
	for id := range k.rows {
		r := *h.rows[id]
		r.ID = strings.Clone(id)
		held = append(held, r)
		rows[r.ID] = &held[len(held)-1]
	}
	h.rows = rows
	h.rested = len(h.rows)
}

// forgetNames drops the rows of the names that are too many: those of which all that is known is the oldest.
func (h *History) forgetNames() {
	if len(h.rows) <= MostNames {
		return
	}
	latest := map[string]time.Time{}
	for _, r := range h.rows {
		name := r.Attributes().Name
		latest[name] = walltime.Later(latest[name], walltime.FirstSet(r.Stamp, r.End, r.Start).Latest())
	}
	if len(latest) <= MostNames {
		return
	}
	h.forgot = true
	names := slices.SortedFunc(maps.Keys(latest), func(a, b string) int {
		return cmp.Or(latest[b].Compare(latest[a]), cmp.Compare(a, b))
	})
	for _, name := range names[:MostNames] {
		delete(latest, name)
	}
	forgotten := func(name string) bool { _, is := latest[name]; return is }
	maps.DeleteFunc(h.rows, func(_ string, r *Row) bool { return forgotten(r.Attributes().Name) })
	h.counted.prune(func(e packed) bool { return !forgotten(h.counted.attrs(e).Value().Name) })
	h.settled.forget(forgotten)
}

// Forgot says whether there were more than MostNames since the backfill began, so that nothing is known of the others.
func (h *History) Forgot() bool { return h.forgot }

// settle forgets which of the rows that only count ended long ago, unless they are read again, also for what else matters of them.
func (h *History) settle(base time.Time, k *Retained) {
	after := settledAfter
	if h.arrived != nil {
		after = Fresh
	}
	h.settledTo = walltime.Earlier(base, h.backfill.base).Add(-after)
	settled := map[unique.Handle[Attributes]][]Ending{}
	h.counted.prune(func(e packed) bool {
		attrs, end := h.counted.attrs(e), h.counted.at(e).Latest()
		if !h.counted.shape(e).settles || !end.Before(h.settledTo) || k.begun[h.counted.id(e)] || k.rows[h.counted.id(e)] ||
			h.staysKnown(attrs.Value().Name) {
			return true
		}
		settled[attrs] = append(settled[attrs], Ending{end.Unix(), e.Number})
		return false
	})
	h.settled.settle(settled, k.counted)
}

// base is when the newest timestamp was made. One timestamp in the future must not hide what comes after it: then it is the
// newest one before. Our clock counts only where there is none.
func (h *History) base(now time.Time) time.Time {
	switch {
	case !h.newest.IsZero() && !h.newest.Earliest().After(now):
		return h.newest.Earliest()
	case !h.past.IsZero():
		return h.past.Earliest()
	}
	return now
}

// floorOf returns the least stored timestamp of what was written after t.
func (h *History) floorOf(t time.Time) time.Time {
	return h.newest.Floor(t, h.zone)
}

// Age says how old the oldest part of the answer is: that of rows without timestamps which come as they should, or of runs with
// ids passed over. Other rows without timestamps may be found a page of them each time, and within a day.
func (h *History) Age(now time.Time) time.Duration { return max(now.Sub(h.passedAt), 0) }
