package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/alike"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// maxSkew is how far the clocks of the database and the exporter may be apart.
	maxSkew = 5 * time.Minute
	// mostAlike is how many similar names are listed.
	mostAlike = 3
)

// databaseFacts are what a look at the database shows. An area that failed has an error by the name of its collector.
type databaseFacts struct {
	orders   oms.Orders
	jobs     oms.Jobs
	files    oms.DataManager
	reset    oms.ResetInventory
	messages oms.List[oms.OpenMessages]
	clock    oms.Clock

	mu   sync.Mutex
	errs map[string]error
}

// databaseAreas are those that are read of a database, by their collectors.
func databaseAreas() []string {
	return []string{"orders", "last_mile", "jobs", "data_manager", "reset_inventory", "system_messages"}
}

// database judges what is in the client's database.
func database(ctx context.Context, client config.Client, src Sources) []Finding {
	f := findings{client: client.Name}
	checked := slices.DeleteFunc(databaseAreas(), src.Skips)
	if len(client.ResetInventory) == 0 {
		checked = slices.DeleteFunc(checked, func(area string) bool { return area == "reset_inventory" })
	}
	instance, err := src.OMS.Instance(ctx, time.Now())
	if err != nil {
		f.failed("database", "Correct database in the configuration, or the account on the server (docs/databases.md).", err)
		areas := []string{"schema", "zone"}
		for _, area := range checked {
			if area != "reset_inventory" {
				areas = append(areas, area)
				continue
			}
			for _, s := range client.ResetInventory {
				areas = append(areas, area+" "+s.Source)
			}
		}
		for _, area := range areas {
			f.wrong(area, "Fix the area database first.", "not checked, because the database cannot be read")
		}
		if src.Sanity {
			f.all = append(f.all, unreadableSanity(client, checked)...)
		}
		return f.all
	}
	f.ok("database")
	f.schema(client, instance)
	facts := observe(ctx, src.OMS, checked)
	f.zone(client, facts.clock)
	if slices.Contains(checked, "orders") {
		f.attributes(ctx, client, src.OMS)
	}
	for _, area := range checked {
		if err := facts.errs[area]; !errors.Is(err, oms.ErrIncomplete) { // else only the history is, of which nothing is asked
			f.failed(area, grantFix(client), err)
		}
		switch area {
		case "orders":
			f.exclusions(client, facts)
		case "reset_inventory":
			f.resetInventory(client, facts)
			continue
		}
		f.rest(area)
	}
	if src.Sanity {
		f.all = append(f.all, databaseSanity(client, checked, facts)...)
	}
	return f.all
}

// observe looks at the areas until nothing more can be learnt from another look, or there is no time for one.
func observe(ctx context.Context, src oms.Source, areas []string) *databaseFacts {
	pause := time.NewTicker(between)
	defer pause.Stop()
	for {
		facts := look(ctx, src, areas)
		complete := facts.clock.Skew != nil
		for _, err := range facts.errs {
			complete = complete && !errors.Is(err, oms.ErrIncomplete)
		}
		deadline, _ := ctx.Deadline()
		if complete || time.Until(deadline) < 2*between {
			return facts
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return facts
		}
	}
}

// look reads all areas once, as a scrape does.
func look(ctx context.Context, src oms.Source, areas []string) *databaseFacts {
	ctx, cancel := margin(oms.WithScrape(ctx))
	defer cancel()
	now := time.Now()
	facts := &databaseFacts{errs: map[string]error{}}
	read := map[string]func() error{
		"orders":       func() (err error) { facts.orders, err = src.Orders(ctx, now); return err },
		"last_mile":    func() error { _, err := src.LastMile(ctx, now); return err },
		"jobs":         func() (err error) { facts.jobs, err = src.Jobs(ctx, now); return err },
		"data_manager": func() (err error) { facts.files, err = src.DataManager(ctx, now); return err },
		"reset_inventory": func() (err error) {
			facts.reset, err = src.ResetInventory(ctx, now)
			return err
		},
		"system_messages": func() (err error) { facts.messages, err = src.SystemMessages(ctx, now); return err },
	}
	var wg sync.WaitGroup
	if slices.Contains(areas, "reset_inventory") && !slices.Contains(areas, "data_manager") {
		areas = append(slices.Clone(areas), "data_manager") // which has the configurations, and is read with the other
	}
	for _, area := range areas {
		wg.Go(func() {
			err := read[area]()
			facts.mu.Lock()
			defer facts.mu.Unlock()
			facts.errs[area] = err
		})
	}
	wg.Wait()
	facts.clock = src.Clock(time.Now())
	return facts
}

// schema tells what cannot be read.
func (f *findings) schema(client config.Client, instance oms.Instance) {
	for _, missing := range instance.Lacking() {
		kind := "table"
		if missing.Column != "" {
			kind = "column"
		}
		f.wrong("schema", grantFix(client), "the %s %s does not exist, or the account is not allowed to read it: metrics that need it are absent", kind, missing)
	}
	f.rest("schema")
}

// grantFix says how the account gets what it may not read.
func grantFix(client config.Client) string {
	if client.Database.Driver == config.SQLite {
		return "Check that database.dsn names the database of an OMS, of a version that has this."
	}
	file := "mysql.sql"
	if client.Database.Driver == config.Postgres {
		file = "postgres.sql"
	}
	return "Run deploy/database/" + file + " again in the client's database: it contains the grants. If a finding remains after that, this OMS version does not have the table or column."
}

// zone judges the clock, and with it database.timezone.
func (f *findings) zone(client config.Client, clock oms.Clock) {
	const area = "zone"
	zone := client.Database.Timezone.String()
	if clock.Skew == nil {
		known := "there is no timestamp"
		if clock.Stillness != nil {
			known = fmt.Sprintf("nothing is being written, and the newest timestamp is %s old if database.timezone (%s) is right",
				clock.Stillness.Round(time.Second), zone)
		}
		f.wrong(area, "Run the check again while the OMS is running jobs.", "the zone of the database's timestamps cannot be checked: %s", known)
		return
	}
	if clock.Skew.Abs() > maxSkew {
		fix := "No time zone explains it: check the clocks of the OMS's servers and of this machine, and whether a replica lags."
		if clock.Fitting != "" {
			fix = "Set database.timezone to a zone that now is " + clock.Fitting + "."
		}
		f.wrong(area, fix, "the database's newest timestamp, read in database.timezone (%s), is %s %s now", zone, clock.Skew.Abs().Round(time.Second), direction(*clock.Skew))
	} else {
		for _, instance := range slices.Sorted(maps.Keys(clock.Instances)) {
			if skew := clock.Instances[instance]; skew.Abs() > maxSkew {
				f.wrong(area, "Correct the clock or the zone of that server.", "the application server %q writes timestamps that are %s %s now",
					instance, skew.Abs().Round(time.Second), direction(skew))
			}
		}
	}
	f.rest(area)
}

func direction(skew time.Duration) string {
	if skew < 0 {
		return "behind"
	}
	return "ahead of"
}

// exclusions reports excluded channels without any order.
func (f *findings) exclusions(client config.Client, facts *databaseFacts) {
	if facts.errs["orders"] != nil && !errors.Is(facts.errs["orders"], oms.ErrIncomplete) {
		return
	}
	var channels []string
	for _, o := range facts.orders.Open.All {
		channels = append(channels, o.Channel.Channel)
	}
	for _, i := range facts.orders.Imports {
		channels = append(channels, i.Channel.Channel)
	}
	channels = slices.DeleteFunc(channels, func(c string) bool { return c == "" })
	for _, excluded := range client.Orders.CreatedExclude.Channels {
		if slices.Contains(channels, excluded) || facts.orders.Excluded["channel "+excluded] > 0 {
			continue
		}
		if facts.errs["orders"] != nil || facts.orders.Merged > 0 {
			f.wrong("orders", "Run the check again later.", "not all channels are known yet, so it is unknown whether there are orders from the excluded channel %s", excluded)
			continue
		}
		f.wrong("orders", "Correct orders.created_exclude.channels, or remove the channel.",
			"no open order and no order of the last days has the excluded channel %s; %s", excluded, those(excluded, channels, "channels"))
	}
}

// attributes reports attributes by whose absence created orders are excluded, and that no order gets: without a word, every created
// order would be excluded.
func (f *findings) attributes(ctx context.Context, client config.Client, src oms.Source) {
	const fix = "Correct orders.created_exclude.missing_attributes, or remove the attribute: every created order lacks it, so none of them is watched."
	wanted := client.Orders.CreatedExclude.MissingAttributes
	if len(wanted) == 0 {
		return
	}
	known, err := src.Attributes(ctx, time.Now())
	if err != nil || !known.Known {
		f.failed("orders", grantFix(client), cmp.Or(err, errors.New("it is unknown whether the attributes in missing_attributes exist: order_attribute cannot be read")))
		return
	}
	for _, name := range wanted {
		if !slices.Contains(known.All, name) {
			f.wrong("orders", fix, "none of the approved orders that were checked has the attribute %s; %s", name, those(name, known.All, "attributes"))
		}
	}
}

// resetInventory judges the configurations of the data manager by which files come.
func (f *findings) resetInventory(client config.Client, facts *databaseFacts) {
	err := facts.errs["reset_inventory"]
	var all []string
	known := map[string]oms.FileConfig{}
	for _, c := range facts.files.Configs.All {
		known[c.Config] = c
		all = append(all, c.Config)
	}
	for _, s := range client.ResetInventory {
		area := "reset_inventory " + s.Source
		switch {
		case err != nil && !errors.Is(err, oms.ErrIncomplete):
			f.failed(area, grantFix(client), err)
			continue
		case !facts.files.Configs.Known:
			f.wrong(area, grantFix(client), "it is unknown whether its config_ids exist: data_manager_config cannot be read")
			continue
		}
		for _, id := range s.ConfigIDs {
			switch c, found := known[id]; {
			case !found:
				f.wrong(area, "Correct reset_inventory.config_ids of source "+s.Source+".",
					"the configuration %s is not in data_manager_config; %s", id, those(id, all, "configurations"))
			case !c.Enabled:
				f.wrong(area, "Enable it in the OMS (execution_mode_id), or write the configuration that is used instead.",
					"the configuration %s is disabled in data_manager_config, so it does not import files", id)
			}
		}
		f.rest(area)
	}
}

// those lists the existing names that are similar.
func those(name string, all []string, what string) string {
	if len(all) == 0 {
		return "there are no " + what
	}
	return what + " with similar names: " + strings.Join(alike.Names(name, all, mostAlike), ", ")
}
