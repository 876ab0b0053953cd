package month

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/rules"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

const (
	// stride is the interval of scrapes and evaluations of TestForesight in the hour of a deadline. What is more than a day apart would be
	// too far.
	stride = 6 * time.Minute
	// tick is that of TestStalls.
	tick = 15 * time.Minute
	// known is how long the OMS has had files when the exporter starts.
	known = 91 * 24 * time.Hour
)

// A habitKind is a kind of source: its deadline, the days on which it sends, and when, in minutes of the day.
type habitKind struct {
	name     string
	deadline int
	workDays bool
	at       func(r *rand.Rand, day time.Time, n int) float64
	perDay   float64 // orders
}

// habitKinds are those of the simulation by which the rules were chosen, but for the drift, which three months do not show.
func habitKinds() []habitKind {
	around := func(minute, deviation float64) func(*rand.Rand, time.Time, int) float64 {
		return func(r *rand.Rand, _ time.Time, _ int) float64 { return minute + r.NormFloat64()*deviation }
	}
	return []habitKind{
		{"DAILY", 780, false, around(700, 10), 1500},
		{"WIDE", 780, false, around(700, 20), 300},
		{"WORKDAYS", 900, true, around(810, 12), 60},
		{"SKEWED", 900, false, func(r *rand.Rand, _ time.Time, _ int) float64 { return 660 + 40*math.Exp(0.6*r.NormFloat64()) }, 1500},
		{"WEEKENDS", 780, false, func(r *rand.Rand, day time.Time, _ int) float64 {
			if workDay(day) {
				return 700 + r.NormFloat64()*12
			}
			return 540 + r.NormFloat64()*12
		}, 300},
		{"TIGHT", 780, false, around(752, 8), 1500},
		{"DST", 780, false, func(r *rand.Rand, day time.Time, _ int) float64 { // sent at a time of UTC
			_, offset := day.Zone()
			return 640 + float64(offset)/60 + 300 + r.NormFloat64()*10
		}, 300},
		{"STEP", 780, false, func(r *rand.Rand, _ time.Time, n int) float64 {
			if n > 120 {
				return 695 + r.NormFloat64()*10
			}
			return 620 + r.NormFloat64()*10
		}, 1500},
		{"UNIFORM", 780, false, func(r *rand.Rand, _ time.Time, _ int) float64 { return 360 + 360*r.Float64() }, 1500},
		{"POLLED", 780, false, func(r *rand.Rand, _ time.Time, _ int) float64 {
			return math.Ceil((690+r.NormFloat64()*12)/15)*15 + 4*math.Exp(0.5*r.NormFloat64())
		}, 60},
		{"GROWING", 780, false, func(r *rand.Rand, _ time.Time, n int) float64 {
			return 660 + r.NormFloat64()*6 + (20+float64(n)*0.1)*math.Exp(0.25*r.NormFloat64())
		}, 1500},
	}
}

func workDay(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// A sentFile is a file, and what is known of it beside what the OMS says.
type sentFile struct {
	oms.ProcessedFile
	cut          bool
	seen         time.Time // at which look
	found, wrong bool      // the page for a thin file
}

// A duty is a day on which a file is due.
type duty struct {
	by     time.Time
	met    bool
	warned time.Time // first
}

// A habitual is a client of the simulation.
type habitual struct {
	habitKind
	fake    *omstest.Fake
	client  *collector.Client
	files   []sentFile
	duties  []duty
	next    int // file
	stalls  []stall
	stalled int
	random  *rand.Rand
	seen    uint64
	now     time.Time
	last    time.Time
	pages   map[time.Time]bool // days with a page for a missing file
}

// A stall is a time without any order.
type stall struct{ from, to, found time.Time }

// TestForesight has sources of many habits, with late, missing and cut files and days off, under the shipped rules. How many misses and
// thin files are found in time, and how many warnings are false, is what the rules promise. It is a week, or longer with -span.
func TestForesight(t *testing.T) {
	simulate(t, habitKinds(), cmp.Or(*span, 7*24*time.Hour), []string{"oms_reset_inventory", "oms_habits", "oms_foresight"}, func(now time.Time) time.Time {
		for {
			now = now.Add(stride)
			if minute := now.Hour()*60 + now.Minute(); 738 <= minute && minute <= 792 || 858 <= minute && minute <= 912 {
				return now
			}
		}
	}, report)
}

// TestStalls lets the import of orders stall once a week, from the third on. It is one such week of two busy clients, or with -span longer
// and all kinds of clients, which takes minutes.
func TestStalls(t *testing.T) {
	kinds := habitKinds()
	if *span == 0 {
		kinds = slices.DeleteFunc(kinds, func(k habitKind) bool { return k.name != "DAILY" && k.name != "TIGHT" })
	}
	simulate(t, kinds, cmp.Or(*span, 22*24*time.Hour), []string{"oms_orders", "oms_order_imports"}, func(now time.Time) time.Time {
		return now.Add(tick)
	}, reportStalls)
}

// simulate lets these kinds of sources live for so long, under the groups of rules that judge them. next is the next moment, on the
// clients' clock, that is looked at.
func simulate(t *testing.T, kinds []habitKind, length time.Duration, groups []string, next func(time.Time) time.Time, report func(*testing.T, []*habitual, time.Duration),
) {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 12, 0, 0, 0, 0, zone)
	end, now := start.Add(length), start
	var clients []*habitual
	for i, kind := range kinds {
		clients = append(clients, newHabitual(kind, rand.New(rand.NewPCG(*seed, uint64(i))), zone, start, end, func() time.Time { return now }))
	}
	s := newForesightServer(t, groups)
	for ; !now.After(end); now = next(now) {
		scrapes := make([]scrape, len(clients))
		for i, c := range clients {
			c.advance(now)
			families, err := collector.Gather(t.Context(), []*collector.Client{c.client}, nil).Gather()
			if err != nil {
				t.Fatal(err)
			}
			scrapes[i] = scrape{client: c.name, families: families}
		}
		if err := s.store(t.Context(), now, scrapes); err != nil {
			t.Fatal(err)
		}
		firing, err := s.evaluate(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range clients {
			c.judge(now, firing)
		}
	}
	report(t, clients, length)
}

// newForesightServer has only the rules that judge what is simulated, in the order in which one uses what the other records: some steps
// are longer than a sample lasts.
func newForesightServer(t *testing.T, groups []string) *server {
	t.Helper()
	s := newServer(t)
	order := append([]string{"oms_clients", "oms_limit_defaults", "oms_deadlines", "oms_limits"}, groups...)
	s.groups = slices.DeleteFunc(s.groups, func(g *rules.Group) bool { return !slices.Contains(order, g.Name()) })
	slices.SortFunc(s.groups, func(a, b *rules.Group) int {
		return slices.Index(order, a.Name()) - slices.Index(order, b.Name())
	})
	return s
}

func newHabitual(kind habitKind, r *rand.Rand, zone *time.Location, start, end time.Time, clock func() time.Time) *habitual {
	c := &habitual{habitKind: kind, random: r, fake: &omstest.Fake{}, pages: map[time.Time]bool{}}
	entry := config.ResetSource{Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"}, ProcessBy: []config.TimeOfDay{config.TimeOfDay(time.Duration(kind.deadline) * time.Minute)}}
	if kind.workDays {
		entry.Days = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	}
	cfg := config.Client{Name: kind.name, Timezone: zone, ResetInventory: []config.ResetSource{entry}}
	n := 0
	for day := start.Add(-known).In(zone); day.Before(end); day = day.AddDate(0, 0, 1) {
		n++
		holiday := day.Day() == 1+(11*int(day.Month())+kind.deadline)%28
		if holiday {
			cfg.Holidays = append(cfg.Holidays, day.Format(time.DateOnly))
		}
		minute, late, never := kind.at(r, day, n), r.Float64() < 0.04, r.Float64() < 0.02
		delay, cut, part, noise := 30+120*r.Float64(), r.Float64() < 0.03, 0.05+0.85*r.Float64(), 1+0.01*r.NormFloat64()
		if holiday || kind.workDays && !workDay(day) {
			continue
		}
		if late {
			minute += delay
		}
		at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, int(minute*60), 0, zone)
		by := time.Date(day.Year(), day.Month(), day.Day(), 0, kind.deadline, 0, 0, zone)
		if by.After(start) {
			c.duties = append(c.duties, duty{by: by, met: !never && !at.After(by.Add(time.Minute))})
		}
		if never {
			continue
		}
		records := 50000 * noise
		if cut {
			records *= part
		}
		count := int(records)
		c.files = append(c.files, sentFile{ProcessedFile: oms.ProcessedFile{Config: "RESET_INVENTORY", Processed: at, Records: &count}, cut: cut})
	}
	slices.Sort(cfg.Holidays)
	c.last, c.now = start, start
	// From the third week on the import stalls once a week, for eight hours.
	for week := 2; ; week++ {
		from := start.Add(time.Duration(week)*7*24*time.Hour + time.Duration(r.Uint64N(7*24*60))*time.Minute)
		if from.After(end.Add(-24 * time.Hour)) {
			break
		}
		c.stalls = append(c.stalls, stall{from: from, to: from.Add(8 * time.Hour)})
	}
	c.client = collector.NewClient(collector.Options{
		Logger: slog.New(slog.DiscardHandler), Collectors: collector.All(), MaxSeries: 500, Now: clock,
	}, cfg, collector.Sources{OMS: c.fake})
	return c
}

// byHour is how orders are spread over the day, in parts of 23.66.
func byHour(hour int) float64 {
	return []float64{
		.25, .15, .1, .08, .08, .1, .2, .4, .7, .95, 1.15, 1.3, 1.4, 1.4, 1.35, 1.3, 1.25, 1.25, 1.3, 1.4, 1.45, 1.3, .9, .5,
	}[hour] / 20.26
}

// advance brings the facts up to now.
func (c *habitual) advance(now time.Time) {
	for c.next < len(c.files) && !c.files[c.next].Processed.After(now) {
		c.files[c.next].seen = now
		c.next++
	}
	reset := oms.ResetSource{Source: "wms"}
	for _, f := range c.files[:c.next] {
		if now.Sub(f.Processed) < 90*24*time.Hour {
			reset.Files = append(reset.Files, f.ProcessedFile)
		}
	}
	if c.next > 0 {
		last := c.files[c.next-1]
		reset.LastProcessed, reset.LastReceived, reset.LastRecords = last.Processed, last.Processed.Add(-time.Minute), oms.Records{Total: last.Records, Failed: new(0)}
	}
	c.fake.Facts.ResetInventory.Sources = []oms.ResetSource{reset}

	stalled := slices.ContainsFunc(c.stalls, func(s stall) bool { return !now.Before(s.from) && now.Before(s.to) })
	local := now.Add(-5 * time.Hour)
	if !stalled {
		expected := c.perDay * byHour(local.Hour()) * now.Sub(c.now).Hours()
		if n := poisson(c.random, expected); n > 0 {
			c.seen += n
			c.last = now
		}
	}
	c.now = now
	c.fake.Facts.Orders.Imports = []oms.Import{{
		Channel: oms.Channel{ProductStore: "STORE", Channel: "WEB"}, Last: c.last, Seen: c.seen, Recent: int(c.perDay),
	}}
}

func poisson(r *rand.Rand, mean float64) (n uint64) {
	for p := r.Float64(); p > math.Exp(-mean); p *= r.Float64() {
		n++
	}
	return n
}

// judge notes what fires at this client.
func (c *habitual) judge(now time.Time, firing []*rules.Alert) {
	for _, a := range firing {
		if a.Labels.Get("client") != c.name {
			continue
		}
		switch name := a.Labels.Get("alertname"); {
		case name == "OMSResetInventoryLate":
			for i := range c.duties {
				if d := &c.duties[i]; d.warned.IsZero() && now.Before(d.by) && d.by.Sub(now) <= 30*time.Minute {
					d.warned = now
				}
			}
		case name == "OMSResetInventoryNotReceived":
			c.pages[now] = true
		case name == "OMSResetInventoryThin" && c.next > 0:
			// For ten minutes from the look that sees the next file it lingers.
			if f := &c.files[c.next-1]; f.cut {
				f.found = true
			} else if now.Sub(f.seen) > 10*time.Minute+2*stride {
				f.wrong = true
			}
		case name == "OMSOrderImportStalled":
			found := false
			for i := range c.stalls {
				if s := &c.stalls[i]; !now.Before(s.from) && now.Before(s.to.Add(30*time.Minute)) {
					if s.found.IsZero() {
						s.found = now
					}
					found = true
				}
			}
			if !found {
				c.stalled++ // steps
			}
		}
	}
}

// falsePages counts the steps with a page for a missing file while none was missing: the last deadline was met, or a file has come since.
func (c *habitual) falsePages() (n int) {
	for at := range c.pages {
		missing := false
		for _, d := range c.duties {
			if !d.by.After(at) {
				missing = !d.met && !slices.ContainsFunc(c.files, func(f sentFile) bool {
					return f.Processed.After(d.by) && f.Processed.Before(at)
				})
			}
		}
		if !missing {
			n++
		}
	}
	return n
}

// report holds the figures against what the rules promise.
func report(t *testing.T, clients []*habitual, length time.Duration) {
	t.Helper()
	months := length.Hours() / 24 / 30.4
	var missed, warned, falseWarnings, cut, found, falseThin, pages int
	var text strings.Builder
	for _, c := range clients {
		var m, w, f int
		for _, d := range c.duties {
			switch {
			case !d.met:
				m++
				if !d.warned.IsZero() && d.by.Sub(d.warned) >= 30*time.Minute {
					w++
				}
			case !d.warned.IsZero():
				f++
			}
		}
		var thin, seen, wrong int
		for _, file := range c.files {
			if file.Processed.Before(c.duties[0].by.Add(-24 * time.Hour)) {
				continue
			}
			if file.cut && file.Records != nil && *file.Records > 0 {
				thin++
			}
			if file.found {
				seen++
			}
			if file.wrong {
				wrong++
			}
		}
		if c.name != "TIGHT" { // whose habit leaves no time for a warning
			missed, warned = missed+m, warned+w
		}
		falseWarnings, cut, found, falseThin, pages = falseWarnings+f, cut+thin, found+seen, falseThin+wrong, pages+c.falsePages()
		fmt.Fprintf(&text, "%-9s missed %d, warned in time %d, false warnings %d; cut %d, found %d, false %d; false steps with a page %d\n",
			c.name, m, w, f, thin, seen, wrong, c.falsePages())
	}
	n := float64(len(clients))
	t.Logf("%s of %d clients:\n%smisses warned 30 minutes before: %d of %d; false warnings per client and month: %.2f; thin files found: %d of %d, false per client and month: %.2f; false steps with a page for a missing file: %d",
		length, len(clients), text.String(), warned, missed, float64(falseWarnings)/n/months, found, cut, float64(falseThin)/n/months, pages)
	if warned*5 < missed*4 {
		t.Errorf("%d of %d misses are warned of half an hour before", warned, missed)
	}
	if float64(falseWarnings) > 0.5*n*max(months, 1) {
		t.Errorf("%d false warnings in %.1f months of %d clients", falseWarnings, months, len(clients))
	}
	if found*5 < cut*4 {
		t.Errorf("%d of %d cut files are found", found, cut)
	}
	if float64(falseThin) > 0.5*n*max(months, 1) {
		t.Errorf("%d false pages for thin files in %.1f months of %d clients", falseThin, months, len(clients))
	}
	if pages > 0 {
		t.Errorf("%d steps with a false page for a missing file", pages)
	}
}

// reportStalls holds the figures of the channels with 1500 orders a day against what the rules promise.
func reportStalls(t *testing.T, clients []*habitual, length time.Duration) {
	t.Helper()
	busy, soon := 0, 0
	for _, c := range clients {
		var delays []string
		for _, s := range c.stalls {
			if s.found.IsZero() {
				delays = append(delays, "never")
			} else {
				delays = append(delays, s.found.Sub(s.from).String())
			}
			if c.perDay == 1500 {
				busy++
				if !s.found.IsZero() && s.found.Sub(s.from) <= time.Hour+tick {
					soon++
				}
			}
		}
		t.Logf("%-9s %v orders a day: stalls found after %v, false steps %d", c.name, c.perDay, delays, c.stalled)
	}
	t.Logf("%s: stalls of 1500 orders a day found within an hour: %d of %d", length, soon, busy)
	if soon*2 < busy {
		t.Errorf("%d of %d stalls are found within an hour", soon, busy)
	}
}
