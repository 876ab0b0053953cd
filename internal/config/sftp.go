package config

import (
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (r *reader) sftp(n *yaml.Node, sources []ResetSource) []SFTP {
	items := r.items(n, "sftp", "a list of locations")
	locations := make([]SFTP, 0, len(items))
	lines := map[string]int{}
	for _, item := range items {
		l := r.location(item, lines, sources)
		if i := slices.IndexFunc(locations, l.contradicts); i >= 0 {
			r.fail(item.Line, "the sftp location in %s has the same address and username, so one connection serves both: "+
				"write the same password, private key, passphrase, known_hosts_file and legacy_algorithms", r.place(items[i].Line, item.Line))
		}
		locations = append(locations, l)
	}
	return locations
}

// contradicts reports whether two locations have one account, and say different things of it.
func (s SFTP) contradicts(other SFTP) bool {
	if s.Address == "" || s.Username == "" || s.Address != other.Address || s.Username != other.Username {
		return false
	}
	return !s.Password.same(other.Password) || !s.PrivateKey.same(other.PrivateKey) ||
		!s.Passphrase.same(other.Passphrase) || !s.KnownHosts.same(other.KnownHosts) ||
		s.LegacyAlgorithms != other.LegacyAlgorithms
}

// location reads one location. lines holds the names that are taken already, see unique.
func (r *reader) location(n *yaml.Node, lines map[string]int, sources []ResetSource) SFTP {
	const hostsHint = "the path of a file that contains the server's host key"
	s := SFTP{Pattern: "*"}
	nodes := map[string]*yaml.Node{}
	keep := func(key string) field { return field{read: func(n *yaml.Node) { nodes[key] = n }} }
	text := func(to *string, key, hint string, fault func(string) string) field {
		return field{need: hint, read: func(n *yaml.Node) {
			if r.checked(n, to, "sftp."+key, hint, fault) {
				nodes[key] = n
			}
		}}
	}
	optional := func(f field) field { return field{read: f.read} }
	var format, legacy string
	r.fields(n, "sftp", map[string]field{
		"location":          text(&s.Location, "location", "a name such as reset-inventory", anyText),
		"source":            text(&s.Source, "source", sourcesHint(sources), sourceFault(sources)),
		"address":           text(&s.Address, "address", "host:port such as sftp.example.com:22", addressFault),
		"username":          text(&s.Username, "username", "the name of a user who may only read", anyText),
		"password":          keep("password"),
		"password_file":     keep("password_file"),
		"private_key_file":  keep("private_key_file"),
		"passphrase_file":   keep("passphrase_file"),
		"known_hosts_file":  {need: hostsHint, read: func(n *yaml.Node) { s.KnownHosts = r.knownHosts(n) }},
		"legacy_algorithms": optional(text(&legacy, "legacy_algorithms", "true, or leave it out", legacyFault)),
		"path":              text(&s.Path, "path", "an absolute path on the server such as /home/krewe/hotwax/inventory", pathFault),
		"archive":           optional(text(&s.Archive, "archive", "a folder such as archive", anyText)),
		"failed":            optional(text(&s.Failed, "failed", "a folder such as failed", anyText)),
		"pattern":           optional(text(&s.Pattern, "pattern", `one such as "*InventoryItemExport*.csv"`, patternFault)),
		"format":            optional(text(&format, "format", "reset_inventory, or leave it out", formatFault)),
	})
	if s.Location != "" {
		r.unique(lines, nodes["location"], "sftp.location", "give each location a name of its own")
	}
	s.Address, _ = address(s.Address)
	s.CheckFormat, s.LegacyAlgorithms = format != "", legacy == "true"
	r.folders(s, nodes)
	r.credentials(n, &s, nodes)
	return s
}

func anyText(string) string { return "" }

func sourcesHint(sources []ResetSource) string {
	var names []string
	for _, s := range sources {
		if s.Source != "" {
			names = append(names, s.Source)
		}
	}
	if len(names) == 0 {
		return "the name of a source, and put it into reset_inventory with its config_ids"
	}
	return strings.Join(names, " or ") + ", or put another source into reset_inventory"
}

func sourceFault(sources []ResetSource) func(string) string {
	return func(name string) string {
		if slices.ContainsFunc(sources, func(s ResetSource) bool { return s.Source == name }) {
			return ""
		}
		return " is not a source in reset_inventory"
	}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// address adds the port of SSH where there is none.
func address(text string) (string, bool) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), "22"
	}
	number, err := strconv.ParseUint(port, 10, 16)
	_, notIP := netip.ParseAddr(host)
	if err != nil || number == 0 || notIP != nil && !hostName.MatchString(host) {
		return "", false
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10)), true
}

func addressFault(text string) string {
	if _, ok := address(text); !ok {
		return " is not host:port"
	}
	return ""
}

func pathFault(text string) string {
	if !path.IsAbs(text) {
		return " is not absolute"
	}
	return ""
}

func patternFault(text string) string {
	if _, err := path.Match(text, ""); err != nil || strings.Contains(text, "/") {
		return " is not a pattern of file names"
	}
	return ""
}

func formatFault(text string) string {
	if text != "reset_inventory" {
		return " is not known"
	}
	return ""
}

func legacyFault(text string) string {
	if text != "true" && text != "false" {
		return " is neither true nor false"
	}
	return ""
}

// folders takes no folder for two things: what is there would be counted twice.
func (r *reader) folders(s SFTP, nodes map[string]*yaml.Node) {
	taken := map[string]string{path.Clean(s.Path): "path"}
	for _, key := range []string{"archive", "failed"} {
		folder := map[string]string{"archive": s.Archive, "failed": s.Failed}[key]
		if nodes[key] == nil || s.Path == "" {
			continue
		}
		if !path.IsAbs(folder) {
			folder = path.Join(s.Path, folder)
		}
		if first := taken[path.Clean(folder)]; first != "" {
			r.fail(nodes[key].Line, "sftp.%s is the folder of sftp.%s too: write another, or leave it out", key, first)
		}
		taken[path.Clean(folder)] = key
	}
}
