package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/deploy/database"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// commands returns the lines of the code blocks of a document that have no language, without comments. A line that ends with a
// backslash goes on.
func commands(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, block := range regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```$").FindAllStringSubmatch(string(text), -1) {
		if block[1] != "" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", " ")) {
			line, _, _ = strings.Cut(line, " #")
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// programOf returns the arguments of the exporter in a command, and the file into which its output goes, if any.
func programOf(command string) (args []string, output string, ok bool) {
	_, rest, ok := strings.Cut(command, "./oms_exporter ")
	rest, output, _ = strings.Cut(rest, " > ")
	return strings.Fields(rest), output, ok
}

// TestDocumentedCommands has the exporter take every command line of the documents. There are none of their files here, so most fail,
// but not by a flag or command that does not exist.
func TestDocumentedCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, page := range append(pages, "../../README.md") {
		lines = append(lines, commands(t, page)...)
	}
	t.Chdir(t.TempDir())
	known := map[string]bool{}
	for _, line := range lines {
		args, _, ok := programOf(line)
		if !ok {
			continue
		}
		if !strings.HasPrefix(args[0], "-") {
			known[args[0]] = true
		}
		var stdout, stderr bytes.Buffer
		if run(t.Context(), args, &stdout, &stderr); strings.Contains(stderr.String(), "try --help") {
			t.Errorf("%s: %s", line, &stderr)
		}
	}
	for _, command := range []string{"check-config", "check", "discover", "report", "queries"} {
		if !known[command] {
			t.Errorf("no document shows %s", command)
		}
	}
}

// TestDocumentedFlags looks for the flags and commands of --help in docs/configuration.md, and for those of the document in --help.
func TestDocumentedFlags(t *testing.T) {
	var help, stderr bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &help, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	document, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, found := strings.Cut(string(document), "\n## Command line\n")
	if !found {
		t.Fatal("docs/configuration.md has no command line")
	}
	const collectors = "collector.NAME"
	shown := map[string]string{} // defaults by the flag or command
	for _, flag := range regexp.MustCompile(`(?m)^ {6}--(?:\[no-\])?([a-z._-]+)(?:=(\S+))?`).FindAllStringSubmatch(help.String(), -1) {
		name, isCollector := strings.CutPrefix(flag[1], "collector.")
		switch {
		case flag[1] == "version":
		case isCollector && flag[2] == "":
			shown[collectors] = ""
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("the document does not name the collector %s", name)
			}
		default:
			shown[flag[1]] = strings.Trim(flag[2], `"`)
		}
	}
	for _, command := range regexp.MustCompile(`(?m)^([a-z-]+)\*?(?: [\[-].*)?$`).FindAllStringSubmatch(help.String(), -1) {
		if command[1] != "help" {
			shown[command[1]] = ""
		}
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(?:--)?(?:\\[no-\\])?([^`]+)` \\|(?: `([^`]+)`)?").FindAllStringSubmatch(page, -1) {
		documented[row[1]] = true
		if value, ok := shown[row[1]]; !ok || row[2] != "" && row[2] != value {
			t.Errorf("%s with the default %q is documented, --help shows it: %t, with %q", row[1], row[2], ok, value)
		}
	}
	for name := range shown {
		if !documented[name] {
			t.Errorf("%s is not documented", name)
		}
	}
}

// TestREADMEDemo injects a fault into the demo as the README does.
func TestREADMEDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	p := start(t, "demo")
	curl := regexp.MustCompile(`^curl (-X POST|-s) '(http://localhost:9942/\S+)'(?: \| grep (\w+))?$`)
	injected, seen := false, false
	for _, line := range commands(t, "../../README.md") {
		parts := curl.FindStringSubmatch(line)
		if parts == nil {
			continue
		}
		address, err := url.Parse(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		if parts[1] == "-X POST" {
			injected = true
			if status, body := p.ask(t, "POST", address.RequestURI()); status >= 300 {
				t.Fatalf("%s: status %d: %s", line, status, body)
			}
			continue
		}
		seen = true
		testserver.Eventually(t, time.Minute, func() error {
			if page := p.get(t, address.RequestURI()); !strings.Contains(page, "\n"+parts[3]+"{") {
				return fmt.Errorf("%s prints nothing:\n%s", line, page)
			}
			return nil
		})
	}
	if !injected || !seen {
		t.Error("the README shows no fault and what comes of it")
	}
}

// TestREADMEClient has somebody watch a real client by the commands of the README: from the grants to the metrics.
func TestREADMEClient(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out servers")
	}
	server := testserver.MariaDB(t)
	db := server.Database(t, "krewe", "America/New_York")
	now := "'" + time.Now().In(db.Config.Timezone).Format(time.DateTime) + "'"
	testserver.Execute(t, db.Admin, "INSERT INTO product_store (product_store_id, default_time_zone_string) VALUES ('KREWE', 'America/New_York');"+
		"INSERT INTO data_manager_config (config_id, execution_mode_id) VALUES ('RESET_INVENTORY', 'DMC_QUEUE');"+
		"INSERT INTO data_manager_log (log_id, config_id, status_id, finish_date_time, total_record_count, last_updated_tx_stamp) VALUES ('1', 'RESET_INVENTORY', 'SERVICE_FINISHED', "+now+", 9, "+now+")")
	var socket, port string
	if err := db.Admin.QueryRowContext(t.Context(), "SELECT @@socket, @@port").Scan(&socket, &port); err != nil {
		t.Fatal(err)
	}

	lines := commands(t, "../../README.md")
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"deploy/database/mysql.sql": strings.ReplaceAll(database.MySQL, "<password>", "'"+testserver.Password+"'"),
		"krewe.dsn":                 "exporter_krewe:" + testserver.Password + "@tcp(127.0.0.1:" + port + ")/krewe",
		"home/.my.cnf":              "[client]\nuser=root\nsocket=" + socket + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	granted, watched := false, false
	for _, line := range lines {
		args, output, ok := programOf(line)
		switch {
		case strings.Contains(line, "| mysql "):
			granted = true
			cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
			cmd.Env = append(os.Environ(), "HOME=home")
			if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
				t.Fatalf("%s: %v: %s", line, err, said)
			}
		case !ok:
		case strings.HasPrefix(args[0], "-"):
			watched = true
			p := start(t, args...)
			testserver.Eventually(t, time.Minute, func() error {
				for _, collector := range []string{"client", "orders", "jobs", "data_manager", "system_messages"} {
					page := p.get(t, "/probe?client=KREWE&collector="+collector)
					if !strings.Contains(page, "\noms_collector_success{client=\"KREWE\",collector=\""+collector+"\"} 1\n") {
						return fmt.Errorf("%s fails:\n%s", collector, page)
					}
				}
				return nil
			})
		default:
			var stdout, stderr bytes.Buffer
			if status := run(context.WithoutCancel(t.Context()), args, &stdout, &stderr); status != 0 {
				t.Fatalf("%s: status %d: %s%s", line, status, &stdout, &stderr)
			}
			if output == "" {
				continue
			}
			if err := os.WriteFile(output, stdout.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !granted || !watched {
		t.Errorf("the README shows how to execute the grants: %t, and how to start: %t", granted, watched)
	}
	if _, err := fs.Stat(os.DirFS("."), "krewe.yml"); err != nil {
		t.Error(err)
	}
}
