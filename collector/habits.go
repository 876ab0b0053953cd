package collector

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	// Of days of the same kind as that of the next deadline, which is a work day (Monday to Friday) or none: the median of the last 21
	// of the last 90 days. Absent below 10 of them. Where rules/limits.yml has the deadlines of the source, `deadline` is empty.
	resetUsual = newMetric(greatest, "oms_reset_inventory_usual_processed_seconds",
		"Usual time of day at which the first file for the deadline is processed, in seconds since midnight in the client's time zone.", "source", "deadline")
	resetUsualLatest = newMetric(greatest, "oms_reset_inventory_usual_latest_processed_seconds",
		"Time of day by which the first file for the deadline was processed on 9 of 10 of these days, in seconds since midnight in the client's time zone.",
		"source", "deadline")
	resetUsualFiles = newMetric(count, "oms_reset_inventory_usual_files",
		"Number of files from which the usual times are computed, one per day.", "source", "deadline")
	// `days` lists them as in the configuration. By the last four of each weekday, holidays left out: one with three files or more has
	// files, and one with one at most has none. Absent where a weekday is neither.
	resetUsualCalendar = newMetric(greatest, "oms_reset_inventory_usual_calendar_info",
		"1, with the weekdays on which the source usually has files.", "source", "days")
	// Of the last 20 files before the last one that came for the same deadline, by the same configuration, on the same kind of day. Absent
	// below 10 of them, and where their numbers scatter (1.48 times the median absolute deviation is 8 % of the median or more).
	resetUsualRecords = newMetric(greatest, "oms_reset_inventory_usual_records",
		"Usual number of records of a file like the last processed reset-inventory file of the source.", "source")
)

const (
	habitDays    = 21 // on which a usual time rests at most
	habitFiles   = 20 // on which a usual number of records rests at most
	habitFewest  = 10 // of either
	habitWeeks   = 4  // on which the weekdays rest
	habitScatter = 0.08

	// So many files with less than this share of the usual records are usual themselves: corrections, or a smaller assortment.
	habitThin      = 0.8
	habitThinFiles = 3
)

// setHabits puts into the batch when the files of a source usually come, on which days, and how long they are. Everything is
// reckoned on the client's clock, where a day has 24 hours.
func (b *batch) setHabits(s oms.ResetSource) {
	if len(s.Files) == 0 {
		return
	}
	var entry config.ResetSource
	for _, e := range b.config.ResetInventory {
		if e.Source == s.Source {
			entry = e
		}
	}
	habit := newHabit(s.Files, entry.ProcessBy, b.zone)
	now := onClock(b.now, b.zone)
	if len(entry.ProcessBy) == 0 {
		next := habit.due(now)
		u := habit.usual(habit.boundary, next)
		if u.days < habitFewest { // as of a source with work days only, before a weekend
			u = habit.usual(habit.boundary, otherKind(next))
		}
		b.setUsual(u, s.Source, "")
	}
	for _, d := range b.config.Deadlines(entry, b.now) {
		b.setUsual(habit.usual(time.Duration(d.At), onClock(d.Next, b.zone)), s.Source, d.At.String())
	}
	if days, known := habit.weekdays(now, entry.Days, b.config.Holidays); known {
		b.set(resetUsualCalendar, 1, s.Source, config.ResetSource{Days: days}.DayNames())
	}
	if records, known := habit.records(s.Files); known {
		b.set(resetUsualRecords, records, s.Source)
	}
}

func (b *batch) setUsual(u usual, source, deadline string) {
	if u.days < habitFewest {
		return
	}
	b.set(resetUsual, u.median.Seconds(), source, deadline)
	b.set(resetUsualLatest, u.latest.Seconds(), source, deadline)
	b.set(resetUsualFiles, float64(u.days), source, deadline)
}

// A habit is what a source's files were, by the deadlines for which they came: the first deadline that had not passed when they
// were processed. Days off are no exception, so that it shows which days have files.
type habit struct {
	times    []time.Duration // of day, of the deadlines
	boundary time.Duration   // the one of them where none is known
	dues     []time.Time     // for each file, its deadline
	walls    []time.Time     // and when it was processed
}

// onClock is what the client's clock shows at t, as if it were UTC.
func onClock(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func midnight(wall time.Time) time.Time { return wall.Truncate(24 * time.Hour) }

// newHabit takes the files in the order in which they were processed. Where no deadline is known the day is divided where nothing
// happens for longest.
func newHabit(files []oms.ProcessedFile, processBy []config.TimeOfDay, zone *time.Location) habit {
	var h habit
	for _, f := range files {
		h.walls = append(h.walls, onClock(f.Processed, zone))
	}
	for _, at := range processBy {
		h.times = append(h.times, time.Duration(at))
	}
	if len(h.times) == 0 {
		h.boundary = quietest(h.walls)
		h.times = []time.Duration{h.boundary}
	}
	slices.Sort(h.times)
	for _, wall := range h.walls {
		h.dues = append(h.dues, h.due(wall))
	}
	return h
}

// due is the first deadline that has not passed at wall. It has passed when its minute is over.
func (h habit) due(wall time.Time) time.Time {
	day := midnight(wall)
	for _, at := range h.times {
		if t := day.Add(at); wall.Before(t.Add(time.Minute)) {
			return t
		}
	}
	return day.Add(24*time.Hour + h.times[0])
}

// quietest is when the longest time of day begins in which no file was processed, to the minute: the day of what came before.
func quietest(walls []time.Time) time.Duration {
	const day = 24 * time.Hour
	var times []time.Duration
	for _, wall := range walls {
		times = append(times, wall.Sub(midnight(wall)).Truncate(time.Minute))
	}
	slices.Sort(times)
	from, longest := times[len(times)-1], times[0]+day-times[len(times)-1]
	for i, t := range times[1:] {
		if gap := t - times[i]; gap > longest {
			from, longest = times[i], gap
		}
	}
	return from
}

// usual is when the first file of a day was processed, by time of day.
type usual struct {
	days           int
	median, latest time.Duration
}

// usual returns the habit for the deadline at a time of day, on days of the same kind as that of next.
func (h habit) usual(at time.Duration, next time.Time) usual {
	const day = 24 * time.Hour
	var before []time.Duration // the deadline: one for each day
	var last time.Time
	for i := len(h.walls) - 1; i >= 0; i-- {
		due := h.dues[i]
		if due.Sub(midnight(due)) != at || workDay(due) != workDay(next) {
			continue
		}
		switch {
		case len(before) > 0 && due.Equal(last):
			before[len(before)-1] = due.Sub(h.walls[i]) // an earlier file of the day
		case len(before) < habitDays:
			before, last = append(before, due.Sub(h.walls[i])), due
		}
	}
	u := usual{days: len(before)}
	if u.days > 0 {
		slices.SortFunc(before, func(a, b time.Duration) int { return int(b/time.Second - a/time.Second) }) // the latest file last
		u.median = (at - before[(u.days-1)/2] + day) % day
		u.latest = (at - before[(u.days-1)*9/10] + day) % day
	}
	return u
}

func workDay(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }

// otherKind is the next day of the other kind.
func otherKind(day time.Time) time.Time {
	for kind := workDay(day); workDay(day) == kind; {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// weekdays returns the days whose deadlines have files, unless that is not known. What comes on a day that the entry does not have is
// the file of the next day that it has, as Friday evening's is Monday's, unless that has one of its own.
func (h habit) weekdays(now time.Time, entry []time.Weekday, holidays []string) (days []time.Weekday, known bool) {
	const week = 7 * 24 * time.Hour
	own := map[time.Time]bool{}
	for _, due := range h.dues {
		own[midnight(due)] = true
	}
	had := maps.Clone(own)
	for day := range own {
		next := day
		for len(entry) > 0 && !slices.Contains(entry, next.Weekday()) {
			next = next.AddDate(0, 0, 1)
		}
		if !own[next] {
			delete(had, day)
			had[next] = true
		}
	}
	first := midnight(h.dues[0])
	for weekday := range time.Weekday(7) {
		files, seen := 0, 0
		// Yesterday is the last day whose deadlines have all passed.
		day := midnight(now).AddDate(0, 0, -1-int(midnight(now).AddDate(0, 0, -1).Weekday()-weekday+7)%7)
		for ; seen < habitWeeks; day = day.Add(-week) {
			if day.Before(first) {
				return nil, false
			}
			if _, off := slices.BinarySearch(holidays, day.Format(time.DateOnly)); off {
				continue
			}
			seen++
			if had[day] {
				files++
			}
		}
		switch {
		case files >= habitWeeks-1:
			days = append(days, weekday)
		case files > 1:
			return nil, false
		}
	}
	return days, len(days) > 0
}

// records is how many the last file should have.
func (h habit) records(files []oms.ProcessedFile) (median float64, known bool) {
	last := len(files) - 1
	kind := func(i int) time.Duration { return h.dues[i].Sub(midnight(h.dues[i])) }
	var counts []float64
	for i := last - 1; i >= 0 && len(counts) < habitFiles; i-- {
		if f := files[i]; f.Records != nil && f.Config == files[last].Config && kind(i) == kind(last) && workDay(h.dues[i]) == workDay(h.dues[last]) {
			counts = append(counts, float64(*f.Records))
		}
	}
	if len(counts) < habitFewest {
		return 0, false
	}
	median = middle(counts)
	thin := 0
	for i, count := range counts {
		if count < habitThin*median {
			thin++
		}
		counts[i] = math.Abs(count - median)
	}
	return median, thin < habitThinFiles && 1.4826*middle(counts) < habitScatter*median
}

// middle sorts the values and returns their median.
func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
