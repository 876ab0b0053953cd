package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// discovers runs the command, and checks that its entry is a valid configuration.
func discovers(t *testing.T, args ...string) (status int, entry, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), append([]string{"discover"}, args...), &out, &errs)
	if status == 0 {
		if _, err := config.Parse(out.String()); err != nil {
			t.Errorf("the entry is not valid: %v\n%s", err, out.String())
		}
	}
	return status, out.String(), errs.String()
}

// TestDiscover discovers the demo's clients by their logins alone. The check finds nothing wrong with what comes of it.
func TestDiscover(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	file, text := newCheckedDemo(t)
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(filepath.Dir(file), name) }
	for _, c := range cfg.Clients {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			status, entry, stderr := discovers(t, "--name="+c.Name, "--driver=sqlite", "--dsn="+at(regexp.MustCompile(`dsn: (` + strings.ToLower(c.Name) + `.*)`).FindStringSubmatch(text)[1]),
				"--sftp.address="+c.SFTP[0].Address, "--sftp.username="+c.SFTP[0].Username, "--sftp.password-file="+at("sftp_password"),
				"--sftp.known-hosts-file="+at("known_hosts"), "--superset.url="+c.Superset.Account.URL,
				"--superset.username="+c.Superset.Account.Username, "--superset.password-file="+at("superset_password"))
			if status != 0 {
				t.Fatalf("status %d: %s", status, stderr)
			}
			found, err := config.Parse(entry)
			if err != nil {
				t.Fatal(err)
			}
			got := found.Clients[0]
			if got.Timezone.String() != c.Timezone.String() || got.Database.Timezone.String() != c.Database.Timezone.String() {
				t.Errorf("zones %s and %s, want %s and %s", got.Timezone, got.Database.Timezone, c.Timezone, c.Database.Timezone)
			}
			if status, stdout, stderr := checks(t, file, entry); status != 0 {
				t.Errorf("the check of the entry: status %d: %s%s\n%s", status, stdout, stderr, entry)
			}
		})
	}
}

// TestDiscoverFolders has the drop folder on an OpenSSH server.
func TestDiscoverFolders(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out servers")
	}
	sshd := testserver.SSHD(t)
	folder := filepath.Join(sshd.Root, "inventory")
	if err := os.MkdirAll(filepath.Join(folder, "archive"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"DC_Inventory_20261128.csv", "archive/DC_Inventory_20261127.csv"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	db := testserver.Engines()[0].Start(t)(t, "folders", "America/Bogota")
	now := "'" + time.Now().In(db.Config.Timezone).Format(time.DateTime) + "'"
	testserver.Execute(t, db.Admin, "INSERT INTO data_manager_config (config_id, import_path) VALUES ('RESET_INVENTORY', '"+folder+"');"+
		"INSERT INTO data_manager_log (log_id, config_id, status_id, finish_date_time, total_record_count, last_updated_tx_stamp) VALUES ('1', 'RESET_INVENTORY', 'SERVICE_FINISHED', "+now+", 9, "+now+");"+
		"INSERT INTO product_store (product_store_id, default_time_zone_string) VALUES ('A', 'America/Bogota')")
	dsn, err := db.Config.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--driver=sqlite", "--dsn=" + dsn, "--sftp.address=" + sshd.Address, "--sftp.username=" + testserver.User,
		"--sftp.private-key-file=" + sshd.Key, "--sftp.known-hosts-file=" + sshd.KnownHosts}
	status, entry, stderr := discovers(t, args...)
	for _, want := range []string{
		"path: " + folder + "   # import_path of RESET_INVENTORY\n", "pattern: \"DC_Inventory_*.csv\"   # derived from the file names, such as DC_Inventory_20261128.csv\n",
		"# There: 1 file in inbox, 1 file in archive.\n", "        archive: archive\n", "# failed: not seen",
	} {
		if status != 0 || !strings.Contains(entry, want) {
			t.Errorf("status %d, %q is not in\n%s%s", status, want, entry, stderr)
		}
	}
	if status, stdout, stderr := checks(t, filepath.Join(t.TempDir(), "oms_exporter.yml"), entry); strings.Count(stdout, "WRONG") > 0 {
		t.Errorf("the check of the entry: status %d: %s%s", status, stdout, stderr)
	}
	sshd.Stop(t)
	if status, entry, _ := discovers(t, args...); status != 0 || !strings.Contains(entry, "#   SFTP: location wms: "+sshd.Address+" cannot be reached") {
		t.Errorf("status %d:\n%s", status, entry)
	}
}

// TestDiscoverNothing has flags that do not suffice, and a database that lets nobody in: there is no entry, and one sentence says why.
func TestDiscoverNothing(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CANARY", canary)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no driver":  {nil, "required flag(s) '--driver' not provided"},
		"no dsn":     {[]string{"--driver=mysql"}, "client CLIENT: database.dsn_file is missing: write the path of a file that contains the DSN"},
		"password":   {[]string{"--driver=mysql", "--dsn=exporter:" + canary + "@tcp(127.0.0.1:1)/krewe"}, "database.dsn contains a password: write ${NAME}"},
		"empty file": {[]string{"--driver=mysql", "--dsn-file=" + empty}, "client CLIENT: database.dsn_file names an empty file"},
		"name":       {[]string{"--driver=mysql", "--name=a client", "--dsn=exporter@tcp(127.0.0.1:1)/krewe"}, "name \"a client\" contains an invalid character"},
		"sftp":       {[]string{"--driver=sqlite", "--dsn=" + empty, "--sftp.username=monitor"}, "client CLIENT: sftp.address is missing"},
		"database":   {[]string{"--driver=mysql", "--name=KREWE", "--dsn=exporter:${CANARY}@tcp(127.0.0.1:1)/krewe"}, "client KREWE: nothing listens at 127.0.0.1:1"},
		"no oms":     {[]string{"--driver=sqlite", "--dsn=" + empty}, "client CLIENT: the database has no OMS tables"},
	} {
		t.Run(name, func(t *testing.T) {
			status, entry, stderr := discovers(t, test.args...)
			if status != 1 || entry != "" || !strings.Contains(stderr, test.want) || strings.Contains(stderr, canary) {
				t.Errorf("status %d, entry %q, want %q in %s", status, entry, test.want, stderr)
			}
		})
	}
}
