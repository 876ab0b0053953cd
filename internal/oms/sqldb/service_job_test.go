package sqldb

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/quartz"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// TestDue says since when the scheduler should have taken a job, at 12:00 in New York.
func TestDue(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	now := time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)
	at := func(clock string) walltime.Moment {
		if clock == "" {
			return walltime.Moment{}
		}
		m, err := time.Parse(time.DateTime, clock)
		if err != nil {
			t.Fatal(err)
		}
		return walltime.Wall(m, zone)
	}
	for name, c := range map[string]struct {
		from, changed         string // of the job
		runID, last, released string // of the lock
		want                  string
	}{
		"taken on time":              {last: "2026-11-18 11:45:02", released: "2026-11-18 11:45:20", want: "2026-11-18 12:00:00"},
		"late":                       {last: "2026-11-18 11:00:02", released: "2026-11-18 11:01:00", want: "2026-11-18 11:15:00"},
		"late for days":              {last: "2026-11-11 11:00:02", want: "2026-11-11 11:15:00"},
		"after a long run":           {last: "2026-11-18 05:00:02", released: "2026-11-18 11:58:00", want: "2026-11-18 12:03:00"},
		"after a failure":            {last: "2026-11-18 11:30:02", released: "2026-11-18 11:50:00", want: "2026-11-18 11:55:00"},
		"unpaused a moment ago":      {last: "2026-11-11 11:00:02", changed: "2026-11-18 11:59:50", want: "2026-11-18 11:59:50"},
		"begins later than it ran":   {last: "2026-11-11 11:00:02", from: "2026-11-18 11:50:00", want: "2026-11-18 11:50:00"},
		"never ran":                  {changed: "2026-11-18 11:00:00", want: "2026-11-18 11:00:00"},
		"never ran well":             {changed: "2026-11-18 11:00:00", released: "2026-11-18 11:58:00", want: "2026-11-18 12:03:00"},
		"its lock has expired":       {runID: "1", last: "2026-11-18 10:50:02", released: "2026-11-18 10:50:02", want: "2026-11-18 11:50:02"},
		"its lock was never a claim": {runID: "1", changed: "2026-11-18 11:00:00", want: "2026-11-18 11:00:00"},
	} {
		cron, err := quartz.Parse("0 0/15 * * * ?")
		if err != nil {
			t.Fatal(err)
		}
		job := serviceJob{schedule: cron, from: at(c.from), changed: at(c.changed), expiry: time.Hour, retry: 5 * time.Minute}
		due := job.due(jobLock{runID: c.runID, last: at(c.last), changed: at(c.released)}, config.Database{Timezone: zone}, now)
		if got := due.In(zone).Format(time.DateTime); got != c.want {
			t.Errorf("%s: due at %s, want %s", name, got, c.want)
		}
	}
}

// TestScheduleZone has Moqui write in UTC and read its schedules in New York, on every engine: a job of 3:39 there is due at 8:39.
func TestScheduleZone(t *testing.T) {
	for _, engine := range testserver.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			w := &world{db: engine.Start(t)(t, "schedules", "UTC"), now: time.Date(2026, 11, 18, 8, 50, 0, 0, time.UTC)}
			w.exec(t, "INSERT INTO service_job (job_name, cron_expression, paused) VALUES ('J', '0 39 3 * * ?', 'N')")
			w.exec(t, "INSERT INTO service_job_run_lock (job_name, last_run_time) VALUES ('J', '2026-11-17 08:39:01')")
			for zone, want := range map[*time.Location]string{
				nil: "2026-11-18 03:39:00", testserver.Zone(t, "America/New_York"): "2026-11-18 08:39:00",
			} {
				w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
				w.client.Database.ScheduleTimezone = zone
				pools := w.facts(t, w.source(t), w.now).Jobs.Pools
				if len(pools) != 1 || pools[0].OldestDue.UTC().Format(time.DateTime) != want {
					t.Errorf("schedule in %v: pools %v, want due since %s", zone, pools, want)
				}
			}
		})
	}
}

// TestUnusedScheduler has jobs that came with the tables: while nobody has ever taken one, no scheduler is late.
func TestUnusedScheduler(t *testing.T) {
	w := &world{db: testserver.Engines()[0].Start(t)(t, "unused", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	w.client = config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config}
	w.long = w.source(t)
	late := func() time.Duration {
		for _, pool := range w.facts(t, w.long, w.now).Jobs.Pools {
			if pool.Name == moquiPool {
				return w.now.Sub(pool.OldestDue)
			}
		}
		return -1
	}
	w.exec(t, "INSERT INTO service_job (job_name, cron_expression, paused, last_updated_stamp) VALUES ('J', '0 0 * * * ?', 'N', '2026-11-01 00:00:00')")
	w.exec(t, "INSERT INTO service_job_run_lock (job_name) VALUES ('J')")
	if got := late(); got != -1 {
		t.Errorf("nothing has ever run, and the scheduler is %s late", got)
	}
	w.exec(t, "UPDATE service_job_run_lock SET last_run_time = '2026-11-18 14:00:02'")
	if got := late(); got != 2*time.Hour {
		t.Errorf("the scheduler is %s late, want two hours", got)
	}
}

// TestUnreadableSchedule shows that a schedule which nobody understands is told of once, and fails nothing.
func TestUnreadableSchedule(t *testing.T) {
	var log bytes.Buffer
	w := &world{db: testserver.Engines()[0].Start(t)(t, "unreadable", "UTC"), now: time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)}
	s, err := Open(slog.New(slog.NewTextHandler(&log, nil)), config.Client{Name: "KREWE", Timezone: time.UTC, Database: w.db.Config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w.long = s
	told := func(want int) {
		t.Helper()
		for range 3 {
			w.jobNames(t)
			w.now = w.now.Add(30 * time.Second)
		}
		if n := strings.Count(log.String(), "job J"); n != want {
			t.Errorf("told %d times, want %d, in\n%s", n, want, log.String())
		}
	}
	w.exec(t, "INSERT INTO service_job (job_name, cron_expression, paused) VALUES ('J', 'every hour', 'N'), ('K', '0 0 * * * ?', 'N')")
	told(1)
	w.exec(t, "UPDATE service_job SET cron_expression = 'hourly' WHERE job_name = 'J'")
	told(2)
}
