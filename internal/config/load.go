package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"
)

// DefaultMaxConnections is one for each area of the OMS, which uses one connection at a time: the instance, orders, jobs,
// files, system messages and the last mile.
const DefaultMaxConnections = 6

const (
	defaultTimeoutOffset = 500 * time.Millisecond
	// maxTimeoutOffset is Prometheus' default scrape timeout: an offset as long as that leaves no time to measure.
	maxTimeoutOffset = 10 * time.Second
)

// A Loader reads configuration files. What one load waited for without success, the next does not wait for again. The zero
// value is ready to use; it is safe for concurrent use.
type Loader struct{ files files }

// Load is Loader.Load for a single load.
func Load(paths ...string) (*Config, error) { return new(Loader).Load(paths...) }

// Load reads and checks configuration files, which together are one configuration. Each path is that of a file, or of a folder:
// of that all files *.yml are read, in the order of their names, but not hidden ones and not those in folders below. Relative paths
// in a file are relative to its directory. The error has a line for each mistake, which names the file, the line, the client and
// the fix; it never repeats a secret or a DSN.
//
// A secret that cannot be read, or that does not hold what it should, is no error: see Client.SecretFaults.
func (l *Loader) Load(paths ...string) (*Config, error) {
	c, r, err := l.read(paths)
	if err == nil && len(r.mistakes.all) > 0 {
		c, err = nil, joined(r.texts(r.mistakes, r.faults))
	}
	return c, err
}

// Check is Load for people who want to know of everything: each fault of a secret is an error too.
func Check(paths ...string) (*Config, error) {
	c, r, err := new(Loader).read(paths)
	if err == nil {
		err = joined(r.texts(r.mistakes, r.faults))
	}
	return c, err
}

// Parse is Check of a text that is in no file: its mistakes name no file and no line.
func Parse(text string) (*Config, error) {
	r := newReader(new(files))
	r.take("", []byte(text))
	c := r.config()
	return c, joined(r.texts(r.mistakes, r.faults))
}

// read notes what is wrong in the reader that it returns.
func (l *Loader) read(paths []string) (*Config, *reader, error) {
	r := newReader(&l.files)
	var unread []error
	for _, path := range paths {
		err := r.open(path)
		unread = append(unread, err)
		if silent(err) {
			break
		}
	}
	if err := errors.Join(unread...); err != nil {
		return nil, nil, err
	}
	for _, file := range r.skipped {
		if !r.has(file) {
			r.warn(r.source(file, nil), "this file is not read: give it a name that ends in .yml")
		}
	}
	return r.config(), r, nil
}

// config returns what the files say together.
func (r *reader) config() *Config {
	c := &Config{TimeoutOffset: defaultTimeoutOffset}
	if !r.broken {
		r.top(c)
	}
	c.Warnings = r.texts(r.warnings)
	return c
}

// open reads the file at path, or those in the folder at path.
func (r *reader) open(path string) error {
	err := r.openFile(path)
	if !errors.Is(err, syscall.EISDIR) {
		return err
	}
	names, err := r.files.list(path, filePatience)
	if err != nil {
		return unreadable(err)
	}
	var unread []error
	var found bool
	for _, name := range names {
		file := filepath.Join(path, name)
		switch {
		case strings.HasPrefix(name, "."):
			continue
		case strings.HasSuffix(name, ".yaml"):
			r.skipped = append(r.skipped, file)
			continue
		case !strings.HasSuffix(name, ".yml"):
			continue
		}
		err := r.openFile(file)
		if errors.Is(err, syscall.EISDIR) {
			continue
		}
		found = true
		unread = append(unread, err)
		if silent(err) {
			break
		}
	}
	if !found {
		return fmt.Errorf("read configuration: the folder %s has no file *.yml: put one there, or name another file or folder", path)
	}
	return errors.Join(unread...)
}

// openFile reads a file, unless it has been read.
func (r *reader) openFile(path string) error {
	if r.has(path) {
		return nil
	}
	data, err := r.files.read(path, filePatience)
	if err != nil {
		return unreadable(err)
	}
	r.take(path, data)
	return nil
}

// take takes in the content of a file.
func (r *reader) take(path string, data []byte) {
	if root := r.document(path, data); root != nil {
		r.roots = append(r.roots, root)
	} else {
		r.broken = true
	}
}

// has reports whether a file has been read.
func (r *reader) has(path string) bool {
	return slices.ContainsFunc(r.sources, func(s source) bool { return filepath.Clean(s.file) == filepath.Clean(path) })
}

func unreadable(err error) error {
	return fmt.Errorf("read configuration: %w: name a file, or a folder with files *.yml, that the exporter can read", err)
}

// top reads what the files have in common, and then the clients of each.
func (r *reader) top(c *Config) {
	const hint = "a list of at least one client"
	var global, defaults, holidays *yaml.Node
	var lists []*yaml.Node
	first := func(to **yaml.Node) field {
		return field{read: func(n *yaml.Node) {
			if *to == nil {
				*to = n
			}
		}}
	}
	known := map[string]field{
		"global":   first(&global),
		"defaults": first(&defaults),
		"holidays": first(&holidays),
		"clients":  {read: func(n *yaml.Node) { lists = append(lists, n) }, need: hint},
	}
	lines := map[string]int{} // of the keys that may be there once
	for _, root := range r.roots {
		for _, p := range r.peek(root) {
			switch key := p.key.Value; {
			case key == "global", key == "defaults", key == "holidays":
				r.unique(lines, p.key, "key", "put its settings together and remove one of the two")
			case key == "clients" && !isNull(p.value): // one file that has some is enough
				known["clients"] = field{read: known["clients"].read}
			}
		}
	}
	for _, root := range r.roots {
		r.fields(without(root, func(key string) bool { return strings.HasPrefix(key, "x-") }), "", known)
		known["clients"] = field{read: known["clients"].read}
	}
	if global != nil {
		r.global(global, c)
	}
	if defaults != nil {
		defaults = r.defaults(defaults)
	}
	if holidays != nil {
		r.holidays = r.sharedHolidays(holidays)
	}
	lines = map[string]int{}
	for _, list := range lists {
		c.Clients = append(c.Clients, r.clients(list, defaults, lines)...)
	}
}

func (r *reader) global(n *yaml.Node, c *Config) {
	r.fields(n, "global", map[string]field{
		"timeout_offset": {read: func(n *yaml.Node) {
			c.TimeoutOffset = r.duration(n, "global.timeout_offset", "a duration such as 500ms", "more than 0s and less than 10s",
				func(d time.Duration) bool { return 0 < d && d < maxTimeoutOffset })
		}},
	})
}

// defaults returns what clients inherit, or nil. It is checked with each client that does.
func (r *reader) defaults(n *yaml.Node) *yaml.Node {
	if !r.mapping(n, "defaults") {
		return nil
	}
	for _, p := range r.peek(n) {
		if p.key.Value == "name" {
			r.fail(p.key.Line, "defaults.name is set: remove it, because each client has a name of its own")
		}
	}
	return without(n, func(key string) bool { return key == "name" })
}

// clients reads a list of them. lines holds the names that are taken already, see unique.
func (r *reader) clients(n, defaults *yaml.Node, lines map[string]int) []Client {
	const hint = "a list of at least one client"
	items := r.items(n, "clients", hint)
	r.notEmpty(n, "clients", hint)
	clients := make([]Client, 0, len(items))
	for i, item := range items {
		r.client = fmt.Sprintf("#%d", i+1)
		clients = append(clients, r.readClient(r.inherit(item, defaults), lines))
	}
	r.client = ""
	return clients
}

// clientName matches what needs no escape in a URL.
var clientName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func (r *reader) readClient(n *yaml.Node, lines map[string]int) Client {
	const nameHint = "the client's name in letters, digits, -, _ and ."
	// The name comes first in the messages, wherever it stands, and stands for <client>.
	for _, p := range r.peek(n) {
		if p.key.Value == "name" && clientName.MatchString(p.value.Value) {
			r.client = p.value.Value
		}
	}
	r.secrets = nil
	var c Client
	var sftp, holidays *yaml.Node // read last, wherever they stand: they are about sources of reset_inventory
	r.fields(n, "", map[string]field{
		"name": {need: nameHint, read: func(n *yaml.Node) {
			name, ok := r.text(n, "name", nameHint)
			switch {
			case !ok:
			case !clientName.MatchString(name):
				r.fail(n.Line, "%s: write %s", shown("name", n.Value, " contains an invalid character"), nameHint)
			case r.unique(lines, n, "name", "remove one of the two, or give each client a name of its own"):
				c.Name = name
			}
		}},
		"timezone": {need: zoneHint, read: func(n *yaml.Node) { c.Timezone = r.zone(n, "timezone") }},
		"labels":   {read: func(n *yaml.Node) { c.Labels = r.labels(n) }},
		"database": {need: "where the client's database is: driver, dsn_file and timezone",
			read: func(n *yaml.Node) { c.Database = r.database(n) }},
		"orders":          {read: func(n *yaml.Node) { c.Orders = r.orders(n) }},
		"reset_inventory": {read: func(n *yaml.Node) { c.ResetInventory = r.resetInventory(n) }},
		"last_mile":       {read: func(n *yaml.Node) { c.LastMile = r.lastMile(n) }},
		"holidays":        {read: func(n *yaml.Node) { holidays = n }},
		"limits":          {read: func(n *yaml.Node) { c.Limits = r.limits(n) }},
		"sftp":            {read: func(n *yaml.Node) { sftp = n }},
		"superset":        {read: func(n *yaml.Node) { c.Superset = r.superset(n) }},
	})
	if holidays != nil {
		c.Holidays = r.clientHolidays(holidays, c.ResetInventory)
	}
	if sftp != nil {
		c.SFTP = r.sftp(sftp, c.ResetInventory)
	}
	c.outside = r.secrets
	return c
}
