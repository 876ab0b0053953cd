package history_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/history/historytest"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// TestAgreement runs random histories of tables (inserts, progress, late commits, purges, rows edited with and without a stamp,
// rows without one, reads that fail on their way, restarts, changes of both clocks). At every step a follower that has lived
// all the while, one that is started afresh, and an oracle that reads the whole table must give the same facts.
//
// A step is either quick, some minutes with changes as an OMS makes them, or slow, longer than the quarter of an hour after
// which late, purged and unstamped rows are promised to be found.
func TestAgreement(t *testing.T) {
	t.Parallel()
	n := *histories
	if testing.Short() {
		n = min(n, 20)
	}
	for _, kind := range []kind{jobs, files, orders, runs} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			for seed := range n {
				w := newWorld(t, kind, uint64(seed))
				for range 30 {
					if w.step(t); t.Failed() {
						t.Fatalf("history %d", seed)
					}
				}
			}
		})
	}
}

// A kind of table has a rule by which its rows are kept, and facts that rest on them.
type kind string

const (
	jobs   kind = "jobs"   // the last success of each name and the failures since, and the latest start in each pool
	files  kind = "files"  // how many of each name ended within a day, and the latest
	orders kind = "orders" // the latest of each name, and how many came
	runs   kind = "runs"   // as jobs, in a sequence
)

// newYork is the zone in which the tables' clocks run.
var newYork = func() *time.Location {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return zone
}()

var histories = flag.Int("histories", 60, "how many random histories of each kind TestAgreement runs")

const (
	day       = 24 * time.Hour
	fewStarts = 3
)

func (k kind) newHistory() *history.History {
	switch k {
	case jobs:
		return history.New(newYork, keepJobs)
	case files:
		return history.New(newYork, keepFiles)
	case runs:
		return history.NewSequenced(newYork, history.KeepOpen(keepJobs))
	case orders:
		return history.NewCounting(newYork, keepOrders)
	}
	panic("no such kind of table")
}

func (k kind) ofJobs() bool { return k == jobs || k == runs }

func of(kind string, name func(history.Attributes) string) func(*history.Row) history.Group {
	return func(r *history.Row) history.Group {
		if name := name(r.Attributes()); name != "" {
			return history.Group{Kind: kind, Name: name}
		}
		return history.Group{}
	}
}

func succeeded(a history.Attributes) string {
	if a.Outcome == "ok" {
		return a.Name
	}
	return ""
}

func keepJobs(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
	maps.DeleteFunc(rows, func(_ string, r *history.Row) bool {
		return r.End.Latest().Before(floor) && r.Start.Latest().Before(floor)
	})
	ok := history.LatestOf(rows, of("ok", succeeded), history.EndOf)
	for id, r := range rows {
		switch success := (history.Group{Kind: "ok", Name: r.Attributes().Name}); {
		case r.Attributes().Outcome != "failed":
		case r.End.Before(ok[success]):
			k.Displace(success)
		default:
			k.Keep(id)
		}
	}
	k.Latest(rows, of("ok", succeeded), history.EndOf)
	k.Latest(rows, of("pool", func(a history.Attributes) string { return a.Pool }), history.StartOf)
	k.LatestStarts(rows, fewStarts, of("starts", func(a history.Attributes) string { return a.Name }))
	k.CountSince(base.Add(-30 * time.Hour))
}

func keepFiles(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
	maps.DeleteFunc(rows, func(_ string, r *history.Row) bool { return r.End.Latest().Before(floor) })
	k.Latest(rows, of("ended", func(a history.Attributes) string { return a.Name }), history.EndOf)
	k.CountSince(base.Add(-30 * time.Hour))
}

func keepOrders(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
	k.CountSince(base.Add(-30 * time.Hour))
	maps.DeleteFunc(rows, func(_ string, r *history.Row) bool { return r.Created.Latest().Before(floor) && !k.Counts(r.End) })
	k.Latest(rows, of("entered", func(a history.Attributes) string { return a.Name }), func(r *history.Row) walltime.Moment { return r.Created })
}

// facts are what rows come to, by what they are about.
type facts map[string]string

// factsOf sums up rows, all of a table or those that a history holds; those of which little matters are counted already.
func (k kind) factsOf(rows map[string]*history.Row, counted map[string]int, starts map[string][]string, now time.Time) facts {
	f, since := facts{}, now.Add(-history.Remembered)
	latest := func(what string, at time.Time) {
		if text := at.Format(time.RFC3339Nano); !at.Before(since) && text > f[what] {
			f[what] = text
		}
	}
	successes := map[string]time.Time{}
	for _, r := range rows {
		a, ended := r.Attributes(), r.End.At(now)
		if a.Ended() && !ended.Before(now.Add(-day)) {
			counted[a.Name+" today"]++
			counted[a.Name+" refused today"] += r.Records.Failed.Count()
		}
		switch {
		case k.ofJobs() && a.Outcome == "ok" && !ended.Before(since):
			successes[a.Name] = walltime.Later(successes[a.Name], ended)
			latest("success of "+a.Name, ended)
		case k == files && a.Ended():
			latest("last "+a.Name, ended)
		case k == orders:
			latest("last "+a.Name, r.Created.At(now))
		}
		if k.ofJobs() && !r.Start.IsZero() {
			at := r.Start.At(now)
			if latest("start in "+a.Pool, at); !at.Before(since) {
				starts[a.Name] = append(starts[a.Name], at.Format(time.RFC3339Nano))
			}
		}
	}
	for name, all := range starts {
		slices.Sort(all)
		f["last starts of "+name] = strings.Join(all[max(0, len(all)-fewStarts):], " ")
	}
	for _, r := range rows {
		if a, ended := r.Attributes(), r.End.At(now); k.ofJobs() && a.Outcome == "failed" && ended.After(successes[a.Name]) && !ended.Before(since) {
			counted[a.Name]++
		}
	}
	for name, n := range counted {
		f["number of "+name] = fmt.Sprint(n)
	}
	return f
}

// A life is a follower of the table.
type life struct {
	host     *historytest.Host
	follower *history.Follower
	last     *history.History // that was asked what came
	came     int
}

// newLife looks through what it reads a few rows at a time in some histories, else not before it has read all of a statement.
func (w *world) newLife() *life {
	host := &historytest.Host{Reader: w.reader()}
	return &life{host: host, follower: history.NewFollower("test", host, func() *history.History {
		return w.kind.newHistory().LookThrough(w.unseen)
	})}
}

// A bank is a span of ids that a server has reserved.
type bank struct {
	id, left int
	taken    time.Time
}

// A world is a table with its clock, and the follower that lives all the while.
type world struct {
	*rand.Rand
	kind kind
	// unseen is how many rows are read until they are looked through.
	unseen int
	table  *historytest.Sequence // or just its Table
	banks  [3]bank
	// prefixes are those of the servers' ids: in every other history each has its own.
	prefixes [3]string
	next     int // where the next bank begins; the ids soon grow a digit
	long     *life
	now      time.Time     // our clock
	odd      time.Time     // what it showed when it was last wrong
	ahead    time.Duration // of the OMS's clock
	ids      int
	steps    int
	open     map[string]int // ids of open rows, by the step in which they came
	seen     map[string]bool
	came     int // rows that the long-lived follower had to see coming
	log      []string
}

func newWorld(t *testing.T, k kind, seed uint64) *world {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 2)), kind: k, unseen: []int{3, 1000}[seed/4%2], table: &historytest.Sequence{Table: historytest.Table{Rows: map[string]*history.Row{}, Columns: "of old"}}, next: 9960, open: map[string]int{},
		// The autumn change of New York is on November 1st at 6:00 UTC; some histories cross it.
		now: []time.Time{
			time.Date(2026, 10, 30, 3, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 5, 40, 0, 0, time.UTC),
		}[seed%2],
	}
	if seed%4 > 1 {
		w.prefixes = [3]string{"", "M", "M2-"}
	}
	past := make([]time.Duration, 60)
	for i := range past {
		past[i] = time.Duration(w.IntN(9*24*60)) * time.Minute
	}
	slices.Sort(past)
	for _, ago := range slices.Backward(past) {
		w.insert(w.now.Add(-ago), w.IntN(4) > 0, w.IntN(len(w.banks)))
	}
	w.restart(t)
	return w
}

func (w *world) reader() history.Reader {
	if w.kind == runs {
		return w.table
	}
	return &w.table.Table
}

func (w *world) restart(t *testing.T) {
	w.long = w.newLife()
	w.facts(t, w.long, w.now)
	w.seen, w.came = map[string]bool{}, 0
	for id := range w.table.Rows {
		w.seen[id] = true
	}
}

func (w *world) step(t *testing.T) {
	t.Helper()
	w.log = nil
	w.steps++
	quick := w.IntN(3) > 0
	if quick {
		w.now = w.now.Add(time.Duration(30+w.IntN(270)) * time.Second)
		w.quick()
	} else {
		w.now = w.now.Add(time.Duration(16+w.IntN(120)) * time.Minute)
		if w.IntN(15) == 0 { // nobody looks for days
			w.now = w.now.Add(time.Duration(1+w.IntN(3)) * day)
		}
		w.now = w.longAfter(w.now)
		w.slow()
	}
	if w.IntN(12) == 0 {
		w.restart(t)
		w.note("restart")
	}
	if w.IntN(5) == 0 { // a look that gives up somewhere on its way
		w.giveUp(t)
	}
	look := w.now
	switch w.IntN(10) {
	case 0: // our clock is off for one look
		off := time.Duration(30+w.IntN(270)) * time.Minute
		if quick && w.IntN(2) == 0 { // back to when a look has just been, nothing slow would be looked for
			off = -off
		}
		if look = look.Add(off); !quick {
			look = w.longAfter(look)
		}
		w.note("look at %s", look)
		w.odd = look
	case 1: // the OMS's clock is set by a few minutes
		w.ahead = time.Duration(w.IntN(8)) * time.Minute
		w.note("ahead %s", w.ahead)
	}
	for id := range w.table.Rows {
		if !w.seen[id] {
			w.seen[id], w.came = true, w.came+1
		}
	}
	lives := map[string]facts{"long-lived": w.facts(t, w.long, look)}
	if w.IntN(4) == 0 {
		lives["fresh"] = w.facts(t, w.newLife(), look)
	}
	want := w.kind.factsOf(w.table.Rows, map[string]int{}, map[string][]string{}, look)
	for who, f := range lives {
		if !reflect.DeepEqual(f, want) {
			differ := map[string]string{}
			for _, what := range slices.Concat(slices.Collect(maps.Keys(f)), slices.Collect(maps.Keys(want))) {
				if f[what] != want[what] {
					differ[what] = fmt.Sprintf("%q, not %q", f[what], want[what])
				}
			}
			t.Errorf("at %s after\n  %s\nthe %s one differs from the whole table:\n  %v", look, strings.Join(w.log, "\n  "), who, differ)
		}
	}
	if w.kind == orders && w.long.came != w.came {
		t.Errorf("at %s after\n  %s\n%d rows were counted as they came, want %d", look, strings.Join(w.log, "\n  "), w.long.came, w.came)
	}
}

// facts looks at the table, waits for the backfills that this has started, and looks again.
func (w *world) facts(t *testing.T, l *life, now time.Time) facts {
	t.Helper()
	var h *history.History
	for last := range 2 {
		var err error
		h, err = l.advance(t, w, now)
		if h != nil {
			for _, n := range h.Arrivals(l.last, now) {
				l.came += int(n)
			}
			l.last = h
		}
		if err != nil && (last == 1 || !errors.Is(err, history.ErrIncomplete)) {
			t.Fatal(err)
		}
		l.host.Settle(t.Context())
	}
	counted := map[string]int{}
	for attrs, ended := range h.CountedSince(now.Add(-day), now) {
		if a := attrs.Value(); a.Ended() {
			counted[a.Name+" today"] += ended.Rows
			counted[a.Name+" refused today"] += ended.Refused
		}
	}
	starts := map[string][]string{}
	for a, at := range h.Begun() {
		if at := at.At(now); !at.Before(now.Add(-history.Remembered)) {
			starts[a.Name] = append(starts[a.Name], at.Format(time.RFC3339Nano))
		}
	}
	return w.kind.factsOf(h.Rows(), counted, starts, now)
}

// advance looks at the table as a scrape does: what waits or is running is read anyway and, of a sequence, what was running
// at the last look.
func (l *life) advance(t *testing.T, w *world, now time.Time) (*history.History, error) {
	if w.kind != runs {
		return l.follower.Advance(t.Context(), w.reader(), now, w.opened(), nil)
	}
	open, extra := map[string]*history.Row{}, map[string]*history.Row{}
	for id, held := range l.follower.Rows() {
		if r := w.table.Rows[id]; r != nil && !held.Attributes().Ended() {
			copied := *r
			if extra[id] = &copied; !r.Attributes().Ended() {
				open[id] = &copied
			}
		}
	}
	return l.follower.Advance(t.Context(), w.reader(), now, open, extra)
}

// opened are the rows that have not ended.
func (w *world) opened() map[string]*history.Row {
	open := map[string]*history.Row{}
	for id, r := range w.table.Rows {
		if !r.Attributes().Ended() {
			copied := *r
			open[id] = &copied
		}
	}
	return open
}

// longAfter returns t or, if what is promised for later would then not be looked for, a later time: a look by a clock that was
// ahead counts as the last one.
func (w *world) longAfter(t time.Time) time.Time {
	if since := t.Sub(w.odd); since > -time.Minute && since < 16*time.Minute {
		return w.odd.Add(16 * time.Minute)
	}
	return t
}

func (w *world) giveUp(t *testing.T) {
	left := w.IntN(8)
	w.table.Fails = func() error {
		if left--; left < 0 {
			return errors.New("given up")
		}
		return nil
	}
	_, _ = w.long.advance(t, w, w.now)
	w.long.host.Settle(t.Context())
	w.table.Fails = nil
	w.note("gave up")
}

// quick makes changes as an OMS makes them.
func (w *world) quick() {
	highest := 0
	for i, b := range w.banks {
		if b.id > w.banks[highest].id {
			highest = i
		}
	}
	for range w.IntN(6) {
		w.insert(w.now.Add(-time.Duration(w.IntN(20))*time.Second), true, highest)
	}
	w.progress(true)
}

// slow makes changes that are found a quarter of an hour later.
func (w *world) slow() {
	w.quick()
	for range w.IntN(4) { // late commits, rows without a stamp, and runs with ids that were passed over
		ago := time.Duration(w.IntN(90)) * time.Minute
		if w.kind == runs {
			ago = time.Duration(w.IntN(20)) * time.Second
		}
		w.insert(w.now.Add(-ago), w.IntN(2) == 0, w.IntN(len(w.banks)))
	}
	w.progress(false)
	edited := map[string]bool{"": true}
	for range w.IntN(3) { // edited by a person
		if id := w.any(); !edited[id] && w.kind != orders {
			edited[id] = true
			stamped := w.IntN(2) == 0
			switch held := w.long.follower.Holds(id); {
			case w.kind != runs: // one that is not held is found within a day only
				w.edit(id, w.pick("ok", "failed", ""), stamped || !held)
			case held && w.table.Rows[id].Attributes().Ended():
				w.edit(id, w.pick("ok", "failed"), stamped)
			}
		}
	}
	for range w.IntN(3) { // purged; of what is settled only the count is known, and it is purged later than it counts
		if id := w.any(); !edited[id] && !w.settled(id) {
			w.remove(id)
		}
	}
	if w.kind != runs && w.IntN(12) == 0 { // a clock that was wrong for a moment
		w.insert(w.now.Add([]time.Duration{20 * time.Hour, 10 * day}[w.IntN(2)]), true, 0)
	}
	if w.IntN(12) == 0 { // a column comes, or goes
		w.table.Columns = fmt.Sprint("since step ", w.steps)
		w.note("columns %s", w.table.Columns)
	}
	if w.IntN(6) == 0 { // the OMS's own purge
		for id, r := range w.table.Rows {
			if !r.End.IsZero() && r.End.Earliest().Before(w.now.Add(-4*day)) {
				w.remove(id)
			}
		}
	}
}

func (w *world) pick(from ...string) string { return from[w.IntN(len(from))] }

// settled says whether a row is counted and may not be known by its id any more.
func (w *world) settled(id string) bool {
	r := w.table.Rows[id]
	return r != nil && !w.long.follower.Holds(id) && r.End.Latest().After(w.now.Add(-36*time.Hour))
}

// any returns the id of one of the rows with the lowest ids.
func (w *world) any() string {
	ids := slices.Sorted(maps.Keys(w.table.Rows))
	if n := w.IntN(30); n < len(ids) {
		return ids[n]
	}
	return ""
}

func (w *world) remove(id string) {
	w.note("remove %s", id)
	delete(w.table.Rows, id)
}

// at is what the OMS's clock shows in New York.
func (w *world) at(t time.Time) walltime.Moment {
	return walltime.Wall(walltime.ClockOf(t.Add(w.ahead), newYork).Truncate(time.Second), newYork)
}

func (w *world) insert(at time.Time, stamped bool, server int) {
	w.ids++
	r := &history.Row{ID: fmt.Sprint(10000 + w.ids), Created: w.at(at)}
	if w.kind == runs {
		b := &w.banks[server]
		if b.left == 0 || at.Sub(b.taken) > 12*time.Hour { // it was started again meanwhile
			*b = bank{id: w.next, left: 1 + w.IntN(6), taken: at}
			w.next += 6
		}
		r.ID = w.prefixes[server] + fmt.Sprint(b.id)
		b.id, b.left = b.id+1, b.left-1
	}
	a := history.Attributes{Name: w.pick("A", "A", "B", "C", "D", "E", "F", "G"), Pool: w.pick("pool", "slow", "rare"), Instance: w.pick("oms1", "oms2")}
	if stamped {
		r.Stamp = r.Created
	}
	switch w.IntN(8) {
	case 0, 1: // it is open
		if w.kind == orders {
			a.Outcome, r.End = "entered", r.Created
			break
		}
		w.open[r.ID] = w.steps
		if w.IntN(2) == 0 {
			r.Start = r.Created
		}
	default:
		a.Outcome, r.Start, r.End = w.pick("ok", "ok", "failed"), r.Created, w.at(at.Add(time.Duration(w.IntN(600))*time.Second))
		if w.kind == orders {
			a.Outcome, r.End = "entered", r.Created
		}
	}
	if w.kind == files {
		r.Records.Failed = history.Noted(max(0, w.IntN(300)-200), true)
	}
	r.Attrs = unique.Make(a)
	w.setRunStamp(r)
	w.table.Rows[r.ID] = r
	w.note("insert %s", text(r))
}

// setRunStamp gives a run the stamp that its times make.
func (w *world) setRunStamp(r *history.Row) {
	if w.kind == runs {
		r.Stamp = walltime.FirstSet(r.End, r.Start, r.Created)
	}
}

// progress ends some open rows. Without a stamp, and quickly, only those may end that a look has seen open.
func (w *world) progress(quick bool) {
	for _, id := range slices.Sorted(maps.Keys(w.open)) {
		r := w.table.Rows[id]
		switch {
		case r == nil || r.Attributes().Ended():
			delete(w.open, id)
		case w.kind == runs && w.now.Sub(r.Created.Latest()) > history.Remembered: // nobody waits for it any more
		case w.IntN(3) > 0 || (quick && r.Stamp.IsZero() && w.open[id] >= w.steps):
		default:
			delete(w.open, id)
			w.edit(id, w.pick("ok", "ok", "failed"), !r.Stamp.IsZero())
		}
	}
}

// edit gives the row another outcome. One that ends is started by then.
func (w *world) edit(id, outcome string, stamped bool) {
	r := *w.table.Rows[id]
	a := r.Attributes()
	if a.Outcome = outcome; outcome == "" {
		r.End = walltime.Moment{}
	} else if r.End.IsZero() {
		r.Start, r.End = walltime.FirstSet(r.Start, w.at(w.now.Add(-time.Minute))), w.at(w.now)
	}
	if r.Attrs = unique.Make(a); stamped {
		r.Stamp = w.at(w.now)
	}
	w.setRunStamp(&r)
	w.table.Rows[id] = &r
	w.note("edit %s", text(&r))
}

func text(r *history.Row) string {
	return fmt.Sprintf("%s %s %q created %s start %s end %s stamp %s", r.ID, r.Attributes().Name, r.Attributes().Outcome,
		r.Created.Stored().Format(time.DateTime), r.Start.Stored().Format(time.DateTime), r.End.Stored().Format(time.DateTime), r.Stamp.Stored().Format(time.DateTime))
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }
