package demo

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// noon of a Wednesday. On the Sunday after it daylight saving begins in the USA.
func noon() time.Time { return time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC) }

// newTestDemo returns a demo of the first clients, its folder, and the observers of its databases.
func newTestDemo(t *testing.T, clients int, past time.Duration, seed uint64) (*Demo, []*observer) {
	t.Helper()
	all, err := profiles()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	d, err := newDemo(t.Context(), slog.New(slog.DiscardHandler), dir, all[:clients], noon(), seed, past)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg, err := config.Load(d.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	var observers []*observer
	for i, p := range all[:clients] {
		db, err := sql.Open("sqlite", filepath.Join(dir, p.file())+"?_pragma=query_only(1)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // it was only read
		observers = append(observers, &observer{T: t, profile: p, db: db, drop: newVisitor(t, cfg.Clients[i].SFTP[0]), now: noon()})
	}
	return d, observers
}

// observer judges a client's database and drop folder by rules of its own, as of its clock.
type observer struct {
	*testing.T
	profile
	db   *sql.DB
	drop *visitor
	now  time.Time
}

// time returns the moment that a query tells as the OMS stores it; zero for NULL.
func (o *observer) time(query string, args ...any) time.Time {
	o.Helper()
	var text sql.NullString
	if err := o.db.QueryRowContext(context.Background(), query, args...).Scan(&text); err != nil {
		o.Fatalf("%s: %v", query, err)
	}
	if !text.Valid {
		return time.Time{}
	}
	at, err := time.ParseInLocation(time.DateTime, text.String, o.serverZone)
	if err != nil {
		o.Fatalf("%s: %v", query, err)
	}
	if at.After(o.now) {
		o.Errorf("%s at %s: %s: %s is in the future", o.name, o.now, query, at)
	}
	return at
}

// ago returns the moment so long ago as the OMS stores it.
func (o *observer) ago(d time.Duration) string {
	return o.now.Add(-d).In(o.serverZone).Format(time.DateTime)
}

// age returns how long ago that is; 0 for NULL.
func (o *observer) age(query string, args ...any) time.Duration {
	o.Helper()
	at := o.time(query, args...)
	if at.IsZero() {
		return 0
	}
	return o.now.Sub(at)
}

func (o *observer) count(query string, args ...any) int {
	o.Helper()
	var n int
	if err := o.db.QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		o.Fatalf("%s: %v", query, err)
	}
	return n
}

func (o *observer) texts(query string, args ...any) []string {
	o.Helper()
	rows, err := o.db.QueryContext(context.Background(), query, args...)
	if err != nil {
		o.Fatalf("%s: %v", query, err)
	}
	defer rows.Close() //nolint:errcheck // it was only read
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			o.Fatalf("%s: %v", query, err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		o.Fatalf("%s: %v", query, err)
	}
	return texts
}

// waiting are the facilities at which items of approved orders wait, with how many orders and since when: since their
// latest change, else the approval.
const waiting = `SELECT g.facility_id || ' ' || count(DISTINCT h.order_id) || ' ' || min(coalesce(
  (SELECT max(c.change_datetime) FROM order_facility_change c
   WHERE c.order_id = i.order_id AND c.order_item_seq_id = i.order_item_seq_id),
  (SELECT max(s.status_datetime) FROM order_status s WHERE s.order_id = h.order_id AND s.status_id = 'ORDER_APPROVED')))
FROM order_header h
JOIN order_item i ON i.order_id = h.order_id AND i.status_id = 'ITEM_APPROVED'
JOIN order_item_ship_group g ON g.order_id = i.order_id AND g.ship_group_seq_id = i.ship_group_seq_id
WHERE h.status_id = 'ORDER_APPROVED' GROUP BY g.facility_id`

// waits returns how many orders wait at each facility, and the age of the oldest.
func (o *observer) waits() (orders map[string]int, oldest map[string]time.Duration) {
	o.Helper()
	orders, oldest = map[string]int{}, map[string]time.Duration{}
	for _, row := range o.texts(waiting) {
		fields := strings.SplitN(row, " ", 3)
		orders[fields[0]], _ = strconv.Atoi(fields[1])
		oldest[fields[0]] = o.age("SELECT ?", fields[2])
	}
	return orders, oldest
}

// newestImports are the channels' newest entries since some moment, the rare exchanges apart.
const newestImports = `SELECT max(entry_date) FROM order_header WHERE sales_channel_enum_id <> 'LOOP_EXCH'
AND created_tx_stamp > ? GROUP BY product_store_id, sales_channel_enum_id ORDER BY 1`

// streaks is the oldest start of three or more failures in a row since some moment. A person's failed row has no end.
const streaks = `WITH runs AS (
  SELECT coalesce(system_job_enum_id, job_name) || coalesce(shop_id, '') AS name, status_id,
    coalesce(finish_date_time, cancel_date_time, start_date_time) AS ended
  FROM job_sandbox WHERE last_updated_tx_stamp > ? AND status_id IN ('SERVICE_FINISHED', 'SERVICE_FAILED', 'SERVICE_CRASHED')
), successes AS (SELECT name, max(ended) AS ended FROM runs WHERE status_id = 'SERVICE_FINISHED' GROUP BY name)
SELECT min(first) FROM (
  SELECT min(r.ended) AS first FROM runs r JOIN successes s ON s.name = r.name
  WHERE r.status_id <> 'SERVICE_FINISHED' AND r.ended > s.ended GROUP BY r.name HAVING count(*) >= 3)`

// oldRuns are the instances and starts of all runs in work, lastLife is an instance's newest sign of life.
const oldRuns = `SELECT run_by_instance_id || ' ' || start_date_time FROM job_sandbox WHERE status_id = 'SERVICE_RUNNING' ORDER BY 1`

// claims are the instances and times of all rows that an instance claimed and has not started.
const claims = `SELECT run_by_instance_id || ' ' || run_time FROM job_sandbox WHERE status_id IN ('SERVICE_PENDING', 'SERVICE_QUEUED')
AND run_by_instance_id IS NOT NULL AND start_date_time IS NULL ORDER BY 1`

// flaky are the jobs, but one, of which every tenth run or more failed since some moment.
const flaky = `SELECT count(*) FROM (SELECT 1 FROM job_sandbox WHERE finish_date_time > ?1 AND system_job_enum_id <> ?2
GROUP BY system_job_enum_id, shop_id HAVING sum(status_id = 'SERVICE_FAILED') >= max(5, count(*) / 10))`

// unscheduled are the jobs that began since some moment and of which nothing is open.
const unscheduled = `SELECT count(*) FROM (SELECT 1 FROM job_sandbox WHERE temp_expr_id IS NOT NULL AND status_id <> 'SERVICE_DRAFT'
GROUP BY job_name, shop_id HAVING max(coalesce(start_date_time, '')) > ?
AND sum(status_id IN ('SERVICE_PENDING', 'SERVICE_QUEUED', 'SERVICE_RUNNING')) = 0)`

const lastLife = `SELECT max(max(coalesce(start_date_time, ''), coalesce(finish_date_time, ''))) FROM job_sandbox
WHERE run_by_instance_id = ?`

// faults names every fault that the tables and the drop folder show.
func (o *observer) faults() []string {
	o.Helper()
	var found []string
	see := func(fault string, there bool) {
		if there {
			found = append(found, fault)
		}
	}
	const h, m = time.Hour, time.Minute
	see("order-stuck", o.age(`SELECT min(entry_date) FROM order_header h WHERE status_id = 'ORDER_CREATED'
AND order_type_id = 'SALES_ORDER' AND sales_channel_enum_id <> 'LOOP_EXCH' AND (?1 <> 'UCG' OR EXISTS
(SELECT 1 FROM order_attribute a WHERE a.order_id = h.order_id AND attr_name = 'SIGNIFYD_APPROVED'))`, o.name) > 3*h)
	waiting, oldest := o.waits()
	see("order-unfulfilled", oldest[brokeringQueue] > 24*h)
	see("unfillable", oldest[unfillable] > 24*h && waiting[unfillable] > 20)
	imports := o.texts(newestImports, o.ago(48*h))
	see("retry-storm", o.count(`SELECT count(DISTINCT h.order_id) FROM order_header h JOIN order_facility_change c ON c.order_id = h.order_id
AND c.change_reason_enum_id = 'ALLOCATED' JOIN order_item_ship_group g ON g.order_id = h.order_id
WHERE h.status_id = 'ORDER_APPROVED' AND g.facility_id IN ('UNFILLABLE_PARKING', '_NA_')`) > 20)
	see("erp-stopped", o.count(`SELECT count(*) FROM order_header h WHERE status_id IN ('ORDER_APPROVED', 'ORDER_COMPLETED') AND created_tx_stamp > ?1
AND (SELECT max(status_datetime) FROM order_status s WHERE s.order_id = h.order_id AND s.status_id = 'ORDER_APPROVED') < ?2
AND NOT EXISTS (SELECT 1 FROM order_identification i WHERE i.order_id = h.order_id AND order_identification_type_id = 'NETSUITE_ORDER_ID')`,
		o.ago(7*24*h), o.ago(4*h)) > 0)
	see("import-stalled", o.age("SELECT ?", slices.Min(imports)) > 90*m)
	if o.age("SELECT ?", slices.Min(imports)) > 90*m && o.age("SELECT ?", slices.Max(imports)) < 5*h {
		o.Errorf("%s: only some channels stall", o.name)
	}
	old := map[string]int{}
	for _, r := range o.texts(oldRuns) {
		instance, start, _ := strings.Cut(r, " ")
		if o.age("SELECT ?", start) > 45*m {
			old[instance]++
		}
	}
	var stuck, died bool
	for instance, runs := range old {
		if o.age(lastLife, instance) > 45*m {
			died = died || runs > 2
		} else {
			stuck = true
		}
	}
	see("job-stuck", stuck)
	see("instance-died", died)
	see("job-failing", o.age(streaks, o.ago(48*h)) > 30*m)
	claimed, silent := 0, false
	for _, r := range o.texts(claims) {
		instance, due, _ := strings.Cut(r, " ")
		claimed++
		silent = silent || o.age("SELECT ?", due) > 45*m && o.age(lastLife, instance) > 45*m
	}
	see("job-claimed", claimed > 1 && silent)
	see("job-flaky", o.count(flaky, o.ago(24*h), failingJob) > 0)
	see("schedule-lost", o.count(unscheduled, o.ago(24*h)) > 0)
	see("scheduler-down", o.due() > 15*m &&
		o.age("SELECT max(start_date_time) FROM job_sandbox WHERE pool_id = 'pool'") > 15*m)
	const resets = " FROM data_manager_log WHERE config_id = 'RESET_INVENTORY'"
	received := o.time("SELECT max(created_date)" + resets)
	read := o.time("SELECT max(finish_date_time)" + resets + " AND status_id = 'SERVICE_FINISHED' AND total_record_count > 0")
	empty := o.time("SELECT max(finish_date_time)" + resets + " AND status_id = 'SERVICE_FINISHED' AND total_record_count = 0")
	wrong := o.count("SELECT count(*) FROM data_manager_config WHERE config_id = 'RESET_INVENTORY' AND execution_mode_id = 'DMC_DISABLED'") > 0
	refused := o.time("SELECT max(finish_date_time)" + resets + " AND status_id = 'SERVICE_FAILED'")
	late := o.missed(received) && o.missed(read)
	good, bad := o.drop.inbox(o.T)
	fetched := o.drop.newest(o.T, "archive").Sub(received) > 15*m
	see("file-missing", late && good == 0 && !fetched)
	see("file-late", late && good == 0 && fetched && !wrong)
	old68 := good > 0 && o.drop.newest(o.T, "").Before(o.now.Add(-48*time.Hour))
	see("file-stuck-on-sftp", late && good > 0 && !old68)
	see("file-backdated", late && good > 0 && old68)
	see("file-invalid", bad > 0)
	see("file-failed", o.missed(read) && refused.After(read))
	see("file-empty", o.missed(read) && empty.After(read))
	see("config-wrong", wrong)
	see("files-flaky", o.count(`SELECT count(*) FROM data_manager_log WHERE config_id = 'CRT_SHOPIFY_ORDER' AND status_id = 'SERVICE_FAILED'
AND finish_date_time > ?`, o.ago(24*h)) > 5)
	see("dm-pending", o.age("SELECT min(created_date) FROM data_manager_log WHERE status_id IN ('SERVICE_PENDING', 'DmlsPending')") > h)
	see("dm-failed", o.count(`SELECT count(*) FROM (SELECT 1 FROM data_manager_log WHERE config_id <> 'RESET_INVENTORY' GROUP BY config_id
HAVING max(CASE WHEN status_id = 'SERVICE_FAILED' THEN finish_date_time END)
  > coalesce(max(CASE WHEN status_id = 'SERVICE_FINISHED' THEN finish_date_time END), ''))`) > 0)
	return found
}

// due returns for how long a job has waited that the poller should have taken, by the poller's own predicate.
func (o *observer) due() time.Duration {
	o.Helper()
	return o.age(`SELECT min(run_time) FROM job_sandbox WHERE status_id = 'SERVICE_PENDING' AND run_time <= ?
AND start_date_time IS NULL AND cancel_date_time IS NULL AND run_by_instance_id IS NULL AND pool_id = 'pool'`,
		o.ago(0))
}

// missed reports whether a file of that moment is too old for a deadline, reckoned as the alert rule does: by the clock
// on the client's wall.
func (o *observer) missed(file time.Time) bool {
	wall := func(t time.Time) time.Duration {
		_, offset := t.In(o.zone).Zone()
		return time.Duration(t.Unix()+int64(offset)) * time.Second
	}
	for _, d := range o.deadlines {
		if (wall(o.now)-d.by)%(24*time.Hour)+d.window < wall(o.now)-wall(file) {
			return true
		}
	}
	return false
}

// ails names everything that a healthy client does not have, be it a fault of the demo or not.
func (o *observer) ails() []string {
	o.Helper()
	ails := o.faults()
	for _, r := range o.texts(oldRuns) {
		if _, start, _ := strings.Cut(r, " "); o.age("SELECT ?", start) > 45*time.Minute {
			ails = append(ails, "a run takes long")
		}
	}
	if o.age("SELECT min(start_date_time) FROM data_manager_log WHERE finish_date_time IS NULL") > 30*time.Minute {
		ails = append(ails, "a file is in work for long")
	}
	_, oldest := o.waits()
	for facility, age := range oldest {
		if limit := map[string]time.Duration{unfillable: 12 * time.Hour, preOrderParking: 120 * time.Hour}[facility]; age > cmp.Or(limit, 72*time.Hour) {
			ails = append(ails, "an order stays at "+facility)
		}
	}
	if o.count(`SELECT count(*) FROM order_fulfillment_history WHERE external_fulfillment_id = '_NA_' AND created_date < ?`, o.ago(4*time.Hour)) > 0 {
		ails = append(ails, "a fulfillment is not confirmed")
	}
	if o.count(`SELECT count(*) FROM data_manager_log WHERE failed_record_count > 0 OR
status_id NOT LIKE '%_PENDING' AND status_id NOT LIKE '%_RUNNING' AND status_id NOT LIKE '%_FINISHED' AND status_id NOT LIKE 'Dmls%'`) > 0 {
		ails = append(ails, "a file did not end well")
	}
	return ails
}
