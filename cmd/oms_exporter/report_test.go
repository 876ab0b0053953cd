package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// recorded are samples in the format OpenMetrics.
type recorded struct{ strings.Builder }

func (r *recorded) add(series string, value float64, at time.Time) {
	_, _ = fmt.Fprintf(r, "%s %s %d\n", series, strconv.FormatFloat(value, 'f', -1, 64), at.Unix())
}

// each adds a sample of the value that of returns at each step, where it returns one.
func (r *recorded) each(series string, from, until time.Time, step time.Duration, of func(at time.Time) (float64, bool)) {
	for at := from; at.Before(until); at = at.Add(step) {
		if value, ok := of(at); ok {
			r.add(series, value, at)
		}
	}
}

// always is a value without a gap.
func always(value float64) func(time.Time) (float64, bool) {
	return func(time.Time) (float64, bool) { return value, true }
}

// A span is a part of the month: from is the first moment of it, until the first one after it.
type span struct{ from, until time.Time }

func (s span) has(at time.Time) bool { return !at.Before(s.from) && at.Before(s.until) }

// recordedMonth is March 2026 as rules/service_levels.yml would record it: of KREWE on clocks that change on the 8th, of NEWERA from the 16th
// on, and of UCG only April.
func recordedMonth(chicago *time.Location) string {
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, chicago)
	}
	from, next := at(time.March, 1, 0, 0), at(time.April, 1, 0, 0)
	before, after := from.Add(-2*time.Hour), next.Add(2*time.Hour) // of which nothing may be in the report
	r := new(recorded)

	// The last zone counts.
	moved := at(time.March, 10, 0, 0)
	r.each(`oms_client_info{client="KREWE",timezone="America/New_York"}`, before, moved, 5*time.Minute, always(1))
	r.each(`oms_client_info{client="KREWE",timezone="America/Chicago"}`, moved, after, 5*time.Minute, always(1))

	check := func(name string, blind span, broken ...span) {
		state := func(t time.Time) (float64, bool) {
			for _, b := range broken {
				if b.has(t) {
					return 2, true
				}
			}
			return 0, !blind.has(t)
		}
		r.each(`oms:check_state{client="KREWE",check="`+name+`"}`, before, after, 5*time.Minute, state)
		r.each(`oms:check_within_limits{client="KREWE",check="`+name+`"}`, before, after, time.Minute, func(t time.Time) (float64, bool) {
			s, known := state(t)
			return 1 - s/2, known
		})
		for _, b := range broken {
			r.each(`oms:incident_start_timestamp_seconds{client="KREWE",check="`+name+`"}`, b.from, b.until, time.Minute, always(float64(b.from.Unix())))
		}
	}
	ended := func(name string, s span) {
		r.add(`oms:incident_seconds{client="KREWE",check="`+name+`"}`, s.until.Sub(s.from).Seconds(), s.until)
	}
	// created: incidents of 400 and 200 minutes, the second over the change of the clocks; a day that is not watched; one of April.
	long := span{at(time.March, 3, 10, 0), at(time.March, 3, 16, 40)}
	short := span{at(time.March, 8, 1, 0), at(time.March, 8, 1, 0).Add(200 * time.Minute)}
	april := span{next, next.Add(time.Hour)}
	check("created", span{at(time.March, 15, 0, 0), at(time.March, 16, 0, 0)}, long, short, april)
	ended("created", long)
	ended("created", short)
	ended("created", april)
	// sftp: an incident of 3 hours that began in February, and one that lasts for 2 hours at the end.
	february := span{from.Add(-time.Hour), from.Add(2 * time.Hour)}
	check("sftp", span{}, february, span{next.Add(-2 * time.Hour), after})
	ended("sftp", february)
	// job_running: an hour broken, then nothing for 7 hours: how the incident ended is not known.
	night := at(time.March, 10, 0, 0)
	check("job_running", span{night.Add(time.Hour), night.Add(8 * time.Hour)}, span{night, night.Add(time.Hour)})
	// A check of newer rules with 60 minutes, one that is unknown; the others are not watched.
	r.each(`oms:check_within_limits{client="KREWE",check="later|<b>_x_"}`, from, from.Add(time.Hour), time.Minute, always(1))
	r.each(`oms:check_state{client="KREWE",check="files_pending"}`, from, next, 5*time.Minute, always(3))
	for _, c := range collector.Checks() {
		switch c.Name {
		case "created", "sftp", "job_running", "files_pending":
		default:
			r.each(`oms:check_state{client="KREWE",check="`+c.Name+`"}`, from, next, time.Hour, always(4))
		}
	}

	deadline := func(record, source, by string) string {
		return `oms:reset_inventory_deadline_` + record + `{client="KREWE",source="` + source + `",deadline="` + by + `"}`
	}
	missed := map[int]bool{5: true, 12: true, 20: true}
	for day := 1; day <= 31; day++ {
		switch {
		case day == 25:
			r.add(deadline("unknown", "wms", "13:00"), 1, at(time.March, day, 14, 0))
		case missed[day]:
			r.add(deadline("met", "wms", "13:00"), 0, at(time.March, day, 13, 2))
		default:
			r.add(deadline("met", "wms", "13:00"), 1, at(time.March, day, 13, 2))
		}
		r.add(deadline("met", "erp|<eu>_1", "09:00"), 1, at(time.March, day, 9, 2))
	}
	// The last second of February and the first of April.
	r.add(deadline("met", "wms", "23:58"), 0, from.Add(-time.Second))
	r.add(deadline("met", "wms", "00:00"), 0, next)
	r.add(deadline("unknown", "wms", "00:00"), 1, next)

	// Orders: each day at 10:05 those that were approved within 1 hour, 3 hours, a day, and all; and those of February and April.
	le := func(bound string) string { return `oms:orders_approved{client="KREWE",le="` + bound + `"}` }
	approved := func(at time.Time, hour, three, day, all float64) {
		r.add(le("3600.0"), hour, at)
		r.add(le("10800.0"), three, at)
		r.add(le("86400.0"), day, at)
		r.add(le("+Inf"), all, at)
	}
	approved(from.Add(-time.Second), 7, 7, 7, 7)
	for day := 1; day <= 31; day++ {
		approved(at(time.March, day, 10, 5), 80, 95, 99, 100)
	}
	approved(at(time.March, 31, 23, 59), 0, 0, 0, 1) // the last minute of the month
	approved(next, 7, 7, 7, 7)
	unfillableOrders := `oms:orders_unfillable{client="KREWE"}`
	r.add(unfillableOrders, 70, from.Add(-time.Second))
	r.add(unfillableOrders, 40, at(time.March, 2, 9, 0))
	r.add(unfillableOrders, 22, at(time.March, 31, 23, 59))
	r.add(unfillableOrders, 70, next)
	r.each(`oms:orders_counted{client="KREWE",job="oms",instance="a",le="+Inf"}`, before, after, time.Hour, always(9000))
	r.each(`oms:orders_counted{client="KREWE",job="oms",instance="a"}`, before, after, time.Hour, always(90))

	half := time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)
	r.each(`oms_client_info{client="NEWERA",timezone="Mars/Olympus"}`, half, next, time.Hour, always(1))
	r.each(`oms:check_state{client="NEWERA",check="created"}`, half, next, 5*time.Minute, always(0))
	r.each(`oms:check_within_limits{client="NEWERA",check="created"}`, half, next, time.Minute, always(1))
	r.each(`oms:check_state{client="UCG",check="created"}`, next, after, 5*time.Minute, always(0))
	return r.String() + "# EOF\n"
}

// report runs the command at the time now.
func (r reporting) report(t *testing.T, now time.Time) (page, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = r.run(t.Context(), "", now, &out, &errs)
	return out.String(), errs.String(), err
}

// TestReport has a real Prometheus with a recorded month, of which it is known what the report has to say.
func TestReport(t *testing.T) {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	base := testserver.PrometheusOf(t, recordedMonth(chicago))
	later := time.Date(2026, 4, 10, 12, 0, 0, 0, time.UTC)
	want := func(t *testing.T, page string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("%q is missing:\n%s", part, page)
			}
		}
	}

	t.Run("truth", func(t *testing.T) {
		for output, file := range map[string]string{"html": "report.html", "markdown": "report.md"} {
			page, stderr, err := reporting{prometheus: base, client: "KREWE", month: "2026-03", output: output}.report(t, later)
			if err != nil || stderr != "" {
				t.Fatal(err, stderr)
			}
			compare(t, file, page)
			if output == "html" {
				continue
			}
			want(t, page,
				"From 2026-03-01 00:00 until 2026-04-01 00:00, time zone America/Chicago.",
				"| Reset-inventory deadlines met | 95.08 % (58 of 61) |", "| Deadlines missed | 3 |", "| Deadlines with an unknown result | 1 |",
				"| wms | 13:00 | 90.00 % | 27 | 3 | 1 |", `| erp\|\<eu\>\_1 | 09:00 | 100.00 % | 31 | 0 | 0 |`,
				// 44 580 minutes in 743 hours: created was watched in 43 140 and within its limits in 42 540.
				// 31 days of 100 orders and one more; 95 % of 3101 are 2945.95, and 2945 of these took no more than 3 hours.
				"| Orders approved | 3101 |", "| Orders approved within 3 hours | 94.96 % (2945 of 3101) |",
				"| Time to approval that 95 % of the orders did not exceed | about 3 h 9 min |", "| Unfillable orders | 2.00 % (62 for 3101 approved) |",
				"| Orders in created | 98.60 % | 3.24 % | 2 | 5 h | 5 h |",
				"| Drop folders | 99.46 % | 0.00 % | 2 (1 open at the end) | 2 h 30 min | 3 h |",
				"| Jobs that run for too long | 99.86 % | 0.95 % | 1 (1 of unknown length) | unknown | unknown |",
				"| Data-manager files that are waiting | unknown | 100.00 % | unknown | unknown | unknown |",
				"| Dashboards and charts | not watched | – | – | – | – |",
				`| Later\|\<b\>\_x\_ | 100.00 % | 99.87 % | 0 | – | – |`,
				"| Incidents | 5 (1 open at the end, 1 of unknown length) |", "| Mean length of an incident | 3 h 45 min |", "| Mean time to repair | 4 h 20 min |",
				"| Time that was not watched, mean of the checks | 40.81 % |",
			)
		}
	})
	t.Run("unfinished", func(t *testing.T) {
		now := time.Date(2026, 3, 14, 18, 30, 30, 0, chicago)
		page, stderr, err := reporting{prometheus: base, client: "KREWE", month: "2026-03", output: "markdown"}.report(t, now)
		if err != nil || stderr != "" {
			t.Fatal(err, stderr)
		}
		want(t, page, "This month is not over: the page shows it until 2026-03-14 18:30.", "| wms | 13:00 | 85.71 % | 12 | 2 | 0 |",
			// 19 771 samples until 18:30, of which 600 are broken; sftp is broken in 120
			"| Orders in created | 96.96 % | 0.00 % | 2 | 5 h | 5 h |", "| Drop folders | 99.39 % | 0.00 % | 1 | 3 h | 3 h |")
	})
	t.Run("half", func(t *testing.T) {
		page, _, err := reporting{prometheus: base, client: "NEWERA", month: "2026-03", output: "markdown"}.report(t, later)
		if err != nil {
			t.Fatal(err)
		}
		want(t, page, "time zone UTC", "The client's time zone in this month is not known", "Nothing is recorded before 2026-03-16 00:00",
			"| Reset-inventory deadlines met | no deadline is recorded |", "No deadline is recorded for this month.",
			"| Orders approved | unknown |", "| Orders approved within 3 hours | unknown |", "| Unfillable orders | unknown |",
			"| Orders in created | 100.00 % | 48.39 % | 0 | – | – |", "| Drop folders | unknown | 100.00 % | unknown | unknown | unknown |")
	})
	t.Run("without data", func(t *testing.T) {
		for _, output := range []string{"html", "markdown"} {
			page, stderr, err := reporting{prometheus: base, client: "UCG", month: "2026-03", output: output}.report(t, later)
			if err != nil {
				t.Fatal(err)
			}
			want(t, page, "Service levels of UCG, March 2026", "No service levels are recorded for this month.")
			want(t, stderr, "warning: Prometheus at "+base+" has no service levels of UCG in 2026-03: check that")
			if strings.Contains(page, " %") || strings.Contains(page, "Summary") {
				t.Errorf("a month without data has numbers:\n%s", page)
			}
		}
	})
	t.Run("errors", func(t *testing.T) {
		for month, message := range map[string]string{
			"2026-04": "--client=KRWE: the Prometheus at " + base + " has no such client, only KREWE, NEWERA, UCG",
			"2026-4":  `--month must be a month such as 2026-10, it is "2026-4"`,
		} {
			if page, _, err := (reporting{prometheus: base, client: "KRWE", month: month}).report(t, later); err == nil || err.Error() != message || page != "" {
				t.Errorf("%v, want %s", err, message)
			}
		}
		_, _, err := reporting{prometheus: base, client: "KREWE", month: "2026-05"}.report(t, later)
		if err == nil || err.Error() != "--month=2026-05 has not begun yet" {
			t.Errorf("%v", err)
		}
	})
	t.Run("program", func(t *testing.T) {
		for _, flag := range []string{"--prometheus=", "--prometheus.url="} {
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), []string{"report", flag + base + "/", "--month=2026-03", "--client=KREWE"}, &stdout, &stderr)
			if status != 0 || !strings.HasPrefix(stdout.String(), "<!DOCTYPE html>") || stderr.Len() > 0 {
				t.Errorf("%s: status %d: %s%s", flag, status, &stdout, &stderr)
			}
		}
	})
}

// TestReportWithoutPrometheus shows what the command says of a URL where no Prometheus with a client is.
func TestReportWithoutPrometheus(t *testing.T) {
	closed := listen(t)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	serve := func(answer http.HandlerFunc) string {
		s := httptest.NewServer(answer)
		t.Cleanup(s.Close)
		return s.URL
	}
	page := serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<p>hello</p>")) })
	down := serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	empty := serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"success","data":[]}`)) })
	for url, message := range map[string]string{
		"http://" + closed.Addr().String(): "no report: the connection to Prometheus failed: dial tcp " + closed.Addr().String() + ": connect: connection refused; " +
			"check that Prometheus runs at http://" + closed.Addr().String() + " and can be reached from here, or correct the URL",
		page:                "no report: what answers is not the API of Prometheus: ",
		down:                "no report: the answer of Prometheus has the status 503 Service Unavailable; check that Prometheus runs at " + down,
		empty:               "the Prometheus at " + empty + " has no client: have it scrape the exporter and load rules/",
		"":                  "--prometheus=URL is required",
		"localhost:9090":    "--prometheus must be a URL such as http://prometheus.example.com:9090",
		"http://u:p@host:1": "--prometheus must not contain a user or password",
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"report", "--prometheus=" + url, "--month=2026-03", "--client=KREWE"}, &stdout, &stderr)
		if status != 1 || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), message) {
			t.Errorf("%q: status %d: %q, want %q on stderr: %q", url, status, &stdout, message, &stderr)
		}
	}
}

// TestReportEnds ends the command while it waits for Prometheus.
func TestReportEnds(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end()
		<-r.Context().Done()
	}))
	defer s.Close()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"report", "--prometheus=" + s.URL, "--month=2026-03", "--client=KREWE"}, &stdout, &stderr)
	if status != 1 || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "the report was ended: ") {
		t.Errorf("status %d: %q %q", status, &stdout, &stderr)
	}
}

// TestFirstOf has zones that change their clocks at the midnight with which a month begins.
func TestFirstOf(t *testing.T) {
	for _, tc := range []struct {
		zone  string
		year  int
		month time.Month
		want  string // in UTC
	}{
		{"America/Chicago", 2026, time.March, "2026-03-01T06:00:00Z"},
		{"America/Chicago", 2026, time.December + 1, "2027-01-01T06:00:00Z"},
		{"America/Asuncion", 2017, time.October, "2017-10-01T04:00:00Z"}, // no 00:00
		{"America/Havana", 2026, time.November, "2026-11-01T04:00:00Z"},  // 00:00 twice
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := firstOf(tc.year, tc.month, zone).UTC().Format(time.RFC3339); got != tc.want {
			t.Errorf("%s: %d-%d begins at %s, want %s", tc.zone, tc.year, tc.month, got, tc.want)
		}
	}
}
