package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAgreement runs random histories of an OMS (inserts, progress, late commits, purges, rows edited with and without
// a stamp, rows that Moqui wrote without one, restarts, changes of both clocks) on which a source that has lived all
// the while and one that is started afresh must give the same facts at every step.
//
// A step is either quick, some minutes with changes as OFBiz makes them, or slow, longer than the quarter of an hour
// after which late, purged and unstamped rows are promised to be found.
func TestAgreement(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			newDatabase := engine.Start(t)
			t.Parallel()
			histories, steps := 3, 30
			if engine.Name != "sqlite" || testing.Short() {
				histories = 1
			}
			for seed := range histories {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					w := newWorld(t, uint64(seed), newDatabase(t, fmt.Sprintf("agreement%d", seed), "America/New_York"))
					for range steps {
						w.step(t)
					}
				})
			}
		})
	}
}

// world is a simulated OMS with its clock, and the source that lives all the while.
type world struct {
	*rand.Rand
	db     testserver.Database
	client config.Client
	long   *Source
	now    time.Time     // the exporter's clock
	odd    time.Time     // what it showed when it was last wrong
	ahead  time.Duration // of the OMS's clock
	ids    int
	steps  int
	open   []openRow
	moqui  moquiWorld
	log    []string
}

type openRow struct {
	table, id string
	stamped   bool
	step      int // in which it came
}

func newWorld(t *testing.T, seed uint64, db testserver.Database) *world {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 1)), db: db,
		// The autumn change of New York is on November 1st at 6:00 UTC; some histories cross it.
		now: []time.Time{
			time.Date(2026, 10, 30, 3, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 5, 40, 0, 0, time.UTC),
		}[seed%2],
		client: config.Client{
			Name: "KREWE", Timezone: time.UTC, Database: db.Config,
			ResetInventory: []config.ResetSource{{Source: "wms", ConfigIDs: []string{"C0"}}, {Source: "other", ConfigIDs: []string{"C1", "NEVER"}}},
		},
	}
	w.long = w.source(t)
	for range 60 { // a past
		w.insert(t, w.now.Add(-time.Duration(w.IntN(9*24*60))*time.Minute), w.IntN(4) > 0)
	}
	w.moquiPast(t)
	return w
}

func (w *world) source(t *testing.T) *Source {
	s, err := Open(slog.New(slog.DiscardHandler), w.client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) step(t *testing.T) {
	t.Helper()
	w.log = nil
	w.steps++
	if w.IntN(12) == 0 {
		_ = w.long.Close()
		w.long = w.source(t)
		w.note("restart")
	}
	quick := w.IntN(3) > 0
	if quick {
		w.now = w.now.Add(time.Duration(30+w.IntN(270)) * time.Second)
		w.quick(t)
	} else {
		w.now = w.now.Add(time.Duration(16+w.IntN(120)) * time.Minute)
		if w.IntN(15) == 0 { // nobody scrapes for days
			w.now = w.now.Add(time.Duration(1+w.IntN(3)) * 24 * time.Hour)
		}
		// A look by a clock that was ahead counts as the last one: what is promised for later is later than that.
		if since := w.now.Sub(w.odd); since > -time.Minute && since < 16*time.Minute {
			w.now = w.odd.Add(16 * time.Minute)
		}
		w.slow(t)
	}
	if w.IntN(5) == 0 { // a scrape that gives up somewhere on its way
		w.giveUp(t)
	}
	look := w.now
	switch w.IntN(10) {
	case 0: // the exporter's clock is off for one look
		off := time.Duration(30+w.IntN(270)) * time.Minute
		if quick && w.IntN(2) == 0 { // back to when a look has just been, nothing slow would be looked for
			off = -off
		}
		look = look.Add(off)
		w.note("look at %s", look)
		w.odd = look
	case 1: // the OMS's clock is set by a few minutes
		w.ahead = time.Duration(w.IntN(8)) * time.Minute
		w.note("ahead %s", w.ahead)
	}
	fresh := w.source(t)
	got, want := w.facts(t, w.long, look), w.facts(t, fresh, look)
	if err := fresh.Close(); err != nil {
		t.Fatal(err)
	}
	if w.oracle(t, look).judge(t, want); t.Failed() {
		t.Fatalf("at %s after\n  %s", look, strings.Join(w.log, "\n  "))
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("at %s after\n  %s\n%s", look, strings.Join(w.log, "\n  "), different(t, got, want))
	}
}

func (w *world) giveUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := w.IntN(8)
	ctx = trace.With(ctx, func(string, time.Duration, int, error) {
		if left--; left < 0 {
			cancel()
		}
	})
	_, _ = w.long.Jobs(ctx, w.now)
	_, _ = w.long.DataManager(ctx, w.now)
}

// quick makes changes as OFBiz and Moqui make them.
func (w *world) quick(t *testing.T) {
	for range w.IntN(6) {
		w.insert(t, w.now.Add(-time.Duration(w.IntN(20))*time.Second), true)
	}
	w.progress(t, true)
	w.moquiQuick(t)
}

// slow makes changes that are found a quarter of an hour later.
func (w *world) slow(t *testing.T) {
	w.quick(t)
	for range w.IntN(4) { // late commits, and rows without a stamp
		w.insert(t, w.now.Add(-time.Duration(w.IntN(90))*time.Minute), w.IntN(2) == 0)
	}
	w.progress(t, false)
	w.moquiSlow(t)
	for range w.IntN(3) { // edited by a person: in the web tools, or by a statement that writes no stamp
		table := w.table()
		id := w.anyID(t, table)
		status := w.pick("FINISHED", "FAILED", "CANCELLED", "PENDING")
		set := "status_id = 'SERVICE_" + status + "'"
		if w.IntN(2) == 0 || !w.holds(id) { // one that is not held is found without a stamp within a day only
			set += ", last_updated_tx_stamp = '" + w.wall(w.now) + "'"
		}
		w.exec(t, "UPDATE "+table.name+" SET "+set+" WHERE "+table.id+" = '"+id+"'")
	}
	for range w.IntN(3) {
		table := w.table()
		w.remove(t, table, w.anyID(t, table))
	}
	if w.IntN(12) == 0 { // a clock that was wrong for a moment
		w.insert(t, w.now.Add([]time.Duration{20 * time.Hour, 10 * 24 * time.Hour}[w.IntN(2)]), true)
	}
	for range w.IntN(3) { // orders are completed, and some are deleted
		id := w.anyID(t, worldTable{"order_header", "order_id"})
		if w.IntN(4) > 0 {
			w.exec(t, "UPDATE order_header SET status_id = 'ORDER_COMPLETED', last_updated_tx_stamp = "+w.quoted(w.now)+" WHERE order_id = '"+id+"'")
		} else {
			w.remove(t, worldTable{"order_header", "order_id"}, id)
		}
	}
	if w.IntN(6) == 0 { // OFBiz' own purge
		w.exec(t, "DELETE FROM job_sandbox WHERE finish_date_time < '"+w.wall(w.now.Add(-96*time.Hour))+"'")
	}
}

type worldTable struct{ name, id string }

func (w *world) table() worldTable {
	return []worldTable{{"job_sandbox", "job_id"}, {"data_manager_log", "log_id"}}[w.IntN(2)]
}

func (w *world) pick(from ...string) string { return from[w.IntN(len(from))] }

// insert makes a row of some table as of a time.
func (w *world) insert(t *testing.T, at time.Time, stamped bool) {
	w.ids++
	id := fmt.Sprint(10000 + w.ids)
	stamp, day := "NULL", at
	if stamped {
		stamp = w.quoted(at)
	}
	switch w.IntN(5) {
	case 0, 1:
		status, times := w.ending(day)
		w.exec(t, fmt.Sprintf(`INSERT INTO job_sandbox (job_id, job_name, service_name, pool_id, run_by_instance_id, status_id,
			run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp)
			VALUES ('%s', '%s', 's', '%s', '%s', 'SERVICE_%s', %s, %s, %s)`, id, w.pick("A", "A", "B", "C", "D", "E", "F", "G"),
			w.pick("pool", "slow", "rare"), w.pick("oms1", "oms2", "oms3"), status, w.quoted(day), times, stamp))
		w.remember(worldTable{"job_sandbox", "job_id"}, id, status, stamped)
	case 2, 3:
		status, times := w.ending(day)
		prefix := "SERVICE_" + status
		if !stamped {
			prefix = "Dmls" + status[:1] + strings.ToLower(status[1:])
		}
		parent := "NULL"
		if w.IntN(5) == 0 {
			parent = "'1'"
		}
		w.exec(t, fmt.Sprintf(`INSERT INTO data_manager_log (log_id, parent_log_id, config_id, status_id, created_date,
			start_date_time, finish_date_time, cancel_date_time, total_record_count, failed_record_count, last_updated_stamp,
			last_updated_tx_stamp) VALUES ('%s', %s, '%s', '%s', %s, %s, %s, %d, %s, %s)`, id, parent, w.pick("C0", "C1", "C2", "C3", "C4", "C5"),
			prefix, w.quoted(day), times, []string{"10", "1", "0"}[w.ids%3], w.IntN(2), w.quoted(day), stamp))
		w.remember(worldTable{"data_manager_log", "log_id"}, id, status, stamped)
	default:
		w.exec(t, fmt.Sprintf(`INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id,
			sales_channel_enum_id, entry_date, created_tx_stamp, last_updated_tx_stamp)
			VALUES ('%s', 'SALES_ORDER', 'ORDER_CREATED', '%s', 'WEB', %s, %s, %s)`, id, w.pick("S1", "S2"), w.quoted(day), stamp, stamp))
	}
}

// ending returns a status, and start, finish and cancel times to go with it.
func (w *world) ending(at time.Time) (status, times string) {
	start, end := w.quoted(at), w.quoted(at.Add(time.Duration(w.IntN(600))*time.Second))
	switch w.IntN(9) {
	case 0:
		return w.pick("PENDING", "QUEUED"), "NULL, NULL, NULL"
	case 8:
		return "CANCELLED", "NULL, NULL, " + end
	case 1:
		return "RUNNING", start + ", NULL, NULL"
	case 2, 3:
		return "FAILED", start + ", " + end + ", NULL"
	case 4:
		return "CRASHED", start + ", NULL, " + end
	case 5:
		return "FAILED", start + ", NULL, NULL"
	}
	return "FINISHED", start + ", " + end + ", NULL"
}

func (w *world) remember(table worldTable, id, status string, stamped bool) {
	if slices.Contains([]string{"RUNNING", "PENDING", "QUEUED"}, status) {
		w.open = append(w.open, openRow{table.name + " " + table.id, id, stamped, w.steps})
	}
}

// progress ends some open rows. Without a stamp, and quickly, only those may end that a look has seen open.
func (w *world) progress(t *testing.T, quick bool) {
	w.open = slices.DeleteFunc(w.open, func(o openRow) bool {
		if w.IntN(3) > 0 || (quick && !o.stamped && o.step >= w.steps) {
			return false
		}
		table, id, _ := strings.Cut(o.table, " ")
		set := fmt.Sprintf("status_id = 'SERVICE_%s', start_date_time = COALESCE(start_date_time, %s), finish_date_time = %s",
			w.pick("FINISHED", "FINISHED", "FAILED"), w.quoted(w.now.Add(-time.Minute)), w.quoted(w.now))
		if o.stamped {
			set += ", last_updated_tx_stamp = " + w.quoted(w.now)
		}
		w.exec(t, "UPDATE "+table+" SET "+set+" WHERE "+id+" = '"+o.id+"'")
		return true
	})
}

// remove deletes a row. One that ended within a day is left alone unless it is held: of others just the count is known.
func (w *world) remove(t *testing.T, table worldTable, id string) {
	which := table.id + " = '" + id + "'"
	if !w.holds(id) {
		end := map[string]string{
			"job_sandbox": "COALESCE(finish_date_time, cancel_date_time)", "service_job_run": "end_time", "order_header": "entry_date",
			"data_manager_log": "COALESCE(finish_date_time, cancel_date_time, start_date_time, created_date)",
		}[table.name]
		which += " AND NOT (" + end + " IS NOT NULL AND " + end + " > '" + w.wall(w.now.Add(-36*time.Hour)) + "')"
	}
	w.exec(t, "DELETE FROM "+table.name+" WHERE "+which)
}

// holds says whether the facts of the long-lived source rest on the row, which is then looked up.
func (w *world) holds(id string) bool {
	for _, of := range []*area{w.long.jobs.area, w.long.runs.area, w.long.files.area, w.long.orders.area} {
		if of.Rows()[id] != nil {
			return true
		}
	}
	return false
}

func (w *world) anyID(t *testing.T, table worldTable) string {
	var id sql.NullString
	row := w.db.Admin.QueryRowContext(t.Context(), "SELECT "+table.id+" FROM "+table.name+" ORDER BY "+table.id+
		fmt.Sprintf(" LIMIT 1 OFFSET %d", w.IntN(30)))
	if err := row.Scan(&id); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	return id.String
}

// wall is what the OMS's clock shows in New York.
func (w *world) wall(at time.Time) string {
	return at.Add(w.ahead).In(w.db.Config.Timezone).Format(time.DateTime)
}

func (w *world) quoted(at time.Time) string { return "'" + w.wall(at) + "'" }

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) exec(t *testing.T, statement string) {
	t.Helper()
	w.note("%s", strings.Join(strings.Fields(statement), " "))
	if _, err := w.db.Admin.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err, statement)
	}
}

type facts struct {
	Orders oms.Orders
	Jobs   oms.Jobs
	Files  oms.DataManager
	Reset  oms.ResetInventory
}

// facts asks for everything, waits for look backs that this has started, and asks again.
func (w *world) facts(t *testing.T, s *Source, now time.Time) facts {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var f facts
	for last := range 2 {
		var errs [4]error
		s.jobs.starts, s.runs.starts, s.files.since, s.signs.firstReadings = firstReadings{}, firstReadings{}, firstReadings{}, firstReadings{} // what was seen in an hour that is repeated later is not known to all
		f.Orders, errs[0] = s.Orders(ctx, now)
		f.Jobs, errs[1] = s.Jobs(ctx, now)
		f.Files, errs[2] = s.DataManager(ctx, now)
		f.Reset, errs[3] = s.ResetInventory(ctx, now)
		if err := errors.Join(errs[:]...); err != nil && (last == 1 || !errors.Is(err, oms.ErrIncomplete)) {
			t.Fatal(err)
		}
		s.db.Wait()
	}
	// The counter belongs to a process, and ages tell how it came by the facts.
	for i := range f.Orders.Imports {
		f.Orders.Imports[i].Seen = 0
	}
	f.Jobs.History.Age, f.Files.History.Age, f.Reset.Age = 0, 0, 0
	for i := range f.Jobs.History.Jobs { // of runs that are purged it stays known how long they took
		f.Jobs.History.Jobs[i].UsualDuration = nil
	}
	inOrder(f.Orders.Imports, func(i oms.Import) string { return i.ProductStore + i.Channel.Channel })
	inOrder(f.Orders.Open.All, func(o oms.OpenOrders) string { return o.ProductStore + string(o.Status) })
	inOrder(f.Orders.Created.All, func(o oms.CreatedOrders) string { return o.ProductStore })
	inOrder(f.Jobs.Runs.All, func(r oms.Run) string { return r.JobName + " " + r.JobID })
	inOrder(f.Jobs.Waits, func(w oms.Wait) string { return w.JobName + " " + w.JobID })
	slices.Sort(f.Jobs.Unreadable)
	inOrder(f.Jobs.Pools, func(p oms.Pool) string { return p.Name })
	inOrder(f.Jobs.History.Jobs, func(j oms.JobRuns) string { return j.JobName })
	inOrder(f.Files.Open.All, func(o oms.OpenFiles) string { return o.Config + string(o.Status) })
	inOrder(f.Files.History.Configs, func(c oms.FileRuns) string { return c.Config })
	return f
}

// different lists the parts in which two answers differ.
func different(t *testing.T, long, fresh facts) string {
	t.Helper()
	var text strings.Builder
	for i := range reflect.TypeFor[facts]().NumField() {
		a, b := reflect.ValueOf(long).Field(i).Interface(), reflect.ValueOf(fresh).Field(i).Interface()
		if reflect.DeepEqual(a, b) {
			continue
		}
		for who, part := range map[string]any{"long-lived": a, "fresh": b} {
			line, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%-10s %s\n", who, line)
		}
	}
	return text.String()
}

func inOrder[T any](list []T, by func(T) string) {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(by(a), by(b)) })
}

func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// TestImportsAreCountedOnce looks at open orders that Moqui wrote, which are read again at each scrape, for hours.
func TestImportsAreCountedOnce(t *testing.T) {
	w := &world{db: testserver.Engines()[0].Start(t)(t, "imports", "America/New_York"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
	w.long = w.source(t)
	order := func(id string, at time.Time) {
		w.exec(t, fmt.Sprintf(`INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id,
			sales_channel_enum_id, entry_date) VALUES ('%s', 'SALES_ORDER', 'ORDER_CREATED', 'S', 'WEB', %s)`, id, w.quoted(at)))
	}
	seen := func() (n uint64) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		facts, err := w.long.Orders(ctx, w.now)
		if err != nil && !errors.Is(err, oms.ErrIncomplete) {
			t.Fatal(err)
		}
		w.long.db.Wait()
		for _, i := range facts.Imports {
			n += i.Seen
		}
		return n
	}
	for i := range 10 {
		order(fmt.Sprint("old", i), w.now.Add(-time.Duration(i)*time.Hour))
	}
	for i := range 20 {
		if n := seen(); n != 0 {
			t.Fatalf("look %d: %d orders seen entering, want none", i, n)
		}
		w.now = w.now.Add(20 * time.Minute)
	}
	order("new", w.now)
	for range 20 {
		if n := seen(); n != 1 {
			t.Fatalf("%d orders seen entering, want 1", n)
		}
		w.now = w.now.Add(20 * time.Minute)
	}
	// One with a stamp, which says that it entered long ago, and one that does not say when.
	for id, entered := range map[string]string{"imported": w.quoted(w.now.Add(-1000 * time.Hour)), "undated": "NULL"} {
		w.exec(t, fmt.Sprintf(`INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id,
			entry_date, created_tx_stamp) VALUES ('%s', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', %s, %s)`, id, entered, w.quoted(w.now)))
	}
	for range 100 {
		if n := seen(); n != 3 {
			t.Fatalf("%d orders seen entering, want 3", n)
		}
		w.now = w.now.Add(3 * time.Minute)
	}
}
