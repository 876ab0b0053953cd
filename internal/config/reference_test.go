package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// reference is a key as docs/configuration.md has it.
type reference struct{ typ, normal string }

// minimal has the required keys, and of those of which one is required one each.
const minimal = `
clients:
  - name: KREWE
    timezone: America/Chicago
    database: {driver: mysql, dsn: 'exporter:${KREWE_PASSWORD}@tcp(127.0.0.1:3306)/krewe', timezone: UTC}
    reset_inventory:
      - {source: wms, config_ids: [RESET_INVENTORY]}
    last_mile:
      - {target: netsuite, identification_types: [NETSUITE_ORDER_ID]}
    limits:
      - {limit: created_age_seconds, value: 4h}
    sftp:
      - {location: inbox, source: wms, address: 127.0.0.1, username: monitor, password: '${KREWE_PASSWORD}', known_hosts_file: /known_hosts, path: /inbox}
    superset: {url: http://127.0.0.1:8088, username: monitor, password: '${KREWE_PASSWORD}', dashboards: [orders]}
`

// TestReference holds the reference in docs/configuration.md against what the exporter reads: the keys, which of them are required,
// the defaults, and the types.
func TestReference(t *testing.T) {
	t.Setenv("KREWE_PASSWORD", "secret")
	document, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := references(t, string(document))
	_, example, _ := strings.Cut(string(document), "```yaml\nglobal:")
	example, _, _ = strings.Cut("global:"+example, "```")

	t.Run("keys", func(t *testing.T) {
		read := map[string]bool{}
		for _, path := range []string{
			"", "global", "clients[]", "clients[].database", "clients[].database.tls", "clients[].orders", "clients[].orders.created_exclude",
			"clients[].reset_inventory[]", "clients[].last_mile[]", "clients[].limits[]", "clients[].sftp[]", "clients[].superset", "clients[].superset.tls",
		} {
			_, err := changed(t, example, func(root *yaml.Node) { set(t, root, join(path, "zzzz"), "1") })
			if err == nil {
				t.Fatalf("%s: an unknown key is no error", path)
			}
			for key := range strings.SplitSeq(regexp.MustCompile(`(?m)zzzz.*?(\w+(?:, \w+)*)$`).FindStringSubmatch(err.Error())[1], ", ") {
				read[join(path, key)] = true
			}
		}
		for key := range keys {
			if !read[key] {
				t.Errorf("%s is documented and not read", key)
			}
		}
		for key := range read {
			if _, ok := keys[key]; !ok {
				t.Errorf("%s is read and not documented", key)
			}
		}
	})

	t.Run("required", func(t *testing.T) {
		// Each of these may be left out, but not beside the rest of minimal: another key must take its place, or sftp names its source.
		chosen := []string{
			"clients[].database.dsn", "clients[].sftp[].password", "clients[].superset.username", "clients[].superset.password", "clients[].reset_inventory",
			"clients[].last_mile[].identification_types",
		}
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(minimal), &root); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		list(root.Content[0], "", found)
		for key, r := range keys {
			if !found[key] && r.normal == "required" {
				t.Errorf("%s is documented as required, and a configuration without it is valid", key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(found)) {
			_, err := changed(t, minimal, func(root *yaml.Node) { set(t, root, key, "") })
			switch required := keys[key].normal == "required"; {
			case required && err == nil:
				t.Errorf("%s is documented as required, and may be left out", key)
			case !required && err != nil && !slices.Contains(chosen, key):
				t.Errorf("%s is required, and not documented so: %v", key, err)
			}
		}
	})

	t.Run("defaults", func(t *testing.T) {
		want, err := changed(t, minimal, func(*yaml.Node) {})
		if err != nil {
			t.Fatal(err)
		}
		tested := 0
		for key, r := range keys {
			if r.normal == "" || r.normal == "required" {
				continue
			}
			tested++
			got, err := changed(t, minimal, func(root *yaml.Node) { set(t, root, key, r.normal) })
			if err != nil || got.TimeoutOffset != want.TimeoutOffset || !got.Clients[0].Equal(want.Clients[0]) {
				t.Errorf("%s is %s by the document, and something else by default: %v", key, r.normal, err)
			}
		}
		if tested < 5 {
			t.Errorf("the document has %d defaults only", tested)
		}
	})

	t.Run("types", func(t *testing.T) {
		wrong := map[string]string{
			"string": "[a]", "path": "[a]", "URL": "[a]", "list": "a", "mapping": "a", "zone": "Mars/Base", "duration": "soon", "integer": "many",
			"number": "many", "boolean": "maybe",
		}
		right := map[string][]string{
			"zone": {"UTC"}, "duration": {"1s", "90m"}, "integer": {"3"}, "number": {"3"}, "boolean": {"true"}, "URL": {"https://tathya.example.com"},
		}
		for key, r := range keys {
			value, ok := wrong[r.typ]
			if !ok {
				t.Errorf("%s has the unknown type %q", key, r.typ)
			} else if _, err := changed(t, example, func(root *yaml.Node) { set(t, root, key, value) }); err == nil {
				t.Errorf("%s is a %s by the document, and may be %s", key, r.typ, value)
			}
			fits := len(right[r.typ]) == 0
			for _, value := range right[r.typ] {
				_, err := changed(t, example, func(root *yaml.Node) { set(t, root, key, value) })
				fits = fits || err == nil
			}
			if !fits {
				t.Errorf("%s is a %s by the document, and may not be %s", key, r.typ, right[r.typ])
			}
		}
	})
}

// references returns the rows of the tables by the path of the key.
func references(t *testing.T, document string) map[string]reference {
	t.Helper()
	_, tables, found := strings.Cut(document, "\n## Reference\n")
	tables, _, closed := strings.Cut(tables, "\n## ")
	if !found || !closed {
		t.Fatal("docs/configuration.md has no reference")
	}
	keys := map[string]reference{}
	for _, section := range strings.Split(tables, "\n### ")[1:] {
		prefix := "clients[]."
		if strings.HasPrefix(section, "Top level\n") {
			prefix = ""
		}
		for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]*)\\| .+ \\|$").FindAllStringSubmatch(section, -1) {
			if _, twice := keys[prefix+row[1]]; twice {
				t.Errorf("%s is documented twice", row[1])
			}
			keys[prefix+row[1]] = reference{row[2], strings.Trim(row[3], " `")}
		}
	}
	return keys
}

// changed loads a configuration after a change.
func changed(t *testing.T, text string, change func(root *yaml.Node)) (*config.Config, error) {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	change(root.Content[0])
	written, err := yaml.Marshal(&root)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	if err := os.WriteFile(file, written, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(file)
}

// set gives the key at a path another value, or removes it where there is none. Of lists it takes the first item.
func set(t *testing.T, n *yaml.Node, path, value string) {
	t.Helper()
	steps := strings.Split(path, ".")
	for i, step := range steps {
		key, item := strings.CutSuffix(step, "[]")
		at := slices.IndexFunc(n.Content, func(n *yaml.Node) bool { return n.Value == key })
		if i == len(steps)-1 {
			if at >= 0 {
				n.Content = slices.Delete(n.Content, at, at+2)
			}
			if value != "" {
				var parsed yaml.Node
				if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
					parsed.Content = []*yaml.Node{{Kind: yaml.ScalarNode, Value: value}} // a pattern
				}
				n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, parsed.Content[0])
			}
			return
		}
		if at < 0 {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &yaml.Node{Kind: yaml.MappingNode})
			at = len(n.Content) - 2
		}
		n = n.Content[at+1]
		if item {
			n = n.Content[0]
		}
	}
}

// list puts the paths of all keys into found.
func list(n *yaml.Node, path string, found map[string]bool) {
	if n.Kind == yaml.SequenceNode && n.Content[0].Kind == yaml.MappingNode {
		n, path = n.Content[0], path+"[]"
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := join(path, n.Content[i].Value)
		found[key] = true
		list(n.Content[i+1], key, found)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
