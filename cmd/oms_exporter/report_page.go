package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oms-exporter/oms_exporter/collector"
)

// What a report says in place of a number.
const (
	unknownLevel = "unknown"
	noLevel      = "–" // there is nothing to measure
	reportTime   = "2006-01-02 15:04"
)

// A reportPage is what the page shows, in words. The templates escape all of it.
type reportPage struct {
	Client, Month string   // "October 2026"
	Period        string   // which time the page is about
	Notices       []string // what limits the page as a whole
	Empty         bool     // nothing is recorded of the month
	Summary       []reportLine
	Deadlines     []reportDeadline
	Checks        []reportCheck
	Definitions   []string
	Written       string
}

type reportLine struct{ Name, Value string }

type reportDeadline struct {
	Source, Deadline string
	Share            string // of the deadlines with a known result
	Met, Missed      string
	Unknown          string
}

type reportCheck struct {
	Name, Within, Unwatched, Incidents, Length, Repair string
}

// page puts the levels into words, for a page that is written at the time now.
func (l levels) page(now time.Time) reportPage {
	p := reportPage{
		Client: l.client, Month: l.from.Format("January 2006"), Empty: l.empty(),
		Period:  fmt.Sprintf("From %s until %s, time zone %s.", l.from.Format(reportTime), l.until.Format(reportTime), l.from.Location()),
		Written: now.In(l.from.Location()).Format(reportTime),
	}
	if l.until.Before(l.next) {
		p.Notices = append(p.Notices, "This month is not over: the page shows it until "+l.until.Format(reportTime)+".")
	}
	if !l.zoneKnown {
		p.Notices = append(p.Notices, "The client's time zone in this month is not known: the month and all times are those of UTC.")
	}
	if l.empty() {
		p.Notices = append(p.Notices, "No service levels are recorded for this month. So this page cannot say whether deadlines and limits were met.")
		return p
	}
	p.Notices = append(p.Notices, l.gaps()...)
	p.Summary, p.Definitions = l.summary(), reportDefinitions()
	for _, d := range l.deadlines {
		p.Deadlines = append(p.Deadlines, reportDeadline{
			Source: d.source, Deadline: d.deadline, Share: shareOf(d.met, d.judged),
			Met: number(d.met), Missed: number(d.judged - d.met), Unknown: number(d.unknown),
		})
	}
	for _, c := range l.namedChecks() {
		p.Checks = append(p.Checks, l.checks[c.Name].row(capital(c.Means), l.minutes()))
	}
	return p
}

// reportDefinitions say what the numbers mean.
func reportDefinitions() []string {
	return []string{
		"Deadlines: the share is that of the deadlines with a known result. A file that is processed within a minute after the deadline is in time. Days off have no deadlines.",
		"Time within limits: the share of the watched time. Time that was not measured counts neither as good nor as bad; it is the time not watched, a share of the whole month.",
		"Orders approved: sales orders that were approved for the first time, without excluded orders. The time to approval starts when the order enters the OMS; the 95 % are an estimate.",
		"Unfillable orders: orders that entered an unfillable parking for the first time, compared with the number of approved orders. Routing retries do not count.",
		"Orders are counted while the exporter runs: those of the time not watched can be missing.",
		"Incidents: those that ended in this month, and those that were open at its end. An incident starts when a check exceeds its limit, also if that was before this month, continues while the check cannot be measured, and ends up to 15 minutes after the problem. The length is unknown if the end was not recorded.",
		"Mean length: of ended and open incidents, open ones until the end of this page's period. Mean time to repair: of ended incidents.",
		"Percentages are rounded to the worse value.",
	}
}

// gaps says of which part of the month nothing is recorded at its beginning and its end.
func (l levels) gaps() (notices []string) {
	const slack = 10 * time.Minute // the states are looked for every 5 minutes
	switch {
	case l.first.IsZero():
		return []string{"No state of any check is recorded for this month."}
	case l.first.Sub(l.from) > slack:
		notices = append(notices, "Nothing is recorded before "+l.first.Format(reportTime)+": deadlines and incidents before that are not on this page, and the time is not watched.")
	}
	if l.until.Sub(l.last) > slack {
		notices = append(notices, "Nothing is recorded after "+l.last.Format(reportTime)+": deadlines and incidents after that are not on this page, and the time is not watched.")
	}
	return notices
}

// namedChecks are those of the guide, and behind them any others that newer rules record.
func (l levels) namedChecks() []collector.Check {
	checks := collector.Checks()
	for _, name := range slices.Sorted(maps.Keys(l.checks)) {
		if !slices.ContainsFunc(checks, func(c collector.Check) bool { return c.Name == name }) {
			checks = append(checks, collector.Check{Name: name, Means: name})
		}
	}
	return checks
}

// summary has the sums of all deadlines and checks.
func (l levels) summary() []reportLine {
	var d deadlineLevel
	for _, each := range l.deadlines {
		d.judged, d.met, d.unknown = d.judged+each.judged, d.met+each.met, d.unknown+each.unknown
	}
	met := fmt.Sprintf("%s (%s of %s)", shareOf(d.met, d.judged), number(d.met), number(d.judged))
	switch {
	case d.judged == 0 && d.unknown == 0:
		met = "no deadline is recorded"
	case d.judged == 0:
		met = unknownLevel
	}

	var all checkLevel
	unwatched, watchable := 0.0, 0
	for _, named := range l.namedChecks() {
		c := l.checks[named.Name]
		if c.notWatched {
			continue
		}
		watchable++
		unwatched += max(0, l.minutes()-c.watched)
		all.watched, all.within = all.watched+c.watched, all.within+c.within
		all.ended, all.repair = all.ended+c.ended, all.repair+c.repair
		all.open, all.openFor, all.started = all.open+c.open, all.openFor+c.openFor, all.started+c.ended+c.open+c.lost()
	}
	sum := all.row("", l.minutes())
	lines := []reportLine{
		{"Reset-inventory deadlines met", met},
		{"Deadlines missed", number(d.judged - d.met)},
		{"Deadlines with an unknown result", number(d.unknown)},
	}
	return append(append(lines, l.orders.lines()...),
		reportLine{"Incidents", sum.Incidents},
		reportLine{"Mean length of an incident", sum.Length},
		reportLine{"Mean time to repair", sum.Repair},
		reportLine{"Time that was not watched, mean of the checks", lackOf(unwatched, l.minutes()*float64(watchable))},
	)
}

// lines puts what is known of orders into words.
func (o orderLevel) lines() []reportLine {
	approved, within, p95, unfillable := unknownLevel, unknownLevel, unknownLevel, unknownLevel
	if o.approvalsKnown {
		approved, within, p95 = number(o.approved), noLevel, noLevel
	}
	if o.approvalsKnown && o.approved > 0 {
		within = fmt.Sprintf("%s (%s of %s)", shareOf(o.within3h, o.approved), number(o.within3h), number(o.approved))
		p95 = "about " + collector.Span(time.Duration(o.p95)*time.Second)
		if o.p95 >= (24 * time.Hour).Seconds() {
			p95 = "24 h or more"
		}
	}
	if o.unfillableKnown {
		unfillable = number(o.unfillable)
	}
	if o.unfillableKnown && o.approved > 0 {
		unfillable = fmt.Sprintf("%s (%s for %s approved)", lackOf(o.unfillable, o.approved), number(o.unfillable), number(o.approved))
	}
	return []reportLine{
		{"Orders approved", approved},
		{"Orders approved within 3 hours", within},
		{"Time to approval that 95 % of the orders did not exceed", p95},
		{"Unfillable orders", unfillable},
	}
}

// row puts a check into words, of a month of which so many minutes have passed.
func (c checkLevel) row(name string, minutes float64) reportCheck {
	row := reportCheck{
		Name: name, Within: shareOf(c.within, c.watched), Unwatched: lackOf(max(0, minutes-c.watched), minutes),
		Incidents: number(c.incidents()), Length: noLevel, Repair: noLevel,
	}
	if c.notWatched {
		row.Within, row.Unwatched, row.Incidents = "not watched", noLevel, noLevel
		return row
	}
	if ended := c.ended + c.open; ended > 0 {
		row.Length = collector.Span(time.Duration((c.repair + c.openFor) / ended * float64(time.Second)))
	}
	if c.ended > 0 {
		row.Repair = collector.Span(time.Duration(c.repair / c.ended * float64(time.Second)))
	}
	var some []string
	if c.open > 0 {
		some = append(some, number(c.open)+" open at the end")
	}
	if lost := c.lost(); lost > 0 {
		some = append(some, number(lost)+" of unknown length")
	}
	if some != nil {
		row.Incidents += " (" + strings.Join(some, ", ") + ")"
	}
	if c.incidents() == 0 && c.watched == 0 {
		row.Incidents, row.Length, row.Repair = unknownLevel, unknownLevel, unknownLevel
	}
	if c.lost() > 0 && c.ended+c.open == 0 {
		row.Length, row.Repair = unknownLevel, unknownLevel
	}
	return row
}

// shareOf is a part of a whole in percent. It is not rounded up: 100.00 % is all of it.
func shareOf(part, whole float64) string {
	if whole <= 0 {
		return unknownLevel
	}
	return fmt.Sprintf("%.2f %%", math.Floor(min(1, part/whole)*1e4+1e-6)/100)
}

// lackOf is a part of a whole in percent. It is not rounded down: 0.00 % is nothing of it.
func lackOf(part, whole float64) string {
	if whole <= 0 {
		return unknownLevel
	}
	return fmt.Sprintf("%.2f %%", max(0, math.Ceil(min(1, part/whole)*1e4-1e-6))/100)
}

// number writes a count.
func number(count float64) string { return fmt.Sprintf("%.0f", count) }

// capital returns a text with a capital at its beginning.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
