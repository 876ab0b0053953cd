package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// output keeps what a program writes and wakes whoever waits for some of it.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.wrote)
	o.wrote = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until the pattern has matched n times and returns the last match's first group.
func (o *output) await(t *testing.T, pattern string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		o.mu.Lock()
		matches := regexp.MustCompile(pattern).FindAllStringSubmatch(o.text.String(), -1)
		wrote := o.wrote
		o.mu.Unlock()
		if len(matches) >= n {
			return matches[n-1][1]
		}
		select {
		case <-wrote:
		case <-ctx.Done():
			t.Fatalf("%q did not show up in\n%s", pattern, o)
		}
	}
}

// A process is the whole program, running in this one.
type process struct {
	stdout, stderr *output
	address        string
	exit           chan int
}

// start runs the program until it listens. It is stopped at the end of the test, unless the test did that.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{
		stdout: &output{wrote: make(chan struct{})}, stderr: &output{wrote: make(chan struct{})}, exit: make(chan int, 1),
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.exit <- run(ctx, append(args, "--web.listen-address=127.0.0.1:0", "--log.level=debug"), p.stdout, p.stderr)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		http.DefaultClient.CloseIdleConnections()
	})
	p.address = p.stderr.await(t, `msg="Listening on" address=(\S+)|(failed)`, 1)
	return p
}

// ask sends a request. Headers are "Name: value".
func (p *process) ask(t *testing.T, method, path string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return fetch(t, http.DefaultClient, r)
}

// get returns the body of a page that must be there.
func (p *process) get(t *testing.T, path string, headers ...string) string {
	t.Helper()
	status, body := p.ask(t, "GET", path, headers...)
	if status != http.StatusOK {
		t.Fatalf("%s: status %d: %s", path, status, body)
	}
	return body
}

// sqliteClient returns the configuration of a client with an empty database.
func sqliteClient(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, db)
	if _, err := db.ExecContext(t.Context(), "BEGIN;"+omsschema.SQLite+";COMMIT"); err != nil {
		t.Fatal(err)
	}
	return clientConfig(name, "sqlite", path)
}

func clientConfig(name, driver, dsn string) string {
	return fmt.Sprintf("  - name: %s\n    timezone: UTC\n    database: {driver: %s, dsn: %q, timezone: UTC}\n", name, driver, dsn)
}

// canary is a password that must not show up anywhere.
const canary = "canary-4f1d"

// mysqlClient returns the configuration of a client at that address, whose password is the canary.
func mysqlClient(t *testing.T, name, address string) string {
	t.Helper()
	t.Setenv("CANARY", canary)
	return clientConfig(name, "mysql", "monitor:${CANARY}@tcp("+address+")/oms")
}

// withSFTP adds locations to the configuration of a client.
func withSFTP(client string, locations ...string) string {
	return client + "    reset_inventory: [{source: wms, config_ids: [A]}, {source: shopify, config_ids: [B]}]\n    sftp:\n" +
		strings.Join(locations, "")
}

// sftpLocation returns the configuration of a location whose password is in a variable of the environment.
func sftpLocation(name, source, address, variable, knownHosts, path string) string {
	return fmt.Sprintf("      - location: %s\n        source: %s\n        address: %q\n        username: exporter\n"+
		"        password: ${%s}\n        known_hosts_file: %q\n        path: %q\n        pattern: '*.csv'\n"+
		"        archive: archive\n        failed: failed\n        format: reset_inventory\n",
		name, source, address, variable, knownHosts, path)
}

// knownHost is a line of a known_hosts file.
const knownHost = "sftp.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"

func writeConfig(t *testing.T, path string, clients ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("clients:\n"+strings.Join(clients, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// listen takes a free port.
func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// silentServer takes connections and never says a word. It tells of each.
func silentServer(t *testing.T) (address string, connected <-chan net.Conn) {
	t.Helper()
	listener := listen(t)
	conns := make(chan net.Conn, 100)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		defer close(conns)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns <- conn
		}
	})
	t.Cleanup(func() {
		for conn := range conns {
			closeAtEnd(t, conn)
		}
		accepting.Wait()
	})
	closeAtEnd(t, listener) // first of the three
	return listener.Addr().String(), conns
}
