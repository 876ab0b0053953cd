package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/check"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/demo"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// newCheckedDemo starts the demo's servers, which go on working until the test ends, and returns their configuration.
func newCheckedDemo(t *testing.T) (file, text string) {
	t.Helper()
	world, err := demo.New(t.Context(), slog.New(slog.DiscardHandler), t.TempDir(), time.Now(), demoSeed)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, world)
	ctx, end := context.WithCancel(t.Context())
	var advancing sync.WaitGroup
	t.Cleanup(func() {
		end()
		advancing.Wait()
	})
	advancing.Go(func() { advance(ctx, slog.New(slog.DiscardHandler), world) })
	content, err := os.ReadFile(world.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	return world.ConfigFile(), string(content)
}

// checks runs the command on a configuration that lies beside the file.
func checks(t *testing.T, file, text string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	changed := filepath.Join(filepath.Dir(file), strings.ReplaceAll(t.Name(), "/", "_")+".yml")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status = run(t.Context(), append([]string{"check", "--config.file=" + changed}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

// TestCheck seeds one mistake after another into a configuration that is right.
func TestCheck(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	file, right := newCheckedDemo(t)
	status, stdout, stderr := checks(t, file, right)
	if status != 0 || strings.Contains(stdout, "WRONG") || !strings.Contains(stderr, unchecked) {
		t.Errorf("a right configuration: status %d: %s%s", status, stdout, stderr)
	}
	for _, client := range []string{"KREWE", "UCG", "ADOC", "NEWERA"} {
		for _, area := range []string{
			"database", "schema", "zone", "orders", "last_mile", "jobs", "data_manager", "reset_inventory wms", "system_messages",
			"sftp reset-inventory", "superset " + strings.ToLower(client) + "-order-sync",
		} {
			if !strings.Contains(stdout, client+": "+area+": ok\n") {
				t.Errorf("%s of %s is not ok", area, client)
			}
		}
	}
	for _, test := range []struct{ name, client, from, to, want string }{
		{"wrong config id", "KREWE", "config_ids: [RESET_INVENTORY]", "config_ids: [RESET_INVENTROY]",
			"reset_inventory wms: WRONG: the configuration RESET_INVENTROY is not in data_manager_config; configurations with similar names: RESET_INVENTORY"},
		{"zone behind", "ADOC", "      timezone: UTC", "      timezone: America/El_Salvador",
			"ahead of now. Fix: Set database.timezone to a zone that now is UTC+00:00 (UTC"},
		{"zone ahead", "NEWERA", "      timezone: America/New_York", "      timezone: Asia/Tokyo",
			"zone: WRONG: "},
		{"channel", "KREWE", "channels: [LOOP_EXCH]", "channels: [LOOP_EXCHANGE]",
			"orders: WRONG: no open order and no order of the last days has the excluded channel LOOP_EXCHANGE; channels with similar names: LOOP_EXCH"},
		{"attribute", "UCG", "missing_attributes: [SIGNIFYD_APPROVED]", "missing_attributes: [SIGNIFYD_APROVED]",
			"has the attribute SIGNIFYD_APROVED; attributes with similar names: SIGNIFYD_APPROVED"},
		{"inbox", "KREWE", "path: /", "path: /nowhere/", "sftp reset-inventory: WRONG: the folder inbox \"/nowhere/"},
		{"archive", "KREWE", "archive: archive", "archive: archives", "in \"/"},
		{"pattern", "KREWE", "pattern: \"", "pattern: \"X", "matches none of the files there, such as \""},
		{"sftp user", "UCG", "username: ucg\n        password_file", "username: nobody\n        password_file", "sftp reset-inventory: WRONG: "},
		{"slug", "KREWE", "krewe-order-sync", "krewe-ordersync", "superset krewe-ordersync: WRONG: "},
		{"slug seen", "KREWE", "krewe-order-sync", "krewe-ordersync", "who sees krewe-order-sync (\"KREWE Order Sync\"), "},
		{"link", "KREWE", "[krewe-order-sync,", "['http://tathya.example.com/superset/dashboard/krewe-order-sync/?native_filters=x',", "it is a link to the dashboard krewe-order-sync (\"KREWE Order Sync\"): write that slug or id"},
		{"superset user", "ADOC", "username: adoc\n      password_file: superset", "username: nobody\n      password_file: superset", "rejects the login of user nobody"},
		{"secret", "KREWE", "password_file: sftp_password", "password_file: no_password", "no_password"},
		{"database", "KREWE", "dsn: krewe.db", "dsn: other.db", "database: WRONG: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// The client's own entry changes, and nothing else.
			before, entry, _ := strings.Cut(right, "  - name: "+test.client+"\n")
			entry, after, _ := strings.Cut(entry, "  - name: ")
			wrong := strings.Replace(entry, test.from, test.to, 1)
			if wrong == entry {
				t.Fatalf("%q is not in\n%s", test.from, entry)
			}
			text := before + "  - name: " + test.client + "\n" + wrong
			if after != "" {
				text += "  - name: " + after
			}
			status, stdout, stderr := checks(t, file, text, "--client="+test.client)
			if status != 1 || !strings.Contains(stdout, test.want) {
				t.Errorf("status %d, want %q in\n%s%s", status, test.want, stdout, stderr)
			}
		})
	}
}

// TestCheckDatabase has databases that lack something, on each kind of server.
func TestCheckDatabase(t *testing.T) {
	engines := testserver.Engines()
	if testing.Short() {
		engines = engines[:1] // SQLite, which is no server
	}
	for _, engine := range engines {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			database := engine.Start(t)
			for name, test := range map[string]struct {
				change  string // of the database
				revoke  string // what the account may not read any more
				account string // who logs in
				zone    string // in the configuration
				want    string
			}{
				"right":            {},
				"disabled":         {change: "UPDATE data_manager_config SET execution_mode_id = 'DMC_DISABLED'", want: "reset_inventory wms: WRONG: the configuration RESET_INVENTORY is disabled in data_manager_config"},
				"no configs":       {change: "DROP TABLE data_manager_config", want: "reset_inventory wms: WRONG: it is unknown whether its config_ids exist: data_manager_config cannot be read"},
				"no needed column": {change: "ALTER TABLE job_sandbox RENAME COLUMN run_by_instance_id TO away", want: "jobs: WRONG: table job_sandbox has no column run_by_instance_id"},
				"no files":         {change: "DROP TABLE data_manager_log", want: "reset_inventory wms: WRONG: reset_inventory: table data_manager_log is not in the database"},
				"no column":        {change: "ALTER TABLE order_header RENAME COLUMN external_id TO away", want: "schema: WRONG: the column order_header.external_id does not exist, or the account is not allowed to read it"},
				"ahead":            {zone: "America/El_Salvador", want: "ahead of now. Fix: Set database.timezone to a zone that now is UTC-05:00 ("},
				"behind":           {zone: "Asia/Tokyo", want: "behind now. Fix: Set database.timezone to a zone that now is UTC-05:00 ("},
				"no grant":         {revoke: "SELECT (config_id) ON data_manager_config", want: "the column data_manager_config.config_id does not exist, or the account is not allowed to read it: metrics that need it are absent. Fix: Run deploy/database/"},
				"account":          {account: "somebody", want: "database: WRONG: "},
			} {
				if test.account+test.revoke != "" && engine.Driver == config.SQLite { // which has no accounts
					continue
				}
				t.Run(name, func(t *testing.T) {
					if engine.Driver == config.SQLite { // the account on a server may have no more connections than for a few
						t.Parallel()
					}
					db := database(t, strings.ReplaceAll("check_"+name, " ", "_"), "America/Bogota") // UTC-5 all the year
					testserver.Execute(t, db.Admin, "INSERT INTO data_manager_config (config_id, execution_mode_id) VALUES ('RESET_INVENTORY', 'DMC_QUEUE')")
					write := func() {
						now := time.Now().In(db.Config.Timezone).Format(time.DateTime)
						_, _ = db.Admin.ExecContext(t.Context(), "INSERT INTO job_sandbox (job_id, job_name, status_id, start_date_time, last_updated_tx_stamp) VALUES ('"+
							rand.Text()[:20]+"', 'A', 'SERVICE_FINISHED', '"+now+"', '"+now+"')") // one that fails shows in the zone
					}
					write()
					ctx, end := context.WithCancel(t.Context())
					var writing sync.WaitGroup
					defer writing.Wait()
					defer end()
					writing.Go(func() { // as an OMS does
						for ticker := time.NewTicker(time.Second); ctx.Err() == nil; {
							select {
							case <-ticker.C:
								write()
							case <-ctx.Done():
							}
						}
					})
					if test.change != "" {
						testserver.Execute(t, db.Admin, test.change)
						db.Grant(t)
					}
					if test.revoke != "" {
						testserver.Execute(t, db.Admin, "REVOKE "+test.revoke+" FROM "+testserver.User)
					}
					dsn, err := db.Config.DSN.Read()
					if err != nil {
						t.Fatal(err)
					}
					if test.account != "" {
						dsn = strings.Replace(dsn, testserver.User, test.account, 1)
					}
					secret := filepath.Join(t.TempDir(), "dsn")
					if err := os.WriteFile(secret, []byte(dsn), 0o600); err != nil {
						t.Fatal(err)
					}
					client := strings.Replace(clientConfig("KREWE", string(engine.Driver), secret), "dsn: ", "dsn_file: ", 1)
					client = strings.Replace(client, "timezone: UTC}", "timezone: "+cmp.Or(test.zone, "America/Bogota")+"}", 1)
					client += "    reset_inventory: [{source: wms, config_ids: [RESET_INVENTORY]}]\n"
					status, stdout, stderr := checks(t, secret, "clients:\n"+client)
					if test.zone != "" && engine.Driver == config.Postgres {
						test.want = "zone: ok" // its timestamps have a zone of their own
					}
					if wrong := strings.Contains(test.want, "WRONG") || strings.Contains(test.want, "Fix:"); (status == 1) != wrong || !strings.Contains(stdout, test.want) {
						t.Errorf("status %d, want %q in\n%s%s", status, test.want, stdout, stderr)
					}
				})
			}
		})
	}
}

// TestCheckFields has the findings as JSON, for programs.
func TestCheckFields(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	status, stdout, stderr := checks(t, file, "clients:\n"+sqliteClient(t, "KREWE")+clientConfig("UCG", "sqlite", "/nowhere/ucg.db"),
		"--client=UCG", "--output=json")
	if status != 1 {
		t.Errorf("status %d: %s", status, stderr)
	}
	var areas []string
	for line := range strings.Lines(stdout) {
		var found check.Finding
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&found); err != nil || found.OK || found.Client != "UCG" || found.Problem == "" || found.Fix == "" {
			t.Errorf("error %v in %s", err, line)
		}
		areas = append(areas, found.Area)
	}
	if got := strings.Join(areas, " "); got != "database schema zone orders last_mile jobs data_manager system_messages" {
		t.Errorf("areas %s", got)
	}
	if status, _, stderr := checks(t, file, "clients:\n"+sqliteClient(t, "KREWE"), "--client=OTHER"); status != 1 ||
		!strings.Contains(stderr, "--client=OTHER: the configuration has no such client, only KREWE") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestCheckDeadlines has a source whose deadline the entry has, one whose deadline it does not have, and holidays that are over: no fault.
func TestCheckDeadlines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	text := "clients:\n" + clientConfig("KREWE", "sqlite", "/nowhere/krewe.db") +
		"    reset_inventory: [{source: wms, config_ids: [A], process_by: [\"13:00\"]}, {source: erp, config_ids: [B]}]\n    holidays: [2025-12-25]\n"
	_, stdout, stderr := checks(t, file, text)
	for _, want := range []string{
		"KREWE: deadline wms: ok\n",
		"KREWE: deadline erp: not checked: the source has no process_by, so rules/limits.yml must have its deadline\n",
		"KREWE: holidays: the last one was 2025-12-25: add those to come\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s%s", want, stdout, stderr)
		}
	}
	_, stdout, _ = checks(t, file, text, "--output=json", "--no-collector.reset_inventory")
	if strings.Contains(stdout, "deadline") || strings.Contains(stdout, "holidays") {
		t.Errorf("deadlines of a collector that is switched off in\n%s", stdout)
	}
}
