package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLifeOfTheProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	address, connected := silentServer(t)
	krewe := sqliteClient(t, "KREWE")
	writeConfig(t, file, krewe)
	p := start(t, "--config.file="+file, "--web.enable-lifecycle", "--no-collector.jobs")

	metrics := p.get(t, "/metrics")
	wantLines(t, metrics,
		`oms_collector_success{client="KREWE",collector="client"} 1`,
		`oms_orders{channel="",client="KREWE",product_store="",status="created"} 0`,
		fmt.Sprintf(`go_sql_max_open_connections{client="KREWE",db_name="KREWE"} %d`, config.DefaultMaxConnections))
	for _, want := range []string{"\noms_exporter_build_info{", "\ngo_goroutines ", "\nprocess_start_time_seconds "} {
		if !strings.Contains(metrics, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(metrics, `collector="jobs"`) {
		t.Error("a disabled collector ran")
	}

	writeConfig(t, file, krewe, mysqlClient(t, "UCG", address))
	signalSelf(t, syscall.SIGHUP)
	p.stderr.await(t, `(configuration loaded)`, 2)
	writeConfig(t, file, "  - nonsense\n")
	signalSelf(t, syscall.SIGHUP)
	p.stderr.await(t, `(configuration not loaded)`, 1)
	if sd := p.get(t, "/sd"); !strings.Contains(sd, `"UCG"`) || !strings.Contains(sd, `"`+p.address+`"`) {
		t.Errorf("after SIGHUP: %s", sd)
	}

	go func() {
		conn := <-connected // the scrape is waiting for UCG's database
		closeAtEnd(t, conn)
		signalSelf(t, syscall.SIGTERM)
	}()
	wantLines(t, p.get(t, "/metrics", timeoutHeader+": 2"),
		`oms_orders{channel="",client="KREWE",product_store="",status="created"} 0`,
		`oms_collector_success{client="UCG",collector="orders"} 0`,
		`oms_exporter_config_last_reload_successful 0`)
	if status := <-p.exit; status != 0 {
		t.Errorf("exit status %d\n%s", status, p.stderr)
	}
}

func signalSelf(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Error(err)
	}
}

func TestSecretsStaySecret(t *testing.T) {
	nobody := listen(t)
	if err := nobody.Close(); err != nil { // nothing listens there any more
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	hosts := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(hosts, []byte(knownHost), 0o600); err != nil {
		t.Fatal(err)
	}
	client := withSFTP(mysqlClient(t, "KREWE", nobody.Addr().String()),
		sftpLocation("inventory", "wms", nobody.Addr().String(), "CANARY", hosts, "/"))
	writeConfig(t, file, client)
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")

	var pages strings.Builder
	for _, path := range []string{
		"/metrics", "/metrics/exporter", "/sd", "/probe?client=KREWE", "/probe?client=KREWE&debug=true", "/", "/client?name=KREWE", "/status.json",
	} {
		pages.WriteString(p.get(t, path))
	}
	for _, want := range []string{"connect: connection refused", "location inventory: " + nobody.Addr().String() + " cannot be reached"} {
		if !strings.Contains(pages.String(), want) {
			t.Errorf("no page says %q:\n%s", want, pages.String())
		}
	}
	writeConfig(t, file, client, strings.Replace(client, "name: KREWE", "name: UCG\n    password: "+canary, 1))
	status, refusal := p.ask(t, "POST", "/-/reload")
	if status != http.StatusInternalServerError || !strings.Contains(refusal, "UCG") {
		t.Errorf("status %d: %s", status, refusal)
	}
	for where, text := range map[string]string{
		"a page": pages.String(), "the refusal": refusal, "stdout": p.stdout.String(), "stderr": p.stderr.String(),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("the password stands in %s:\n%s", where, text)
		}
	}
}
