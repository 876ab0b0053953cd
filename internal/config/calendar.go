package config

import (
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// TimeOfDay is a time on the client's clock, since midnight by that clock; below 24 hours.
type TimeOfDay time.Duration

// String is as in the configuration: 13:00.
func (t TimeOfDay) String() string { return time.Time{}.Add(time.Duration(t)).Format("15:04") }

// A Deadline of a source's files, as it is at a given time.
type Deadline struct {
	At TimeOfDay
	// Last is when it passed last, Next when it passes next, and Following when after that. It has passed when a minute is over: a file
	// that is finished at the last moment has to be scraped first.
	Last, Next, Following time.Time
	// Window is how long before Last a file counted for it: since the source's deadline before.
	Window time.Duration
}

// DayOff reports whether t is on a holiday of the client, by its clock.
func (c Client) DayOff(t time.Time) bool {
	_, off := slices.BinarySearch(c.Holidays, t.In(c.Timezone).Format(time.DateOnly))
	return off
}

// Deadlines returns the deadlines of one of the client's sources as they are at now, one for each time of day. There is none on days
// off: neither on a weekday that the source's days leave out nor on a holiday. Clocks may change: a time of day that is skipped
// passes at the change, and one that comes twice passes when it comes again.
func (c Client) Deadlines(s ResetSource, now time.Time) []Deadline {
	now = now.Add(-time.Minute)
	year, month, day := now.In(c.Timezone).Date()
	on := func(wall time.Time) bool {
		_, holiday := slices.BinarySearch(c.Holidays, wall.Format(time.DateOnly))
		return !holiday && (len(s.Days) == 0 || slices.Contains(s.Days, wall.Weekday()))
	}
	// Days as UTC has them, which never change their clock. Today's deadlines may have passed or not, so these are enough: three of the
	// days that have deadlines, the last of them today at the latest, and the two after those.
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	var days []time.Time
	for d := midnight; len(days) < 3; d = d.AddDate(0, 0, -1) {
		if on(d) {
			days = append(days, d)
		}
	}
	for d := midnight.AddDate(0, 0, 1); len(days) < 5; d = d.AddDate(0, 0, 1) {
		if on(d) {
			days = append(days, d)
		}
	}
	slices.SortFunc(days, time.Time.Compare)

	var all []time.Time // of the source
	deadlines := make([]Deadline, len(s.ProcessBy))
	for i, at := range s.ProcessBy {
		d := Deadline{At: at}
		for _, day := range days {
			t := moment(day.Add(time.Duration(at)), c.Timezone)
			all = append(all, t)
			if !t.After(now) {
				d.Last = t
			} else if d.Next.IsZero() {
				d.Next = t
			} else if d.Following.IsZero() {
				d.Following = t
			}
		}
		deadlines[i] = d
	}
	for i := range deadlines {
		d := &deadlines[i]
		var before time.Time
		for _, t := range all {
			if t.Before(d.Last) && t.After(before) {
				before = t
			}
		}
		d.Window = d.Last.Sub(before)
	}
	return deadlines
}

// moment is when the clock of a zone shows what wall shows in UTC: at the change of the clock where it is skipped, and the second
// time where it comes twice. A day before and after, no zone is more than one change away.
func moment(wall time.Time, zone *time.Location) time.Time {
	at := func(nearby time.Time) time.Time {
		_, offset := nearby.In(zone).Zone()
		return wall.Add(-time.Duration(offset) * time.Second)
	}
	early, late := at(wall.AddDate(0, 0, 1)), at(wall.AddDate(0, 0, -1))
	if early.After(late) {
		early, late = late, early
	}
	for _, t := range []time.Time{late, early} {
		if _, offset := t.In(zone).Zone(); t.Add(time.Duration(offset) * time.Second).Equal(wall) {
			return t
		}
	}
	change, _ := late.In(zone).ZoneBounds()
	return change
}

const (
	timeHint = `times such as ["13:00"]`
	daysHint = "days such as [Mon, Tue, Wed, Thu, Fri]"
	dateHint = "a date such as 2026-12-25"
)

// weekdays are in the order in which the configuration has them.
func weekdays() []time.Weekday {
	return []time.Weekday{
		time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday,
	}
}

// DayNames lists the days on which the source has its deadlines, such as Mon,Tue,Wed.
func (s ResetSource) DayNames() string {
	var names []string
	for _, day := range weekdays() {
		if len(s.Days) == 0 || slices.Contains(s.Days, day) {
			names = append(names, shortDay(day))
		}
	}
	return strings.Join(names, ",")
}

func shortDay(day time.Weekday) string { return day.String()[:3] }

var (
	timeOfDay = regexp.MustCompile(`^(?:[01][0-9]|2[0-3]):[0-5][0-9]$`)
	likeTime  = regexp.MustCompile(`^[0-9]{1,2}:[0-9]{1,2}$`)
	likeDate  = regexp.MustCompile(`^[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}$`)
)

func (r *reader) processBy(n *yaml.Node) []TimeOfDay {
	const what = "reset_inventory.process_by"
	var times []TimeOfDay
	lines := map[string]int{}
	for _, item := range r.items(n, what, timeHint) {
		text, ok := r.text(item, "an item of "+what, timeHint)
		if !ok {
			continue
		}
		if !timeOfDay.MatchString(text) {
			wrong := shown(what, text, " is not a time of day")
			if likeTime.MatchString(text) { // shown takes the colon for part of a secret
				wrong = what + ` "` + text + `" is not a time of day`
			}
			r.fail(item.Line, "%s: write hours and minutes in the client's time zone, from 00:00 to 23:59", wrong)
			continue
		}
		if r.unique(lines, item, what, "remove one of the two") {
			clock, _ := time.Parse("15:04", text)
			times = append(times, TimeOfDay(clock.Sub(clock.Truncate(24*time.Hour))))
		}
	}
	r.notEmpty(n, what, timeHint)
	return times
}

func (r *reader) days(n *yaml.Node) []time.Weekday {
	const what = "reset_inventory.days"
	days := map[string]time.Weekday{}
	var known []string
	for _, day := range weekdays() {
		days[shortDay(day)] = day
		known = append(known, shortDay(day))
	}
	var chosen []time.Weekday
	lines := map[string]int{}
	for _, item := range r.items(n, what, daysHint) {
		text, ok := r.text(item, "an item of "+what, daysHint)
		if !ok {
			continue
		}
		day, ok := days[text]
		if !ok {
			hint := "write one of " + strings.Join(known, ", ")
			for _, name := range known {
				if len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
					hint = "write " + name
				}
			}
			r.fail(item.Line, "%s: %s", shown(what, text, " is not a day"), hint)
			continue
		}
		if r.unique(lines, item, what, "remove one of the two") {
			chosen = append(chosen, day)
		}
	}
	r.notEmpty(n, what, daysHint+", or leave it out")
	slices.SortFunc(chosen, func(a, b time.Weekday) int { return int(a+6)%7 - int(b+6)%7 }) // from Monday on
	return chosen
}

// sharedHolidays reads the calendars that clients share, by name: dates, or the path of a file with one date a line.
func (r *reader) sharedHolidays(n *yaml.Node) map[string][]string {
	calendars := map[string][]string{}
	if !r.mapping(n, "holidays") {
		return calendars
	}
	for _, p := range r.pairs(n, "holidays") {
		key, value := p.key, p.value
		name := key.Value
		if !clientName.MatchString(name) || isDate(name) {
			r.fail(key.Line, "%s: write letters, digits, -, _ and .", shown("holidays: the name", name, " cannot be used"))
			continue
		}
		what := "holidays." + name
		if value.Kind == yaml.SequenceNode {
			calendars[name] = r.dates(value, what, nil)
		} else {
			calendars[name] = r.datesFile(value, what)
		}
	}
	return calendars
}

// clientHolidays reads what a client's entry says. They are for deadlines that the exporter knows.
func (r *reader) clientHolidays(n *yaml.Node, sources []ResetSource) []string {
	shared := r.holidays
	if shared == nil {
		shared = map[string][]string{}
	}
	for _, s := range sources {
		if s.ProcessBy == nil && s.Source != "" {
			r.warn(n.Line, "holidays have no effect on source %s, because its deadlines are in rules/limits.yml: write process_by below the source, or remove holidays", s.Source)
		}
	}
	return r.dates(n, "holidays", shared)
}

// dates reads a list of dates, among which the names of shared calendars may be, unless shared is nil. It returns each date once, in
// order.
func (r *reader) dates(n *yaml.Node, what string, shared map[string][]string) []string {
	hint := "dates such as [2026-12-25]"
	if shared != nil {
		hint = "dates, and names of calendars below holidays at the top of the file, such as [us, 2026-12-24]"
	}
	var dates []string
	lines := map[string]int{}
	for _, item := range r.items(n, what, hint) {
		text, ok := r.text(item, "an item of "+what, hint)
		if !ok || !r.unique(lines, item, what, "remove one of the two") {
			continue
		}
		calendar, known := shared[text]
		names := slices.Sorted(maps.Keys(shared))
		switch slip := nearest(text, names); {
		case isDate(text):
			dates = append(dates, text)
		case known:
			dates = append(dates, calendar...)
		case shared == nil || '0' <= text[0] && text[0] <= '9':
			r.fail(item.Line, "%s: write %s", shown(what, text, " is not a date"), dateHint)
		case slip != "":
			r.fail(item.Line, "%s: write %s", shown(what, text, " is neither a date nor a calendar below holidays at the top of the file"), slip)
		default:
			r.fail(item.Line, "%s: write %s, or add the calendar there",
				shown(what, text, " is neither a date nor a calendar below holidays at the top of the file"), dateHint)
		}
	}
	r.notEmpty(n, what, hint)
	slices.Sort(dates)
	return slices.Compact(dates)
}

// datesFile reads the dates that stand in a file, one a line; what is behind a # is a comment. A reload reads the file again.
func (r *reader) datesFile(n *yaml.Node, what string) []string {
	const hint = "dates such as [2026-12-25], or the path of a file with one date a line"
	name, ok := r.text(n, what, hint)
	if !ok {
		return nil
	}
	content, err := r.files.read(r.path(n, name), secretPatience)
	if err != nil {
		var unreadable *fs.PathError
		if errors.As(err, &unreadable) {
			err = unreadable.Err
		}
		r.fail(n.Line, "%s cannot be read (%s): write %s", shown(what, name, ""), err, hint)
		return nil
	}
	var dates []string
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		number++
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if !isDate(text) {
			wrong := "the line is not a date"
			if likeDate.MatchString(text) { // the file may be one that holds a secret
				wrong = "the line " + text + " is not a date"
			}
			r.fail(n.Line, "%s: %s:%d: %s: write %s", what, r.path(n, name), number, wrong, dateHint)
			return nil
		}
		dates = append(dates, text)
	}
	if dates == nil {
		r.fail(n.Line, "%s contains no date: write one a line, such as 2026-12-25", shown(what, name, ""))
	}
	slices.Sort(dates)
	return slices.Compact(dates)
}

func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}
