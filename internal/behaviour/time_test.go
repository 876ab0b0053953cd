package behaviour

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestTimes uses tables without zones in their times, as Moqui makes them on PostgreSQL and everybody on MySQL.
func TestTimes(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			newDatabase := engine.Start(t)
			db := newDatabase(t, "times", "UTC")
			if engine.Driver == config.Postgres {
				t.Run("with zones", func(t *testing.T) { // which one is configured does not matter then
					wrongZone(t, newDatabase(t, "zoned", "America/New_York"), "Asia/Kolkata", 0)
				})
				vintage{from: "TIMESTAMPTZ", to: "TIMESTAMP"}.retype(t, db)
			}
			t.Run("wall clocks", func(t *testing.T) { wallClocks(t, db) })
			for zone, skew := range map[string]time.Duration{
				"America/New_York": 0, "UTC": -5 * time.Hour, "Asia/Kolkata": -10*time.Hour - 30*time.Minute,
				"America/Los_Angeles": 3 * time.Hour,
			} {
				t.Run("wrong zone "+zone, func(t *testing.T) { wrongZone(t, db, zone, skew) })
			}
		})
	}
}

const skewOf = `oms_database_clock_skew_seconds{client="KREWE"}`

// samples returns the values of an exposition by their series.
func samples(t *testing.T, text string) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " ")
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatal(line, err)
		}
		values[line[:at]] = value
	}
	return values
}

func instantOf(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// wallClocks has the OMS write one time by the clock of its zone, and tells its age at a moment around the changes of
// that clock. Three hours is the guide's limit for created orders: exactly so old is not too old.
func wallClocks(t *testing.T, db testserver.Database) {
	for _, c := range []struct {
		name, zone, written, now string
		age                      time.Duration
	}{
		{"no change", "America/New_York", "2026-11-18 09:00:00", "2026-11-18T17:00:00Z", 3 * time.Hour},
		{"the clock has gone forward", "America/New_York", "2026-03-08 01:30:00", "2026-03-08T09:30:00Z", 3 * time.Hour},
		{"a time that the clock skipped", "America/New_York", "2026-03-08 02:30:00", "2026-03-08T08:00:00Z", 30 * time.Minute},
		{"the clock has gone back", "America/New_York", "2026-11-01 00:30:00", "2026-11-01T07:30:00Z", 3 * time.Hour},
		{"in the hour that comes again", "America/New_York", "2026-11-01 01:10:00", "2026-11-01T05:20:00Z", 10 * time.Minute},
		// From 05:30Z or 06:30Z: of the two, the one that pages nobody falsely.
		{"since the repeated hour", "America/New_York", "2026-11-01 01:30:00", "2026-11-01T09:00:00Z", 150 * time.Minute},
		{"half an hour from the rest", "Asia/Kolkata", "2026-11-18 12:00:00", "2026-11-18T09:30:00Z", 3 * time.Hour},
		{"the same in the south, in summer", "Australia/Adelaide", "2026-11-18 12:00:00", "2026-11-18T04:30:00Z", 3 * time.Hour},
		{"since its repeated hour", "Australia/Adelaide", "2026-04-05 02:30:00", "2026-04-04T20:00:00Z", 3 * time.Hour},
		{"since a repeated half hour", "Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T18:15:00Z", 3 * time.Hour},
		{"half an hour forward", "Australia/Lord_Howe", "2026-10-04 01:30:00", "2026-10-03T18:00:00Z", 3 * time.Hour},
		{"universal time", "UTC", "2026-11-01 01:30:00", "2026-11-01T04:30:00Z", 3 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			testserver.Execute(t, db.Admin, strings.ReplaceAll(`
						DELETE FROM order_header; DELETE FROM order_attribute; DELETE FROM job_sandbox; DELETE FROM data_manager_log;
						INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES ('1', 'SALES_ORDER', 'ORDER_CREATED', :at, :at);
						INSERT INTO order_attribute (order_id, attr_name) VALUES ('1', 'SIGNIFYD_APPROVED');
						INSERT INTO job_sandbox (job_id, job_name, status_id, start_date_time, last_updated_tx_stamp) VALUES ('1', 'J', 'SERVICE_RUNNING', :at, :at);
						INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, last_updated_tx_stamp) VALUES
							('1', 'RESET_INVENTORY', 'SERVICE_FINISHED', :at, :at, :at), ('2', 'C', 'SERVICE_PENDING', :at, NULL, :at)`,
				":at", "'"+c.written+"'"))
			now := instantOf(t, c.now)
			db.Config.Timezone = testserver.Zone(t, c.zone)
			got := samples(t, settled(t, newClient(t, db.Config, &now)))
			for series, want := range map[string]float64{
				`oms_orders_oldest_created_age_seconds{channel="",client="KREWE",product_store=""}`:  c.age.Seconds(),
				`oms_orders_created_older_than{age="3h",channel="",client="KREWE",product_store=""}`: 0,
				`oms_job_running_seconds{client="KREWE",job_name="J"}`:                               c.age.Seconds(),
				`oms_reset_inventory_seconds_since_processed{client="KREWE",source="wms"}`:           c.age.Seconds(),
				`oms_reset_inventory_last_processed_timestamp_seconds{client="KREWE",source="wms"}`:  float64(now.Add(-c.age).Unix()),
				`oms_data_manager_oldest_age_seconds{client="KREWE",config="C",status="pending"}`:    c.age.Seconds(),
			} {
				if value, ok := got[series]; !ok || value != want {
					t.Errorf("%s is %v (there: %t), want %v", series, value, ok, want)
				}
			}
		})
	}
}

// wrongZone has an OMS write by New York's clock while a zone is configured: once its stamps have advanced, the skew says how far
// that is off. That clock and zone fit, or are ahead, shows without an advance.
func wrongZone(t *testing.T, db testserver.Database, zone string, want time.Duration) {
	now := instantOf(t, "2026-11-18T17:00:00Z")
	stamp := func(id string, at string) {
		testserver.Execute(t, db.Admin, "INSERT INTO job_sandbox (job_id, status_id, last_updated_tx_stamp) VALUES ('"+
			id+"', 'SERVICE_FINISHED', '2026-11-18 "+at+"')")
	}
	testserver.Execute(t, db.Admin, "DELETE FROM order_header; DELETE FROM data_manager_log; DELETE FROM job_sandbox")
	stamp("1", "12:00:00")
	db.Config.Timezone = testserver.Zone(t, zone)
	client := newClient(t, db.Config, &now)
	settled(t, client)
	if value, ok := samples(t, scrape(t, client))[skewOf]; ok != (want >= 0) {
		t.Errorf("the skew is %v (there: %t) before anything has advanced", value, ok)
	}
	now = now.Add(30 * time.Second)
	stamp("2", "12:00:30")
	if value, ok := samples(t, scrape(t, client))[skewOf]; !ok || value != want.Seconds() {
		t.Errorf("the skew is %v (there: %t), want %v", value, ok, want.Seconds())
	}
}

// TestClockSteps sets the exporter's clock forwards and back for a scrape. What the OMS has written stays what it is, only
// ages go with our clock; the skew tells of it once a stamp shows it; and once the clock is right again, everything is as
// if it had never been wrong.
func TestClockSteps(t *testing.T) {
	const rows = `
INSERT INTO job_sandbox (job_id, job_name, status_id, run_by_instance_id, pool_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
  ('1', 'Works', 'SERVICE_FINISHED', 'oms1', 'pool', '2026-11-18 11:00:00', '2026-11-18 11:01:00', '2026-11-18 11:01:00'),
  ('2', 'Fails', 'SERVICE_FAILED', 'oms1', 'pool', '2026-11-18 10:00:00', '2026-11-18 10:01:00', '2026-11-18 10:01:00'),
  ('3', 'Fails', 'SERVICE_FAILED', 'oms1', 'pool', '2026-11-18 11:00:00', '2026-11-18 11:01:00', '2026-11-18 11:01:00'),
  ('4', 'Runs', 'SERVICE_RUNNING', 'oms1', 'pool', '2026-11-18 11:50:00', NULL, '2026-11-18 11:50:00');
INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES
  ('1', 'SALES_ORDER', 'ORDER_CREATED', '2026-11-18 11:00:00', '2026-11-18 11:00:00'), ('2', 'SALES_ORDER', 'ORDER_SENT', '2026-11-18 11:59:00', '2026-11-18 11:59:00');
INSERT INTO order_attribute (order_id, attr_name) VALUES ('1', 'SIGNIFYD_APPROVED');
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, last_updated_tx_stamp) VALUES
  ('1', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-18 11:00:00', '2026-11-18 11:10:00', '2026-11-18 11:10:00'),
  ('2', 'C', 'SERVICE_FAILED', '2026-11-18 11:00:00', '2026-11-18 11:20:00', '2026-11-18 11:20:00')`
	const day = 24 * time.Hour
	for _, step := range []time.Duration{2 * time.Hour, -2 * time.Hour, 10 * day, -10 * day, 400 * day} {
		t.Run(step.String(), func(t *testing.T) {
			db := testserver.Engines()[0].Start(t)(t, "steps", "America/New_York")
			testserver.Execute(t, db.Admin, rows)
			now := instantOf(t, "2026-11-18T17:00:00Z")
			client := newClient(t, db.Config, &now)
			before := samples(t, settled(t, client))

			now = now.Add(step)
			during := samples(t, settled(t, client))
			for series, was := range before {
				name, _, _ := strings.Cut(series, "{")
				is, ok := during[series]
				switch {
				case strings.HasPrefix(name, "oms_collector_"), name == "oms_client_utc_offset_seconds", strings.HasPrefix(name, "oms_database_"):
				case strings.HasSuffix(name, "_age_seconds"), strings.HasSuffix(name, "_running_seconds"), strings.HasSuffix(name, "_since_processed"):
					if want := max(0, was+step.Seconds()); was > 0 && is != want {
						t.Errorf("%s is %v, want %v", series, is, want)
					}
				case step > 7*day && historic(name): // whatever ended is longer ago than is remembered
				case name == "oms_orders_created_older_than", name == "oms_orders_unsynced", strings.HasPrefix(name, "oms_data_manager_recent"):
				case !ok || is != was:
					t.Errorf("%s is %v (there: %t), want %v", series, is, ok, was)
				}
			}
			newest := instantOf(t, "2026-11-18T16:59:00Z")
			if value, ok := during[skewOf]; ok != (step < 0) || ok && value != newest.Sub(now).Seconds() {
				t.Errorf("the skew is %v (there: %t) while no stamp advances", value, ok)
			}
			testserver.Execute(t, db.Admin, "INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES "+
				"('3', 'SALES_ORDER', 'ORDER_SENT', '2026-11-18 12:00:00', '2026-11-18 12:00:00')")
			scrape(t, client)
			if value, ok := samples(t, scrape(t, client))[skewOf]; !ok || value != -step.Seconds() {
				t.Errorf("the skew is %v (there: %t), want %v", value, ok, -step.Seconds())
			}

			now = now.Add(-step + 30*time.Second)
			after, fresh := own(samples(t, settled(t, client))), own(samples(t, settled(t, newClient(t, db.Config, &now))))
			if !maps.Equal(after, fresh) {
				t.Errorf("after it:\n%v\nwant\n%v", after, fresh)
			}
		})
	}
}

// historic says whether a metric tells of what ended within the last days.
func historic(name string) bool {
	return slices.ContainsFunc([]string{"oms_job_", "oms_instance_", "oms_orders_", "oms_data_manager_", "oms_series_dropped"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// own leaves out what tells of the exporter's own past.
func own(values map[string]float64) map[string]float64 {
	maps.DeleteFunc(values, func(series string, _ float64) bool {
		return strings.HasPrefix(series, "oms_collector_data_age_seconds") || strings.HasPrefix(series, "oms_database_clock_skew_seconds") ||
			strings.HasPrefix(series, "oms_orders_imported_total")
	})
	return values
}

// TestImportsUnderWrongClock sets the clock back by 30 hours and right again, for long enough that the look back is made anew each
// time, and starts anew by the wrong clock, too: no order counts twice as imported, and none that comes meanwhile is left out.
func TestImportsUnderWrongClock(t *testing.T) {
	const imported = `oms_orders_imported_total{channel="WEB",client="KREWE",product_store="S"}`
	db := testserver.Engines()[0].Start(t)(t, "imports", "UTC")
	orders := 0
	right := instantOf(t, "2026-11-18T12:00:00Z")
	order := func(at time.Time) {
		orders++
		testserver.Execute(t, db.Admin, fmt.Sprintf(`INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp)
			VALUES ('%d', 'SALES_ORDER', 'ORDER_SENT', 'S', 'WEB', '%[2]s', '%[2]s')`, orders, at.Format(time.DateTime)))
	}
	for ago := 40 * time.Hour; ago > 0; ago -= 10 * time.Minute {
		order(right.Add(-ago))
	}
	off := time.Duration(0)
	now := right
	client := newClient(t, db.Config, &now)
	want := 0.0
	look := func(when string) {
		t.Helper()
		for range 3 { // a look back that was made anew counts from the next scrape on
			settled(t, client)
			now = now.Add(time.Second)
		}
		if got := samples(t, scrape(t, client))[imported]; got != want {
			t.Errorf("%s, %v were imported, want %v", when, got, want)
		}
	}
	come := func(after time.Duration) {
		right = right.Add(after)
		now = right.Add(off)
		order(right.Add(-time.Second))
		want++
	}
	look("at first")
	come(time.Minute)
	look("when one has come")
	for _, off = range []time.Duration{-30 * time.Hour, 0, -30 * time.Hour, 30 * time.Hour, 0} {
		for range 4 {
			come(7 * time.Minute)
			look(fmt.Sprintf("by a clock %s off", off))
		}
		for range 25 { // the look back is made anew
			come(time.Hour)
			scrape(t, client)
		}
		look(fmt.Sprintf("a day later by a clock %s off", off))
		come(time.Minute)
		look("and then")
		client, want = newClient(t, db.Config, &now), 0
		look(fmt.Sprintf("started by a clock %s off", off))
	}
}
