package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestPlans asks every engine how it will execute every statement, on tables with a past, and demands an index for each
// table that grows: also where Moqui made the tables, without OFBiz' stamps.
func TestPlans(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "plans", "America/New_York")
			fillForPlans(t, db)
			plans(t, db)
			testserver.Execute(t, db.Admin, `ALTER TABLE order_header RENAME COLUMN created_tx_stamp TO away;
				ALTER TABLE data_manager_log RENAME COLUMN last_updated_tx_stamp TO away`)
			t.Run("without stamps", func(t *testing.T) { plans(t, db) })
		})
	}
}

func plans(t *testing.T, db testserver.Database) {
	t.Helper()
	s, err := Open(testLogger(t), config.Client{
		Name: "KREWE", Timezone: time.UTC, Database: db.Config,
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	err = s.read(ctx, s.instance, now, func(ctx context.Context, r *reader) error {
		for _, name := range slices.Sorted(maps.Keys(r.texts)) {
			t.Run(name, func(t *testing.T) {
				plan := explain(ctx, t, r, name, now)
				for _, scan := range fullScans(s.dialect.driver, r.texts[name], plan) {
					t.Errorf("reads a whole table: %s\n%s", scan, plan)
				}
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// small are the tables that never grow, or of which a statement reads so many rows at most, and may be read whole.
func small(text string) bool { return smallTables.MatchString(text) }

var smallTables = regexp.MustCompile(`\b(facility_type|facility|job_manager_lock|shopify_oms_order_recon|statuses)\b|<|\(subquery| s\t| s[jl]\b`)

// explain returns the plan of a statement, a line for each step.
func explain(ctx context.Context, t *testing.T, r *reader, name string, now time.Time) string {
	t.Helper()
	d := r.source.dialect
	hour := func(h int) any { return r.time(now.Add(time.Duration(h) * time.Hour)) }
	named := args{
		"now": hour(0), "from": hour(-1), "to": r.time(far), "entered_since": hour(-1), "after": "199990", "config": "C7",
		"ids": []string{"10000", "10001"}, "channels": []string{"LOOP_EXCH"}, "attribute_0": "SIGNIFYD_APPROVED",
		"virtual": []string{"NA"}, "store": []string{"RETAIL_STORE"}, "open": []string{"SERVICE_PENDING", "DmlsPending"}, "unknown": []string{"DmlsNew"},
		"status": "SmsgError", "created_before": hour(-1),
	}
	if strings.HasPrefix(name, "runs_") { // by ids, in the old half, so that an index pays
		named["from"], named["to"], named["digits"] = "102000", "103999", 6
	}
	for i := range oms.CreatedAges() {
		named[fmt.Sprintf("entered_before_%d", i)] = hour(-1 - i)
	}
	text, values, err := d.bind(r.texts[name], named)
	if err != nil {
		t.Fatal(err)
	}
	command := "EXPLAIN "
	if d.driver == config.SQLite {
		command = "EXPLAIN QUERY PLAN "
	}
	rows, err := r.conn.QueryContext(ctx, command+text, values...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var plan strings.Builder
	_, err = each(rows, time.UTC, func(rec record) {
		for i := range rec.values {
			plan.WriteString(rec.text(i) + "\t")
		}
		plan.WriteString("\n")
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// fullScans returns the steps of a statement's plan that read a whole table which grows, or a whole index of one.
func fullScans(driver config.Driver, text, plan string) []string {
	var scans []string
	for step := range strings.Lines(plan) {
		var full bool
		switch fields := strings.Split(step, "\t"); driver {
		case config.MySQL: // id, select_type, table, type …
			rows, _ := strconv.Atoi(fields[8]) // of an index that is followed until a LIMIT is reached, so many as that
			full = (fields[3] == "ALL" || fields[3] == "index" && rows > page) && !small(fields[2]) && !slices.Contains([]string{"f", "s", "sj", "sl"}, fields[2])
			full = full || (fields[2] == "h" && fields[5] != "order_hdr_stts") // the open orders come first, whatever else there is
		case config.Postgres:
			full = strings.Contains(step, "Seq Scan on") && !small(step[strings.Index(step, "Seq Scan on"):])
		case config.SQLite:
			inOrder := strings.Contains(step, "USING INDEX sqlite_autoindex") && strings.Contains(text, "LIMIT") // and no further
			full = strings.Contains(step, "SCAN ") && !strings.Contains(step, "CONSTANT ROW") && !small(step) && !inOrder &&
				!slices.ContainsFunc([]string{"SCAN v", "SCAN w", "SCAN c", "SCAN o", "SCAN u", "SCAN r", "SCAN m", "SCAN k"}, func(sub string) bool {
					return strings.Contains(step, sub+"\t")
				})
		}
		if full {
			scans = append(scans, strings.TrimSpace(step))
		}
	}
	return scans
}

// fillForPlans makes tables in which a planner finds a past: some thousand ended rows, and a few open ones.
func fillForPlans(t *testing.T, db testserver.Database) {
	t.Helper()
	const n = 20000
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	tx, err := db.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	insert := func(statement string, row func(i int) []string) {
		var values []string
		for i := range n {
			values = append(values, "('"+strings.Join(row(i), "','")+"')")
			if len(values) == 500 {
				text := strings.ReplaceAll(statement+" VALUES "+strings.Join(values, ","), "'NULL'", "NULL")
				if _, err := tx.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
				values = nil
			}
		}
	}
	at := func(i int) string { return start.Add(time.Duration(i) * 5 * time.Minute).Format(time.DateTime) }
	id := func(i int) string { return fmt.Sprint(100000 + i) }
	status := func(i int, ended, open string) string {
		if i%100 == 0 {
			return open
		}
		return ended
	}
	insert("INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp, last_updated_tx_stamp, external_id)",
		func(i int) []string {
			open := []string{"ORDER_CREATED", "ORDER_APPROVED", "ORDER_HOLD"}[i/100%3]
			return []string{id(i), "SALES_ORDER", status(i, "ORDER_COMPLETED", open), "S1", "WEB", at(i), at(i), at(i), id(7 * i)}
		})
	insert("INSERT INTO order_item (order_id, order_item_seq_id, ship_group_seq_id, status_id)",
		func(i int) []string { return []string{id(i), "1", "1", status(i, "ITEM_COMPLETED", "ITEM_APPROVED")} })
	insert("INSERT INTO facility (facility_id, facility_type_id)", // the seventh is a parking, in which many have ended
		func(i int) []string { return []string{fmt.Sprint("F", i), status(i+93, "RETAIL_STORE", "NA")} })
	insert("INSERT INTO order_item_ship_group (order_id, ship_group_seq_id, facility_id)",
		func(i int) []string { return []string{id(i), "1", fmt.Sprint("F", i%50)} })
	insert("INSERT INTO order_item_ship_group_assoc (order_id, order_item_seq_id, ship_group_seq_id)",
		func(i int) []string { return []string{id(i), "1", "1"} })
	insert("INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, change_datetime)",
		func(i int) []string { return []string{id(i), id(i), "1", at(i)} })
	insert("INSERT INTO order_status (order_status_id, order_id, status_id, status_datetime)",
		func(i int) []string { return []string{id(i), id(i), "ORDER_APPROVED", at(i)} })
	insert("INSERT INTO order_attribute (order_id, attr_name)",
		func(i int) []string { return []string{id(i), "SIGNIFYD_APPROVED"} })
	insert("INSERT INTO job_sandbox (job_id, job_name, status_id, run_time, start_date_time, finish_date_time, last_updated_tx_stamp)",
		func(i int) []string {
			open := []string{"SERVICE_PENDING", "SERVICE_RUNNING"}[i/100%2]
			return []string{id(i), fmt.Sprint("J", i%300), status(i, "SERVICE_FINISHED", open), at(i), at(i), at(i), status(i/10, at(i), "NULL")}
		})
	insert("INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, last_updated_stamp, last_updated_tx_stamp)",
		func(i int) []string {
			return []string{id(i), fmt.Sprint("C", i%50), status(i, "SERVICE_FINISHED", "DmlsPending"), at(i), at(i), at(i), status(i/10, at(i), "NULL")}
		})
	insert("INSERT INTO system_message (system_message_id, system_message_type_id, status_id, is_outgoing, init_date, last_attempt_date, fail_count)",
		func(i int) []string {
			open := []string{"SmsgProduced", "SmsgError", "SmsgNew"}[i/100%3]
			return []string{id(i), fmt.Sprint("T", i%50), status(i, "SmsgSent", open), "Y", at(i), at(i), "0"}
		})
	insert("INSERT INTO shopify_oms_order_recon (system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp)",
		func(i int) []string { return []string{"SHOPIFY", id(7 * i), "1", at(i), at(i)} })
	insert("INSERT INTO service_job_run (job_run_id, job_name, host_name, has_error, start_time, end_time)",
		func(i int) []string { return []string{id(i), fmt.Sprint("J", i%300), "maarg-1", "N", at(i), at(i)} })
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	tables := []string{"facility", "order_header", "order_item", "order_item_ship_group", "order_item_ship_group_assoc",
		"order_facility_change", "order_status", "order_attribute", "job_sandbox", "data_manager_log", "system_message", "shopify_oms_order_recon", "service_job_run"}
	for _, table := range tables {
		analyze := "ANALYZE " + table
		if db.Config.Driver == config.MySQL {
			analyze = "ANALYZE TABLE " + table
		}
		rows, err := db.Admin.QueryContext(t.Context(), analyze)
		if err != nil {
			t.Fatal(err)
		}
		drain(t, rows)
	}
}

func drain(t *testing.T, rows *sql.Rows) {
	t.Helper()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	_ = rows.Close()
}
