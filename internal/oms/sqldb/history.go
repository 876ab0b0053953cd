package sqldb

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"
	"unique"
)

const (
	// remembered is how long an ended run or file counts, and a job or configuration is known after its last.
	remembered = 7 * 24 * time.Hour
	// spare widens what is kept, so that a clock that is up to a day off does not cut into what counts.
	spare = 26 * time.Hour

	// A stamp is the start of its transaction, by its server's clock, so rows come late. They are looked for behind the
	// newest stamp: hardly, at each refresh; some way every 5 minutes, with what else that pass looks for; and far.
	overlap     = 2 * time.Minute
	passEvery   = 5 * time.Minute
	passOverlap = 15 * time.Minute
	rereadEvery = 15 * time.Minute
	reread      = 2 * time.Hour

	page         = 1000 // of rows without stamps, as in the statements
	idsAtOnce    = 512
	verifyAtOnce = 16 * idsAtOnce // rows looked up in one refresh; the rest follow in the next ones
	// countedAtOnce is how many of the rows that only count are looked up each time: where there are more of them, the others
	// wait for the next times.
	countedAtOnce = 2 * idsAtOnce
	spareRows     = 200 // that are held beyond those on which the facts rest, until they are looked through again
	renewEvery    = 24 * time.Hour
)

// far is later than any stamp. People write it for "never".
var far = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// A row is a job run, a file or an order, as far as its history matters. It is small, because many are held.
type row struct {
	id      string
	common  unique.Handle[traits]
	records records // of files
	anchor  bool    // it made others of a group superfluous

	created, start, end moment
	stamp               moment // zero in rows that Moqui wrote
}

// traits are what many rows have in common, of which one is held for all of them.
type traits struct {
	name string // the job's stable name, the file's configuration, the order's channel
	// outcome is empty while it has not ended; open is then the status of a job.
	outcome, open  string
	pool, instance string // of jobs
	child          bool   // of files: repeats a crashed one
	manual         bool   // of Moqui's runs: a person began it
}

// traits are those of the row, or none where there is no row.
func (r *row) traits() traits {
	if r == nil || r.common == (unique.Handle[traits]{}) {
		return traits{}
	}
	return r.common.Value()
}

// ended says that the row tells of an end.
func (t traits) ended() bool { return t.outcome != "" }

// same says whether the facts that others rest on are those of o.
func (r *row) same(o *row) bool {
	t, u := r.traits(), o.traits()
	return t.name == u.name && t.outcome == u.outcome && t.pool == u.pool && t.instance == u.instance &&
		t.child == u.child && r.created.equal(o.created) && r.start.equal(o.start) && r.end.equal(o.end)
}

// goesOn says whether o is what becomes of the open row r without a person's hand: it starts, and it ends.
func (r *row) goesOn(o *row) bool {
	t, u := r.traits(), o.traits()
	return !t.ended() && t.name == u.name && t.pool == u.pool && (t.instance == "" || t.instance == u.instance) &&
		t.child == u.child && r.created.equal(o.created) && (r.start.isZero() || r.start.equal(o.start))
}

// A history follows a table by its changes. It holds just the rows on which its facts rest, so it is small however
// long the table, and the facts are at all times what a fresh look at the last days would give:
//   - changes are read from the newest stamp in the database on, two minutes of overlap included, because the clocks
//     of an OMS' servers may differ; never from our own clock;
//   - every 5 minutes the last quarter of an hour, and every 15 minutes the last two hours are read again for rows that
//     were committed late; and then the rows held are looked up, for those that were purged or edited without a stamp;
//   - rows without stamps are followed by id while they are open. Every 5 minutes those with the highest ids are read again,
//     and the next page of all others.
//
// The runs of Moqui's jobs have no stamps with an index: their changes are found by their ids, see runIDs.
//
// If a row is lost that made others superfluous, the answer would need those: then the history is stale, and a new look
// back replaces it. So it does when a column has come or gone by which rows are read, and once a day, for rows that are
// not held and that somebody edited without a stamp.
type history struct {
	table   string // the prefix of its statements
	text    string // of the statement by which its rows are read: another one shows another schema
	decode  func(record) row
	keep    keeper
	configs []string // of files: the configurations whose latest files count however old
	ids     *runIDs  // of Moqui's runs

	rows      map[string]*row
	counted   tally          // further rows, of which nothing else matters
	rested    int            // on how many of the rows the facts rested when that was last looked at
	displaced map[group]bool // the groups of which rows were dropped

	// arrived counts the rows that were put here and are younger than fresh, by what they have in common.
	arrived map[unique.Handle[traits]]uint64
	fresh   time.Duration // 0 where nobody wants to know

	newest moment          // the newest stamp
	past   moment          // the newest stamp that was not in the future when it was read
	open   map[string]*row // what was waiting or in work at the last refresh
	stale  time.Time       // since when a row is lost that made others superfluous

	rereadAt   time.Time // our clock at the last full refresh
	unverified []string  // rows held that are still to be looked up since then
	counter    string    // the last counted row that was to be looked up
	passedAt   time.Time // our clock at the last pass
	after      string    // where the next page of rows without stamps begins
	paged      bool      // whether all pages were read once

	back      lookBack
	completed time.Time // our clock when the look back was
}

func newHistory(table string, decode func(record) row, keep keeper) *history {
	return &history{
		table: table, decode: decode, keep: keep, rows: map[string]*row{}, counted: tally{kindOf: map[kind]uint32{}},
		arrived: map[unique.Handle[traits]]uint64{},
	}
}

// refresh brings the history up to date. open is what waits or is in work now, extra is what the caller read besides.
func (h *history) refresh(ctx context.Context, r *reader, now time.Time, open, extra map[string]*row) error {
	batch := maps.Clone(extra)
	if batch == nil {
		batch = map[string]*row{}
	}
	if text := r.text(h.table + "_by_id"); text != h.text {
		h.text = text
		h.lose(now)
	}
	full := due(now, h.rereadAt, rereadEvery)
	err := h.read(ctx, r, now, full, batch)
	if err == nil {
		if full {
			counted := h.counted.after(h.counter, countedAtOnce)
			if len(counted) > 0 {
				h.counter = counted[len(counted)-1]
			}
			h.rereadAt, h.unverified = now, slices.AppendSeq(counted, maps.Keys(h.rows))
		}
		err = h.verify(ctx, r, now, open, batch)
	}
	h.put(batch, now) // whatever was read is true
	if full || len(h.rows) > roomy(h.rested)+spareRows {
		h.prune(now)
	}
	return err
}

// read reads what changed and, when it is time, some rows without stamps.
func (h *history) read(ctx context.Context, r *reader, now time.Time, full bool, batch map[string]*row) error {
	if h.ids != nil {
		return h.ids.read(ctx, r, h, now, batch)
	}
	if empty := h.newest.isZero(); empty || full { // the newest stamp may also have gone, or been mended
		if err := h.prime(ctx, r); err != nil {
			return err
		}
		// What is in the table now may be days old where nothing was, and where nobody has looked for long.
		unread := !h.rereadAt.IsZero() && now.Sub(h.rereadAt) > reread-passOverlap
		if !h.newest.isZero() && (empty || unread) {
			h.lose(now)
		}
	}
	pass := due(now, h.passedAt, passEvery)
	if !h.newest.isZero() {
		since := h.base(now).Add(-overlap)
		switch {
		case full:
			since = oldest(h.base(now), h.back.base).Add(-reread)
		case pass:
			since = h.base(now).Add(-passOverlap)
		}
		if err := h.changes(ctx, r, h.floorOf(r, since), far, batch); err != nil {
			return err
		}
		h.back.base = time.Time{}
	}
	if pass {
		return h.pass(ctx, r, now, batch)
	}
	return nil
}

// verify reads by id the rows that are no longer open, and after a full refresh those held that are due. What is gone is
// dropped.
func (h *history) verify(ctx context.Context, r *reader, now time.Time, open, batch map[string]*row) error {
	again := map[string]bool{}
	for id := range h.open {
		_, still := open[id]
		again[id] = !still
	}
	share := h.unverified[:min(len(h.unverified), verifyAtOnce)]
	for _, id := range share {
		again[id] = again[id] || h.holds(id)
	}
	maps.DeleteFunc(again, func(id string, want bool) bool {
		_, have := batch[id]
		return have || !want
	})
	for chunk := range chunks(again) {
		if err := r.query(ctx, h.table+"_by_id", args{"ids": chunk}, into(batch, h.decode)); err != nil {
			return err
		}
	}
	var gone []string
	for id := range again {
		if _, have := batch[id]; !have {
			if r := h.rows[id]; r != nil && r.anchor {
				h.lose(now)
			}
			delete(h.rows, id)
			gone = append(gone, id)
		}
	}
	h.counted.remove(slices.Values(gone))
	if h.open, h.unverified = open, h.unverified[len(share):]; len(h.unverified) == 0 {
		h.unverified = nil // the array, too
	}
	return nil
}

// chunks returns ids in as large parts as one statement takes.
func chunks(ids map[string]bool) iter.Seq[[]string] {
	return slices.Chunk(slices.Collect(maps.Keys(ids)), idsAtOnce)
}

// holds says whether the row is held.
func (h *history) holds(id string) bool { return h.rows[id] != nil || h.counted.has(id) }

// pass reads the latest rows without stamps, a page of the others, and the latest files of some configurations.
func (h *history) pass(ctx context.Context, r *reader, now time.Time, batch map[string]*row) error {
	err := h.latestUnstamped(ctx, r, batch)
	if err == nil {
		err = h.unstamped(ctx, r, batch)
	}
	if err == nil {
		h.passedAt = now
	}
	return err
}

func (h *history) latestUnstamped(ctx context.Context, r *reader, batch map[string]*row) error {
	if err := r.query(ctx, h.table+"_unstamped_newest", nil, into(batch, h.decode)); err != nil {
		return err
	}
	for _, config := range h.configs {
		if err := r.query(ctx, "files_of_config", args{"config": config}, into(batch, h.decode)); err != nil {
			return err
		}
	}
	return nil
}

// unstamped reads the next page of rows without stamps. Orders are not paged through: those that are open are read whenever
// it is looked where they wait.
func (h *history) unstamped(ctx context.Context, r *reader, batch map[string]*row) error {
	n, last, put := 0, "", into(batch, h.decode)
	if statement := h.table + "_unstamped"; statement != "orders_unstamped" {
		err := r.query(ctx, statement, args{"after": h.after}, func(rec record) {
			n++
			last = rec.text(0)
			put(rec)
		})
		if err != nil {
			return err
		}
	}
	if h.after = last; n < page {
		h.after, h.paged = "", true
	}
	return nil
}

// prime finds the newest stamp, where the table has any.
func (h *history) prime(ctx context.Context, r *reader) error {
	if !r.can(h.table + "_newest") {
		h.newest = moment{}
		return nil
	}
	before := args{"to": r.source.dialect.time(far)}
	err := r.query(ctx, h.table+"_newest", before, func(rec record) { h.newest = rec.moment(0) })
	if h.past.raw().After(h.newest.raw()) {
		h.past = h.newest
	}
	return err
}

// changes reads what was stamped in [from, to), both as stored.
func (h *history) changes(ctx context.Context, r *reader, from, to time.Time, batch map[string]*row) error {
	time := r.source.dialect.time
	return r.query(ctx, h.table+"_changes", args{"from": time(from), "to": time(to)}, into(batch, h.decode))
}

// into returns what puts decoded rows into a batch.
func into(batch map[string]*row, decode func(record) row) func(record) {
	return func(rec record) {
		r := decode(rec)
		batch[r.id] = &r
	}
}

// put takes rows over, and notes if one changed that made others superfluous.
func (h *history) put(batch map[string]*row, now time.Time) {
	var came []*row
	for id, r := range batch {
		if h.fresh > 0 && !h.holds(id) {
			came = append(came, r)
		}
		old, have := h.rows[id]
		if have && old.anchor {
			if r.anchor = true; !old.same(r) && !old.goesOn(r) {
				h.lose(now)
			}
		}
		h.rows[id] = r
		if r.stamp.raw().After(h.newest.raw()) {
			h.newest = r.stamp
		}
		if r.stamp.raw().After(h.past.raw()) && !r.stamp.lo().After(now) {
			h.past = r.stamp
		}
	}
	h.counted.remove(maps.Keys(batch)) // until the next prune
	for _, r := range came {
		if h.isFresh(r.end, now) {
			h.arrived[r.common]++
		}
	}
}

// isFresh says of what ended, or came, then whether it is young enough to have come just now.
func (h *history) isFresh(end moment, now time.Time) bool {
	return end.hi().After(h.base(now).Add(-h.fresh))
}

// lose notes that the answer would need rows which are not held any more.
func (h *history) lose(now time.Time) {
	if h.stale.IsZero() {
		h.stale = now
	}
}

// prune drops the rows on which nothing rests, and most of those that only count.
func (h *history) prune(now time.Time) {
	base := h.base(now)
	for _, r := range h.rows {
		r.anchor = false
	}
	k := kept{rows: map[string]bool{}, former: h.displaced, displaced: map[group]bool{}}
	h.keep(h.rows, base, base.Add(-remembered-spare), &k)
	h.counted.prune(k.counts)
	var counted []*row
	for id, r := range h.rows {
		if !k.rows[id] && k.counts(r.end) {
			counted = append(counted, r)
		}
	}
	h.counted.put(counted)
	rows := make(map[string]*row, len(k.rows)) // one that rows are deleted from stays as large as it was
	for id := range k.rows {
		rows[id] = h.rows[id]
	}
	h.rows = rows
	h.rested, h.displaced = len(h.rows), k.displaced
}

// base is when the newest stamp was made. One stamp in the future must not hide what comes after it: then it is the
// newest one before. Our clock counts only where there is none.
func (h *history) base(now time.Time) time.Time {
	switch {
	case !h.newest.isZero() && !h.newest.lo().After(now):
		return h.newest.lo()
	case !h.past.isZero():
		return h.past.lo()
	}
	return now
}

// floorOf returns the least stored stamp of what was written after t.
func (h *history) floorOf(r *reader, t time.Time) time.Time {
	return h.newest.floor(t, r.source.client.Database.Timezone)
}

// age says how old the oldest part of the answer is: that of rows without stamps which come as they should, or of runs with
// ids passed over. Other rows without stamps may be found a page of them each time, and within a day.
func (h *history) age(now time.Time) time.Duration { return max(now.Sub(h.passedAt), 0) }

// due says whether something was last done so long ago, or in the future: the clock went back.
func due(now, last time.Time, every time.Duration) bool {
	return now.Before(last) || now.Sub(last) >= every
}

// A group is of rows of which only the latest matter.
type group struct{ kind, name string }

// A keeper says on which rows the facts rest, as of base; what is earlier than floor does not count any more.
type keeper func(rows map[string]*row, base, floor time.Time, k *kept)

// kept are the rows on which facts rest.
type kept struct {
	rows map[string]bool
	// displaced are the groups of which rows were dropped, now and formerly.
	former, displaced map[group]bool
	// counted is since when rows must have ended to be counted; zero where none are.
	counted time.Time
}

// counts says whether what ended then is counted.
func (k *kept) counts(end moment) bool { return !k.counted.IsZero() && end.hi().After(k.counted) }

// latest keeps the rows that may be the latest of their group by some moment.
func (k *kept) latest(rows map[string]*row, of func(*row) group, by func(*row) moment) {
	best := latestOf(rows, of, by)
	var mayBe []*row
	for _, r := range rows {
		switch g, m := of(r), by(r); {
		case g == (group{}) || m.isZero():
		case m.before(best[g]):
			k.displaced[g] = true
		default:
			if k.former[g] {
				k.displaced[g] = true
			}
			mayBe = append(mayBe, r)
		}
	}
	for _, r := range mayBe {
		k.rows[r.id] = true
		r.anchor = r.anchor || k.displaced[of(r)]
	}
}

// latestOf returns the latest moment of each group.
func latestOf(rows map[string]*row, of func(*row) group, by func(*row) moment) map[group]moment {
	best := map[group]moment{}
	for _, r := range rows {
		if g, m := of(r), by(r); g != (group{}) && !m.isZero() && !m.lo().Before(best[g].lo()) {
			best[g] = m
		}
	}
	return best
}
