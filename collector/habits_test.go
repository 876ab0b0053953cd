package collector_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// filesOf makes files of the last 80 days before now: make is asked for each day, from the first on, by the number of days that it is
// ago, and answers with times of the client's day.
func filesOf(zone *time.Location, ofDay func(ago int, day time.Time) []oms.ProcessedFile) (files []oms.ProcessedFile) {
	for ago := 80; ago >= 0; ago-- {
		day := now.In(zone).AddDate(0, 0, -ago)
		for _, f := range ofDay(ago, time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)) {
			if !f.Processed.After(now) {
				files = append(files, f)
			}
		}
	}
	return files
}

func fileAt(day time.Time, hour, minute, records int) oms.ProcessedFile {
	at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
	return oms.ProcessedFile{Config: "A", Processed: at, Records: &records}
}

func isWorkDay(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// TestHabits has sources of different habits, with and without deadlines that the exporter knows. It is Tuesday, 13:00 in Chicago,
// two days after the clocks were set forward.
func TestHabits(t *testing.T) {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at := func(times ...time.Duration) (all []config.TimeOfDay) {
		for _, t := range times {
			all = append(all, config.TimeOfDay(t))
		}
		return all
	}
	workDays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	one := func(hour, minute, records int) func(int, time.Time) []oms.ProcessedFile {
		return func(_ int, day time.Time) []oms.ProcessedFile {
			return []oms.ProcessedFile{fileAt(day, hour, minute, records)}
		}
	}
	for name, c := range map[string]struct {
		entry    config.ResetSource
		holidays []string
		files    func(ago int, day time.Time) []oms.ProcessedFile
		want     string // without what is the same of all
	}{
		// Of 21 work days two files came at 12:50, which are not among 9 of 10, and two at 12:10.
		"work days": {
			entry: config.ResetSource{ProcessBy: at(15 * time.Hour), Days: workDays},
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				switch {
				case !isWorkDay(day):
					return nil
				case ago == 5 || ago == 6:
					return []oms.ProcessedFile{fileAt(day, 12, 50, 1000)}
				case ago == 7 || ago == 8:
					return []oms.ProcessedFile{fileAt(day, 12, 10, 1000)}
				}
				return []oms.ProcessedFile{fileAt(day, 11, 40, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri"} 1
files{deadline="15:00"} 21
latest_processed_seconds{deadline="15:00"} 43800
processed_seconds{deadline="15:00"} 42000
records{} 1000`,
		},
		// The next deadline is on Saturday: what counts are Saturdays and Sundays.
		"weekends": {
			entry: config.ResetSource{ProcessBy: at(15 * time.Hour)}, holidays: []string{"2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"},
			files: func(_ int, day time.Time) []oms.ProcessedFile {
				if isWorkDay(day) {
					return []oms.ProcessedFile{fileAt(day, 11, 40, 1000)}
				}
				return []oms.ProcessedFile{fileAt(day, 9, 0, 300)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri,Sat,Sun"} 1
files{deadline="15:00"} 21
latest_processed_seconds{deadline="15:00"} 32400
processed_seconds{deadline="15:00"} 32400
records{} 1000`,
		},
		// The file for the morning comes on the evening before; further ones of the same day do not count. Only on work days, and no Monday
		// of the last four but one, which was a holiday: the days are those of the deadlines.
		"evenings": {
			entry: config.ResetSource{ProcessBy: at(9*time.Hour, 22*time.Hour)}, holidays: []string{"2026-03-02"},
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				if day.Weekday() == time.Friday || day.Weekday() == time.Saturday || ago == 9 {
					return nil
				}
				return []oms.ProcessedFile{fileAt(day, 22, 30, 1000), fileAt(day, 23, 45, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri"} 1
files{deadline="09:00"} 21
latest_processed_seconds{deadline="09:00"} 81000
processed_seconds{deadline="09:00"} 81000
records{} 1000`,
		},
		// Friday evening's file is Monday's, so the days are those of the entry.
		"evenings before work days": {
			entry: config.ResetSource{ProcessBy: at(9 * time.Hour), Days: workDays},
			files: func(_ int, day time.Time) []oms.ProcessedFile {
				if !isWorkDay(day) {
					return nil
				}
				return []oms.ProcessedFile{fileAt(day, 22, 0, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri"} 1
files{deadline="09:00"} 21
latest_processed_seconds{deadline="09:00"} 79200
processed_seconds{deadline="09:00"} 79200
records{} 1000`,
		},
		// Before a weekend without files the habit is that of the work days.
		"work days, no deadline": {
			files: func(_ int, day time.Time) []oms.ProcessedFile {
				if !isWorkDay(day) {
					return nil
				}
				return []oms.ProcessedFile{fileAt(day, 11, 40, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri"} 1
files{deadline=""} 21
latest_processed_seconds{deadline=""} 42000
processed_seconds{deadline=""} 42000
records{} 1000`,
		},
		// Three small files of twenty are usual: no number is.
		"corrections": {
			entry: config.ResetSource{ProcessBy: at(15 * time.Hour)},
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				if ago >= 2 && ago <= 6 { // at least three work days
					return []oms.ProcessedFile{fileAt(day, 11, 40, 20)}
				}
				return []oms.ProcessedFile{fileAt(day, 11, 40, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri,Sat,Sun"} 1
files{deadline="15:00"} 21
latest_processed_seconds{deadline="15:00"} 42000
processed_seconds{deadline="15:00"} 42000`,
		},
		"a minute after the deadline is over is the next day": {
			entry: config.ResetSource{ProcessBy: at(11*time.Hour + 40*time.Minute)}, files: one(11, 41, 1000),
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri,Sat,Sun"} 1
files{deadline="11:40"} 21
latest_processed_seconds{deadline="11:40"} 42060
processed_seconds{deadline="11:40"} 42060
records{} 1000`,
		},
		// The exporter does not know the deadlines of limits.yml: the day ends after the last file.
		"no deadline": {
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				return []oms.ProcessedFile{fileAt(day, 1, ago%20, 1000), fileAt(day, 11, 40, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri,Sat,Sun"} 1
files{deadline=""} 21
latest_processed_seconds{deadline=""} 4500
processed_seconds{deadline=""} 4020
records{} 1000`,
		},
		// They come in any order of their times of day: between 11:00 and 05:00 there is never one.
		"no deadline, at three times in turn": {
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				return []oms.ProcessedFile{fileAt(day, 5+3*(ago%3), 0, 1000)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri,Sat,Sun"} 1
files{deadline=""} 21
latest_processed_seconds{deadline=""} 39600
processed_seconds{deadline=""} 28800
records{} 1000`,
		},
		"nine days": {
			entry: config.ResetSource{ProcessBy: at(15 * time.Hour)},
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				if ago > 12 || !isWorkDay(day) {
					return nil
				}
				return []oms.ProcessedFile{fileAt(day, 11, 40, 1000)}
			},
		},
		// Two of the last four Wednesdays: nobody can say whether it is one of the days. And every other
		// file has 80 % of the records: no number is usual.
		"in between": {
			entry: config.ResetSource{ProcessBy: at(15 * time.Hour)},
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				if ago == 6 || ago == 13 {
					return nil
				}
				return []oms.ProcessedFile{fileAt(day, 11, 40, 1000-200*(ago%2))}
			},
			want: `files{deadline="15:00"} 21
latest_processed_seconds{deadline="15:00"} 42000
processed_seconds{deadline="15:00"} 42000`,
		},
		"a cut file": {
			entry: config.ResetSource{ProcessBy: at(15 * time.Hour)},
			files: func(ago int, day time.Time) []oms.ProcessedFile {
				if ago == 0 || ago == 4 {
					return []oms.ProcessedFile{fileAt(day, 11, 40, 5)}
				}
				return []oms.ProcessedFile{fileAt(day, 11, 40, 1000+ago)}
			},
			want: `calendar_info{days="Mon,Tue,Wed,Thu,Fri,Sat,Sun"} 1
files{deadline="15:00"} 21
latest_processed_seconds{deadline="15:00"} 42000
processed_seconds{deadline="15:00"} 42000
records{} 1014.5`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.entry.Source, c.entry.ConfigIDs = "wms", []string{"A"}
				src := &fake{Facts: facts{ResetInventory: oms.ResetInventory{
					Sources: []oms.ResetSource{{Source: "wms", Files: filesOf(chicago, c.files)}},
				}}}
				client := collector.NewClient(
					collector.Options{Collectors: collector.All(), MaxSeries: 500, Now: func() time.Time { return now }},
					config.Client{Name: "KREWE", Timezone: chicago, Holidays: c.holidays, ResetInventory: []config.ResetSource{c.entry}},
					collector.Sources{OMS: src})
				var got []string
				for line := range strings.Lines(scrape(t, time.Second, []*collector.Client{client}, "reset_inventory")) {
					if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "oms_reset_inventory_usual_"); ok {
						got = append(got, strings.NewReplacer(`client="KREWE",`, "", `,source="wms"`, "", `source="wms"`, "", `client="KREWE"`, "").Replace(rest))
					}
				}
				if text := strings.Join(got, "\n"); text != c.want {
					t.Errorf("got\n%s\nwant\n%s", text, c.want)
				}
			})
		})
	}
}
