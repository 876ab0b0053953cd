package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"
)

// DefaultMaxConnections is one for each area of the OMS, which uses one connection at a time: the instance, orders, jobs,
// files and system messages.
const DefaultMaxConnections = 5

const (
	defaultTimeoutOffset = 500 * time.Millisecond
	// maxTimeoutOffset is Prometheus' default scrape timeout: an offset as long as that leaves no time to measure.
	maxTimeoutOffset = 10 * time.Second
)

// A Loader reads configuration files. What one load waited for without success, the next does not wait for again. The zero
// value is ready to use; it is safe for concurrent use.
type Loader struct{ files files }

// Load is Loader.Load for a single load.
func Load(path string) (*Config, error) { return new(Loader).Load(path) }

// Load reads and checks a configuration file. Relative paths in it are relative to its directory. The error has a line
// for each mistake, which names the file, the line, the client and the mend; it never repeats a secret or a DSN.
//
// A secret that cannot be read, or that does not hold what it should, is no error: see Client.SecretFaults.
func (l *Loader) Load(path string) (*Config, error) {
	c, r, err := l.read(path)
	if err == nil && len(r.mistakes) > 0 {
		c, err = nil, joined(append(r.mistakes, r.faults...)...)
	}
	return c, err
}

// Check is Load for people who want to know of everything: each fault of a secret is an error too.
func Check(path string) (*Config, error) {
	c, r, err := new(Loader).read(path)
	if err == nil {
		err = joined(append(r.mistakes, r.faults...)...)
	}
	return c, err
}

// Parse is Check of a text that is in no file: its mistakes name no file and no line.
func Parse(text string) (*Config, error) {
	c, r := new(Loader).parse("", []byte(text))
	return c, joined(append(r.mistakes, r.faults...)...)
}

// read notes what is wrong in the reader that it returns.
func (l *Loader) read(path string) (*Config, *reader, error) {
	data, err := l.files.read(path, filePatience)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	c, r := l.parse(path, data)
	return c, r, nil
}

// parse reads what the file holds.
func (l *Loader) parse(path string, data []byte) (*Config, *reader) {
	r := &reader{file: path, dir: filepath.Dir(path), files: &l.files}
	c := &Config{TimeoutOffset: defaultTimeoutOffset}
	if root := r.document(data); root != nil {
		r.fields(root, "", map[string]field{
			"global":  {read: func(n *yaml.Node) { r.global(n, c) }},
			"clients": {read: func(n *yaml.Node) { c.Clients = r.clients(n) }, need: "a list of at least one client"},
		})
	}
	c.Warnings = texts(r.warnings)
	return c, r
}

func (r *reader) global(n *yaml.Node, c *Config) {
	r.fields(n, "global", map[string]field{
		"timeout_offset": {read: func(n *yaml.Node) {
			c.TimeoutOffset = r.duration(n, "global.timeout_offset", "a duration such as 500ms", "more than 0s and less than 10s",
				func(d time.Duration) bool { return 0 < d && d < maxTimeoutOffset })
		}},
	})
}

func (r *reader) clients(n *yaml.Node) []Client {
	const hint = "a list of at least one client"
	items := r.items(n, "clients", hint)
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		r.fail(n.Line, "clients is empty: write %s", hint)
	}
	clients := make([]Client, 0, len(items))
	lines := map[string]int{}
	for i, item := range items {
		r.client = fmt.Sprintf("#%d", i+1)
		clients = append(clients, r.readClient(item, lines))
	}
	r.client = ""
	return clients
}

// clientName matches what needs no escape in a URL.
var clientName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func (r *reader) readClient(n *yaml.Node, lines map[string]int) Client {
	const nameMend = "the client's name in letters, digits, -, _ and ."
	// The name comes first in the messages, wherever it stands.
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if name := target(n.Content[i+1]).Value; n.Content[i].Value == "name" && clientName.MatchString(name) {
			r.client = name
			break
		}
	}
	r.secrets = nil
	var c Client
	var sftp *yaml.Node // read last, wherever it stands: it names sources of reset_inventory
	r.fields(n, "", map[string]field{
		"name": {need: nameMend, read: func(n *yaml.Node) {
			name, ok := r.text(n, "name", nameMend)
			switch {
			case !ok:
			case !clientName.MatchString(name):
				r.fail(n.Line, "%s: write %s", shown("name", name, " holds other signs"), nameMend)
			case r.unique(lines, n, "name", "give each client a name of its own"):
				c.Name = name
			}
		}},
		"timezone": {need: zoneMend, read: func(n *yaml.Node) { c.Timezone = r.zone(n, "timezone") }},
		"labels":   {read: func(n *yaml.Node) { c.Labels = r.labels(n) }},
		"database": {need: "where the client's database is: driver, dsn_file and timezone",
			read: func(n *yaml.Node) { c.Database = r.database(n) }},
		"orders":          {read: func(n *yaml.Node) { c.Orders = r.orders(n) }},
		"reset_inventory": {read: func(n *yaml.Node) { c.ResetInventory = r.resetInventory(n) }},
		"sftp":            {read: func(n *yaml.Node) { sftp = n }},
		"superset":        {read: func(n *yaml.Node) { c.Superset = r.superset(n) }},
	})
	if sftp != nil {
		c.SFTP = r.sftp(sftp, c.ResetInventory)
	}
	c.outside = r.secrets
	return c
}
