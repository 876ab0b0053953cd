package sqldb

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A schedule is a cron expression as Moqui's ScheduledJobRunner has it read by cron-utils, in the manner of Quartz:
// seconds, minutes, hours, days of the month, months, days of the week (1 is Sunday) and, if there is a seventh field,
// years. It knows wall clocks only, written as if they were UTC: which instants they mean is for moment to say.
type schedule struct {
	seconds, minutes, hours, months, years set
	days                                   []dayRule // it runs on a day that all of them allow
}

// A set says which values of a field count.
type set [lastYear + 1]bool

const (
	firstYear, lastYear = 1970, 2099 // as in Quartz
	daily               = 24 * time.Hour
)

// parseSchedule reads a cron expression. Days of the month and of the week cannot both be restricted, as in Quartz.
func parseSchedule(expression string) (*schedule, error) {
	fields := strings.Fields(strings.ToUpper(expression))
	if len(fields) == 6 {
		fields = append(fields, "*")
	}
	if len(fields) != 7 {
		return nil, fmt.Errorf("cron expression %q has not six or seven fields", expression)
	}
	if free := func(field string) bool { return field == "?" || field == "*" }; !free(fields[3]) && !free(fields[5]) {
		return nil, fmt.Errorf("cron expression %q restricts both the days of the month and those of the week", expression)
	}
	s := &schedule{}
	for i, f := range []struct {
		into        *set
		first, last int
		names       string
	}{
		{&s.seconds, 0, 59, ""}, {&s.minutes, 0, 59, ""}, {&s.hours, 0, 23, ""}, {},
		{&s.months, 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"}, {}, {&s.years, firstYear, lastYear, ""},
	} {
		var err error
		if f.into != nil {
			err = f.into.add(fields[i], f.first, f.last, f.names)
		} else {
			err = s.addDays(fields[i], i == 5)
		}
		if err != nil {
			return nil, fmt.Errorf("cron expression %q: %w", expression, err)
		}
	}
	return s, nil
}

// add adds what a list says: values, ranges, which may go past the end and on from the beginning, and steps.
func (s *set) add(list string, first, last int, names string) error {
	for item := range strings.SplitSeq(list, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return fmt.Errorf("%q has no proper step", item)
			}
		}
		from, to := first, last
		if span != "*" {
			fromText, toText, isRange := strings.Cut(span, "-")
			var err error
			if from, err = valueOf(fromText, first, last, names); err != nil {
				return err
			}
			switch {
			case isRange:
				if to, err = valueOf(toText, first, last, names); err != nil {
					return err
				}
			case !stepped:
				to = from
			}
		}
		size := last - first + 1
		if to < from {
			to += size
		}
		for v := from; v <= to; v += step {
			s[first+(v-first)%size] = true
		}
	}
	return nil
}

// valueOf reads a number or one of the names, of three letters each.
func valueOf(text string, first, last int, names string) (int, error) {
	v, err := strconv.Atoi(text)
	if at := strings.Index(names, text); err != nil && len(text) == 3 && at >= 0 && at%3 == 0 {
		v, err = first+at/3, nil
	}
	if err != nil || v < first || v > last {
		return 0, fmt.Errorf("%q is not within %d and %d", text, first, last)
	}
	return v, nil
}

// addDays adds what the field of the days of the month, or of the week, says.
func (s *schedule) addDays(field string, ofWeek bool) error {
	if field == "?" || field == "*" {
		return nil
	}
	var rules []dayRule
	for item := range strings.SplitSeq(field, ",") {
		read := monthDays
		if ofWeek {
			read = weekDays
		}
		rule, err := read(item)
		if err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	s.days = append(s.days, func(day time.Time) bool {
		for _, rule := range rules {
			if rule(day) {
				return true
			}
		}
		return false
	})
	return nil
}

// next returns the first wall clock after t at which it runs; zero if there is none.
func (s *schedule) next(t time.Time) time.Time {
	t = t.Truncate(time.Second).Add(time.Second)
	for t.Year() <= lastYear {
		midnight := t.Truncate(daily)
		switch {
		case !s.years[t.Year()]:
			t = time.Date(t.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
		case !s.months[t.Month()]:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !s.onDay(midnight):
			t = midnight.Add(daily)
		case !s.hours[t.Hour()]:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !s.minutes[t.Minute()]:
			t = t.Truncate(time.Minute).Add(time.Minute)
		case !s.seconds[t.Second()]:
			t = t.Add(time.Second)
		default:
			return t
		}
	}
	return time.Time{}
}

func (s *schedule) onDay(day time.Time) bool {
	for _, rule := range s.days {
		if !rule(day) {
			return false
		}
	}
	return true
}

// after returns the first occurrence after m, in the zone in which the OMS writes. One that a spring change skips does
// not count, and of one that an autumn change repeats the later reading does: nobody knows which of them a scheduler
// takes, and so none is called overdue falsely.
func (s *schedule) after(m moment, zone *time.Location) time.Time {
	clock := m.raw()
	if m.east == inColumn {
		clock = wallOf(m.raw(), zone)
	}
	for {
		if clock = s.next(clock); clock.IsZero() {
			return clock
		}
		if due := wall(clock, zone).hi(); wallOf(due, zone).Equal(clock) {
			return due
		}
	}
}
