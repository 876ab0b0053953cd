// Package discover makes a client's entry for the configuration of what can be seen with the client's logins alone, and says for
// each line why it is so, and what could not be seen. It knows no SQL, SFTP or HTTP: it is given what asks them.
package discover

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// between is how long it is waited between two looks at the database.
	between = time.Second
	// oneLook is how long a look may take.
	oneLook = 5 * time.Second
	// mostConfigs is of how many configurations of the data manager the last files are read, those of reset inventory first.
	mostConfigs = 40
	// unused is how old the last file of a configuration is that nobody uses any more.
	unused = 30 * 24 * time.Hour
	// maxWords is how many bytes of foreign text are shown in a comment.
	maxWords = 300
)

// Sources are where the facts come from; those that are not given are nil.
type Sources struct {
	// Now is the clock by which the facts are read.
	Now func() time.Time
	// OMS opens the client's database, whose timestamps are then read in that zone. It does not connect.
	OMS func(zone *time.Location) (oms.Source, error)
	// DropFolders looks at locations on the SFTP server.
	DropFolders func(context.Context, []config.SFTP) ([]oms.DropLocation, error)
	// Dashboards lists what the account sees.
	Dashboards func(context.Context) ([]oms.SeenDashboard, error)
}

// finder gathers what the entry is made of.
type finder struct {
	to       Connections
	src      Sources
	progress func(string)
	sftp     config.SFTP // the login

	instance oms.Instance
	survey   oms.Survey
	zones    zones

	orders     oms.Orders
	attributes oms.List[string]
	jobs       oms.Jobs
	files      oms.DataManager
	resets     []reset
	others     []used
	places     []place
	dashboards []oms.SeenDashboard

	mu     sync.Mutex // guards what follows, and progress
	unseen []string   // in words
}

// used is a configuration of the data manager with what is known of its files.
type used struct {
	oms.SurveyedConfig
	processed []time.Time // the last files, the oldest first
	err       error       // why these are not known
}

// inUse says whether files come by the configuration.
func (u used) inUse(now time.Time) bool {
	return u.Enabled && len(u.processed) > 0 && now.Sub(u.processed[len(u.processed)-1]) < unused
}

// reset is one that looks like reset inventory.
type reset struct {
	used
	source, why string
}

// Entry logs in wherever the connections lead, and returns the text of a configuration file with the client's entry. It takes no
// longer than until the deadline of ctx. login has the connections as Connections.Draft is parsed. progress is called with each step
// and with what cannot be seen. The error says why there is no entry: the database does not let the account in.
func Entry(ctx context.Context, to Connections, login config.Client, src Sources, progress func(string)) (string, error) {
	f := &finder{to: to, src: src, progress: progress}
	if len(login.SFTP) > 0 {
		f.sftp = login.SFTP[0]
	}
	if err := f.clock(ctx); err != nil {
		return "", err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	if src.Dashboards != nil {
		wg.Go(func() { f.reports(ctx) })
	}
	if err := f.database(ctx); err != nil {
		return "", err
	}
	if src.DropFolders != nil {
		f.folders(ctx)
	}
	wg.Wait()
	return f.text(src.Now()), nil
}

// say reports a step.
func (f *finder) say(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress(text)
}

// miss notes what cannot be seen.
func (f *finder) miss(what string, err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		text := what + ": " + words(strings.TrimPrefix(line, "client "+f.to.Name+": "))
		f.mu.Lock()
		known := slices.Contains(f.unseen, text)
		if !known {
			f.unseen = append(f.unseen, text)
		}
		f.mu.Unlock()
		if !known {
			f.say("not seen: " + text)
		}
	}
}

// until is when this part of the time that there is will be over.
func until(ctx context.Context, part, of int) time.Time {
	deadline, _ := ctx.Deadline()
	return time.Now().Add(time.Until(deadline) * time.Duration(part) / time.Duration(of))
}

// wait waits for the next look, and says whether there is time for one.
func wait(ctx context.Context, end time.Time) bool {
	if time.Until(end) < 2*between {
		return false
	}
	select {
	case <-time.After(between):
		return true
	case <-ctx.Done():
		return false
	}
}

// clock logs in and finds the zones. It waits until the OMS writes something, where nothing else shows the zone.
func (f *finder) clock(ctx context.Context) error {
	source, err := f.src.OMS(time.UTC)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it only read
	if f.instance, err = source.Instance(ctx, f.src.Now()); err != nil {
		return err
	}
	f.say("the database: logged in, " + generation(f.instance.Generation))
	surveyed, cancel := context.WithTimeout(ctx, oneLook)
	f.survey, err = source.Survey(surveyed, f.src.Now())
	cancel()
	f.miss("the database", err)
	for _, column := range append(f.instance.Lacking(), f.survey.Unseen...) {
		f.miss(column.String(), errors.New(grant(column, f.to.Driver)))
	}
	for end := until(ctx, 1, 3); ; {
		looked, cancel := context.WithTimeout(oms.WithScrape(ctx), min(oneLook, time.Until(end)))
		now := f.src.Now()
		all(
			func() { _, _ = source.Jobs(looked, now) }, // their errors are reported once they are read in their zone
			func() { _, _ = source.Orders(looked, now) },
			func() { _, _ = source.DataManager(looked, now) },
		)
		cancel()
		now = f.src.Now()
		f.zones = findZones(source.Clock(now), f.survey, now)
		if f.zones.sure || !wait(ctx, end) {
			break
		}
	}
	f.say("the zone of the timestamps: " + f.zones.database.String())
	return nil
}

// all calls the functions at once.
func all(functions ...func()) {
	var wg sync.WaitGroup
	for _, fn := range functions {
		wg.Go(fn)
	}
	wg.Wait()
}

// database reads the facts in the zone that was found.
func (f *finder) database(ctx context.Context) error {
	source, err := f.src.OMS(f.zones.database)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it only read
	var errs [3]error
	for end := until(ctx, 1, 2); ; {
		looked, cancel := context.WithDeadline(oms.WithScrape(ctx), end)
		now := f.src.Now()
		all(
			func() { f.orders, errs[0] = source.Orders(looked, now) },
			func() { f.jobs, errs[1] = source.Jobs(looked, now) },
			func() { f.files, errs[2] = source.DataManager(looked, now) },
		)
		cancel()
		incomplete := slices.ContainsFunc(errs[:], func(err error) bool { return errors.Is(err, oms.ErrIncomplete) })
		if !incomplete || !wait(ctx, end) {
			break
		}
	}
	for i, what := range []string{"orders", "jobs", "files"} {
		f.miss(what, errs[i])
	}
	looked, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	f.attributes, err = source.Attributes(looked, f.src.Now())
	f.miss("the attributes of orders", err)
	f.configs(ctx, source)
	return nil
}

// configs finds out by which configurations of the data manager files come, and reset inventory.
func (f *finder) configs(ctx context.Context, source oms.Source) {
	configs := f.survey.Configs.All
	var active []string // those of which a file ended lately
	if f.files.History != nil {
		for _, c := range f.files.History.Configs {
			active = append(active, c.Config)
			if !f.survey.Configs.Known {
				configs = append(configs, oms.SurveyedConfig{FileConfig: oms.FileConfig{Config: c.Config, Enabled: true}})
			}
		}
	}
	rank := func(c oms.SurveyedConfig) int {
		switch {
		case looksLikeReset(c) != "":
			return 0
		case slices.Contains(active, c.Config):
			return 1
		}
		return 2
	}
	configs = slices.SortedStableFunc(slices.Values(configs), func(a, b oms.SurveyedConfig) int { return rank(a) - rank(b) })
	end := until(ctx, 1, 2)
	for i, c := range configs {
		u := used{SurveyedConfig: c}
		if rank(c) < 2 && i < mostConfigs && time.Now().Before(end) {
			looked, cancel := context.WithTimeout(ctx, min(oneLook, time.Until(end)))
			u.processed, u.err = source.LastFiles(looked, f.src.Now(), c.Config)
			f.miss("the files of "+words(c.Config), u.err)
			cancel()
		}
		if why := looksLikeReset(c); why != "" {
			f.resets = append(f.resets, reset{used: u, why: why})
		} else {
			f.others = append(f.others, u)
		}
	}
	// Those in use come first, and get the usual names.
	now := f.src.Now()
	slices.SortStableFunc(f.resets, func(a, b reset) int {
		switch first := a.inUse(now); {
		case first == b.inUse(now):
			return 0
		case first:
			return -1
		}
		return 1
	})
	name(f.resets)
	f.say("configurations of the data manager: " + count(len(configs), "configuration") + ", " + count(len(f.resets), "looks", "look") + " like reset inventory")
}

// reports lists the dashboards.
func (f *finder) reports(ctx context.Context) {
	var err error
	f.dashboards, err = f.src.Dashboards(ctx)
	f.miss("Superset", err)
	if err == nil {
		f.say("Superset: logged in, the account sees " + count(len(f.dashboards), "dashboard"))
	}
}
