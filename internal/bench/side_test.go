//go:build bench

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// patience is how long an exporter may take until it measures a client: with many, all make their first backfill at once.
const patience = 15 * time.Minute

// program is a kind of exporter.
type program struct {
	name      string
	command   []string
	up        string // the page that answers once it serves
	configure func(tb testing.TB, e engine, dsns map[string]string) (file string)
	own       string         // the page of the client that is appended
	failing   *regexp.Regexp // on a page, where something is not measured
}

// programs are those to be compared: this exporter comes first.
func programs(tb testing.TB) []program {
	tb.Helper()
	ours, err := filepath.Abs("../../oms_exporter")
	check(tb, err)
	self, err := os.Executable()
	check(tb, err)
	fails := func(metric string) *regexp.Regexp { return regexp.MustCompile(`(?m)^` + metric + `\{.* 0$`) }
	peer := func(name string, command ...string) program {
		return program{name, command, "/healthz", configurePeer, "/metrics?jobs[]=", fails("up")}
	}
	all := []program{
		{"oms_exporter", []string{ours}, "/-/ready", configureOurs, "/probe?client=", fails("oms_collector_success")},
		peer("stand-in", "env", standIn+"=1", self),
	}
	if binary := os.Getenv("PEER"); binary != "" {
		all = append(all, peer("sql_exporter", binary))
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

// A side is a running exporter.
type side struct {
	testserver.HTTPServer
	program
	clients []string // those that are alive
}

// start starts the program until the end of the test, and waits until it measures every client that is alive.
func (p program) start(t *testing.T, h host, s setup) *side {
	t.Helper()
	var clients []string
	dsns := map[string]string{}
	for i := range s.clients {
		clients = append(clients, fmt.Sprintf("C%03d", i+1))
		dsns[clients[i]] = h.server.UserDSN(s.database)
	}
	if s.dead {
		dsns[deadClient] = blackHole(t, h.server.UserDSN(s.database))
	}
	command := slices.Concat(p.command, []string{"--config.file=" + p.configure(t, h.engine, dsns)})
	running := &side{testserver.Exporter(t, p.up, command...), p, clients}
	for _, page := range running.paths(ofEach) { // so that all begin their backfill
		_, _ = running.get(t.Context(), page, time.Minute)
	}
	for _, page := range running.paths(ofEach) {
		testserver.Eventually(t, patience, func() error { return running.complete(t.Context(), page) })
	}
	return running
}

// paths returns the pages that are meant.
func (s *side) paths(which pages) []string {
	var own []string
	for _, client := range s.clients {
		own = append(own, s.own+client)
	}
	switch which {
	case ofFirst:
		return own[:1]
	case ofEach:
		return own
	default:
		return []string{"/metrics"}
	}
}

// complete reports whether all is measured that is on a page.
func (s *side) complete(ctx context.Context, path string) error {
	page, err := s.get(ctx, path, time.Minute)
	if failing := s.failing.FindAllString(page, -1); err == nil && failing != nil {
		err = fmt.Errorf("%s does not measure all: %s", s.name, failing)
	}
	return err
}

// get fetches a page as Prometheus does, compressed, and returns it unpacked.
func (s *side) get(ctx context.Context, path string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
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
