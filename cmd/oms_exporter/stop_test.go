package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/demo"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// TestCloseGivesUp stops during a scrape that does not end.
func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := newFake()
		asked := hang(hung)
		b := newBench(t, options{}, map[string]*omstest.Fake{"KREWE": hung}, "KREWE", "UCG")
		scraper, hangUp := context.WithCancel(t.Context())
		go b.ask(scraper, "GET", "/metrics", timeoutHeader+": 60")
		<-asked
		brief, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		err := b.clients.close(brief)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "the clients are not closed: ") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("gave up after %s", took)
		}
		if hung.Closed() > 0 {
			t.Error("a source was closed during a scrape of it")
		}
		hangUp()
		synctest.Wait()
		if hung.Closed() == 0 || b.sources["UCG"].Closed() == 0 {
			t.Error("a source stays open")
		}
	})
}

// sticky are drop folders that cannot be closed.
type sticky struct{ oms.DropFolders }

func (sticky) Close() error { return errors.New("stuck") }

// TestUncleanClose has a client that is gone, and cannot be closed.
func TestUncleanClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{}, nil, "KREWE")
		log := logged(b)
		b.clients.open = func(config.Client) (collector.Sources, *sql.DB, error) {
			return collector.Sources{OMS: newFake(), DropFolders: sticky{}}, nil, nil
		}
		for _, names := range [][]string{{"KREWE", "UCG"}, {"KREWE"}} {
			b.cfg = configOf(names...)
			if err := b.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if want := `level=WARN msg="a client was not closed cleanly" client=UCG err="closing client UCG: stuck"`; strings.Count(log.String(), want) != 1 {
			t.Errorf("logged %s, want %s", log, want)
		}
	})
}

// TestShutdown stops a server while it answers, and when it has ended by itself.
func TestShutdown(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan error, 1)
	for served, want := range map[error]string{http.ErrServerClosed: "", io.ErrUnexpectedEOF: "serve HTTP: unexpected EOF"} {
		ended <- served
		if err := b.shutdown(over, new(http.Server), ended); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("when it ended with %v: %v, want %q", served, err, want)
		}
	}
	answering := make(chan struct{})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(answering)
		<-r.Context().Done()
	})}
	listener := listen(t)
	go func() { ended <- server.Serve(listener) }()
	cut := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err == nil {
			var response *http.Response
			if response, err = new(http.Transport).RoundTrip(r); err == nil {
				err = response.Body.Close()
			}
		}
		cut <- err
	}()
	<-answering
	if err := b.shutdown(over, server, ended); err == nil || err.Error() != "open requests were aborted: context canceled" {
		t.Errorf("error %v", err)
	}
	if err := <-cut; err == nil {
		t.Error("the request was answered")
	}
}

// TestLogs runs the program until it has begun to serve, with each form and level of the log.
func TestLogs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, file, clientConfig("KREWE", "mysql", "exporter@tcp(127.0.0.1:1)/oms"))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		args  string
		lines bool // that it says what it does
	}{
		{"--log.level=debug", true}, {"--log.level=info --collector.max-series=1", true}, {"", true}, {"--log.level=warn", false},
		{"--log.level=error", false}, {"--log.format=json", true}, {"serve --log.format=json --log.level=error", false},
	} {
		var stdout, stderr bytes.Buffer
		args := append(strings.Fields(tc.args), "--config.file="+file, "--web.listen-address=127.0.0.1:0")
		if status := run(over, args, &stdout, &stderr); status != 0 || stdout.Len() > 0 {
			t.Errorf("%s: status %d: %s", tc.args, status, &stdout)
		}
		begun, stopping := false, false
		for line := range strings.Lines(stderr.String()) {
			var fields map[string]any
			text := line
			if err := json.Unmarshal([]byte(line), &fields); (err == nil) != strings.Contains(tc.args, "json") {
				t.Errorf("%s: %s", tc.args, line)
			} else if err == nil {
				text = `msg="` + fields["msg"].(string)
			}
			begun = begun || strings.Contains(text, `msg="configuration loaded`)
			stopping = stopping || strings.Contains(text, `msg="stopping, open requests are answered first`)
		}
		if begun != tc.lines || stopping != tc.lines {
			t.Errorf("%s: logged\n%s", tc.args, &stderr)
		}
	}
}

// TestHelp shows that the flags are explained on request, in either form.
func TestHelp(t *testing.T) {
	for _, flag := range []string{"-h", "--help"} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{flag}, &stdout, &stderr); status != 0 || stderr.Len() > 0 || !strings.Contains(stdout.String(), "--config.file=") {
			t.Errorf("%s: status %d\n%s%s", flag, status, &stdout, &stderr)
		}
	}
}

// TestNowhereToWrite has commands whose answer cannot be written, and one that has none.
func TestNowhereToWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, file, clientConfig("KREWE", "sqlite", "krewe.db"))
	reader, full := io.Pipe()
	_ = reader.Close() // a pipe's never fails
	for name, err := range map[string]error{
		"check-config": options{}.checkConfig(t.Context(), []string{file}, false, full, io.Discard), "queries": printQueries([]string{"sqlite"}, full),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	var text bytes.Buffer
	if err := printQueries([]string{"sqlite", "oracle"}, &text); err == nil || text.Len() > 0 {
		t.Errorf("error %v after %s", err, &text)
	}
}

// TestDemoGuide shows that it names the pages, the clients and every fault.
func TestDemoGuide(t *testing.T) {
	guide := demoGuide("http://localhost:9942/")
	want := []string{"http://localhost:9942/metrics\n", "name=order-stuck&on=true'\n", "KREWE, UCG, ADOC and NEWERA", "Ctrl-C stops the demo"}
	for _, f := range demo.Faults() {
		want = append(want, fmt.Sprintf("\n  %-20s %s\n", f.Name, f.Description))
	}
	for _, text := range want {
		if !strings.Contains(guide, text) {
			t.Errorf("%q is missing in\n%s", text, guide)
		}
	}
}

// TestRootURL shows where a browser on the same machine finds the server.
func TestRootURL(t *testing.T) {
	any4, any6 := &net.TCPAddr{IP: net.IPv4zero, Port: 9942}, &net.TCPAddr{IP: net.IPv6unspecified, Port: 9942}
	for _, tc := range []struct {
		addr   net.Addr
		secure bool
		want   string
	}{
		{any4, false, "http://localhost:9942/"}, {any6, true, "https://localhost:9942/"},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 80}, false, "http://192.0.2.7:80/"},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 9942}, true, "https://[::1]:9942/"},
		{&net.UnixAddr{Name: "socket", Net: "unix"}, false, "http://socket/"},
	} {
		if got := rootURL(tc.addr, tc.secure); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.addr, got, tc.want)
		}
	}
}

// TestGarbageOfMany has the bounds between which it depends on the number of clients.
func TestGarbageOfMany(t *testing.T) {
	for clients, want := range map[int]int{0: 75, 1: 75, 26: 75, 27: 74, 80: 21, 81: 20, 82: 20, 1000: 20} {
		if got := gcPercent(clients); got != want {
			t.Errorf("%d clients: %d, want %d", clients, got, want)
		}
	}
}

// TestOpenSources shows that what cannot be opened as a whole is not opened at all, which goleak would see.
func TestOpenSources(t *testing.T) {
	open := openSources(slog.New(slog.DiscardHandler))
	client := config.Client{Name: "KREWE", Timezone: time.UTC, Database: config.Database{
		Driver: config.SQLite, DSN: config.EnvSecret(filepath.Join(t.TempDir(), "oms.db")), Timezone: time.UTC, MaxConnections: 1,
	}}
	sources, db, err := open(client)
	if err != nil || sources.OMS == nil || sources.DropFolders != nil || sources.Reports != nil || db == nil {
		t.Fatalf("%+v, %v", sources, err)
	}
	closeAtEnd(t, sources)
	client.SFTP = []config.SFTP{{Location: "in", Pattern: "["}}
	if sources, db, err := open(client); err == nil || !strings.Contains(err.Error(), "location in: pattern") || sources.OMS != nil || db != nil {
		t.Errorf("%+v, %v", sources, err)
	}
	client.SFTP[0].Pattern, client.Superset.Dashboards = "*", []string{"d"}
	all, _, err := open(client)
	if err != nil || all.DropFolders == nil || all.Reports == nil {
		t.Fatalf("%+v, %v", all, err)
	}
	closeAtEnd(t, all)
	client.Database.Driver = "oracle"
	if _, _, err := open(client); err == nil {
		t.Error("a database of an unknown kind is opened")
	}
}

// TestMetricsOnce shows that two sets of clients cannot have the same metrics.
func TestMetricsOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	options := collector.Options{Logger: slog.New(slog.DiscardHandler)}
	if _, err := newClients(options, nil, nil, registry); err != nil {
		t.Fatal(err)
	}
	if _, err := newClients(options, nil, nil, registry); err == nil || !strings.HasPrefix(err.Error(), "register the configuration's metrics: ") {
		t.Errorf("error %v", err)
	}
}
