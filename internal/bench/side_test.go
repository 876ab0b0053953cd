//go:build bench

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// patience is how long an exporter may take to come up: with many clients, each makes its first look back.
const patience = 15 * time.Minute

// A side is a running exporter.
type side struct {
	name, address string
	pid           int
}

// program is a kind of exporter: a binary, and what configures it for clients by their DSNs.
type program struct {
	name, binary string
	environment  []string
	configure    func(tb testing.TB, e engine, dsns map[string]string) (file string)
	flag         string         // what begins a flag
	own          string         // the page of the client that is appended
	ready        *regexp.Regexp // absent from a page when all is measured
}

// programs are those to be compared: this exporter comes first.
func programs(tb testing.TB) []program {
	tb.Helper()
	ours, err := filepath.Abs("../../oms_exporter")
	check(tb, err)
	self, err := os.Executable()
	check(tb, err)
	fails := func(metric string) *regexp.Regexp { return regexp.MustCompile(`(?m)^` + metric + `\{.*client="C.* 0$`) }
	all := []program{
		{"oms_exporter", ours, nil, configureOurs, "--", "/probe?client=", fails("oms_collector_success")},
		{"stand-in", self, []string{standIn + "=1"}, configurePeer, "-", "/metrics?jobs[]=", fails("up")},
	}
	if peer := os.Getenv("PEER"); peer != "" {
		all = append(all, program{"sql_exporter", peer, nil, configurePeer, "-", "/metrics?jobs[]=", fails("up")})
	}
	return all
}

// deadClient is the name of one whose database is a black hole.
const deadClient = "DEAD"

// configureOurs writes a configuration of this exporter.
func configureOurs(tb testing.TB, e engine, dsns map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	var text strings.Builder
	text.WriteString("clients:\n")
	for client, dsn := range dsns {
		secret := filepath.Join(dir, client+".dsn")
		check(tb, os.WriteFile(secret, []byte(dsn), 0o600))
		fmt.Fprintf(&text, `  - name: %s
    timezone: UTC
    database: {driver: %s, dsn_file: %q, timezone: UTC}
    orders: {created_exclude: {channels: [LOOP_EXCH], missing_attributes: [SIGNIFYD_APPROVED]}}
    reset_inventory: [{source: wms, config_ids: [RESET_INVENTORY]}, {source: shopify, config_ids: [SYNC_SHOPIFY_INV]}]
`, client, e.driver, secret)
	}
	file := filepath.Join(dir, "oms_exporter.yml")
	check(tb, os.WriteFile(file, []byte(text.String()), 0o600))
	return file
}

func configurePeer(tb testing.TB, e engine, dsns map[string]string) string {
	tb.Helper()
	collector, err := filepath.Abs(filepath.Join("peer", string(e.driver)+".collector.yml"))
	check(tb, err)
	text, err := newPeerConfig(collector, dsns)
	check(tb, err)
	file := filepath.Join(tb.TempDir(), "peer.yml")
	check(tb, os.WriteFile(file, text, 0o600))
	return file
}

// start starts the program for the clients until the end of the test, and waits until it measures all that it can.
func (p program) start(t *testing.T, e engine, dsns map[string]string) *side {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	s := &side{name: p.name, address: listener.Addr().String()}
	check(t, listener.Close())

	// The shell kills the program when the pipe is closed: at the end of the test, or because the test has been killed.
	sh := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c",
		`"$@" >"$LOG" 2>&1 & echo $!; read -r _; kill -KILL $!; wait`, "sh", p.binary,
		p.flag+"config.file="+p.configure(t, e, dsns), p.flag+"web.listen-address="+s.address)
	log := filepath.Join(t.TempDir(), "log")
	sh.Env = append(append(os.Environ(), "LOG="+log), p.environment...)
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := sh.StdinPipe()
	check(t, err)
	output, err := sh.StdoutPipe()
	check(t, err)
	check(t, sh.Start())
	t.Cleanup(func() {
		_ = leash.Close()
		_ = sh.Wait()
	})
	_, err = fmt.Fscan(output, &s.pid)
	check(t, err)
	testserver.Eventually(t, patience, func() error {
		page, err := s.get(t.Context(), "/metrics", 10*time.Second)
		if failing := p.ready.FindAllString(page, -1); err == nil && failing != nil {
			err = fmt.Errorf("%s does not measure all: %s", p.name, failing)
		}
		if err == nil {
			return nil
		}
		said, _ := os.ReadFile(log)
		if _, gone := os.Readlink("/proc/" + strconv.Itoa(s.pid) + "/exe"); gone != nil {
			t.Fatalf("%s has ended: %s", p.name, said)
		}
		return fmt.Errorf("%w\n%s", err, said[max(0, len(said)-2000):])
	})
	return s
}

// get fetches a page as Prometheus does, compressed, and returns it unpacked.
func (s *side) get(ctx context.Context, path string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64))
	response, err := http.DefaultClient.Do(request) // it asks for gzip, and unpacks
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := io.Copy(&body, response.Body); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s: %s", path, response.Status, body.String())
	}
	return body.String(), nil
}

// memory returns the resident memory now and at its peak, in bytes.
func (s *side) memory(tb testing.TB) (now, peak float64) {
	tb.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(s.pid) + "/status")
	check(tb, err)
	field := func(name string) float64 {
		found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
		kib, err := strconv.ParseFloat(string(found[1]), 64)
		check(tb, err)
		return kib * 1024
	}
	return field("VmRSS"), field("VmHWM")
}
