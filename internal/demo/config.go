package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeConfig writes a configuration of the exporter for the clients, next to their databases, and returns its path.
func writeConfig(dir string, profiles []profile) (string, error) {
	var text strings.Builder
	text.WriteString("# The clients of the demo. A real configuration looks the same, with servers in place of files.\n" +
		"clients:\n")
	for _, p := range profiles {
		fmt.Fprintf(&text, "  - name: %s\n", p.name)
		fmt.Fprintf(&text, "    timezone: %s\n", p.zone)
		fmt.Fprintf(&text, "    labels: {brand: %s, region: %s}\n", p.brand, p.region)
		fmt.Fprintf(&text, "    database:\n      driver: sqlite\n      dsn: %s\n", p.file())
		fmt.Fprintf(&text, "      timezone: %s\n", p.serverZone)
		if p.exchanges {
			fmt.Fprintf(&text, "    orders:\n      created_exclude:\n        channels: [%s]\n", exchanges)
		}
		if p.fraudReview {
			fmt.Fprintf(&text, "    orders:\n      created_exclude:\n        missing_attributes: [%s]\n", fraudAttribute)
		}
		fmt.Fprintf(&text, "    reset_inventory:\n      - source: wms\n        config_ids: [%s]\n", resetConfig)
		if p.shopifyInventory {
			fmt.Fprintf(&text, "      - source: shopify\n        config_ids: [%s]\n", shopifyConfig)
		}
	}
	path := filepath.Join(dir, "oms_exporter.yml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	return path, nil
}
