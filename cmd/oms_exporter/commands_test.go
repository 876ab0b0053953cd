package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestCommands(t *testing.T) {
	taken := listen(t)
	closeAtEnd(t, taken)
	dir := t.TempDir()
	good, bad, risky := filepath.Join(dir, "good.yml"), filepath.Join(dir, "bad.yml"), filepath.Join(dir, "risky.yml")
	writeConfig(t, risky, clientConfig("KREWE", "mysql", "exporter@tcp(db.example.com)/krewe"), clientConfig("UCG", "sqlite", "ucg.db"))
	writeConfig(t, good, clientConfig("KREWE", "sqlite", "krewe.db"), clientConfig("UCG", "sqlite", "ucg.db"))
	if err := os.WriteFile(bad, []byte("clients:\n  - name: KREWE\n    tiemzone: UTC\nglobel: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder, empty := filepath.Join(dir, "conf.d"), filepath.Join(dir, "empty.d")
	for _, d := range []string{folder, empty} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeConfig(t, filepath.Join(folder, "adoc.yml"), clientConfig("ADOC", "sqlite", "adoc.db"))
	for _, tc := range []struct {
		name           string
		args           string
		status         int
		stdout, stderr []string
	}{
		{"version", "--version", 0, []string{"oms_exporter, version"}, nil},
		{"help", "--help", 0, []string{"--[no-]collector.data_manager", "--web.listen-address", "check-config [<flags>] [<file>...]"}, nil},
		{"unknown flag", "--config.fil=x", 1, nil, []string{"unknown long flag '--config.fil'"}},
		{"unknown command", "serv", 1, nil, []string{"serv"}},
		{"no series", "--collector.max-series=0", 1, nil, []string{"--collector.max-series must be at least 1"}},
		{"good file", "check-config " + good, 0, []string{good + ": ok, clients: 2\n"}, nil},
		{"good files", "check-config --syntax-only " + good + " " + folder, 0, []string{good + ", " + folder + ": ok, clients: 3\n"}, nil},
		{"files of the flag", "check-config --config.file=" + good + " --config.file=" + folder, 0, []string{good + ", " + folder + ": ok, clients: 3\n"}, nil},
		{"empty folder", "--config.file=" + good + " --config.file=" + empty, 1, nil, []string{"the folder " + empty + " has no file *.yml: put one there"}},
		{"risky file", "check-config " + risky, 0, []string{risky + ": ok, clients: 2\n"},
			[]string{"warning: " + risky + ":4: client KREWE: database.dsn sends the data over the network in plain text: add database.tls"}},
		{"bad file", "check-config " + bad, 1, nil, []string{bad + ":3", "tiemzone", bad + ":4", "globel"}},
		{"serve bad file", "--config.file=" + bad, 1, nil, []string{"tiemzone", "globel"}},
		{"no file", "serve --config.file=" + dir + "/none.yml", 1, nil, []string{"none.yml: no such file"}},
		{"address taken", "--config.file=" + good + " --web.listen-address=" + taken.Addr().String(), 1, nil,
			[]string{"serve HTTP: listen tcp " + taken.Addr().String(), "address already in use"}},
		{"bad web config", "--config.file=" + good + " --web.listen-address=127.0.0.1:0 --web.config.file=" + bad, 1, nil,
			[]string{"serve HTTP: ", "not found in type web.Config"}},
		{"unknown driver", "queries --driver=oracle", 1, nil, []string{"oracle"}},
		{"fault without client", "demo --web.listen-address=127.0.0.1:0 --fault=order-stuck", 1, nil, []string{"CLIENT:NAME"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(t.Context(), strings.Fields(tc.args), &stdout, &stderr); status != tc.status {
				t.Errorf("exit status %d, want %d", status, tc.status)
			}
			for _, want := range tc.stdout {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("%q is missing on stdout:\n%s", want, &stdout)
				}
			}
			for _, want := range tc.stderr {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("%q is missing on stderr:\n%s", want, &stderr)
				}
			}
		})
	}
}

func TestQueries(t *testing.T) {
	every := []config.Driver{config.MySQL, config.Postgres, config.SQLite}
	for _, tc := range []struct {
		args    []string
		drivers []config.Driver
	}{
		{[]string{"queries"}, every},
		{[]string{"queries", "--driver=mysql"}, every[:1]},
		{[]string{"queries", "--driver=postgres"}, every[1:2]},
		{[]string{"queries", "--driver=sqlite"}, every[2:]},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), tc.args, &stdout, &stderr); status != 0 {
			t.Fatalf("%v: exit status %d: %s", tc.args, status, &stderr)
		}
		for _, driver := range every {
			asked := len(tc.drivers) == len(every) || tc.drivers[0] == driver
			if got := strings.Contains(stdout.String(), "can send to "+string(driver)+"."); got != asked {
				t.Errorf("%v: %s is there: %t", tc.args, driver, got)
			}
		}
		for _, driver := range tc.drivers {
			statements, err := sqldb.Statements(driver)
			if err != nil {
				t.Fatal(err)
			}
			if len(statements) < 10 {
				t.Errorf("%s has %d statements only", driver, len(statements))
			}
			for _, s := range statements {
				if !strings.Contains(stdout.String(), "-- "+s.Name+": "+s.Purpose+"\n"+strings.TrimSpace(s.SQL)) {
					t.Errorf("%v: %s of %s is missing", tc.args, s.Name, driver)
				}
			}
		}
	}
}

// documented returns the YAML of a page below docs that begins so.
func documented(t *testing.T, page, begin string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(text), "```yaml\n"+begin)
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatalf("docs/%s has no YAML that begins with %s", page, begin)
	}
	return begin + block
}

// TestDocumentedConfiguration checks the examples in docs/configuration.md as a user would, with the files that they name in a folder
// of their own.
func TestDocumentedConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	authority := testserver.NewAuthority(t)
	ca, err := os.ReadFile(authority.File)
	if err != nil {
		t.Fatal(err)
	}
	write("krewe-ca.pem", string(ca))
	authority.Certificate(t, dir, nil, "krewe-client")
	write("krewe.dsn", "exporter:secret@tcp(db.example.com:3306)/krewe")
	write("tathya.password", "secret")
	write("krewe.key", string(pem.EncodeToMemory(block)))
	write("known_hosts", knownHost)
	file := write("oms_exporter.yml", strings.ReplaceAll(documented(t, "configuration.md", "global:"), "/etc/oms_exporter/", dir+"/"))
	var out bytes.Buffer
	if status := run(t.Context(), []string{"check-config", file}, &out, &out); status != 0 {
		t.Errorf("status %d: %s", status, out.String())
	}
	if strings.Contains(out.String(), "warning") {
		t.Errorf("the example has risks: %s", out.String())
	}
	file = write("many.yml", documented(t, "configuration.md", "defaults:"))
	if status := run(t.Context(), []string{"check-config", "--syntax-only", file}, &out, &out); status != 0 {
		t.Errorf("status %d: %s", status, out.String())
	}
}
