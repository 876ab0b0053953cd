package check

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// sanityPrefix begins the names of the areas that say what has been seen.
const sanityPrefix = "sanity "

// mostChannels is how many channels are listed one by one, those first that have been silent for longest.
const mostChannels = 20

// sanity gathers what has been seen of a client: what people otherwise look for by hand in the hours after a migration.
//
// That something has not been seen yet is OK: nothing is wrong with the configuration, and time alone may bring it. What cannot be
// read is not OK, as it may be there or not.
type sanity struct {
	findings
	zone *time.Location // of the times that are written
	now  time.Time
}

func newSanity(client config.Client) *sanity {
	return &sanity{findings: findings{client: client.Name}, zone: client.Timezone, now: time.Now()}
}

// add says what is known of the area, and when it was last seen, where that is known.
func (s *sanity) add(area string, seen bool, last time.Time, note string) {
	f := Finding{Client: s.client, Area: sanityPrefix + area, OK: true, Seen: &seen, Note: note}
	if !last.IsZero() {
		last = last.In(s.zone).Truncate(time.Second)
		f.Last = &last
	}
	s.all = append(s.all, f)
}

// seen says that what the area waits for was there, and when last.
func (s *sanity) seen(area, where string, last time.Time, details ...string) {
	age := s.now.Sub(last).Round(time.Second)
	relation := "ago"
	if age < 0 {
		relation = "ahead of now"
	}
	text := fmt.Sprintf("seen%s, last at %s, %s %s", where, last.In(s.zone).Format(time.RFC3339), age.Abs(), relation)
	s.add(area, true, last, strings.Join(append([]string{text}, details...), "; "))
}

// notSeen says that it was not.
func (s *sanity) notSeen(area string, details ...string) {
	s.add(area, false, time.Time{}, strings.Join(append([]string{"not seen yet"}, details...), "; "))
}

// absent says that this OMS has nothing of the kind, so that there is nothing to wait for.
func (s *sanity) absent(area, what string) {
	s.all = append(s.all, Finding{Client: s.client, Area: sanityPrefix + area, OK: true, Note: "not checked: this OMS has no " + what})
}

// unreadable says that it is unknown, because of what the area of the check says.
func (s *sanity) unreadable(area, of string) {
	s.wrong(sanityPrefix+area, "Fix the area "+of+" first.", "not checked, because the area %s cannot be read", of)
}

// unread says that it is unknown, because the history has not been read within the time of the check.
func (s *sanity) unread(area string) {
	s.wrong(sanityPrefix+area, "Run the check again when the database is less busy, or see the client's page of a running exporter.",
		"it is unknown, because the history of the last days was not read within %s", patience)
}

// databaseSanity says what has been seen in the database. checked are the areas that are not switched off.
func databaseSanity(client config.Client, checked []string, facts *databaseFacts) []Finding {
	s := newSanity(client)
	for _, area := range checked {
		err := facts.errs[area]
		readable := err == nil || errors.Is(err, oms.ErrIncomplete)
		switch {
		case area == "last_mile": // it is about orders that are missing elsewhere
		case !readable:
			s.unreadable(area, area)
		case area == "orders":
			s.orders(facts.orders, err)
		case area == "jobs":
			s.jobs(facts.jobs, err)
		case area == "data_manager":
			s.files(facts.files)
		case area == "reset_inventory":
			s.resetInventory(client, facts.reset)
		case area == "system_messages":
			s.messages(facts.messages)
		}
	}
	return s.all
}

// unreadableSanity is for a database that cannot be read at all.
func unreadableSanity(client config.Client, checked []string) []Finding {
	s := newSanity(client)
	for _, area := range checked {
		if area != "last_mile" {
			s.unreadable(area, "database")
		}
	}
	return s.all
}

// orders has each channel by which orders entered within the last days.
func (s *sanity) orders(orders oms.Orders, err error) {
	switch imports := slices.Clone(orders.Imports); {
	case !orders.Open.Known:
		s.absent("orders", "orders")
	case err != nil:
		s.unread("orders")
	case len(imports) == 0:
		s.notSeen("orders", "no order entered within the last days")
	default:
		slices.SortFunc(imports, func(a, b oms.Import) int {
			return cmp.Or(a.Last.Compare(b.Last), strings.Compare(a.ProductStore, b.ProductStore), strings.Compare(a.Channel.Channel, b.Channel.Channel))
		})
		for _, i := range imports[:min(len(imports), mostChannels)] {
			s.seen("orders", fmt.Sprintf(" from channel %q of product store %q", i.Channel.Channel, i.ProductStore), i.Last,
				fmt.Sprintf("entered within 24 hours: %d", i.Recent))
		}
		if more := len(imports) - mostChannels; more > 0 {
			s.seen("orders", fmt.Sprintf(" from %d more channels", more), imports[len(imports)-1].Last)
		}
	}
}

// jobs has what is scheduled, and of each pool when a job last started.
func (s *sanity) jobs(jobs oms.Jobs, err error) {
	if !jobs.Runs.Known {
		s.absent("jobs", "jobs")
		return
	}
	var refused []string
	if n := len(jobs.Unreadable); n > 0 {
		refused = []string{fmt.Sprintf("schedules that Moqui rejects: %d", n)}
	}
	if n := len(jobs.Scheduled); n > 0 {
		s.add("jobs scheduled", true, time.Time{}, strings.Join(append([]string{fmt.Sprintf("seen, scheduled jobs: %d", n)}, refused...), "; "))
	} else {
		s.notSeen("jobs scheduled", refused...)
	}

	last := map[string]time.Time{}
	for _, p := range jobs.Pools {
		if at, known := last[p.Name]; !known || p.LastStart.After(at) {
			last[p.Name] = p.LastStart
		}
	}
	const area = "jobs started"
	switch {
	case err != nil:
		s.unread(area)
		return
	case len(last) == 0:
		s.notSeen(area)
	}
	for _, pool := range slices.Sorted(maps.Keys(last)) {
		if at := last[pool]; at.IsZero() {
			s.notSeen(area, fmt.Sprintf("jobs wait in pool %q", pool))
		} else {
			s.seen(area, fmt.Sprintf(" in pool %q", pool), at)
		}
	}
	s.ended(jobs)
}

// ended has the runs that ended, and how many of them failed.
func (s *sanity) ended(jobs oms.Jobs) {
	const area = "jobs finished"
	if jobs.History == nil {
		s.unread(area)
		return
	}
	var last time.Time
	recent, failed := 0, 0
	for _, j := range jobs.History.Jobs {
		recent += j.Recent
		failed += j.RecentFailures
		if j.LastSuccess.After(last) {
			last = j.LastSuccess
		}
	}
	details := fmt.Sprintf("runs that ended within 24 hours: %d, failed: %d", recent, failed)
	if last.IsZero() {
		s.notSeen(area, details)
		return
	}
	s.seen(area, "", last, details)
}

// files has the files of the data manager that ended.
func (s *sanity) files(files oms.DataManager) {
	const area = "data_manager"
	switch {
	case !files.Open.Known:
		s.absent(area, "data manager")
		return
	case files.History == nil:
		s.unread(area)
		return
	}
	var newest oms.FileRuns
	ended, failed := 0, 0
	for _, c := range files.History.Configs {
		for outcome, n := range c.Recent {
			ended += n
			if outcome == oms.FileFailed || outcome == oms.FileCrashed {
				failed += n
			}
		}
		if c.LastSuccess.After(newest.LastSuccess) {
			newest = c
		}
	}
	details := fmt.Sprintf("files that ended within 24 hours: %d, failed: %d", ended, failed)
	if newest.LastSuccess.IsZero() {
		s.notSeen(area, details)
		return
	}
	s.seen(area, fmt.Sprintf(" by configuration %q", newest.Config), newest.LastSuccess, details)
}

// resetInventory has the files of each source that set stock.
func (s *sanity) resetInventory(client config.Client, reset oms.ResetInventory) {
	known := map[string]oms.ResetSource{}
	for _, r := range reset.Sources {
		known[r.Source] = r
	}
	for _, configured := range client.ResetInventory {
		area := "reset_inventory " + configured.Source
		source, ok := known[configured.Source]
		switch {
		case !ok:
			s.unread(area)
		case !source.LastProcessed.IsZero():
			s.seen(area, "", source.LastProcessed)
		case !source.LastReceived.IsZero():
			s.notSeen(area, "a file was received at "+source.LastReceived.In(s.zone).Format(time.RFC3339)+" and has not set stock")
		default:
			s.notSeen(area, "no file was received")
		}
	}
}

// messages has the system messages that are not finished: the others cannot be told from those that nobody confirms.
func (s *sanity) messages(messages oms.List[oms.OpenMessages]) {
	const area = "system_messages"
	if !messages.Known {
		s.absent(area, "system messages")
		return
	}
	open, failing, inError := 0, 0, 0
	var oldest time.Time
	for _, m := range messages.All {
		open += m.Count
		switch m.Status {
		case oms.MessageFailing:
			failing += m.Count
		case oms.MessageError:
			inError += m.Count
		default:
		}
		if !m.Oldest.IsZero() && (oldest.IsZero() || m.Oldest.Before(oldest)) {
			oldest = m.Oldest
		}
	}
	if open == 0 {
		s.notSeen(area, "no message is open, which is usual where they are processed at once; finished messages are not read")
		return
	}
	text := fmt.Sprintf("seen, open messages: %d, failing: %d, in error: %d", open, failing, inError)
	if !oldest.IsZero() {
		text += "; the oldest is there since " + oldest.In(s.zone).Format(time.RFC3339)
	}
	s.add(area, true, time.Time{}, text)
}

// locationSanity has the newest file of each drop folder, whether it was fetched or not.
func locationSanity(client config.Client, locations []oms.DropLocation) []Finding {
	s := newSanity(client)
	known := map[string]oms.DropLocation{}
	for _, l := range locations {
		known[l.Location] = l
	}
	for _, configured := range client.SFTP {
		area := "sftp " + configured.Location
		l, ok := known[configured.Location]
		var newest oms.DropFolder
		for _, f := range l.Folders {
			if f.Folder != oms.FolderFailed && f.Newest.After(newest.Newest) {
				newest = f
			}
		}
		switch {
		case !newest.Newest.IsZero():
			s.seen(area, fmt.Sprintf(" in folder %s", newest.Folder), newest.Newest)
		case !ok:
			s.unreadable(area, "sftp")
		case l.Err != nil:
			s.unreadable(area, area)
		default:
			s.notSeen(area)
		}
	}
	return s.all
}

// reportSanity has the charts of each dashboard that have data. The last dashboard of a run that is not complete has more charts.
func reportSanity(client config.Client, dashboards []oms.Dashboard, incomplete bool) []Finding {
	s := newSanity(client)
	for _, name := range client.Superset.Dashboards {
		area := "superset " + name
		i := slices.IndexFunc(dashboards, func(d oms.Dashboard) bool { return d.Name == name })
		if i < 0 || dashboards[i].Failure != nil || incomplete && i == len(dashboards)-1 {
			s.unreadable(area, area)
			continue
		}
		good, rows := 0, 0
		var last time.Time
		for _, c := range dashboards[i].Charts {
			if c.Failure != nil {
				continue
			}
			good++
			if c.Rows > 0 {
				rows++
			}
			if c.Read.After(last) {
				last = c.Read
			}
		}
		details := fmt.Sprintf("charts: %d, with a result: %d, with rows: %d", len(dashboards[i].Charts), good, rows)
		if rows == 0 || last.IsZero() {
			s.notSeen(area, details)
			continue
		}
		s.seen(area, "", last, details)
	}
	return s.all
}
