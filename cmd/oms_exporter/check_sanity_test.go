package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/check"
)

// sanityOf runs check --sanity and returns the findings about what has been seen, by area.
func sanityOf(t *testing.T, file, text, client string) (status int, byArea map[string][]check.Finding, output string) {
	t.Helper()
	status, stdout, stderr := checks(t, file, text, "--sanity", "--output=json", "--client="+client)
	byArea = map[string][]check.Finding{}
	for line := range strings.Lines(stdout) {
		var f check.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if area, ok := strings.CutPrefix(f.Area, "sanity "); ok {
			byArea[area] = append(byArea[area], f)
		}
	}
	return status, byArea, stdout + stderr
}

// TestSanityDemo has clients in full operation: everything has been seen, and lately.
func TestSanityDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	file, text := newCheckedDemo(t)
	for _, client := range []string{"KREWE", "NEWERA"} {
		status, seen, output := sanityOf(t, file, text, client)
		if status != 0 {
			t.Errorf("%s: status %d\n%s", client, status, output)
		}
		for area, within := range map[string]time.Duration{
			"jobs scheduled": 0, // of which no time is known
			"orders":         24 * time.Hour, "jobs started": 24 * time.Hour, "jobs finished": time.Hour, "data_manager": 24 * time.Hour,
			"reset_inventory wms": 48 * time.Hour, "sftp reset-inventory": 48 * time.Hour, "superset " + strings.ToLower(client) + "-order-sync": time.Hour,
		} {
			if len(seen[area]) == 0 {
				t.Errorf("%s: nothing is said of %s", client, area)
			}
			for _, f := range seen[area] {
				if !f.OK || f.Seen == nil || !*f.Seen || !strings.HasPrefix(f.Note, "seen") {
					t.Errorf("%+v", f)
				}
				if within > 0 && (f.Last == nil || time.Since(*f.Last) > within || time.Until(*f.Last) > time.Minute) || within == 0 && f.Last != nil {
					t.Errorf("%s of %s was last seen at %v", area, client, f.Last)
				}
			}
		}
		if t.Failed() {
			t.Log(output)
		}
		// The demo's messages are processed at once, and the exporter reads open ones only.
		if f := seen["system_messages"]; len(f) != 1 || f[0].Seen == nil || *f[0].Seen || !f[0].OK {
			t.Errorf("system messages: %+v", f)
		}
	}
	_, stdout, _ := checks(t, file, text, "--sanity", "--client=KREWE")
	for _, want := range []string{
		"KREWE: sanity jobs scheduled: seen, scheduled jobs: ", "KREWE: sanity orders: seen from channel \"",
		"KREWE: sanity reset_inventory wms: seen, last at " + time.Now().UTC().Format("2006-"),
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if before, _, _ := strings.Cut(stdout, ": sanity "); !strings.Contains(before, "KREWE: superset ") {
		t.Errorf("what has been seen does not come last:\n%s", stdout)
	}
	if _, stdout, _ := checks(t, file, text, "--sanity", "--client=KREWE", "--no-collector.jobs"); strings.Contains(stdout, "sanity jobs") {
		t.Errorf("jobs are not checked, but listed:\n%s", stdout)
	}
}

// TestSanityFresh has an OMS in whose database nothing has happened yet, and one that cannot be reached.
func TestSanityFresh(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	const source = "    reset_inventory: [{source: wms, config_ids: [A]}]\n"
	text := "clients:\n" + sqliteClient(t, "KREWE") + source + clientConfig("UCG", "sqlite", "/nowhere/ucg.db") + source
	areas := []string{"orders", "data_manager", "reset_inventory wms", "system_messages"}

	_, seen, output := sanityOf(t, file, text, "KREWE")
	for _, area := range append(areas, "jobs scheduled", "jobs started", "jobs finished") {
		if len(seen[area]) != 1 {
			t.Fatalf("%d findings about %s in\n%s", len(seen[area]), area, output)
		}
		if f := seen[area][0]; !f.OK || f.Seen == nil || *f.Seen || f.Last != nil || !strings.HasPrefix(f.Note, "not seen yet") {
			t.Errorf("%+v", f)
		}
	}

	status, seen, output := sanityOf(t, file, text, "UCG")
	if status != 1 {
		t.Errorf("status %d: %s", status, output)
	}
	for _, area := range append(areas[:2:2], "reset_inventory", "system_messages", "jobs") {
		if len(seen[area]) != 1 || seen[area][0].OK || seen[area][0].Seen != nil || seen[area][0].Problem != "not checked, because the area database cannot be read" {
			t.Errorf("%s: %+v", area, seen[area])
		}
	}
}
