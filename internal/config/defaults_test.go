package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// in returns the paths of these files below dir.
func in(dir string, names ...string) []string {
	var paths []string
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}

func names(c *config.Config) string {
	var names []string
	for _, client := range c.Clients {
		names = append(names, client.Name)
	}
	return strings.Join(names, " ")
}

// local returns the entry of a client whose database is a file beside that of its entry.
func local(name string) string {
	return "  - {name: " + name + ", timezone: UTC, database: {driver: sqlite, dsn: " + strings.ToLower(name) + ".db, timezone: UTC}}\n"
}

// TestFiles has files and folders together.
func TestFiles(t *testing.T) {
	const list = "clients:\n"
	dir := folder(t, map[string]string{
		"global.yml":              "global: {timeout_offset: 1s}\n",
		"conf.d/b.yml":            list + local("B") + local("A"),
		"conf.d/a.yml":            list + local("Z"),
		"conf.d/old.yml/none.yml": list + local("OLD"), // a folder below
		"conf.d/.hidden.yml":      list + local("HIDDEN"),
		"conf.d/b.yml~":           list + local("BACKUP"),
		"conf.d/#b.yml#":          list + local("SAVED"),
		"conf.d/b.yml.bak":        list + local("OTHER"),
		"conf.d/README.md":        "# Clients",
		"other/text":              list + local("TEXT"),
		// As Kubernetes mounts it.
		"mount/..2026/c.yml": list + local("C"),
	})
	for link, to := range map[string]string{"mount/..data": "..2026", "mount/c.yml": "..data/c.yml"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ paths, want string }{
		{"conf.d", "Z B A"},
		{"conf.d/", "Z B A"},
		{"mount", "C"},
		{"global.yml other/text conf.d", "TEXT Z B A"},
		{"conf.d conf.d conf.d/a.yml mount", "Z B A C"}, // each once
		{"conf.d/b.yml global.yml", "B A"},
	} {
		c, err := config.Check(in(dir, strings.Fields(test.paths)...)...)
		if err != nil {
			t.Errorf("%s: %v", test.paths, err)
			continue
		}
		if got := names(c); got != test.want || len(c.Warnings) > 0 {
			t.Errorf("%s: got %s, want %s, warnings %q", test.paths, got, test.want, c.Warnings)
		}
		if got := c.TimeoutOffset.String(); (got == "1s") != strings.Contains(test.paths, "global.yml") {
			t.Errorf("%s: the offset is %s", test.paths, got)
		}
		for _, client := range c.Clients {
			of := map[string]string{"TEXT": "other", "C": "mount"}[client.Name]
			if of == "" {
				of = "conf.d"
			}
			want := filepath.Join(dir, of, strings.ToLower(client.Name)+".db")
			if dsn, err := client.Database.DSN.Read(); dsn != want || err != nil {
				t.Errorf("%s: the database of %s is %s, want %s: %v", test.paths, client.Name, dsn, want, err)
			}
		}
	}
}

// TestFileThatLooksRead has a file that people may take for a part of the configuration.
func TestFileThatLooksRead(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": "clients:\n" + local("A"), "b.yaml": "clients:\n" + local("B")})
	c, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "b.yaml") + ":1: this file is not read: give it a name that ends in .yml"
	if len(c.Warnings) != 1 || c.Warnings[0] != want || names(c) != "A" {
		t.Errorf("clients %s, warnings %q, want %q", names(c), c.Warnings, want)
	}
	if c, err = config.Load(dir, filepath.Join(dir, "b.yaml")); err != nil || len(c.Warnings) > 0 || names(c) != "A B" {
		t.Errorf("got %+v: %v", c, err)
	}
}

// TestFilesErrors has the whole error of what is wrong with several files.
func TestFilesErrors(t *testing.T) {
	const fix = ": name a file, or a folder with files *.yml, that the exporter can read\n"
	for name, test := range map[string]struct {
		files map[string]string
		paths string
		want  string
	}{
		"absent": {
			map[string]string{"a.yml": "clients:\n" + local("A")}, "none.yml a.yml gone",
			"read configuration: open none.yml: no such file or directory" + fix + "read configuration: open gone: no such file or directory" + fix,
		},
		"empty folder": {
			map[string]string{"a.yml": "clients:\n" + local("A"), "d/old/a.yml": "", "d/a.yml~": "", "d/a.txt": ""}, "a.yml d",
			"read configuration: the folder d has no file *.yml: put one there, or name another file or folder\n",
		},
		"client twice": {
			map[string]string{"d/a.yml": "# Clients\nclients:\n" + local("A") + local("B"), "d/b.yml": "clients:\n" + local("C") + local("A")}, "d",
			`d/b.yml:3: client A: name "A" is in d/a.yml:3 already: remove one of the two, or give each client a name of its own` + "\n",
		},
		"top twice": {
			map[string]string{
				"a.yml": "global: {timeout_offset: 1s}\ndefaults: {timezone: UTC}\n", "b.yml": "clients:\n" + local("A") + "defaults:\n  timezone: UTC\n",
				"c.yml": "\nglobal:\n",
			}, "a.yml b.yml c.yml",
			`b.yml:3: key "defaults" is in a.yml:2 already: put its settings together and remove one of the two` + "\n" +
				`c.yml:2: key "global" is in a.yml:1 already: put its settings together and remove one of the two` + "\n",
		},
		"no clients": {
			map[string]string{"a.yml": "global: {timeout_offset: 1s}\n", "b.yml": "clients:\n"}, "a.yml b.yml",
			"a.yml:1: clients is missing: write a list of at least one client\n",
		},
		"not YAML": { // what depends on it is not judged
			map[string]string{"d/a.yml": "defaults:\n  timezone: UTC\n   database: {}\n", "d/b.yml": "clients:\n  - name: A\n", "d/c.yml": "\n", "d/d.yml": "x: [\n"}, "d",
			"d/a.yml:3: from here on this is not YAML (mapping values are not allowed in this context): indent with spaces, write key: value, quote text that contains special characters, and check the line above, too\n" +
				"d/c.yml:1: the file is empty: write at least one client below clients\n" +
				"d/d.yml:1: from here on this is not YAML (did not find expected node content): indent with spaces, write key: value, quote text that contains special characters, and check the line above, too\n",
		},
		"inherited": {
			map[string]string{
				"d/a.yml": "clients:\n  - name: A\n    timezone: UTC\n  - name: B\n    database: {timezone: UTC}\n",
				"d/b.yml": "clients:\n  - name: C\n    superset: {password: hunter2}\n",
				"d/z.yml": "defaults:\n  timezone: Mars\n  database:\n    driver: sqlite\n    dsn_file: <client>.dsn\n  superset:\n    url: tathya\n    username: u\n    password_file: /nowhere\n    dashboards: [d]\n",
			}, "d",
			"d/b.yml:3: client C: superset.password contains a password: write ${NAME} and set that environment variable, or move the password to a file and name it as password_file\n" +
				`d/z.yml:2: client B and 1 other: timezone "Mars" is not an IANA zone: write one such as America/New_York` + "\n" +
				"d/z.yml:4: client A and 1 other: database.timezone is missing: write one such as America/New_York\n" +
				"d/z.yml:5: client A: database.dsn_file cannot be read (no such file or directory): write the path of a readable file\n" + // each has its own
				"d/z.yml:5: client B: database.dsn_file cannot be read (no such file or directory): write the path of a readable file\n" +
				"d/z.yml:5: client C: database.dsn_file cannot be read (no such file or directory): write the path of a readable file\n" +
				`d/z.yml:7: client A and 2 others: superset.url "tathya" is not the address of a server: write where the server's pages begin, such as https://tathya.example.com` + "\n" +
				"d/z.yml:9: client A and 1 other: superset.password_file cannot be read (no such file or directory): write the path of a readable file\n",
		},
		"line breaks": { // YAML has more of them than Unix
			map[string]string{"a.yml": "x-a: 1\rclients:\rnone: 1", "b.yml": "none: 1\nclients:\n" + local("A")}, "a.yml b.yml",
			`a.yml:3: unknown key "none": remove it, or write one of clients, defaults, global, holidays` + "\n" +
				`b.yml:1: unknown key "none": remove it, or write one of clients, defaults, global, holidays` + "\n",
		},
		"anchor of another file": {
			map[string]string{"a.yml": "x-a: &a {timezone: UTC}\n", "b.yml": "clients:\n  - <<: *a\n"}, "a.yml b.yml",
			"b.yml:2: an alias has no anchor: define one above in the same file, or quote text that begins with *\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, test.files)
			_, err := config.Check(in(dir, strings.Fields(test.paths)...)...)
			if err == nil {
				t.Fatal("was taken")
			}
			if got := strings.ReplaceAll(err.Error(), dir+"/", "") + "\n"; got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

// same reports whether the clients in two configurations are the same.
func same(t *testing.T, got, want *config.Config) {
	t.Helper()
	if names(got) != names(want) || got.TimeoutOffset != want.TimeoutOffset {
		t.Fatalf("got %s, want %s", names(got), names(want))
	}
	for i, client := range want.Clients {
		if !client.Equal(got.Clients[i]) || !got.Clients[i].Equal(client) {
			t.Errorf("got  %+v\nwant %+v", got.Clients[i], client)
		}
	}
}

// TestInheritance has a client with what it inherits, and the same client written out in full.
func TestInheritance(t *testing.T) {
	setEnv(t)
	const (
		database = "database: {driver: sqlite, dsn: a.db, timezone: UTC}"
		superset = "superset: {url: 'https://s', username: u, password: '${KREWE_PASSWORD}', dashboards: [a, b], interval: 1h}"
		wms      = "reset_inventory: [{source: wms, config_ids: [A]}]"
		account  = "username: u, password: '${KREWE_PASSWORD}', known_hosts_file: testdata/known_hosts"
		location = "{location: in, source: wms, address: h, " + account + ", path: /in}"
	)
	for name, test := range map[string]struct{ top, client, want string }{
		"all": {"defaults: {timezone: UTC, labels: {a: b}, " + database + ", " + superset + ", " + wms + ", sftp: [" + location + "], orders: {created_exclude: {channels: [C]}}}", "",
			"timezone: UTC, labels: {a: b}, " + database + ", " + superset + ", " + wms + ", sftp: [" + location + "], orders: {created_exclude: {channels: [C]}}"},
		"key by key": {"defaults: {timezone: UTC, labels: {a: b, c: d}, " + database + ", orders: {created_exclude: {channels: [C], missing_attributes: [M]}}}",
			"timezone: Asia/Kolkata, labels: {c: e, f: g}, database: {dsn: b.db, max_connections: 2}, orders: {created_exclude: {channels: [D]}}",
			"timezone: Asia/Kolkata, labels: {a: b, c: e, f: g}, database: {driver: sqlite, timezone: UTC, dsn: b.db, max_connections: 2}, orders: {created_exclude: {channels: [D], missing_attributes: [M]}}"},
		"lists": {"defaults: {timezone: UTC, " + database + ", " + wms + ", sftp: [" + location + "], " + superset + "}", "sftp: [], superset: {dashboards: [c]}, reset_inventory: [{source: erp, config_ids: [B]}]",
			"timezone: UTC, " + database + ", reset_inventory: [{source: erp, config_ids: [B]}], " + strings.ReplaceAll(superset, "a, b", "c")},
		"without value": {"defaults: {timezone: UTC, labels: {a: b, c: d}, " + strings.Replace(database, "}", ", max_connections: 3}", 1) + ", " + superset + "}",
			"superset: , labels: {a: }, database: {max_connections: ~}", "timezone: UTC, labels: {c: d}, " + database},
		"another form": {"defaults: {timezone: UTC, database: {driver: sqlite, dsn_file: a.dsn, timezone: UTC}, " + superset + "}",
			"database: {dsn: a.db}, superset: {token_file: t}", "timezone: UTC, " + database + ", superset: {url: 'https://s', token_file: t, dashboards: [a, b], interval: 1h}"},
		"no form": {"defaults: {timezone: UTC, database: {driver: sqlite, dsn_file: a.dsn, timezone: UTC}}", "database: {dsn: }",
			"timezone: UTC, database: {driver: sqlite, dsn_file: a.dsn, timezone: UTC}"},
		"and back": {"defaults: {timezone: UTC, " + database + ", superset: {url: 'https://s', token_file: t, dashboards: [a, b], interval: 1h}}",
			"superset: {username: u, password: '${KREWE_PASSWORD}'}, database: {dsn_file: b.dsn}", "timezone: UTC, database: {driver: sqlite, dsn_file: b.dsn, timezone: UTC}, " + superset},
		"names": {"defaults: {timezone: UTC, labels: {a: x <client>}, database: {driver: mysql, dsn: '<client_lower>:${KREWE_PASSWORD}@tcp(<client>)/o', timezone: UTC}, superset: " +
			"{url: 'https://s/<client>', username: <client>, password: '${<client>_PASSWORD}', dashboards: [<client_lower>-<client_lower>, <client>]}}",
			"orders: {created_exclude: {channels: [<client>]}}",
			"timezone: UTC, labels: {a: x KREWE}, database: {driver: mysql, dsn: 'krewe:${KREWE_PASSWORD}@tcp(KREWE)/o', timezone: UTC}, superset: " +
				"{url: 'https://s/KREWE', username: KREWE, password: '${KREWE_PASSWORD}', dashboards: [krewe-krewe, KREWE]}, orders: {created_exclude: {channels: [KREWE]}}"},
		"folders": {"defaults: {timezone: UTC, " + database + ", " + wms + ", sftp: [{location: <client>, source: wms, address: <client>, " + account + ", path: /<client_lower>, archive: <client>, failed: /<client>}]}", "",
			"timezone: UTC, " + database + ", " + wms + ", sftp: [{location: KREWE, source: wms, address: KREWE, " + account + ", path: /krewe, archive: KREWE, failed: /KREWE}]"},
		"merge": {"x-a: &a {timezone: UTC, labels: &l {a: b}}\nx-b: &b {timezone: Asia/Kolkata, " + database + ", labels: {c: d}}",
			"labels: {<<: [*l, {a: x, e: f}], g: h}, <<: [*a, *b]", "timezone: UTC, labels: {a: b, e: f, g: h}, " + database},
		"merge of merges": {"x-a: &a {timezone: UTC}\nx-b: &b {<<: *a, " + database + "}\nx-c: &c {<<: *b, timezone: Asia/Kolkata}", "<<: *c", "timezone: Asia/Kolkata, " + database},
		"merge and defaults": {"x-a: &a {labels: {a: b}, database: {dsn: b.db}}\ndefaults: {<<: {timezone: UTC}, " + database + ", labels: {a: c, d: e}}", "<<: *a",
			"timezone: UTC, labels: {a: b, d: e}, database: {driver: sqlite, dsn: b.db, timezone: UTC}"},
		"merge in a list": {"x-s: &s " + location, "timezone: UTC, " + database + ", " + wms + ", sftp: [{<<: *s, path: /out}]",
			"timezone: UTC, " + database + ", " + wms + ", sftp: [" + strings.Replace(location, "/in", "/out", 1) + "]"},
		"of itself": {"x-a: &a {<<: *a, timezone: UTC, " + database + "}", "<<: [*a, *a]", "timezone: UTC, " + database},
		"alias":     {"defaults: &d {timezone: UTC, " + database + "}\nx-d: *d", "<<: *d", "timezone: UTC, " + database},
	} {
		t.Run(name, func(t *testing.T) {
			known, err := os.ReadFile("testdata/secrets/known_hosts")
			if err != nil {
				t.Fatal(err)
			}
			dir := folder(t, map[string]string{
				"a.dsn": "x.db", "b.dsn": "y.db", "t": "token", "testdata/known_hosts": string(known),
				"short.yml": test.top + "\nclients:\n  - {name: KREWE, " + test.client + "}\n", "full.yml": "clients:\n  - {name: KREWE, " + test.want + "}\n",
			})
			load := func(name string) *config.Config {
				t.Helper()
				c, err := config.Check(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			same(t, load("short.yml"), load("full.yml"))
		})
	}
}

// TestManyMerges has mappings that take from each other in so many ways that to follow each would have no end.
func TestManyMerges(t *testing.T) {
	var text strings.Builder
	text.WriteString("x-0: &m0 {timezone: UTC}\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&text, "x-%d: &m%d {<<: [*m%d, *m%[3]d, *m%[3]d, *m%[3]d]}\n", i, i, i-1)
	}
	text.WriteString("clients:\n  - {name: A, <<: *m59, database: {driver: sqlite, dsn: a.db, timezone: UTC}}\n")
	c, err := load(t, text.String())
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Clients[0].Timezone.String(); got != "UTC" {
		t.Errorf("the zone is %s", got)
	}
}

// entry is what makes a client of deploy/conf.d differ from others, and the same written out in full.
type entry struct {
	name, zone, dsn, labels, dashboards string
	lists                               string // YAML of sftp and orders
}

func (e entry) full() string {
	return fmt.Sprintf(`  - name: %s
    timezone: %s
    labels: {contract: standard%s}
    database:
      driver: mysql
      dsn_file: secrets/%s.dsn
      timezone: America/New_York
      tls: {ca_file: secrets/db-ca.pem}
    reset_inventory: [{source: wms, config_ids: [RESET_INVENTORY]}]
%s    superset:
      url: https://tathya.example.com
      username: monitor
      password_file: secrets/tathya.password
      dashboards: [%s]
`, e.name, e.zone, e.labels, e.dsn, e.lists, e.dashboards)
}

// TestFiftyClients loads deploy/conf.d with as many clients as make fifty, and the same clients written out in full.
func TestFiftyClients(t *testing.T) {
	const atMost = 10 // lines a client
	files := map[string]string{"secrets/tathya.password": "hunter2", "secrets/sftp.key": newKey(t), "secrets/known_hosts": "sftp.example.com " + publicKey}
	for _, path := range glob(t, "../../deploy/conf.d/*") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files["conf.d/"+filepath.Base(path)] = string(content)
	}
	ca, err := os.ReadFile("testdata/secrets/tls.ca")
	if err != nil {
		t.Fatal(err)
	}
	files["secrets/db-ca.pem"] = string(ca)
	const exclusions = "    orders: {created_exclude: {channels: [LOOP_EXCH]}}\n"
	sftp := func(name string) string {
		return fmt.Sprintf(`    sftp:
      - {location: reset-inventory, source: wms, address: "sftp.example.com:22", username: %s, private_key_file: secrets/sftp.key,
         known_hosts_file: secrets/known_hosts, path: /home/%[1]s/hotwax/inventory, pattern: "*InventoryItemExport*.csv",
         archive: archive, format: reset_inventory}
`, name)
	}
	both := func(name string) string { return name + "-order-sync, " + name + "-fulfillment" }
	entries := []entry{ // in the order of the files
		{"ADOC", "America/El_Salvador", "adoc", ", region: central_america", both("adoc"), exclusions},
		{"ADOC-GT", "America/Guatemala", "adoc_gt", ", region: central_america", both("adoc-gt"), exclusions},
		{"KREWE", "America/Chicago", "krewe", "", both("krewe"), sftp("krewe") + exclusions},
		{"UCG", "America/New_York", "ucg", "", both("ucg"), sftp("ucg")},
		{"NEWERA", "America/New_York", "newera", ", region: us_east", "newera-order-sync", sftp("newera") + exclusions},
	}
	for i := len(entries); i < 50; i++ {
		file, name := fmt.Sprintf("conf.d/retail_%d.yml", i/20), fmt.Sprintf("SHOP%02d", i)
		lower := strings.ToLower(name)
		entries = append(entries, entry{name, "Europe/Paris", lower, ", region: eu", both(lower), sftp(lower) + exclusions})
		if files[file] == "" {
			files[file] = "x-eu: &eu\n  timezone: Europe/Paris\n  labels: {region: eu}\nclients:\n"
		}
		files[file] += "  - name: " + name + "\n    <<: *eu\n"
	}
	full := "clients:\n"
	for _, e := range entries {
		files["secrets/"+e.dsn+".dsn"] = "exporter:secret@tcp(db.example.com:3306)/" + e.dsn
		full += e.full()
	}
	files["full.yml"] = full
	dir := folder(t, files)
	got, err := config.Check(filepath.Join(dir, "conf.d"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := config.Check(filepath.Join(dir, "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	if len(got.Clients) != 50 || len(got.Warnings) > 0 {
		t.Errorf("%d clients, warnings %q", len(got.Clients), got.Warnings)
	}
	lines := 0
	for name, content := range files {
		if strings.HasPrefix(name, "conf.d/") {
			lines += strings.Count(content, "\n")
		}
	}
	if lines > atMost*len(got.Clients) {
		t.Errorf("%d lines for %d clients", lines, len(got.Clients))
	}
	again, err := config.Check(filepath.Join(dir, "conf.d"))
	if err != nil || !slices.EqualFunc(got.Clients, again.Clients, config.Client.Equal) {
		t.Errorf("another load differs: %v", err)
	}
}
