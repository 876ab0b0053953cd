package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// folder returns what names files in a folder of the test's own, and what writes them.
func folder(t *testing.T) (path func(name string) string, put func(name, text string)) {
	t.Helper()
	dir := t.TempDir()
	path = func(name string) string { return filepath.Join(dir, name) }
	put = func(name, text string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path, put
}

// TestBadSecrets has clients with every kind of bad secret beside one that is well, fixes one without a reload, and spoils
// and fixes that which is well.
func TestBadSecrets(t *testing.T) {
	path, put := folder(t)
	_, dsn, _ := strings.Cut(sqliteClient(t, "WELL"), "dsn: \"")
	dsn, _, _ = strings.Cut(dsn, "\"")
	put("well.dsn", dsn)
	put("empty.dsn", "\n")
	put("mysql.dsn", "exporter@tcp(127.0.0.1:1)/oms")
	put("wrong.dsn", "postgres://exporter:"+canary+"@db/oms")
	silentFile(t, path("silent.dsn"))
	client := func(name, database string) string {
		return "  - {name: " + name + ", timezone: UTC, database: {driver: sqlite, " + database + ", timezone: UTC}}\n"
	}
	config := path("oms_exporter.yml")
	writeConfig(t, config, client("WELL", "dsn_file: well.dsn"), client("ABSENT", "dsn_file: absent.dsn"), client("EMPTY", "dsn_file: empty.dsn"),
		client("WRONG", "dsn_file: wrong.dsn"), client("SILENT", "dsn_file: silent.dsn"), client("UNSET", `dsn: "${OMS_TEST_UNSET}"`),
		"  - {name: CA, timezone: UTC, database: {driver: mysql, dsn_file: mysql.dsn, timezone: UTC, tls: {ca_file: mysql.dsn}}}\n")

	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"check-config", config}, &stdout, &stderr); status != 1 || strings.Count(stderr.String(), "\n") != 6 {
		t.Errorf("check-config: status %d: %s%s", status, &stdout, &stderr)
	}

	if status := run(t.Context(), []string{"check-config", "--syntax-only", config}, &stdout, &stderr); status != 0 {
		t.Errorf("check-config --syntax-only: status %d: %s%s", status, &stdout, &stderr)
	}

	p := start(t, "--config.file="+config)
	faults := map[string]bool{"ABSENT": true, "EMPTY": true, "WRONG": true, "SILENT": true, "UNSET": true, "CA": true}
	check := func(page string) {
		t.Helper()
		for _, name := range []string{"WELL", "ABSENT", "EMPTY", "WRONG", "SILENT", "UNSET", "CA"} {
			well, success := !faults[name], `oms_collector_success{client="`+name+`",collector="client"} `
			if well {
				wantLines(t, page, success+"1")
			} else {
				wantLines(t, page, success+"0", `oms_client_configuration_error{client="`+name+`",reason="database_secret"} 1`)
			}
			if said := strings.Contains(page, `oms_client_configuration_error{client="`+name+`"`); said == well {
				t.Errorf("%s: a configuration error: %t", name, said)
			}
		}
	}
	page := p.get(t, "/metrics", timeoutHeader+": 5")
	check(page)
	wantLines(t, page, "oms_exporter_config_last_reload_successful 1")
	status := p.get(t, "/")
	for _, want := range []string{
		config + ":3: client ABSENT: database.dsn_file cannot be read (no such file or directory): write the path of a readable file",
		config + ":6: client SILENT: database.dsn_file cannot be read (no answer within 2s): write the path of a readable file",
		config + ":8: client CA: database.tls.ca_file does not contain a certificate: write the path of a PEM file with the authorities that are trusted",
	} {
		if !strings.Contains(status, want) {
			t.Errorf("the status page lacks %q:\n%s", want, status)
		}
	}
	for line := range strings.Lines(page + status + p.get(t, "/probe?client=WRONG&debug=true") + p.stderr.String() + stderr.String()) {
		if strings.Contains(line, canary) {
			t.Errorf("the secret is in %s", line)
		}
	}

	for _, name := range []string{"absent.dsn", "empty.dsn"} { // no reload
		put(name, dsn)
	}
	t.Setenv("OMS_TEST_UNSET", dsn)
	put("well.dsn", "")
	for _, name := range []string{"ABSENT", "EMPTY", "UNSET"} {
		delete(faults, name)
	}
	page = p.get(t, "/metrics", timeoutHeader+": 5")
	wantLines(t, page, `oms_client_configuration_error{client="WELL",reason="database_secret"} 1`, `oms_collector_success{client="WELL",collector="client"} 1`)
	put("well.dsn", dsn)
	check(p.get(t, "/metrics", timeoutHeader+": 5"))
}

// TestSilentConfiguration stops the program while its configuration file does not answer, at the start and at a reload.
func TestSilentConfiguration(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "oms_exporter.yml")
	silentFile(t, pipe)
	for _, args := range [][]string{{"--config.file=" + pipe}, {"check-config", pipe}} {
		ctx, stop := context.WithCancel(t.Context())
		exit := make(chan int, 1)
		var stderr bytes.Buffer
		go func() { exit <- run(ctx, args, &bytes.Buffer{}, &stderr) }()
		stop()
		begin := time.Now()
		if status := <-exit; status != 1 || !strings.Contains(stderr.String(), "the configuration has not been read: context canceled") {
			t.Errorf("%s: status %d: %s", args, status, &stderr)
		}
		if took := time.Since(begin); took > 5*time.Second { // half of what such a file is waited for
			t.Errorf("%s: stopped after %s", args, took)
		}
	}
}

// TestSilentSecrets has all files of a client's secrets stop to answer: the scrape comes in time.
func TestSilentSecrets(t *testing.T) {
	path, put := folder(t)
	put("known", knownHost)
	var locations, secrets []string
	for _, name := range strings.Split("1234", "") {
		put(name, "a secret")
		secrets = append(secrets, name)
		locations = append(locations, strings.Replace(sftpLocation("l"+name, "wms", "127.0.0.1:"+name, "NONE", path("known"), "/"+name), "password: ${NONE}", "password_file: "+path(name), 1))
	}
	file := path("oms_exporter.yml")
	writeConfig(t, file, withSFTP(sqliteClient(t, "KREWE"), locations...))
	p := start(t, "--config.file="+file, "--no-collector.sftp") // which would read them all at once
	for _, name := range secrets {
		if err := os.Remove(path(name)); err != nil {
			t.Fatal(err)
		}
		silentFile(t, path(name))
	}
	begin := time.Now()
	wantLines(t, p.get(t, "/metrics", timeoutHeader+": 10"), `oms_collector_success{client="KREWE",collector="client"} 1`)
	if took := time.Since(begin); took > 7*time.Second { // two seconds for each would be eight
		t.Errorf("the scrape took %s", took)
	}
	p.stderr.await(t, `(a secret of the client cannot be used)`, len(secrets)) // told all the same
}

// silentFile makes a file that does not answer until the end of the test.
func silentFile(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0) // lets those go who wait
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
}
