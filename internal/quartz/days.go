package quartz

import (
	"errors"
	"time"
)

// A dayRule returns the days of a month on which it runs, bit n for the day n.
type dayRule func(month) uint64

// A month is what a rule needs to know about it. The days of the week are numbered from 1, Sunday.
type month struct {
	length int // in days
	first  int // day of the week of its first day
}

const sunday, saturday = 1, 7

func monthOf(year int, m time.Month) month {
	length := time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return month{length, int(time.Date(year, m, 1, 0, 0, 0, 0, time.UTC).Weekday()) + sunday}
}

func (m month) weekday(day int) int { return (m.first+day-2)%7 + 1 }

// firstOn returns the first day with that day of the week.
func (m month) firstOn(weekday int) int { return (weekday-m.first+7)%7 + 1 }

// day returns the set of one day, and of none if the month has no such day.
func (m month) day(n int) uint64 {
	if n < 1 || n > m.length {
		return 0
	}
	return 1 << n
}

// failing is the error for days that cron-utils accepts when it reads them, but throws for when it computes an occurrence.
func failing(what string) error { return errors.New(what + " makes cron-utils fail at each poll") }

// monthDays makes a rule of days of the month. L, 6L (the same as L here), L-3, LW and 15W work only as the whole field. In a
// list cron-utils uses only the day in them: 15W is the 15th, and L has none.
func monthDays(items []item) (dayRule, error) {
	for _, it := range items {
		if it.kind == toLast {
			return nil, failing("a range up to L")
		}
		if it.kind == question {
			return nil, failing("? in a list")
		}
	}
	switch it := items[0]; {
	case len(items) == 1 && it.kind == last:
		return func(m month) uint64 { return m.day(m.length - it.n) }, nil
	case len(items) == 1 && it.kind == lastWeekday:
		return lastWeekdayOf, nil
	case len(items) == 1 && it.kind == weekday:
		return func(m month) uint64 { return nearestWeekday(m, it.from) }, nil
	}
	var byLength [4]uint64 // of months of 28 days and more
	for i := range byLength {
		byLength[i] = valuesOf(items, 28+i) &^ 1 // L and LW have the day 0
	}
	return func(m month) uint64 { return byLength[m.length-28] }, nil
}

func lastWeekdayOf(m month) uint64 {
	switch m.weekday(m.length) {
	case saturday:
		return m.day(m.length - 1)
	case sunday:
		return m.day(m.length - 2)
	default:
		return m.day(m.length)
	}
}

// nearestWeekday returns the weekday nearest to a day, within the month. For a Sunday that ends the month, cron-utils takes
// that Sunday. In a month without such a day, and from then until the next occurrence, cron-utils throws at each poll. So there
// is no occurrence in such a month.
func nearestWeekday(m month, day int) uint64 {
	switch weekday := m.weekday(day); {
	case day > m.length:
		return 0
	case weekday == saturday && day == 1:
		return m.day(3)
	case weekday == saturday:
		return m.day(day - 1)
	case weekday == sunday && day < m.length:
		return m.day(day + 1)
	default:
		return m.day(day)
	}
}

// weekDays makes a rule of days of the week: L and L-3 are Saturday, 6L is the last Friday of the month, 6#3 its third Friday.
// They work in lists too. Here a descending range continues with Sunday after Saturday, but with a step it fails.
func weekDays(items []item) (dayRule, error) {
	var weekly uint64
	var monthly []item
	for _, it := range items {
		switch {
		case it.kind == toLast:
			return nil, failing("a range up to L")
		case it.stepped && it.from > it.to:
			return nil, failing("a step in a descending range")
		case it.kind == last && it.from == 0:
			weekly |= 1 << saturday
		case it.kind == last || it.kind == nth:
			monthly = append(monthly, it)
		case it.from > it.to:
			weekly |= valuesOf([]item{{from: it.from, to: saturday, step: 1}, {from: sunday, to: it.to, step: 1}}, saturday)
		default:
			weekly |= valuesOf([]item{it}, saturday)
		}
	}
	return func(m month) uint64 {
		var days uint64
		for d := 1; d <= m.length; d++ {
			if weekly>>m.weekday(d)&1 != 0 {
				days |= m.day(d)
			}
		}
		for _, it := range monthly {
			d := m.firstOn(it.from)
			switch {
			case it.kind == nth:
				d += (it.n - 1) * 7
			case d+28 <= m.length:
				d += 28
			default:
				d += 21
			}
			days |= m.day(d)
		}
		return days
	}, nil
}
