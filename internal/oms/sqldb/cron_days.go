package sqldb

import (
	"strings"
	"time"
)

// A dayRule says whether it runs on a day.
type dayRule func(day time.Time) bool

// monthDays reads L (the last day), L-3 (three days before it), LW (the last weekday), 15W (the weekday nearest to the
// 15th within the month), or plain days.
func monthDays(item string) (dayRule, error) {
	body, nearest := strings.CutSuffix(item, "W")
	back, last := strings.CutPrefix(body, "L")
	if !last && !nearest {
		var days set
		err := days.add(item, 1, 31, "")
		return func(day time.Time) bool { return days[day.Day()] }, err
	}
	n, err := 0, error(nil)
	switch {
	case !last:
		n, err = valueOf(body, 1, 31, "")
	case back != "":
		n, err = valueOf(back, -30, -1, "")
	}
	return func(day time.Time) bool {
		wanted, end := n, endOfMonth(day)
		if last {
			wanted = end + n
		}
		if nearest {
			wanted = nearestWeekday(day, wanted, end)
		}
		return day.Day() == wanted
	}, err
}

func endOfMonth(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func nearestWeekday(month time.Time, day, end int) int {
	switch time.Date(month.Year(), month.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return day + 2
		}
		return day - 1
	case time.Sunday:
		if day == end {
			return day - 2
		}
		return day + 1
	default:
		return day
	}
}

// weekDays reads L (Saturday), 6L (the last Friday of the month), 6#3 (its third Friday), or plain days.
func weekDays(item string) (dayRule, error) {
	const names = "SUNMONTUEWEDTHUFRISAT"
	text, nthText, nth := strings.Cut(item, "#")
	if item == "L" {
		text = "7"
	}
	text, last := strings.CutSuffix(text, "L")
	if !nth && !last {
		var days set
		err := days.add(text, 1, 7, names)
		return func(day time.Time) bool { return days[day.Weekday()+1] }, err
	}
	weekday, err := valueOf(text, 1, 7, names)
	n := 0
	if err == nil && nth {
		n, err = valueOf(nthText, 1, 5, "")
	}
	return func(day time.Time) bool {
		if int(day.Weekday())+1 != weekday {
			return false
		}
		if last {
			return day.Day() > endOfMonth(day)-7
		}
		return (day.Day()+6)/7 == n
	}, err
}
