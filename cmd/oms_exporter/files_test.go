package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestFilesAndFolders starts with a file and a folder, and reloads them when they have changed.
func TestFilesAndFolders(t *testing.T) {
	dir := t.TempDir()
	shared, folder := filepath.Join(dir, "shared.yml"), filepath.Join(dir, "conf.d")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	defaults := func(region string) {
		t.Helper()
		if err := os.WriteFile(shared, []byte("defaults: {labels: {region: "+region+"}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defaults("us")
	krewe, ucg := filepath.Join(folder, "krewe.yml"), filepath.Join(folder, "ucg.yml")
	writeConfig(t, krewe, sqliteClient(t, "KREWE"))
	flags := []string{"--config.file=" + shared, "--config.file=" + folder}
	p := start(t, append(flags, "--web.enable-lifecycle")...)
	region := func(client, region string) {
		t.Helper()
		info := `\noms_client_info\{client="` + client + `",[^}]*region="` + region + `"`
		if page := p.get(t, "/metrics"); !regexp.MustCompile(info).MatchString(page) {
			t.Errorf("%s is not in %s:\n%s", client, region, page)
		}
	}
	region("KREWE", "us")

	writeConfig(t, ucg, sqliteClient(t, "UCG"))
	defaults("eu")
	signalSelf(t, syscall.SIGHUP)
	p.stderr.await(t, `(configuration loaded)`, 2)
	region("KREWE", "eu")
	region("UCG", "eu")

	for want, args := range map[string][]string{
		"no such client, only KREWE, UCG":           append(flags, "check", "--client=NOBODY"),
		shared + ", " + folder + ": ok, clients: 2": append(flags, "check-config"),
	} {
		var out bytes.Buffer
		if _ = run(t.Context(), args, &out, &out); !strings.Contains(out.String(), want) {
			t.Errorf("%s: got %s, want %s", args, &out, want)
		}
	}

	writeConfig(t, filepath.Join(folder, "more.yml"), sqliteClient(t, "UCG"))
	status, refusal := p.ask(t, "POST", "/-/reload")
	if want := ucg + `:2: client UCG: name "UCG" is in ` + filepath.Join(folder, "more.yml") + ":2 already"; status != http.StatusInternalServerError || !strings.Contains(refusal, want) {
		t.Errorf("status %d: %s, want %s", status, refusal, want)
	}
	if err := os.Rename(krewe, filepath.Join(folder, "more.yml")); err != nil {
		t.Fatal(err)
	}
	if status, refusal := p.ask(t, "POST", "/-/reload"); status != http.StatusOK {
		t.Errorf("status %d: %s", status, refusal)
	}
	region("KREWE", "eu")
}
