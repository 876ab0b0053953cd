// Package check finds what is wrong with a client's configuration by logging in wherever it leads: what the file alone does
// not show. It judges the facts that a scrape reads too, and asks for nothing else.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// patience is how long a client is looked at, at most. A zone that is behind shows only when the OMS writes something.
	patience = 20 * time.Second
	// between is how long it is waited between two looks at the database.
	between = 3 * time.Second
	// mostFindings is how many charts are reported one by one.
	mostFindings = 5
)

// A Finding says of one area of a client that it is as it should be, or what is wrong and what to do about it.
type Finding struct {
	Client  string `json:"client"`
	Area    string `json:"area"`
	OK      bool   `json:"ok"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
	// Note says of what is not wrong what should be looked at or, of the areas of Sources.Sanity, what has been seen.
	Note string `json:"note"`
	// Seen says of the areas of Sources.Sanity whether what people wait for has been there; nil where that is unknown, and of all
	// other areas. Last is when it last was, in the client's time zone; nil where no time of it is known.
	Seen *bool      `json:"seen,omitempty"`
	Last *time.Time `json:"last,omitempty"`
}

// Sources are where the facts about the client come from; those that it does not have are nil.
type Sources struct {
	OMS         oms.Source
	DropFolders oms.DropFolders
	Reports     oms.Reports
	// Skips says of a collector that it is switched off, and its area with it.
	Skips func(collector string) bool
	// Sanity asks for what has been seen, too: jobs, orders, files, messages, charts. Its areas begin with "sanity ".
	Sanity bool
}

// findings gathers what is found of a client.
type findings struct {
	client string
	all    []Finding
}

// ok says that nothing is wrong with the area.
func (f *findings) ok(area string) {
	f.all = append(f.all, Finding{Client: f.client, Area: area, OK: true})
}

// wrong says what is.
func (f *findings) wrong(area, fix, problem string, args ...any) {
	f.all = append(f.all, Finding{Client: f.client, Area: area, Problem: fmt.Sprintf(problem, args...), Fix: fix})
}

// failed says that the area cannot be seen: one finding for each error that was joined. Unless there is one, it says nothing.
func (f *findings) failed(area, fix string, err error, known ...string) {
	if err == nil {
		return
	}
	text := err.Error()
	for _, prefix := range append([]string{"client " + f.client}, known...) {
		text = strings.TrimPrefix(text, prefix+": ")
	}
	for line := range strings.SplitSeq(text, "\n") {
		f.wrong(area, fix, "%s", line)
	}
}

// rest says that the area is as it should be unless something was said about it.
func (f *findings) rest(area string) {
	for _, found := range f.all {
		if found.Area == area {
			return
		}
	}
	f.ok(area)
}

// Client looks at everything that the client's configuration names, at once: the database, then the deadlines, the folders and the
// dashboards in its findings, and last what has been seen, if that is asked for. It ends with ctx, and after some seconds. It does not
// close the sources.
func Client(ctx context.Context, client config.Client, src Sources) []Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	parts := []func(context.Context, config.Client, Sources) []Finding{database, deadlines, dropFolders, reports}
	found := make([][]Finding, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			err := flight.Run(func() error { found[i] = part(ctx, client, src); return nil })
			if err != nil {
				found[i] = []Finding{{Client: client.Name, Area: "check", Problem: err.Error(), Fix: "Report this as a bug of the exporter."}}
			}
		})
	}
	wg.Wait()
	var all, last []Finding
	for _, f := range slices.Concat(found...) {
		if strings.HasPrefix(f.Area, sanityPrefix) {
			last = append(last, f)
		} else {
			all = append(all, f)
		}
	}
	return append(all, last...)
}

// deadlines says of each source whether the client's entry has its deadlines, and whether there are holidays to come. What
// rules/limits.yml has cannot be seen.
func deadlines(_ context.Context, client config.Client, src Sources) []Finding {
	if src.Skips("reset_inventory") {
		return nil
	}
	var found []Finding
	for _, s := range client.ResetInventory {
		f := Finding{Client: client.Name, Area: "deadline " + s.Source, OK: true}
		if len(s.ProcessBy) == 0 {
			f.Note = "not checked: the source has no process_by, so rules/limits.yml must have its deadline"
		}
		found = append(found, f)
	}
	if n := len(client.Holidays); n > 0 {
		f := Finding{Client: client.Name, Area: "holidays", OK: true}
		if last := client.Holidays[n-1]; last < time.Now().In(client.Timezone).Format(time.DateOnly) {
			f.Note = "the last one was " + last + ": add those to come"
		}
		found = append(found, f)
	}
	return found
}

// dropFolders judges each location.
func dropFolders(ctx context.Context, client config.Client, src Sources) []Finding {
	f := findings{client: client.Name}
	if src.DropFolders == nil || src.Skips("sftp") {
		return nil
	}
	ctx, cancel := margin(ctx)
	defer cancel()
	locations, err := src.DropFolders.Inspect(ctx, time.Now())
	if len(locations) == 0 {
		f.failed("sftp", "Check the exporter's log.", err)
	}
	for i, l := range locations {
		area := "sftp " + l.Location
		f.failed(area, fmt.Sprintf("Correct this in sftp (location %s), or on the server for user %s.", l.Location, client.SFTP[i].Username),
			l.Err, "location "+l.Location)
		if l.Misfit() {
			var names []string
			for _, folder := range l.Folders {
				names = append(names, folder.Examples...)
			}
			f.wrong(area, "Correct sftp.pattern: it is compared with the whole name, and upper case is not lower case.",
				"the pattern %q matches none of the files there, such as %s", client.SFTP[i].Pattern, quoted(names))
		}
		f.rest(area)
	}
	if src.Sanity {
		f.all = append(f.all, locationSanity(client, locations)...)
	}
	return f.all
}

// reports judges each dashboard.
func reports(ctx context.Context, client config.Client, src Sources) []Finding {
	f := findings{client: client.Name}
	if src.Reports == nil || src.Skips("reports") {
		return nil
	}
	ctx, cancel := margin(ctx)
	defer cancel()
	run, err := src.Reports.Latest(ctx, time.Now())
	seen := map[string]bool{}
	for i, d := range run.Dashboards {
		area := "superset " + d.Name
		seen[d.Name] = true
		if d.Failure != nil {
			f.wrong(area, dashboardFix(d.Failure.Reason), "%s", d.Failure.Text)
		}
		failing := 0
		for _, c := range d.Charts {
			if c.Failure == nil {
				continue
			}
			if failing++; failing <= mostFindings {
				f.wrong(area, chartFix(c.Failure.Reason), "chart %q: %s", c.Name, c.Failure.Text)
			}
		}
		if failing > mostFindings {
			f.wrong(area, "Fix the charts above first.", "%d more charts fail", failing-mostFindings)
		}
		if underWay := i == len(run.Dashboards)-1; underWay && errors.Is(err, oms.ErrIncomplete) { // it goes from one to the next
			f.wrong(area, slowFix, "not all of its charts responded within %s", patience)
		}
		f.rest(area)
	}
	for _, name := range client.Superset.Dashboards {
		if !seen[name] {
			f.wrong("superset "+name, slowFix, "the check did not get to it within %s", patience)
		}
	}
	if src.Sanity {
		f.all = append(f.all, reportSanity(client, run.Dashboards, errors.Is(err, oms.ErrIncomplete))...)
	}
	return f.all
}

const slowFix = "Open the dashboard in Superset to see which chart is slow, or whether the server answers at all."

// dashboardFix says what to do about a dashboard that cannot be seen.
func dashboardFix(reason oms.ReportReason) string {
	switch reason {
	case oms.ReportNotFound:
		return "Write into superset.dashboards the slug or title of a dashboard that the account sees."
	case oms.ReportPermission:
		return "Give the account's role access to the dashboard (docs/superset.md)."
	case oms.ReportLogin:
		return "Correct superset.username, its password or token, or superset.provider."
	case oms.ReportUnreachable, oms.ReportBadAnswer:
		return "Correct superset.url: it is the base URL of Superset."
	default:
		return "Check Superset's log."
	}
}

// chartFix says what to do about a chart without data.
func chartFix(reason oms.ReportReason) string {
	switch reason {
	case oms.ReportNoQueryContext:
		return "Open the chart in Superset and save it once."
	case oms.ReportDeleted:
		return "Remove the chart from the dashboard."
	case oms.ReportQuery:
		return "Correct the chart's query or dataset in Superset."
	case oms.ReportDataSource, oms.ReportDataSourceLogin:
		return "Correct the connection of the chart's database in Superset."
	case oms.ReportPermission:
		return "Give the account's role access to the chart's dataset (docs/superset.md)."
	default:
		return "Open the chart in Superset."
	}
}

// margin ends a second before ctx, so that what is known by then is reported.
func margin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, _ := ctx.Deadline()
	return context.WithDeadline(ctx, deadline.Add(-time.Second))
}

// quoted lists names.
func quoted(names []string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(texts, ", ")
}
