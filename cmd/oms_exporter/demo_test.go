package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	p := start(t, "demo", "--fault=KREWE:db-hung", "--fault=ADOC:sftp-hostkey-changed", "--fault=UCG:superset-down")
	root := p.stdout.await(t, `status of all clients +(http://\S+/)\n`, 1)
	if root != "http://"+p.address+"/" {
		t.Errorf("it points to %s, but listens on %s", root, p.address)
	}
	page := p.get(t, "/metrics", timeoutHeader+": 5")
	wantLines(t, page,
		`oms_collector_success{client="KREWE",collector="orders"} 0`,
		`oms_collector_success{client="UCG",collector="client"} 1`,
		`oms_collector_success{client="ADOC",collector="client"} 1`,
		`oms_collector_success{client="ADOC",collector="sftp"} 0`,
		`oms_collector_success{client="KREWE",collector="sftp"} 1`,
		`oms_collector_success{client="NEWERA",collector="client"} 1`,
		`oms_report_dashboard_error{client="UCG",dashboard="ucg-inventory",reason="server_error"} 1`,
		`oms_report_chart_success{chart="Missing orders",client="KREWE",dashboard="krewe-order-sync"} 1`)

	if status, body := p.ask(t, "POST", "/demo/fault?client=KREWE&name=db-hung&on=false"); status >= 300 {
		t.Errorf("mending the fault: status %d: %s", status, body)
	}
	// The first look still hangs: a scrape that can wait for less time than that has taken replaces it.
	wantLines(t, p.get(t, "/probe?client=KREWE&collector=client", timeoutHeader+": 5"), `oms_collector_success{client="KREWE",collector="client"} 1`)

	signalSelf(t, syscall.SIGTERM)
	if status := <-p.exit; status != 0 {
		t.Errorf("exit status %d\n%s", status, p.stderr)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), "oms_exporter_demo_") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}
