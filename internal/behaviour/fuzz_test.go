package behaviour

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A taker makes rows of random bytes. SQLite keeps whatever it is given, of any type, in any column.
type taker struct{ bytes []byte }

// good is a date an hour ago, by New York's clock.
const good = "2026-11-18 11:00:00"

func (k *taker) byte() int {
	if len(k.bytes) == 0 {
		return 0
	}
	b := k.bytes[0]
	k.bytes = k.bytes[1:]
	return int(b)
}

// from takes one of the values and, now and then, a text that is none of anybody's.
func (k *taker) from(values ...any) any {
	b := k.byte()
	if b >= 240 {
		n := min(b-240, len(k.bytes))
		text := "~" + string(k.bytes[:n])
		k.bytes = k.bytes[n:]
		return text
	}
	return values[b%len(values)]
}

func (k *taker) date() any {
	return k.from(good, nil, "2026-11-17 03:00:00", "2026-11-01 01:30:00", "2026-11-18 11:59:59.999", nil,
		"0000-00-00 00:00:00", "0000-01-01 00:00:00", "0001-01-01 00:00:00", "1970-01-01 00:00:00", "1969-12-31 19:00:00",
		"9999-12-31 23:59:59", "", "tomorrow", "2026-13-45 99:99:99", 0, 1763485200, -1, 1.5, math.Inf(1), []byte{0xff, 0})
}

func (k *taker) count() any {
	return k.from(3, nil, 0, "7", 2.5, "12.000", 1e30, "99999999999999999999", -5, math.MinInt64, math.Inf(1), "none", []byte{0xff})
}

func (k *taker) text() any {
	return k.from("A", nil, "B", "", "\xff\xfe", "a\x00b", 42, 1.5, "1763484000000", []byte("A"), strings.Repeat("long ", 60), "é\"\n{}")
}

func (k *taker) status(known ...any) any {
	return k.from(append(known, nil, "", "SERVICE_NEW", "ORDER_\xff", 5)...)
}

// FuzzRows puts rows of any kind into the tables of an area. No collector fails of them, what comes out is fit to be shown, and what
// the OMS does not say is absent: neither an age since the beginning of time nor a zero that nobody has counted.
func FuzzRows(f *testing.F) {
	seeds := uint64(120)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 5))
		data := make([]byte, 200)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Add([]byte{})
	now := instantOf(f, "2026-11-18T17:00:00Z")
	db := testserver.Engines()[0].Start(f)(f, "fuzz", "America/New_York")
	testserver.Execute(f, db.Admin, `INSERT INTO facility_type (facility_type_id, parent_type_id) VALUES ('NA', 'VIRTUAL_FACILITY');
		INSERT INTO facility (facility_id, facility_type_id) VALUES ('A', 'NA')`)
	cfg := watched(f, db.Config)
	source := openSource(f, cfg) // whose schema and statements serve all
	f.Cleanup(func() { _ = source.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		k := &taker{data}
		collectors := insertAny(t, db.Admin, k)
		client := clientOf(cfg, source.WithoutHistory(), &now)
		got := samples(t, lookedBack(t, client, collectors...))
		sound(t, got, now)
		agrees(t, db.Admin, got)
	})
}

// insertAny leaves nothing but rows of one area, and returns the collectors that read it.
func insertAny(t *testing.T, db *sql.DB, k *taker) (collectors []string) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // which does nothing after the commit
	execute := func(query string, values ...any) {
		if _, err := tx.ExecContext(t.Context(), query, values...); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(table, columns string, values ...any) {
		marks := strings.TrimPrefix(strings.Repeat(", ?", len(values)), ", ")
		execute("INSERT INTO "+table+" ("+columns+") VALUES ("+marks+")", values...)
	}
	for _, table := range []string{"job_sandbox", "data_manager_log", "order_header", "order_item", "order_item_ship_group", "order_status", "order_attribute"} {
		execute("DELETE FROM " + table)
	}
	row := map[int]func(id string){
		0: func(id string) {
			insert("job_sandbox", "job_id, job_name, service_name, system_job_enum_id, product_store_id, shop_id, pool_id, run_by_instance_id, "+
				"status_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp",
				id, k.text(), k.text(), k.text(), k.text(), k.text(), k.text(), k.text(),
				k.status("SERVICE_RUNNING", "SERVICE_FAILED", "SERVICE_FINISHED", "SERVICE_PENDING", "SERVICE_QUEUED", "SERVICE_CRASHED", "SERVICE_DRAFT"),
				k.date(), k.date(), k.date(), k.date(), k.date())
		},
		1: func(id string) {
			insert("data_manager_log", "log_id, parent_log_id, config_id, status_id, created_date, start_date_time, finish_date_time, "+
				"cancel_date_time, total_record_count, failed_record_count, last_updated_stamp, last_updated_tx_stamp",
				id, k.text(), k.from("RESET_INVENTORY", k.text()),
				k.status("DmlsRunning", "SERVICE_PENDING", "DmlsFinished", "SERVICE_FINISHED", "DmlsFailed", "SERVICE_CRASHED", "DmlsCancelled", "DmlsNew"),
				k.date(), k.date(), k.date(), k.date(), k.count(), k.count(), k.date(), k.date())
		},
		2: func(id string) {
			insert("order_header", "order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, order_date, entry_date, created_tx_stamp",
				id, k.from("SALES_ORDER", "SALES_ORDER", nil), k.from("ORDER_CREATED", "ORDER_CREATED", k.status("ORDER_APPROVED", "ORDER_HOLD", "ORDER_COMPLETED")),
				k.from("A", "A", "A", k.text()), k.from("A", "A", "A", k.text()), k.date(), k.from(good, k.date()), k.date())
			insert("order_attribute", "order_id, attr_name", id, "SIGNIFYD_APPROVED")
			insert("order_item", "order_id, order_item_seq_id, ship_group_seq_id, status_id", id, "1", "1", k.status("ITEM_APPROVED", "ITEM_CREATED"))
			insert("order_item_ship_group", "order_id, ship_group_seq_id, facility_id", id, "1", k.text())
			insert("order_status", "order_status_id, order_id, status_id, status_datetime", id, id, "ORDER_APPROVED", k.date())
		},
	}
	area := k.byte() % len(row)
	for i := 0; len(k.bytes) > 0 && i < 30; i++ {
		row[area](fmt.Sprint(i))
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return [][]string{{"client", "jobs"}, {"client", "data_manager", "reset_inventory"}, {"client", "orders"}}[area]
}

// sound checks that each value can be true.
func sound(t *testing.T, got map[string]float64, now time.Time) {
	t.Helper()
	begin := time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)
	for series, value := range got {
		name, _, _ := strings.Cut(series, "{")
		switch {
		case name == "oms_reset_inventory_seconds_since_processed" && math.IsInf(value, 1):
		case math.IsNaN(value), math.IsInf(value, 0):
			t.Errorf("%s is %v", series, value)
		case strings.HasSuffix(name, "_utc_offset_seconds"), name == "oms_database_clock_skew_seconds":
		case value < 0:
			t.Errorf("%s is %v, less than nothing", series, value)
		case strings.HasSuffix(name, "_timestamp_seconds"):
			if at := time.Unix(int64(value), 0); at.Before(begin) || at.Year() > 9998 {
				t.Errorf("%s is %v, which is %s", series, value, at)
			}
		case strings.HasSuffix(name, "_seconds") || strings.HasSuffix(name, "_since_processed"):
			if value > now.Sub(begin).Seconds() {
				t.Errorf("%s is %v, older than any OMS", series, value)
			}
		case name == "oms_collector_success" && value != 1:
			t.Errorf("%s is %v", series, value)
		}
	}
}

// agrees compares with what can be counted otherwise: nothing is lost, and where there is something its age is no zero.
func agrees(t *testing.T, db *sql.DB, got map[string]float64) {
	t.Helper()
	sum := func(metric string, labels ...string) float64 {
		total := 0.0
		for series, value := range got {
			matches := strings.HasPrefix(series, metric+"{")
			for _, l := range labels {
				matches = matches && strings.Contains(series, l)
			}
			if matches {
				total += value
			}
		}
		return total
	}
	count := func(query string) (n float64) {
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		what     string
		is, want float64
	}{
		{"running jobs", sum("oms_jobs", `status="running"`), count("job_sandbox WHERE status_id = 'SERVICE_RUNNING'")},
		{"pending jobs", sum("oms_jobs", `status="pending"`), count("job_sandbox WHERE (status_id = 'SERVICE_PENDING' OR status_id IS NULL) " +
			"AND start_date_time IS NULL AND cancel_date_time IS NULL")},
		{"open files", sum("oms_data_manager_files"), count(`data_manager_log WHERE COALESCE(status_id, '') NOT IN
			('DmlsFinished', 'SERVICE_FINISHED', 'DmlsFailed', 'SERVICE_CRASHED', 'DmlsCancelled')`)},
		{"open orders", sum("oms_orders"), count(`order_header WHERE order_type_id = 'SALES_ORDER'
			AND COALESCE(status_id, '') <> 'ORDER_COMPLETED'`)},
	} {
		if c.is != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.is, c.want)
		}
	}
	if most := count("job_sandbox WHERE status_id IN ('SERVICE_FAILED', 'SERVICE_CRASHED')"); sum("oms_job_consecutive_failures") > most {
		t.Errorf("more than %v failures", most)
	}
	for counted, aged := range map[string]string{
		"oms_data_manager_files": "oms_data_manager_oldest_age_seconds", "oms_orders_parked": "oms_orders_oldest_parked_age_seconds",
		"oms_orders_unfulfilled": "oms_orders_oldest_approved_age_seconds",
	} {
		for series, n := range got {
			if labels, ok := strings.CutPrefix(series, counted+"{"); ok && n > 0 {
				if age, there := got[aged+"{"+labels]; there && age == 0 {
					t.Errorf("%s is %v, and the oldest of them 0 s old", series, n)
				}
			}
		}
	}
	ages(t, db, got)
}

// ages looks at those of the metrics that come with no count. All dates here are past, so nothing is 0 s old; and where
// one of some orders has a good date, the oldest is at least as old as that.
func ages(t *testing.T, db *sql.DB, got map[string]float64) {
	t.Helper()
	each := func(query string, least float64, series func(v [5]string) string) {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var v [5]string
			if err := rows.Scan(&v[0], &v[1], &v[2], &v[3], &v[4]); err != nil {
				t.Fatal(err)
			}
			if age, there := got[series(v)]; there && age == 0 || age < least {
				t.Errorf("%s is %v (there: %t)", series(v), age, there)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	text := func(column string) string { return "CAST(COALESCE(" + column + ", '') AS TEXT)" }
	label := func(s string) string {
		s = strings.ToValidUTF8(s, "\uFFFD")
		return `"` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(s) + `"`
	}
	each("SELECT "+text("system_job_enum_id")+", "+text("product_store_id")+", "+text("shop_id")+", "+text("job_name")+", "+
		text("service_name")+" FROM job_sandbox WHERE status_id = 'SERVICE_RUNNING'", 0, func(v [5]string) string {
		return `oms_job_running_seconds{client="KREWE",job_name=` + label(oms.JobName(v[0], v[1], v[2], v[3], v[4])) + "}"
	})
	for dated, least := range map[string]float64{"": 0, " AND COALESCE(entry_date, order_date) = '" + good + "'": time.Hour.Seconds()} {
		each("SELECT "+text("sales_channel_enum_id")+", "+text("product_store_id")+`, '', '', '' FROM order_header
			WHERE status_id = 'ORDER_CREATED' AND order_type_id = 'SALES_ORDER'`+dated, least, func(v [5]string) string {
			return `oms_orders_oldest_created_age_seconds{channel=` + label(v[0]) + `,client="KREWE",product_store=` + label(v[1]) + "}"
		})
	}
}
