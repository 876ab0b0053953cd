package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// The words by which TestWarningsOfDSN knows a warning.
const (
	plainText = "sends the data over the network in plain text"
	fallsBack = "falls back to plain text, without notice"
	anyServer = "because it does not verify the certificate"
	anyName   = "because it does not verify the name"
)

var warning = regexp.MustCompile(`krewe\.yml:[1-9]\d*: client KREWE: .+: .+$`)

// warnings loads a client with these lines and returns the warnings, each of which must name file, line and client.
func warnings(t *testing.T, lines string) []string {
	t.Helper()
	c, err := load(t, "clients:\n  - name: KREWE\n    timezone: UTC\n"+lines)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Warnings {
		if !warning.MatchString(w) || strings.Contains(w, "hunter2") {
			t.Errorf("a warning without file, line, client or fix, or with a password: %s", w)
		}
	}
	return c.Warnings
}

func TestWarningsOfDSN(t *testing.T) {
	setEnv(t)
	for _, name := range []string{"PGSSLMODE", "PGSSLROOTCERT", "PGHOST"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir()) // whose .postgresql would be used
	ca, err := filepath.Abs("testdata/secrets/tls.ca")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ driver, dsn, want string }{
		{"mysql", "k@tcp(db.example.com)/o", plainText},
		{"mysql", "k:${KREWE_PASSWORD}@tcp(192.0.2.1:3306)/o?tls=false", plainText},
		{"mysql", "k@tcp([2001:db8::1]:3306)/o", plainText},
		{"mysql", "k@tcp(db)/o?tls=preferred", fallsBack},
		{"mysql", "k@tcp(db)/o?tls=true&allowFallbackToPlaintext=true", fallsBack},
		{"mysql", "k@tcp(db)/o?tls=skip-verify", anyServer},
		{"mysql", "k@tcp(db)/o?tls=true", ""},
		{"mysql", "k@tcp(localhost)/o", ""},
		{"mysql", "k@tcp(127.0.0.53:3306)/o", ""},
		{"mysql", "k@tcp([::1]:3306)/o?tls=skip-verify", ""},
		{"mysql", "k@/o", ""}, // the driver's default is 127.0.0.1
		{"mysql", "k@unix(/run/mysqld/mysqld.sock)/o", ""},
		{"postgres", "postgres://k@db.example.com/o", fallsBack},
		{"postgres", "postgres://k@db/o?sslmode=prefer", fallsBack},
		{"postgres", "postgres://k@db/o?sslmode=allow", fallsBack},
		{"postgres", "host=db user=k dbname=o sslmode=disable", plainText},
		{"postgres", "postgres://k@localhost,db/o?sslmode=disable", plainText},
		{"postgres", "postgres://k@db/o?sslmode=require", anyServer},
		{"postgres", "postgres://k@db/o?ssl=true", anyServer},
		{"postgres", "postgres://k@db/o?sslmode=verify-ca", anyName},
		{"postgres", "postgres://k@db/o?sslmode=require&sslrootcert=" + ca, anyName},
		{"postgres", "postgres://k@db/o?sslmode=verify-full&sslrootcert=" + ca, ""},
		{"postgres", "postgres://k@db/o?sslrootcert=system", ""},
		{"postgres", "postgres://k@[::1]/o", ""},
		{"postgres", "host=/run/postgresql user=k dbname=o", ""},
		{"sqlite", "/oms.db", ""},
	} {
		database := fmt.Sprintf("    database: {driver: %s, dsn: %q, timezone: UTC}\n", c.driver, c.dsn)
		got := warnings(t, database)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: got %q, want %q", c.dsn, got, c.want)
		}
	}
	for driver, dsn := range map[string]string{"mysql": "k@tcp(db)/o", "postgres": "postgres://k@db/o"} {
		database := fmt.Sprintf("    database: {driver: %s, dsn: %q, timezone: UTC, tls: {ca_file: %q}}\n", driver, dsn, ca)
		if got := warnings(t, database); len(got) > 0 {
			t.Errorf("%s with tls: %q", dsn, got)
		}
	}
}

func TestWarningsOfSuperset(t *testing.T) {
	setEnv(t)
	for url, want := range map[string]int{
		"http://tathya.example.com": 1, "https://tathya.example.com": 0, "http://localhost:8088": 0, "http://[::1]:8088": 0, "http://10.0.0.1": 1,
	} {
		got := warnings(t, "    database: {driver: sqlite, dsn: /oms.db, timezone: UTC}\n    superset:\n      url: "+url+
			"\n      username: a\n      password: ${KREWE_PASSWORD}\n      dashboards: [a]\n")
		if len(got) != want || want > 0 && !strings.Contains(got[0], "krewe.yml:6: client KREWE: superset.url sends the login and the data") {
			t.Errorf("%s: got %q", url, got)
		}
	}
}

// TestWarningsOfSecrets has everybody read one secret after the other.
func TestWarningsOfSecrets(t *testing.T) {
	dir := t.TempDir()
	names := map[string]string{
		"dsn": "database.dsn_file", "tls.key": "database.tls.key_file", "password": "sftp.password_file", "key": "sftp.private_key_file",
		"passphrase": "sftp.passphrase_file", "superset": "superset.password_file", "token": "superset.token_file",
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"tls.key", "tls.cert", "tls.ca"} {
		text, err := os.ReadFile("testdata/secrets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(text))
	}
	for name, text := range map[string]string{
		"dsn": "exporter:secret@tcp(db)/krewe", "password": "hunter2", "key": encryptedKey(t), "passphrase": "hunter2",
		"superset": "hunter2", "token": "hunter2", "known_hosts": "one " + publicKey,
	} {
		write(name, text)
	}
	const location = "source: wms, address: host, known_hosts_file: known_hosts, path: /"
	write("oms_exporter.yml", "clients:\n  - {name: KREWE, timezone: UTC,\n"+
		"    database: {driver: mysql, dsn_file: dsn, timezone: UTC, tls: {ca_file: tls.ca, cert_file: tls.cert, key_file: tls.key}},\n"+
		"    reset_inventory: [{source: wms, config_ids: [A]}], sftp: [\n"+
		"    {location: a, username: a, "+location+", password_file: password},\n"+
		"    {location: b, username: b, "+location+", private_key_file: key, passphrase_file: passphrase}],\n"+
		"    superset: {url: https://host, username: a, password_file: superset, dashboards: [a]}}\n"+
		"  - {name: UCG, timezone: UTC, database: {driver: sqlite, dsn: oms.db, timezone: UTC},\n"+
		"    superset: {url: https://host, token_file: token, dashboards: [a]}}\n")
	load := func() []string {
		t.Helper()
		c, err := config.Load(filepath.Join(dir, "oms_exporter.yml"))
		if err != nil {
			t.Fatal(err)
		}
		return c.Warnings
	}
	for _, name := range []string{"known_hosts", "tls.cert", "tls.ca"} { // no secrets
		chmod(name, 0o644)
	}
	for name, setting := range names {
		chmod(name, 0o640)
		if got := load(); len(got) > 0 {
			t.Errorf("the group may read %s: %q", name, got)
		}
		chmod(name, 0o604)
		want := setting + " names a file that every user of the machine can read: run chmod o-r on it"
		if got := load(); len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("everybody may read %s: got %q, want %q", name, got, want)
		}
		chmod(name, 0o600)
	}
	for name := range names {
		chmod(name, 0o644)
	}
	if got := load(); len(got) != len(names) {
		t.Errorf("everybody may read all: got %q", got)
	}
}
