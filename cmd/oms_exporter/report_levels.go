package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// levels are what rules/service_levels.yml recorded of a client in a month.
type levels struct {
	client            string
	from, until, next time.Time // until is the end of the month, which is next, or now where the month is not over
	zoneKnown         bool      // else the month is that of UTC
	// first and last are when the first and the last state of any check was recorded: zero where none was.
	first, last time.Time
	deadlines   []deadlineLevel // by source and deadline
	orders      orderLevel
	checks      map[string]checkLevel
}

// orderLevel is what was recorded of orders. Nothing is recorded while none comes.
type orderLevel struct {
	approvalsKnown, unfillableKnown bool    // whether they were counted at all
	approved, within3h, unfillable  float64 // orders
	p95                             float64 // seconds from entry to approval; 24 hours stand for any longer time
}

// deadlineLevel counts how often a deadline of a source passed in the month.
type deadlineLevel struct {
	source, deadline     string
	judged, met, unknown float64 // judged are those that were met or missed
}

// checkLevel is what was recorded of a check.
type checkLevel struct {
	watched, within float64 // minutes; within are those of the watched in which the check was within its limits
	notWatched      bool    // in the whole month: the client has no such thing
	// ended are the incidents that ended in the month, and repair the seconds that these took. open is 1 where one lasts at the end, for
	// openFor seconds until then.
	ended, repair, open, openFor float64
	started                      float64 // incidents that were seen, whether their end was or not
}

// lost counts the incidents whose end was not recorded: nothing was for more than 6 hours.
func (c checkLevel) lost() float64 { return max(0, c.started-c.ended-c.open) }

// incidents counts all of the month.
func (c checkLevel) incidents() float64 { return c.ended + c.open + c.lost() }

// empty says whether nothing is recorded of the month.
func (l levels) empty() bool { return len(l.deadlines) == 0 && len(l.checks) == 0 }

// minutes are those of the month that have passed.
func (l levels) minutes() float64 { return math.Floor(l.until.Sub(l.from).Minutes()) }

// levelsReader asks a Prometheus for the service levels of a client. Its errors say what to do.
type levelsReader struct {
	judge  *judge
	client string
}

// levels asks for the month, as far as it has passed.
func (r levelsReader) levels(ctx context.Context, month, now time.Time) (levels, error) {
	if err := r.known(ctx); err != nil {
		return levels{}, err
	}
	zone, known, err := r.zone(ctx, month, now)
	if err != nil {
		return levels{}, err
	}
	l := levels{
		client: r.client, from: firstOf(month.Year(), month.Month(), zone), next: firstOf(month.Year(), month.Month()+1, zone),
		zoneKnown: known, checks: map[string]checkLevel{},
	}
	l.until = l.next
	if now.Before(l.next) {
		l.until = now.In(zone)
	}
	if !l.from.Before(l.until) {
		return levels{}, fmt.Errorf("--month=%s has not begun yet", month.Format("2006-01"))
	}
	passed := map[[2]string]deadlineLevel{}
	deadline := func(set func(*deadlineLevel, float64)) func(map[string]string, float64) {
		return func(labels map[string]string, value float64) {
			key := [2]string{labels["source"], labels["deadline"]}
			d := passed[key]
			set(&d, value)
			passed[key] = d
		}
	}
	check := func(set func(*checkLevel, float64)) func(map[string]string, float64) {
		return func(labels map[string]string, value float64) {
			c := l.checks[labels["check"]]
			set(&c, value)
			l.checks[labels["check"]] = c
		}
	}
	count := func(n *float64) func(map[string]string, float64) {
		return func(_ map[string]string, value float64) { *n = value }
	}
	moment := func(at *time.Time) func(map[string]string, float64) {
		return func(_ map[string]string, value float64) { *at = time.UnixMilli(int64(value * 1000)).In(zone) }
	}
	for _, q := range []struct {
		expr string
		take func(labels map[string]string, value float64)
	}{
		{`sum by (source, deadline) (count_over_time(oms:reset_inventory_deadline_met$client$month))`,
			deadline(func(d *deadlineLevel, v float64) { d.judged = v })},
		{`sum by (source, deadline) (sum_over_time(oms:reset_inventory_deadline_met$client$month))`,
			deadline(func(d *deadlineLevel, v float64) { d.met = v })},
		{`sum by (source, deadline) (count_over_time(oms:reset_inventory_deadline_unknown$client$month))`,
			deadline(func(d *deadlineLevel, v float64) { d.unknown = v })},
		{`sum by (le) (sum_over_time(oms:orders_approved$client$month))`, func(labels map[string]string, value float64) {
			switch labels["le"] {
			case "+Inf":
				l.orders.approved = value
			case "10800", "10800.0": // Prometheus 2, and 3
				l.orders.within3h += value
			}
		}},
		{`histogram_quantile(0.95, sum by (le) (sum_over_time(oms:orders_approved$client$month)))`, count(&l.orders.p95)},
		{`sum(sum_over_time(oms:orders_unfillable$client$month))`, count(&l.orders.unfillable)},
		{`count by (le) (present_over_time(oms:orders_counted$client$month))`, func(labels map[string]string, _ float64) {
			if labels["le"] == "" {
				l.orders.unfillableKnown = true
			} else {
				l.orders.approvalsKnown = true
			}
		}},
		{`min by (check) (min_over_time(oms:check_state$client$month))`,
			check(func(c *checkLevel, v float64) { c.notWatched = v == 4 })},
		{`sum by (check) (count_over_time(oms:check_within_limits$client$month))`,
			check(func(c *checkLevel, v float64) { c.watched = v })},
		{`sum by (check) (sum_over_time(oms:check_within_limits$client$month))`,
			check(func(c *checkLevel, v float64) { c.within = v })},
		{`sum by (check) (count_over_time(oms:incident_seconds$client$month))`,
			check(func(c *checkLevel, v float64) { c.ended = v })},
		{`sum by (check) (sum_over_time(oms:incident_seconds$client$month))`,
			check(func(c *checkLevel, v float64) { c.repair = v })},
		// The incident that lasts at the end: as the rule finds it, also while no rule is evaluated.
		{`max by (check) (time() - (
			last_over_time(oms:incident_start_timestamp_seconds$client[6h])
			unless on (client, check) last_over_time(oms:check_within_limits$client[6h]) == 1))`,
			check(func(c *checkLevel, v float64) { c.open, c.openFor = 1, math.Round(v) })},
		{`max by (check) (changes(oms:incident_start_timestamp_seconds$client$month) + 1)`,
			check(func(c *checkLevel, v float64) { c.started = v })},
		{`min(min_over_time(timestamp(oms:check_state$client)$steps))`, moment(&l.first)},
		{`max(max_over_time(timestamp(oms:check_state$client)$steps))`, moment(&l.last)},
	} {
		// From the beginning of the month on, and without its end.
		window := strconv.FormatInt(l.until.Sub(l.from).Milliseconds(), 10) + "ms"
		expr := strings.NewReplacer("$client", "{client="+strconv.Quote(r.client)+"}", "$month", "["+window+"]", "$steps", "["+window+":5m]").Replace(q.expr)
		if err := r.ask(ctx, expr, l.until.Add(-time.Millisecond), q.take); err != nil {
			return levels{}, err
		}
	}
	for key, d := range passed {
		d.source, d.deadline = key[0], key[1]
		l.deadlines = append(l.deadlines, d)
	}
	slices.SortFunc(l.deadlines, func(a, b deadlineLevel) int {
		return cmp.Or(strings.Compare(a.source, b.source), strings.Compare(a.deadline, b.deadline))
	})
	return l, nil
}

// known returns an error where Prometheus has never had the client.
func (r levelsReader) known(ctx context.Context) error {
	var clients []string
	match := url.QueryEscape(`{__name__=~"oms_client_info|oms:check_state|oms:check_within_limits"}`)
	if err := r.get(ctx, "/api/v1/label/client/values?match[]="+match, &clients); err != nil {
		return err
	}
	switch {
	case len(clients) == 0:
		return fmt.Errorf("the Prometheus at %s has no client: have it scrape the exporter and load rules/", r.judge.base)
	case !slices.Contains(clients, r.client):
		return fmt.Errorf("--client=%s: the Prometheus at %s has no such client, only %s", r.client, r.judge.base, strings.Join(clients, ", "))
	}
	return nil
}

// zone returns the time zone that the client had last in the month of UTC, as far as it has passed, or UTC and false.
func (r levelsReader) zone(ctx context.Context, month, now time.Time) (*time.Location, bool, error) {
	end := month.AddDate(0, 1, 0)
	if now.Before(end) {
		end = now
	}
	last := map[string]float64{}
	expr := `max by (timezone) (max_over_time(timestamp(oms_client_info{client=` + strconv.Quote(r.client) + `})[31d:5m]))`
	err := r.ask(ctx, expr, end, func(labels map[string]string, value float64) { last[labels["timezone"]] = value })
	if err != nil || len(last) == 0 {
		return time.UTC, false, err
	}
	name := slices.MaxFunc(slices.Collect(maps.Keys(last)), func(a, b string) int { return cmp.Compare(last[a], last[b]) })
	if zone, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" { // not the zone of this machine
		return zone, true, nil
	}
	return time.UTC, false, nil
}

// ask evaluates an expression at a time, and passes each value of the answer with its labels to take.
func (r levelsReader) ask(ctx context.Context, expr string, at time.Time, take func(labels map[string]string, value float64)) error {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any // the time and, as text, the value
		}
	}
	query := url.Values{"query": {expr}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}}
	if err := r.get(ctx, "/api/v1/query?"+query.Encode(), &data); err != nil {
		return err
	}
	for _, series := range data.Result {
		text, _ := series.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("no report: Prometheus at %s answers %s with the value %q; check what records this series", r.judge.base, expr, text)
		}
		take(series.Metric, value)
	}
	return nil
}

// get is judge's, with what to do in the error.
func (r levelsReader) get(ctx context.Context, path string, data any) error {
	if err := r.judge.get(ctx, path, data); err != nil {
		return fmt.Errorf("no report: %w; check that Prometheus runs at %s and can be reached from here, or correct the URL", err, r.judge.base)
	}
	return nil
}
