package behaviour

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const stillnessOf = `oms_database_newest_timestamp_age_seconds{client="KREWE"}`

// A watchedOMS is an OMS whose servers write by the clock of some zone, that is watched by a clock of the test's own.
type watchedOMS struct {
	*testing.T
	db     testserver.Database
	client *collector.Client
	now    time.Time
	rows   int
}

// watchOMS watches a new OMS from the noon of UTC on, with a configured zone.
func watchOMS(t *testing.T, db testserver.Database, configured string) *watchedOMS {
	t.Helper()
	testserver.Execute(t, db.Admin, "DELETE FROM order_header; DELETE FROM data_manager_log; DELETE FROM job_sandbox")
	w := &watchedOMS{T: t, db: db, now: instantOf(t, "2026-11-18T12:00:00Z")}
	w.db.Config.Timezone = testserver.Zone(t, configured)
	w.client = newClient(t, w.db.Config, &w.now)
	return w
}

// write writes a row whose stamp is that far from now in UTC.
func (w *watchedOMS) write(off time.Duration) {
	w.rows++
	at := w.now.Add(off).Format(time.DateTime)
	testserver.Execute(w, w.db.Admin, fmt.Sprintf("INSERT INTO job_sandbox (job_id, status_id, last_updated_tx_stamp) VALUES ('%d', 'SERVICE_FINISHED', '%s')", w.rows, at))
}

// begin has a server begin a job by its clock, that far from UTC; the one before is done.
func (w *watchedOMS) begin(server string, off time.Duration) {
	w.rows++
	at := w.now.Add(off).Format(time.DateTime)
	testserver.Execute(w, w.db.Admin, fmt.Sprintf(`UPDATE job_sandbox SET status_id = 'SERVICE_FINISHED' WHERE run_by_instance_id = '%s';
		INSERT INTO job_sandbox (job_id, job_name, status_id, run_by_instance_id, start_date_time, last_updated_tx_stamp) VALUES ('%d', 'J', 'SERVICE_RUNNING', '%s', '%s', '%s')`,
		server, w.rows, server, at, at))
}

// expect scrapes once and wants these series, or with an empty value their absence.
func (w *watchedOMS) expect(when string, want map[string]string) {
	w.Helper()
	got := map[string]string{}
	for line := range strings.Lines(scrape(w.T, w.client)) {
		at := strings.LastIndex(line, " ")
		got[line[:at]] = strings.TrimSpace(line[at:])
	}
	for series, value := range want {
		if got[series] != value {
			w.Errorf("%s: %s is %q, want %q", when, series, got[series], value)
		}
	}
}

func zoneOf(configured, fitting string) string {
	return fmt.Sprintf(`oms_database_timezone_info{client="KREWE",fitting=%q,timezone=%q}`, fitting, configured)
}

func skewOfInstance(name string) string {
	return fmt.Sprintf(`oms_instance_clock_skew_seconds{client="KREWE",oms_instance=%q}`, name)
}

// TestDatabaseClock tells a wrong zone from a database to which nobody writes, with the first scrape that has any age.
func TestDatabaseClock(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			db := engine.Start(t)(t, "clock", "UTC")
			if engine.Driver == config.Postgres {
				vintage{from: "TIMESTAMPTZ", to: "TIMESTAMP"}.retype(t, db)
			}
			t.Run("the zone fits", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(-20 * time.Second)
				w.expect("at first", map[string]string{skewOf: "-20", stillnessOf: "20", zoneOf("UTC", ""): "1"})
			})
			t.Run("the zone is behind", func(t *testing.T) {
				w := watchOMS(t, db, "Australia/Sydney")
				w.write(-20 * time.Second)
				w.expect("at first", map[string]string{skewOf: "", stillnessOf: "39620", zoneOf("Australia/Sydney", ""): "1"})
				w.now = w.now.Add(30 * time.Second)
				w.write(0)
				settled(t, w.client)
				w.expect("after an advance", map[string]string{
					skewOf: "-39600", stillnessOf: "0", zoneOf("Australia/Sydney", "UTC+00:00 (UTC, Europe/London, Europe/Dublin)"): "1",
				})
				w.now = w.now.Add(4 * time.Minute)
				w.expect("later", map[string]string{skewOf: "-39600", stillnessOf: "240"})
			})
			t.Run("the zone is ahead", func(t *testing.T) {
				w := watchOMS(t, db, "America/New_York")
				w.write(-10 * time.Second)
				w.expect("at first", map[string]string{
					skewOf: "17990", stillnessOf: "0", zoneOf("America/New_York", "UTC+00:00 (UTC, Europe/London, Europe/Dublin)"): "1",
				})
			})
			t.Run("the zone is half an hour off", func(t *testing.T) {
				w := watchOMS(t, db, "Asia/Karachi")
				w.write(5*time.Hour + 30*time.Minute)
				w.expect("at first", map[string]string{skewOf: "1800", zoneOf("Asia/Karachi", "UTC+05:30 (Asia/Kolkata)"): "1"})
			})
			t.Run("the clock is minutes off", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(11 * time.Minute)
				w.expect("at first", map[string]string{skewOf: "660", zoneOf("UTC", ""): "1"})
			})
			t.Run("no zone is a day ahead", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(24 * time.Hour)
				w.expect("at first", map[string]string{skewOf: "86400", zoneOf("UTC", ""): "1"})
			})
			t.Run("nothing is written", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(0)
				settled(t, w.client)
				w.now = w.now.Add(14 * time.Minute)
				w.expect("for a while", map[string]string{skewOf: "0", stillnessOf: "840"})
				w.now = w.now.Add(106 * time.Minute)
				w.expect("for two hours", map[string]string{skewOf: "", stillnessOf: "7200"})
				w.write(-3*time.Hour - 2*time.Second + 2*time.Hour) // a replica that has begun to catch up
				w.expect("an hour behind", map[string]string{skewOf: "-3602", stillnessOf: "0"})
				w.now = w.now.Add(30 * time.Second)
				w.write(0)
				w.expect("again", map[string]string{skewOf: "0", stillnessOf: "0"})
			})
			t.Run("nothing can be read", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(0)
				settled(t, w.client)
				testserver.Execute(t, db.Admin, "ALTER TABLE job_sandbox RENAME TO job_sandbox_away")
				defer testserver.Execute(t, db.Admin, "ALTER TABLE job_sandbox_away RENAME TO job_sandbox")
				w.now = w.now.Add(4 * time.Minute)
				w.expect("at first", map[string]string{stillnessOf: "240"})
				w.now = w.now.Add(2 * time.Minute)
				w.expect("for long", map[string]string{stillnessOf: ""})
			})
			t.Run("a server has another zone", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(0)
				settled(t, w.client)
				for range 4 {
					w.now = w.now.Add(30 * time.Second)
					w.begin("oms1", -10*time.Second)
					w.begin("oms2", -5*time.Hour)
					w.begin("oms3", 0)
					scrape(t, w.client)
				}
				w.now = w.now.Add(30 * time.Second)
				w.begin("oms3", -time.Hour) // a person put it back into work
				want := map[string]string{
					skewOfInstance("oms1"): "-10", skewOfInstance("oms2"): "-18000", skewOfInstance("oms3"): "0", skewOf: "0", stillnessOf: "30",
				}
				w.expect("at the third job", want)
				w.now = w.now.Add(25 * time.Hour)
				w.expect("a day later", map[string]string{skewOfInstance("oms1"): "", skewOfInstance("oms2"): ""})
			})
			t.Run("all servers get another zone", func(t *testing.T) {
				w := watchOMS(t, db, "UTC")
				w.write(0)
				settled(t, w.client)
				for range 12 {
					w.now = w.now.Add(30 * time.Second)
					w.begin("oms1", -5*time.Hour)
					scrape(t, w.client)
				}
				w.expect("after five minutes", map[string]string{skewOf: "-18000", stillnessOf: "0", skewOfInstance("oms1"): "-18000"})
			})
		})
	}
}
