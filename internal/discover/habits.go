package discover

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	resetID      = regexp.MustCompile(`(RESET|RST|SYNC).*INV(ENTORY|_|$)|(^|_)INV(ENTORY)?_.*(RESET|RST|SYNC)`)
	resetService = regexp.MustCompile(`(reset|sync)\w*inventory|inventory(reset|sync)`)
	resetWords   = regexp.MustCompile(`(reset|sync)\w*( \w+){0,2} inventory|inventory (reset|sync)`)
	toShopify    = regexp.MustCompile(`SHOPIFY|SHPF`)
	noLetter     = regexp.MustCompile(`[^a-z.]`)
)

// looksLikeReset says why a configuration looks like one of reset inventory (RESET_INVENTORY of WMS and ERP, SYNC_SHOPIFY_INV and
// SYNC_INV_SHPF_MLTTHD of Shopify, RESET_SHOPIFY_INVENTORY of Moqui; services such as resetInventoryByIdentification), or nothing.
func looksLikeReset(c oms.SurveyedConfig) string {
	service := noLetter.ReplaceAllString(strings.ToLower(c.ImportService), "")
	switch {
	case resetID.MatchString(strings.ToUpper(c.Config)):
		return "looks like reset inventory by its id"
	case resetService.MatchString(service):
		return "looks like reset inventory by its service, " + words(c.ImportService)
	case resetWords.MatchString(strings.ToLower(c.Description)):
		return fmt.Sprintf("looks like reset inventory by its description, %q", words(c.Description))
	}
	return ""
}

// name gives each a source: wms and shopify, as far as they are free, else the configuration's own id.
func name(resets []reset) {
	taken := map[string]bool{}
	for i, r := range resets {
		source := "wms"
		if toShopify.MatchString(strings.ToUpper(r.Config + " " + r.ImportService)) {
			source = "shopify"
		}
		if taken[source] {
			source = strings.ToLower(r.Config)
		}
		taken[source] = true
		resets[i].source = source
	}
}

const (
	fewest  = 5                   // files that make a habit
	habits  = 60 * 24 * time.Hour // how far back it is looked for
	apart   = 90                  // minutes without a file that divide two times of a day
	longest = 4 * 60              // minutes: what is spread further has no time
	mostOf  = 3                   // times of a day
	aDay    = 24 * 60             // minutes
)

// A habit is when files are usually processed.
type habit struct {
	deadlines []string // such as 13:00; none where there is no usual time
	days      []string // such as Mon; none where they are all, or the deadline is on another day than the files
	text      string
}

// habitOf finds the usual times of files, the oldest first, on the client's clock.
func habitOf(processed []time.Time, zone *time.Location, now time.Time) habit {
	var times []time.Time
	for _, at := range processed {
		if now.Sub(at) < habits {
			times = append(times, at.In(zone))
		}
	}
	if len(times) < fewest {
		return habit{text: fmt.Sprintf("no usual time: only %s within %d days", count(len(times), "file"), int(habits.Hours()/24))}
	}
	days := map[string]bool{}
	var weekdays [7]int
	minutes := make([]int, len(times))
	for i, at := range times {
		days[at.Format(time.DateOnly)] = true
		weekdays[at.Weekday()]++
		minutes[i] = at.Hour()*60 + at.Minute()
	}
	var h habit
	var spans []string
	others, overnight := len(times), false
	for _, group := range groups(minutes) {
		if len(group) < max(3, len(days)/4) { // exceptions
			continue
		}
		last := len(group) - 1
		if group[last*9/10]-group[last/10] > longest {
			spans = nil
			break
		}
		spans = append(spans, "between "+clock(group[0])+" and "+clock(group[last]))
		deadline := (group[last*9/10]/30 + 1) * 30
		h.deadlines = append(h.deadlines, clock(deadline))
		others -= len(group)
		overnight = overnight || deadline/aDay != group[0]/aDay
	}
	if len(spans) == 0 || len(spans) > mostOf {
		return habit{text: fmt.Sprintf("no usual time: the last %s were processed at all hours of %s", count(len(times), "file"), count(len(days), "day"))}
	}
	on, shown := daysOf(weekdays, len(times))
	if len(on) < len(weekdays) && !overnight {
		h.days = on
	}
	h.text = fmt.Sprintf("the last %s were processed %s, %s", count(len(times), "file"), strings.Join(spans, ", or "), shown)
	if others > 0 {
		h.text += fmt.Sprintf("; %d of them at other times", others)
	}
	return h
}

// groups divides the minutes of a day where nothing happens for long. Minutes after midnight that belong to what began before are
// beyond 24 h.
func groups(minutes []int) (all [][]int) {
	slices.Sort(minutes)
	begin, widest := 0, minutes[0]+aDay-minutes[len(minutes)-1]
	for i := 1; i < len(minutes); i++ {
		if gap := minutes[i] - minutes[i-1]; gap > widest {
			begin, widest = i, gap
		}
	}
	var group []int
	for i := range minutes {
		at := minutes[(begin+i)%len(minutes)]
		if begin+i >= len(minutes) {
			at += aDay
		}
		if len(group) > 0 && at-group[len(group)-1] >= apart {
			all, group = append(all, group), nil
		}
		group = append(group, at)
	}
	return slices.SortedFunc(slices.Values(append(all, group)), func(a, b []int) int { return a[0]%aDay - b[0]%aDay })
}

// clock shows a minute of the day.
func clock(minute int) string {
	minute %= aDay
	return fmt.Sprintf("%02d:%02d", minute/60, minute%60)
}

// daysOf names the weekdays on which files come, but for exceptions, and shows them in words.
func daysOf(counts [7]int, files int) (on []string, shown string) {
	first, last := -1, -1
	for i, name := range []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		if n := counts[(i+1)%7]; n > 0 && n*4 >= files/7 {
			on, last = append(on, name), i
			if first < 0 {
				first = i
			}
		}
	}
	switch {
	case len(on) == 7:
		return on, "every day"
	case len(on) > 2 && last-first == len(on)-1:
		return on, on[0] + " to " + on[len(on)-1]
	}
	return on, strings.Join(on, ", ")
}

// count says how many there are of something; the plural has an s unless it is given.
func count(n int, one string, more ...string) string {
	if n != 1 {
		one = strings.Join(append(more, one+"s")[:1], "")
	}
	return strconv.Itoa(n) + " " + one
}
