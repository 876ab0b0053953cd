package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"
)

// The files that the configuration names, beside the databases.
const (
	passwordFile   = "sftp_password"
	knownHostsFile = "known_hosts"
	supersetFile   = "superset_password"
)

// writeConfig writes a configuration of the exporter for the clients and what it needs to log in to their SFTP servers and to
// Superset, next to their databases, and returns its path.
func writeConfig(dir string, clients []*client, password string, superset *supersetServer) (string, error) {
	var text, hosts strings.Builder
	text.WriteString("# The clients of the demo. A real configuration looks the same, with servers instead of files.\n" +
		"clients:\n")
	for _, c := range clients {
		fmt.Fprintf(&text, "  - name: %s\n", c.name)
		fmt.Fprintf(&text, "    timezone: %s\n", c.zone)
		fmt.Fprintf(&text, "    labels: {brand: %s, region: %s}\n", c.brand, c.region)
		fmt.Fprintf(&text, "    database:\n      driver: sqlite\n      dsn: %s\n", c.file())
		fmt.Fprintf(&text, "      timezone: %s\n", c.serverZone)
		if c.exchanges {
			fmt.Fprintf(&text, "    orders:\n      created_exclude:\n        channels: [%s]\n", exchanges)
		}
		if c.fraudReview {
			fmt.Fprintf(&text, "    orders:\n      created_exclude:\n        missing_attributes: [%s]\n", fraudAttribute)
		}
		fmt.Fprintf(&text, "    reset_inventory:\n      - source: wms\n        config_ids: [%s]\n", resetConfig)
		if len(c.deadlines) > 1 { // the others have theirs in rules/limits.yml
			var times []string
			for _, d := range c.deadlines {
				times = append(times, fmt.Sprintf("%q", time.Time{}.Add(d.by).Format("15:04")))
			}
			fmt.Fprintf(&text, "        process_by: [%s]\n", strings.Join(times, ", "))
		}
		if c.shopifyInventory {
			fmt.Fprintf(&text, "      - source: shopify\n        config_ids: [%s]\n", shopifyConfig)
		}
		fmt.Fprintf(&text, "    last_mile:\n      - target: %s\n        identification_types: [%s]\n", erp, erpID)
		text.WriteString(c.server.config())
		text.WriteString(c.reports.config(superset.url()))
		hosts.WriteString(knownhosts.Line([]string{c.server.address()}, c.server.keys[0].PublicKey()) + "\n")
	}
	path := filepath.Join(dir, "oms_exporter.yml")
	for name, content := range map[string]string{
		passwordFile: password + "\n", knownHostsFile: hosts.String(), supersetFile: superset.password + "\n",
		filepath.Base(path): text.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return "", fmt.Errorf("write the configuration: %w", err)
		}
	}
	return path, nil
}

// config is the drop folder in a client's configuration.
func (s *sftpServer) config() string {
	return fmt.Sprintf(`    sftp:
      - location: reset-inventory
        source: wms
        address: %s
        username: %s
        password_file: %s
        known_hosts_file: %s
        path: %s
        pattern: "%s"
        archive: %s
        failed: %s
        format: reset_inventory
`, s.address(), s.username, passwordFile, knownHostsFile, importPath(resetConfig), uploadPattern, archive, refused)
}

// config is the Superset in a client's configuration.
func (r *reports) config(url string) string {
	var slugs []string
	for _, d := range r.dashboards {
		slugs = append(slugs, r.slug(d))
	}
	return fmt.Sprintf(`    superset:
      url: %s
      username: %s
      password_file: %s
      dashboards: [%s]
`, url, r.account, supersetFile, strings.Join(slugs, ", "))
}
