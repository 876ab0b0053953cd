// Package quartz reads cron expressions as Moqui does. Moqui uses the library cron-utils 9.2.1 with its definition of Quartz.
// This package also does what the library does where that differs from Quartz: what matters is when Moqui runs a job.
package quartz

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// A Schedule is a cron expression that Moqui can run. It runs when any of its alternatives does; nearly all have one.
type Schedule struct {
	alternatives []cron
}

// A cron is an expression without alternatives. In each set of values, bit n stands for the value n.
type cron struct {
	seconds, minutes, hours, months uint64
	days                            dayRule
	years                           [lastYear - firstYear + 1]bool
}

const (
	firstYear, lastYear = 1970, 2099 // of cron-utils
	// horizon is in years. It bounds the work for a schedule that has no more occurrences.
	horizon = 10
	// maxLength is in bytes, where Moqui's column holds 63 characters. It bounds the work for a text that is no schedule.
	maxLength = 1000
)

// Parse reads a cron expression: seconds, minutes, hours, days of the month, months, days of the week (1 is Sunday) and
// perhaps years. An error means that Moqui never runs the job: either cron-utils refuses the expression, or it accepts it
// and then throws at each poll, when Moqui asks when the job should have run last.
func Parse(expression string) (*Schedule, error) {
	if len(expression) > maxLength {
		return nil, fmt.Errorf("cron expression %.40q… is longer than %d bytes", expression, maxLength)
	}
	s := &Schedule{}
	if err := s.add(expression); err != nil {
		return nil, fmt.Errorf("cron expression %q: %w", expression, err)
	}
	return s, nil
}

// add reads the alternatives of an expression. cron-utils takes || between expressions, and | within fields: there the first
// ones of all these fields belong together, and so do the second ones, and so on.
func (s *Schedule) add(expression string) error {
	before := len(s.alternatives)
	if strings.Contains(expression, "||") {
		for _, part := range split(expression, "||") {
			if err := s.add(part); err != nil {
				return err
			}
		}
	} else {
		texts := strings.FieldsFunc(trim(expression), isSpace)
		count := 1
		if strings.Contains(expression, "|") {
			count = 0
			for _, text := range texts {
				count = max(count, len(split(text, "|")))
			}
		}
		for i := range count {
			c, err := alternative(texts, i)
			if err != nil {
				return err
			}
			s.alternatives = append(s.alternatives, c)
		}
	}
	if len(s.alternatives) == before {
		return errors.New("there is nothing around |")
	}
	return nil
}

// alternative reads the fields, and of those with alternatives the one at i.
func alternative(texts []string, i int) (cron, error) {
	var chosen []string
	for _, text := range texts {
		if strings.Contains(text, "|") {
			parts := split(text, "|")
			if i >= len(parts) {
				return cron{}, fmt.Errorf("%q has fewer alternatives than another field", text)
			}
			text = parts[i]
		}
		if text != "" {
			chosen = append(chosen, text)
		}
	}
	return parseCron(chosen)
}

func parseCron(texts []string) (cron, error) {
	var c cron
	if len(texts) == 6 {
		texts = append(texts, "*")
	}
	if len(texts) != 7 {
		return c, fmt.Errorf("%d fields instead of 6 or 7", len(texts))
	}
	fields := allFields()
	in := func(at int, err error) error { return fmt.Errorf("%s %q: %w", fields[at].name, texts[at], err) }
	var read [7][]item
	for i, f := range fields {
		var err error
		if read[i], err = f.items(strings.ToUpper(texts[i])); err != nil {
			return c, in(i, err)
		}
	}
	for _, f := range []struct {
		values *uint64
		at     int
	}{{&c.seconds, atSeconds}, {&c.minutes, atMinutes}, {&c.hours, atHours}, {&c.months, atMonths}} {
		if *f.values = valuesOf(read[f.at], fields[f.at].last); *f.values == 0 {
			return c, in(f.at, errors.New("no value, because in a list or with a step a descending range has none"))
		}
	}
	for _, it := range read[atYears] {
		for year := it.from; year <= it.to; year += it.step {
			c.years[year-firstYear] = true
		}
	}
	at, rule := atDays, monthDays
	free := func(at int) bool { return len(read[at]) == 1 && read[at][0].kind == question }
	if free(atDays) {
		at, rule = atWeekdays, weekDays
	}
	if free(atDays) == free(atWeekdays) {
		return c, errors.New("one of the days of the month and the days of the week must be ?, and not both")
	}
	var err error
	if c.days, err = rule(read[at]); err != nil {
		return c, in(at, err)
	}
	return c, nil
}

// After returns the first occurrence after m, the last run of a job; zero if there is none within ten years. From then on
// Moqui runs the job at its next poll: it does so when the last occurrence before now is not before the last run. So it also
// repeats a run that began in the very millisecond of an occurrence. After ignores that, because the job is not late.
//
// The zone is that of Moqui's JVM. A wall clock that an autumn change repeats is two occurrences, and one that a spring change
// skips is none. If m has two readings, the later one counts, so that no job is called overdue falsely.
func (s *Schedule) After(m walltime.Moment, zone *time.Location) time.Time {
	from := m.Latest().Truncate(time.Second).Add(time.Second)
	var first time.Time
	for i := range s.alternatives {
		first = walltime.Earlier(first, s.alternatives[i].firstIn(zone, from))
	}
	return first
}

// firstIn returns the first instant from t on at which a clock in zone shows an occurrence. It looks at one time between two
// clock changes after the other, since the offset is the same within each.
func (c *cron) firstIn(zone *time.Location, t time.Time) time.Time {
	for {
		clock := walltime.ClockOf(t, zone)
		wanted := c.next(clock)
		_, change := t.In(zone).ZoneBounds()
		if !change.IsZero() && !change.After(t) {
			change = t.Add(time.Hour) // ZoneBounds takes each year to have 365 days, and so ends before the last day of a leap year
		}
		at := wanted.Add(t.Sub(clock))
		switch {
		case !wanted.IsZero() && (change.IsZero() || at.Before(change)):
			return at
		case change.IsZero(), wanted.IsZero() && !walltime.ClockOf(change, zone).Before(clock):
			return time.Time{}
		}
		t = change.UTC()
	}
}

// next returns the first wall clock from t on that is an occurrence; zero if there is none. Wall clocks are written as if they
// were UTC.
func (c *cron) next(t time.Time) time.Time {
	hour, minute, second, overnight := c.timeOfDay(t.Clock())
	thisYear, thisMonth, today := t.Date()
	month := thisMonth
	for year := thisYear; year <= min(thisYear+horizon, lastYear); year, month = year+1, time.January {
		if year < firstYear {
			continue
		}
		for ; month <= time.December && c.years[year-firstYear]; month++ {
			if c.months>>month&1 == 0 {
				continue
			}
			days, first := c.days(monthOf(year, month)), 1
			if year == thisYear && month == thisMonth {
				first = today + overnight
			}
			days = days >> first << first
			if days == 0 {
				continue
			}
			day := lowest(days)
			if year != thisYear || month != thisMonth || day != today {
				hour, minute, second = lowest(c.hours), lowest(c.minutes), lowest(c.seconds)
			}
			return time.Date(year, month, day, hour, minute, second, 0, time.UTC)
		}
	}
	return time.Time{}
}

// timeOfDay returns the first time from this one on, and by how many days it is later than the day of this one.
func (c *cron) timeOfDay(h, m, s int) (hour, minute, second, days int) {
	second, carry := roll(c.seconds, s)
	minute, carry = roll(c.minutes, m+carry)
	if minute != m {
		second = lowest(c.seconds)
	}
	hour, days = roll(c.hours, h+carry)
	if hour != h {
		minute, second = lowest(c.minutes), lowest(c.seconds)
	}
	return hour, minute, second, days
}

// roll returns the first of the values from v on, or else the lowest of all and 1 to carry over.
func roll(values uint64, v int) (value, carry int) {
	if later := values >> v << v; later != 0 {
		return lowest(later), 0
	}
	return lowest(values), 1
}

func lowest(values uint64) int { return bits.TrailingZeros64(values) }

// split splits as Java does, without empty texts at the end. cron-utils relies on that, and so reads 1-5- as 1-5.
func split(text, separator string) []string {
	parts := strings.Split(text, separator)
	for len(parts) > 0 && parts[len(parts)-1] == "" && text != "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// trim trims as Java does, which knows no other spaces than those in ASCII.
func trim(text string) string { return strings.TrimFunc(text, func(r rune) bool { return r <= ' ' }) }

func isSpace(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }
