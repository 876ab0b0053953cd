package sqldb

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"
)

const (
	// remembered is how long an ended run or file counts, and a job or configuration is known after its last.
	remembered = 7 * 24 * time.Hour
	// spare widens what is kept, so that a clock that is up to a day off does not cut into what counts.
	spare = 26 * time.Hour

	overlap      = 10 * time.Minute // how far behind the newest stamp a steady read begins
	rereadEvery  = 15 * time.Minute // a stamp is the start of its transaction, so rows come late …
	reread       = 2 * time.Hour    // … and are looked for this far back
	unstampEvery = 5 * time.Minute
	slice        = 6 * time.Hour // what one statement of a look back covers
	page         = 2000          // as in the statements on rows without stamps
	idsAtOnce    = 512
)

// far is later than any stamp.
var far = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// A row is a job run, a file or an order, as far as its history matters.
type row struct {
	id   string
	name string // the job's stable name, the file's configuration, the order's channel
	// outcome is empty while it has not ended; open is then the status of a job.
	outcome, open  string
	pool, instance string // of jobs
	child          bool   // of files: repeats a crashed one
	total, failed  int    // records of files
	counted        bool   // whether the OMS says how many

	created, start, end moment
	stamp               moment // zero in rows that Moqui wrote
}

// same says whether the facts that others rest on are those of o.
func (r row) same(o row) bool {
	return r.name == o.name && r.outcome == o.outcome && r.pool == o.pool && r.instance == o.instance &&
		r.child == o.child && r.created.equal(o.created) && r.start.equal(o.start) && r.end.equal(o.end)
}

// goesOn says whether r is what becomes of the open row o without a person's hand: it starts, and it ends.
func (r row) goesOn(o row) bool {
	return r.outcome == "" && r.created.equal(o.created) && (r.start.isZero() || r.start.equal(o.start))
}

// A history follows a table by its changes. It holds just the rows on which its facts rest, so it is small however
// long the table, and the facts are at all times what a fresh look at the last days would give:
//   - changes are read from the newest stamp in the database on, some minutes of overlap included; never from our clock,
//     which may differ;
//   - every 15 minutes the last two hours are read again for rows that were committed late, and every row held is looked
//     up, for those that were purged or edited without a stamp;
//   - rows without stamps are followed by id while they are open, and paged through every 5 minutes.
//
// If a row is lost on which others rested that are not held any more, the answer would need those: then the history is
// stale, and a new look back replaces it.
type history struct {
	table  string // the prefix of its statements
	decode func(record) row
	// keep returns the ids of the rows on which the facts rest. True marks an anchor: a row that made others superfluous.
	keep func(rows map[string]row, base, floor time.Time) map[string]bool

	rows    map[string]row
	anchors map[string]bool
	newest  moment         // the newest stamp seen
	open    map[string]row // what was waiting or in work at the last refresh
	stale   bool

	refreshed  time.Time
	rereadAt   time.Time
	unstampAt  time.Time
	after      string    // where the next page of rows without stamps begins
	cycleStart time.Time // when the present pass through them began
	cycled     time.Time // when the last complete pass began

	sliceFrom time.Time // look back: what is read next, as stored
	configs   []string  // of files: the configurations whose latest files count however old
}

func newHistory(table string, decode func(record) row, keep func(rows map[string]row, base, floor time.Time) map[string]bool) *history {
	return &history{table: table, decode: decode, keep: keep, rows: map[string]row{}}
}

// prime begins a look back: it finds the newest stamp.
func (h *history) prime(ctx context.Context, r *reader) error {
	return r.query(ctx, h.table+"_newest", nil, func(rec record) { h.newest = rec.moment(0) })
}

// fill reads the next slice of the look back. It says whether there is more.
func (h *history) fill(ctx context.Context, r *reader, now time.Time) (more bool, err error) {
	if h.newest.isZero() {
		if err := h.prime(ctx, r); err != nil {
			return false, err
		}
	}
	switch last := h.newest.raw; {
	case last.IsZero(): // no row has a stamp
	case h.sliceFrom.IsZero():
		h.sliceFrom = h.floorOf(r, h.newest.lo.Add(-remembered-spare))
		return true, nil
	case !h.sliceFrom.After(last):
		from, to := h.sliceFrom, h.sliceFrom.Add(slice)
		h.sliceFrom = to
		if to.After(last) {
			to = far
		}
		batch := map[string]row{}
		if err := h.changes(ctx, r, from, to, batch); err != nil {
			h.sliceFrom = from // to be read again
			return false, err
		}
		h.put(batch)
		h.prune(now)
		return true, nil
	}
	batch := map[string]row{}
	if h.cycled.IsZero() {
		more, err = true, h.unstamped(ctx, r, now, batch)
	} else {
		err = h.latestOfConfigs(ctx, r, batch)
	}
	h.put(batch)
	h.prune(now)
	return more, err
}

// refresh brings the history up to date. open is what waits or is in work now, extra is what the caller read besides.
func (h *history) refresh(ctx context.Context, r *reader, now time.Time, open, extra map[string]row) error {
	batch := maps.Clone(extra)
	if batch == nil {
		batch = map[string]row{}
	}
	full := due(now, h.rereadAt, rereadEvery)
	err := h.read(ctx, r, now, full, batch)
	if err == nil {
		err = h.verify(ctx, r, full, open, batch)
	}
	h.put(batch) // whatever was read is true
	if err != nil {
		return err
	}
	h.open, h.refreshed = open, now
	if full {
		h.rereadAt = now
		h.prune(now)
	}
	return nil
}

// read reads what changed and, when it is time, some rows without stamps.
func (h *history) read(ctx context.Context, r *reader, now time.Time, full bool, batch map[string]row) error {
	back := overlap
	if full {
		back = reread
	}
	if h.newest.isZero() {
		if err := h.prime(ctx, r); err != nil {
			return err
		}
	}
	if !h.newest.isZero() {
		if err := h.changes(ctx, r, h.floorOf(r, h.base(now).Add(-back)), far, batch); err != nil {
			return err
		}
	}
	if due(now, h.unstampAt, unstampEvery) {
		return h.pass(ctx, r, now, batch)
	}
	return nil
}

// verify reads by id the rows that are no longer open and, at a full refresh, all those held. What is gone is dropped.
func (h *history) verify(ctx context.Context, r *reader, full bool, open, batch map[string]row) error {
	again := map[string]bool{}
	for id := range h.open {
		_, still := open[id]
		again[id] = !still
	}
	if full {
		for id := range h.rows {
			again[id] = true
		}
	}
	maps.DeleteFunc(again, func(id string, want bool) bool {
		_, have := batch[id]
		return have || !want
	})
	for chunk := range slices.Chunk(slices.Collect(maps.Keys(again)), idsAtOnce) {
		if err := r.query(ctx, h.table+"_by_id", args{"ids": chunk}, h.into(batch)); err != nil {
			return err
		}
	}
	for id := range again {
		if _, have := batch[id]; !have {
			h.stale = h.stale || h.anchors[id]
			delete(h.rows, id)
		}
	}
	return nil
}

// pass reads some pages of rows without stamps.
func (h *history) pass(ctx context.Context, r *reader, now time.Time, batch map[string]row) error {
	if r.can(h.table + "_unstamped_newest") {
		if err := r.query(ctx, h.table+"_unstamped_newest", nil, h.into(batch)); err != nil {
			return err
		}
	}
	if err := h.latestOfConfigs(ctx, r, batch); err != nil {
		return err
	}
	for range 5 {
		if err := h.unstamped(ctx, r, now, batch); err != nil {
			return err
		}
		if h.after == "" {
			break
		}
	}
	h.unstampAt = now
	return nil
}

// unstamped reads the next page of rows without stamps and notes when a pass through all of them is complete.
func (h *history) unstamped(ctx context.Context, r *reader, now time.Time, batch map[string]row) error {
	if h.after == "" {
		h.cycleStart = now
	}
	n, last := 0, ""
	if statement := h.table + "_unstamped"; r.can(statement) && h.paged() {
		err := r.query(ctx, statement, args{"after": h.after}, func(rec record) {
			n++
			last = rec.text(0)
			h.into(batch)(rec)
		})
		if err != nil {
			return err
		}
	}
	if h.after = last; n < page {
		h.after, h.cycled = "", h.cycleStart
	}
	return nil
}

// paged says whether rows without stamps are paged through. There is one page of orders: those still open, which the
// orders area reads itself.
func (h *history) paged() bool { return h.table != "orders" }

func (h *history) latestOfConfigs(ctx context.Context, r *reader, batch map[string]row) error {
	for _, config := range h.configs {
		if err := r.query(ctx, "files_of_config", args{"config": config}, h.into(batch)); err != nil {
			return err
		}
	}
	return nil
}

// changes reads what was stamped in [from, to), both as stored.
func (h *history) changes(ctx context.Context, r *reader, from, to time.Time, batch map[string]row) error {
	time := r.source.dialect.time
	return r.query(ctx, h.table+"_changes", args{"from": time(from), "to": time(to)}, h.into(batch))
}

func (h *history) into(batch map[string]row) func(record) {
	return func(rec record) {
		r := h.decode(rec)
		batch[r.id] = r
	}
}

// put takes rows over, and notes if one changed on which others rested.
func (h *history) put(batch map[string]row) {
	for id, r := range batch {
		old, have := h.rows[id]
		if have && h.anchors[id] && !old.same(r) && !old.goesOn(r) {
			h.stale = true
		}
		h.rows[id] = r
		if r.stamp.raw.After(h.newest.raw) {
			h.newest = r.stamp
		}
	}
}

// prune drops the rows on which nothing rests.
func (h *history) prune(now time.Time) {
	base := h.base(now)
	keep := h.keep(h.rows, base, base.Add(-remembered-spare))
	maps.DeleteFunc(h.rows, func(id string, _ row) bool { _, ok := keep[id]; return !ok })
	h.anchors = keep
}

// base is when the newest stamp was made. One stamp in the future must not hide what comes after it: then it is when the
// last refresh was, by our clock.
func (h *history) base(now time.Time) time.Time {
	if !h.newest.isZero() && !h.newest.lo.After(now) {
		return h.newest.lo
	}
	return oldest(now, h.refreshed)
}

// latest adds to keep the rows that may be the latest of their group by some moment. It returns the latest moments.
func latest(rows map[string]row, keep map[string]bool, group func(row) string, by func(row) moment) map[string]moment {
	best := map[string]moment{}
	for _, r := range rows {
		if g, m := group(r), by(r); g != "" && !m.isZero() && !m.lo.Before(best[g].lo) {
			best[g] = m
		}
	}
	for id, r := range rows {
		if g, m := group(r), by(r); g != "" && !m.isZero() && !m.before(best[g]) {
			keep[id] = true
		}
	}
	return best
}

// floorOf returns the least stored stamp of what was written after t.
func (h *history) floorOf(r *reader, t time.Time) time.Time {
	return h.newest.floor(t, r.source.client.Database.Timezone)
}

// age says how old the oldest part of the answer is: that of rows without stamps.
func (h *history) age(now time.Time) time.Duration { return max(now.Sub(h.cycled), 0) }

// due says whether something was last done so long ago, or in the future: the clock went back.
func due(now, last time.Time, every time.Duration) bool {
	return now.Before(last) || now.Sub(last) >= every
}

// advance returns the area's history, brought up to date. Until the look back is complete it returns nil and an error
// that wraps oms.ErrLookBack, and sees to it that the look back goes on.
func (s *Source) advance(ctx context.Context, a *area, r *reader, now time.Time, open, extra map[string]row) (*history, error) {
	a.mu.Lock()
	h := a.history
	a.mu.Unlock()
	if h == nil {
		return nil, s.lookBack(a, now)
	}
	if err := h.refresh(ctx, r, now, open, extra); err != nil {
		return nil, err
	}
	if h.stale {
		_ = s.lookBack(a, now) // until it is complete the facts are those of before the loss
	}
	return h, nil
}

// lookBack starts filling a new history in the background, or goes on with it after a failure, and says how far it is.
func (s *Source) lookBack(a *area, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		a.next, a.progress, a.failed = a.newHistory(), "it begins", nil
	}
	if !a.running && s.closing.Err() == nil {
		a.running = true
		s.background.Go(func() { s.fill(a, now) })
	}
	return lookBackError{area: a.name, progress: a.progress, failed: a.failed}
}

// fill reads slice by slice, each with the area's connection for itself, so that scrapes come in between. After a
// failure the next scrape has it go on.
func (s *Source) fill(a *area, now time.Time) {
	h := a.next
	for more := true; more; {
		ctx, cancel := context.WithTimeout(s.closing, sliceTimeout)
		err := s.read(ctx, a, now, func(r *reader) (err error) {
			defer func() {
				if p := recover(); p != nil { // nobody else stands between this goroutine and the end of the process
					err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			more, err = h.fill(ctx, r, now)
			return err
		})
		cancel()
		a.mu.Lock()
		a.failed = err
		if !h.sliceFrom.IsZero() && !h.newest.isZero() {
			left := max(h.newest.raw.Sub(h.sliceFrom), 0)
			a.progress = fmt.Sprintf("%d days to go", int((left+24*time.Hour-1)/(24*time.Hour)))
		}
		if err != nil || !more {
			a.running = false
		}
		if err == nil && !more {
			a.history, a.next = h, nil
		}
		a.mu.Unlock()
		if err != nil {
			if s.closing.Err() == nil {
				s.logger.Warn("the look back goes on at the next scrape", "area", a.name, "err", err)
			}
			return
		}
	}
}
