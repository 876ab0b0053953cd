package discover

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// Connections are how a client's systems are reached, in the words of the configuration. What is not given is empty.
type Connections struct {
	Name, Driver, DSN, DSNFile string
	SFTP                       SFTP
	Superset                   Superset
}

// SFTP is the login on an SFTP server.
type SFTP struct{ Address, Username, PasswordFile, PrivateKeyFile, KnownHostsFile string }

// Superset is the login on an Apache Superset.
type Superset struct{ URL, Username, PasswordFile string }

// setting is a key with its value.
type setting struct{ key, value string }

func (c Connections) database() []setting {
	return []setting{{"driver", c.Driver}, {"dsn", c.DSN}, {"dsn_file", c.DSNFile}}
}

func (s SFTP) settings() []setting {
	return []setting{
		{"address", s.Address}, {"username", s.Username}, {"password_file", s.PasswordFile}, {"private_key_file", s.PrivateKeyFile},
		{"known_hosts_file", s.KnownHostsFile},
	}
}

func (s Superset) settings() []setting {
	return []setting{{"url", s.URL}, {"username", s.Username}, {"password_file", s.PasswordFile}}
}

// Draft is an entry with the connections alone, and something where the configuration needs more. It is for config.Parse, which
// judges it.
func (c Connections) Draft() string {
	var t text
	t.add(0, "clients:")
	t.add(1, "- name: "+scalar(c.Name))
	t.add(2, "timezone: UTC")
	t.add(2, "database:")
	t.settings(3, append(c.database(), setting{"timezone", "UTC"}))
	if c.SFTP != (SFTP{}) {
		t.add(2, "reset_inventory: [{source: draft, config_ids: [draft]}]")
		t.add(2, "sftp:")
		t.add(3, "- location: draft")
		t.settings(4, append([]setting{{"source", "draft"}, {"path", "/"}}, c.SFTP.settings()...))
	}
	if c.Superset != (Superset{}) {
		t.add(2, "superset:")
		t.settings(3, append(c.Superset.settings(), setting{"dashboards", "[draft]"}))
	}
	return t.lines.String()
}

// text is YAML, line by line.
type text struct{ lines strings.Builder }

// add writes a line.
func (t *text) add(depth int, line string) {
	fmt.Fprintf(&t.lines, "%s%s\n", strings.Repeat("  ", depth), line)
}

// note writes a comment in a line of its own.
func (t *text) note(depth int, comment string) { t.add(depth, "# "+comment) }

// settings writes those that are given. A list stands as it is.
func (t *text) settings(depth int, all []setting) {
	for _, s := range all {
		value := s.value
		if s.key != "dashboards" {
			value = scalar(value)
		}
		if s.value != "" {
			t.add(depth, s.key+": "+value)
		}
	}
}

// plain matches what needs no quotes in YAML, and is no other type there.
var (
	plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./:@-]*$`)
	typed = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// scalar writes a text as a value.
func scalar(value string) string {
	if plain.MatchString(value) && !typed.MatchString(value) && !strings.HasSuffix(value, ":") {
		return value
	}
	return strconv.Quote(value)
}

// words are foreign text in one line of a comment.
func words(foreign string) string {
	return config.Brief(strings.Join(strings.Fields(foreign), " "), maxWords)
}

func generation(g oms.Generation) string {
	return map[oms.Generation]string{
		oms.GenerationOFBiz: "OFBiz (no table of Moqui exists or is granted)", oms.GenerationBoth: "OFBiz and Moqui",
		oms.GenerationMoqui: "Moqui (no table of OFBiz' jobs exists or is granted)",
	}[g]
}

// grant says how the account gets what it may not read.
func grant(c oms.Column, driver string) string {
	file := map[config.Driver]string{config.MySQL: "mysql.sql", config.Postgres: "postgres.sql"}[config.Driver(driver)]
	switch {
	case file == "":
		return "it is not in the database: this version of the OMS does not have it"
	case c.Column == "":
		return "not there, or not granted: the grants on " + c.Table + " are in deploy/database/" + file
	}
	return fmt.Sprintf("not there, or not granted: GRANT SELECT (%s) ON %s, as in deploy/database/%s", c.Column, c.Table, file)
}

// text is the entry.
func (f *finder) text(now time.Time) string {
	var t text
	t.note(0, "What oms_exporter discover found at "+now.UTC().Format("2006-01-02 15:04")+" UTC. Read the comments, correct what is marked as not sure, and run oms_exporter check.")
	pools := make([]string, 0, len(f.jobs.Pools))
	for _, p := range f.jobs.Pools {
		pool := words(p.Name)
		if !p.LastStart.IsZero() {
			pool += " (last start " + ago(now, p.LastStart) + ")"
		}
		pools = append(pools, pool)
	}
	slices.Sort(pools)
	t.note(0, "The OMS: "+generation(f.instance.Generation)+". Its pools of jobs: "+orNone(strings.Join(pools, ", "))+".")
	if len(f.unseen) > 0 {
		t.note(0, "Not seen:")
		for _, line := range f.unseen {
			t.note(0, "  "+line)
		}
	}
	t.add(0, "clients:")
	t.add(1, "- name: "+scalar(f.to.Name))
	t.note(2, f.zones.whyClient)
	t.add(2, "timezone: "+scalar(f.zones.client.String()))
	t.add(2, "database:")
	t.settings(3, f.to.database())
	t.note(3, f.zones.whyDatabase)
	t.add(3, "timezone: "+scalar(f.zones.database.String()))
	f.exclusions(&t, now)
	f.resetInventory(&t, now)
	f.otherFiles(&t, now)
	f.locations(&t, now)
	f.superset(&t)
	return t.lines.String()
}

func orNone(list string) string {
	if list == "" {
		return "none was seen"
	}
	return list
}

// ago says how long ago something was.
func ago(now, at time.Time) string {
	age := now.Sub(at)
	if age < time.Minute {
		return "less than a minute ago"
	}
	shown := age.Round(time.Minute)
	if age >= 48*time.Hour {
		return fmt.Sprintf("%d days ago", int(age.Hours()/24))
	}
	return strings.TrimSuffix(shown.String(), "0s") + " ago"
}

// A channel is what is known of orders by it.
type channel struct {
	waiting []string // in created, by store
	entered int      // within oms.RecentOrders
}

// exclusions has the channels, with what waits in created, to choose from.
func (f *finder) exclusions(t *text, now time.Time) {
	channels := map[string]*channel{}
	of := func(c oms.Channel) *channel {
		if channels[c.Channel] == nil {
			channels[c.Channel] = new(channel)
		}
		return channels[c.Channel]
	}
	oldest := map[oms.Channel]time.Time{}
	for _, c := range f.orders.Created.All {
		oldest[c.Channel] = c.Oldest
	}
	for _, i := range f.orders.Imports {
		of(i.Channel).entered += i.Recent
	}
	for _, o := range f.orders.Open.All {
		c := of(o.Channel)
		if o.Status != oms.OrderCreated || o.Count == 0 {
			continue
		}
		line := count(o.Count, "order") + " of store " + words(o.ProductStore)
		if at := oldest[o.Channel]; !at.IsZero() {
			line += ", the oldest entered " + ago(now, at)
		}
		c.waiting = append(c.waiting, line)
	}
	if len(channels) == 0 {
		return
	}
	t.note(2, "Known waits of created orders: uncomment the channels and the attributes that apply.")
	t.note(2, "orders:")
	t.note(2, "  created_exclude:")
	t.note(2, "    channels:")
	for _, name := range slices.Sorted(maps.Keys(channels)) {
		line, c := "      - "+scalar(name)+"   # ", channels[name]
		if name == "" {
			line = "      without a channel: "
		}
		slices.Sort(c.waiting)
		if line += "waiting in created: " + strings.Join(c.waiting, "; "); len(c.waiting) == 0 {
			line += "none"
		}
		t.note(2, line+"; entered within 24 hours: "+strconv.Itoa(c.entered))
	}
	if len(f.attributes.All) > 0 {
		names := slices.Sorted(slices.Values(f.attributes.All))
		for i, name := range names {
			names[i] = scalar(name)
		}
		t.note(2, "    missing_attributes: ["+strings.Join(names, ", ")+"]   # those that approved orders have")
	}
}

// resetInventory has the sources; those by which nothing comes are comments.
func (f *finder) resetInventory(t *text, now time.Time) {
	live := slices.ContainsFunc(f.resets, func(r reset) bool { return r.inUse(now) })
	if live {
		t.add(2, "reset_inventory:")
	} else {
		t.note(2, "No configuration that looks like reset inventory is in use. Find the one that imports the files in the list below.")
		t.note(2, "reset_inventory:")
	}
	for _, r := range f.resets {
		write := t.add
		if !r.inUse(now) {
			write = t.note
		}
		write(3, "- source: "+scalar(r.source))
		t.note(4, words(r.Config)+" "+r.why+f.state(r.used, now)+".")
		write(4, "config_ids: ["+scalar(r.Config)+"]")
		h := habitOf(r.processed, f.zones.client, now)
		switch {
		case !r.inUse(now):
		case len(h.deadlines) == 0:
			t.note(4, "no process_by: "+h.text)
		default:
			t.note(4, `process_by: ["`+strings.Join(h.deadlines, `", "`)+`"]   # `+h.text)
			if len(h.days) > 0 {
				t.note(4, "days: ["+strings.Join(h.days, ", ")+"]")
			}
		}
	}
}

// state says whether the configuration is in use.
func (f *finder) state(u used, now time.Time) string {
	switch {
	case u.err != nil:
		return "; its files could not be read"
	case !u.Enabled:
		return "; it is disabled"
	case len(u.processed) == 0:
		return "; no file was ever processed by it"
	}
	last := u.processed[len(u.processed)-1]
	text := "; the last file was processed at " + last.In(f.zones.client).Format("2006-01-02 15:04 MST")
	if !u.inUse(now) {
		text += ", so it is not in use"
	}
	return text
}

// otherFiles lists the other configurations, of which one may be meant.
func (f *finder) otherFiles(t *text, now time.Time) {
	var lines []string
	idle := 0
	for _, u := range f.others {
		if len(u.processed) == 0 {
			idle++
			continue
		}
		lines = append(lines, "  "+words(u.Config)+f.state(u, now)+"; "+habitOf(u.processed, f.zones.client, now).text)
	}
	if len(lines)+idle == 0 {
		return
	}
	t.note(2, "Other data-manager configurations, and when their files are processed:")
	for _, line := range lines {
		t.note(2, line)
	}
	if idle > 0 {
		t.note(2, "  and "+count(idle, "other")+" without a file within 7 days, or not checked")
	}
}

// locations has the drop folders.
func (f *finder) locations(t *text, now time.Time) {
	if f.src.DropFolders == nil {
		for _, r := range f.resets {
			if r.ImportPath != "" && r.inUse(now) {
				line := fmt.Sprintf("sftp: not checked, because no server was given. According to data_manager_config, the files of %s are in %q", words(r.Config), words(r.ImportPath))
				if r.Pattern != "" {
					line += fmt.Sprintf(", and their names match %q", words(r.Pattern))
				}
				t.note(2, line+".")
			}
		}
		return
	}
	if len(f.places) == 0 {
		t.note(2, "sftp: no folder of a source in use could be listed.")
		return
	}
	t.add(2, "sftp:")
	for _, p := range f.places {
		t.add(3, "- location: "+scalar(p.of.source))
		t.add(4, "source: "+scalar(p.of.source))
		t.settings(4, f.to.SFTP.settings())
		var there []string
		for _, folder := range p.seen.Folders {
			there = append(there, count(folder.Files+folder.Older+folder.Unmatched, "file")+" in "+string(folder.Folder))
		}
		t.note(4, "There: "+strings.Join(there, ", ")+".")
		from := "   # import_path of " + words(p.of.Config)
		if p.at.Path != path.Join("/", p.of.ImportPath) {
			from += " (" + words(p.of.ImportPath) + "), as the account sees it"
		}
		t.add(4, "path: "+scalar(p.at.Path)+from)
		t.add(4, "pattern: "+scalar(p.at.Pattern)+"   # "+p.why)
		for _, which := range []oms.Folder{oms.FolderArchive, oms.FolderFailed} {
			if p.has(which) {
				t.add(4, string(which)+": "+string(which))
			} else {
				t.note(4, string(which)+": not seen; name the folder if it has another name")
			}
		}
		t.note(4, "format: reset_inventory   # uncomment it to have waiting files checked")
	}
}

// superset has the dashboards whose name or title has the client's name; the others are comments.
func (f *finder) superset(t *text) {
	if f.src.Dashboards == nil || len(f.dashboards) == 0 {
		return
	}
	own := func(d oms.SeenDashboard) bool {
		return strings.Contains(strings.ToLower(d.Name+" "+d.Title), strings.ToLower(f.to.Name))
	}
	write := t.add
	if !slices.ContainsFunc(f.dashboards, own) {
		t.note(2, "No dashboard that the account sees has the name of the client: uncomment this with those that show it.")
		write = t.note
	}
	write(2, "superset:")
	for _, s := range f.to.Superset.settings() {
		write(3, s.key+": "+scalar(s.value))
	}
	write(3, "dashboards:")
	for _, d := range f.dashboards {
		line := "- " + scalar(d.Name) + "   # " + words(d.Title)
		if own(d) {
			write(4, line)
		} else {
			t.note(4, line)
		}
	}
}
