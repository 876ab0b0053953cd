package month

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/rules"
)

// watchdog is the alert that always fires.
const watchdog = "OMSWatchdog"

// promptness is how soon an alert must fire, and how soon it must be over, apart from the time for which it is kept on.
// What happens within a step is seen at its end.
const promptness = 3*time.Minute + step

// An episode is a time in which an alert fired without a break.
type episode struct {
	alert, client, labels, description string
	from, to                           time.Time // the first and the last step
}

func (e *episode) String() string {
	return fmt.Sprintf("%s to %s %s\n\t%s", e.from.Format(time.DateTime), e.to.Format(time.DateTime), e.labels, e.description)
}

// A record is what fired.
type record struct {
	episodes []*episode
	current  map[string]*episode // by labels
}

func newRecord() *record { return &record{current: map[string]*episode{}} }

// note takes down what fires at a step.
func (r *record) note(now time.Time, firing []*rules.Alert) {
	for _, a := range firing {
		name := a.Labels.MatchLabels(false, "minute").String() // the watchdog's: it is another alert each minute
		e := r.current[name]
		if e == nil || e.to.Before(now.Add(-step)) {
			e = &episode{
				alert: a.Labels.Get("alertname"), client: a.Labels.Get("client"), labels: name,
				description: a.Annotations.Get("description"), from: now,
			}
			r.current[name] = e
			r.episodes = append(r.episodes, e)
		}
		e.to = now
	}
}

// A delay is how long an alert took to fire.
type delay struct {
	alert string
	took  time.Duration
}

// judge compares what fired with what should have. lingers is for how long each alert is kept firing.
func (r *record) judge(faults []fault, lingers map[string]time.Duration, start, end time.Time) (delays []delay, wrongs []string) {
	wrong := func(format string, args ...any) { wrongs = append(wrongs, fmt.Sprintf(format, args...)) }
	dogs := slices.DeleteFunc(slices.Clone(r.episodes), func(e *episode) bool { return e.alert != watchdog })
	if len(dogs) != 1 || dogs[0].from.After(start) || dogs[0].to.Before(end) {
		wrong("%s did not fire all the time: %v", watchdog, dogs)
	}
	for _, e := range r.episodes {
		if e.alert != watchdog && !slices.ContainsFunc(faults, func(f fault) bool { return f.explains(e, lingers[e.alert]) }) {
			wrong("unexpected: %s%s", e, meanwhile(faults, e))
		}
	}
	for _, f := range faults {
		for _, alert := range f.alerts {
			first, until := r.first(f, alert)
			switch {
			case first == nil:
				wrong("%s does not fire: %s", alert, f)
				continue
			case first.from.Sub(f.on) > promptness+f.shows:
				wrong("%s fires only after %s: %s", alert, first.from.Sub(f.on), f)
			case alert != f.passes && until.Before(f.off.Add(-step)):
				wrong("%s stops at %s, before the fault is mended: %s", alert, until.Format(time.DateTime), f)
			}
			delays = append(delays, delay{alert, first.from.Sub(f.on)})
		}
	}
	return delays, wrongs
}

// summary tells what was expected, what came, and how long it took.
func summary(faults []fault, delays []delay, r *record) string {
	byAlert := map[string][]time.Duration{}
	expected := 0
	for _, f := range faults {
		expected += len(f.alerts)
	}
	for _, d := range delays {
		byAlert[d.alert] = append(byAlert[d.alert], d.took)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d faults, %d alerts expected, %d of them fired; %d episodes in all, the watchdog's included\n",
		len(faults), expected, len(delays), len(r.episodes))
	fmt.Fprintf(&text, "seconds from the fault to the alert: %-28s %5s %5s %6s %5s\n", "alert", "count", "min", "median", "max")
	for _, alert := range slices.Sorted(maps.Keys(byAlert)) {
		took := byAlert[alert]
		slices.Sort(took)
		fmt.Fprintf(&text, "%37s%-28s %5d %5.0f %6.0f %5.0f\n", "", alert, len(took),
			took[0].Seconds(), took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
	}
	return text.String()
}

// explains says whether an alert is to be expected of the fault, at its time.
func (f fault) explains(e *episode, lingers time.Duration) bool {
	until := f.off.Add(lingers + promptness + f.ends)
	known := slices.Contains(f.alerts, e.alert) || slices.Contains(f.may, e.alert)
	return known && e.client == f.client && !e.from.Before(f.on) && !e.to.After(until)
}

// first finds the first episode of an alert during a fault, and until when the alert fired without a break, be it with
// other labels.
func (r *record) first(f fault, alert string) (first *episode, until time.Time) {
	for _, e := range r.episodes { // in the order of their beginnings
		if e.alert != alert || e.client != f.client || e.from.Before(f.on) || e.from.After(f.off) {
			continue
		}
		if first == nil {
			first, until = e, e.to
		}
		if e.to.After(until) && !e.from.After(until.Add(step)) {
			until = e.to
		}
	}
	return first, until
}

// meanwhile names the faults around an episode, to look into.
func meanwhile(faults []fault, e *episode) string {
	var words strings.Builder
	for _, f := range faults {
		if f.client == e.client && e.from.Before(f.off.Add(24*time.Hour)) && e.to.After(f.on) {
			fmt.Fprintf(&words, "\n\twith %s", f)
		}
	}
	return words.String()
}
