//go:build faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const (
	others   = 30 // clients that are well
	interval = time.Second
	timeout  = 5 * time.Second // of a scrape, a third of what the shipped configuration of Prometheus grants
	hold     = 10 * time.Second
	patience = 3 * time.Minute // for a fault to show, and to be over; the dashboards are looked at once a minute
	// memory is the limit of the shipped Kubernetes manifests. The exporter keeps its heap within nine tenths of it, of which
	// a container tells it; here goal does.
	memory = 256 << 20
	goal   = "GOMEMLIMIT=241591910"
	// maxLog is what may be logged in one fault, in bytes.
	maxLog = 256 << 10
)

// A scenario is one client and what befalls it.
type scenario struct {
	client string // the settings of the client FAULTY
	// begin and end are nil for what is so from the start, and for what stays.
	begin, end func()
	// told is what one reads on a page, that of the client or the named one, while the fault lasts. Nothing is read where a
	// fault must not show.
	told, page string
	log        string // where the log is written, unless it is a file that is measured
}

// A result is a line of the table.
type result struct {
	name          string
	scrapes, lost int
	peak, log     int64
	shown, whole  time.Duration // after the begin and the end
	failed        bool
	elsewhere     string // the test that proves it
}

// TestFaults starts the built program anew for each fault, and scrapes 30 clients that are well and the one that is not.
func TestFaults(t *testing.T) {
	f := newField(t)
	var results []result
	for _, fault := range f.faults() {
		t.Run(fault.name, func(t *testing.T) {
			r := result{name: fault.name}
			defer func() { r.failed = t.Failed(); results = append(results, r) }()
			f.suffer(t, fault.make(t), &r)
		})
	}
	for _, p := range proofs() {
		t.Run(p.name, func(t *testing.T) {
			defer func() { results = append(results, result{name: p.name, elsewhere: p.test, failed: t.Failed()}) }()
			output, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-run=^"+p.test+"$", "../../"+p.folder).CombinedOutput()
			if text := string(output); err != nil || !strings.Contains(text, "--- PASS: "+p.test) {
				t.Errorf("%v\n%s", err, text[max(0, len(text)-4<<10):])
			}
		})
	}
	fmt.Println(table(results))
}

// A proof is a test elsewhere about a fault that needs another clock, other programs or a browser.
type proof struct{ name, folder, test string }

func proofs() []proof {
	return []proof{
		{"configuration: SIGTERM while a file does not answer", "cmd/oms_exporter", "TestSilentConfiguration"},
		{"load: reloads that other sites ask for", "cmd/oms_exporter", "TestCrossOrigin"},
		{"load: names of the exporter that are none", "cmd/oms_exporter", "TestDiscoveryHost"},
		{"cap: 2000 failing jobs", "collector", "TestCapKeepsTheSameJobs"},
		{"clock: set forwards and back", "internal/behaviour", "TestClockSteps"},
		{"rows of any kind", "internal/behaviour", "FuzzRows"},
		{"the exporter down", "deploy", "TestOutages"},
		{"Prometheus down for an hour, one or both of a pair", "deploy", "TestStoppedServers"},
		{"markup in names", "deploy", "TestTemplates"},
	}
}

// A field is what all faults share.
type field struct {
	binary            string
	ordinary          []string // their entries in the configuration
	mariadb, postgres *testserver.Server

	// Of the running exporter:
	config   string
	exporter testserver.HTTPServer
	load     context.Context // ends with what is asked of the exporter beside the scrapes
	stop     func()          // ends it, and waits for it
	loading  sync.WaitGroup
}

func newField(t *testing.T) *field {
	t.Helper()
	binary, err := filepath.Abs("../../oms_exporter")
	check(t, err)
	f := &field{
		binary:   binary,
		mariadb:  testserver.MariaDB(t),
		postgres: testserver.Postgres(t),
	}
	// One database on a server that no fault is about. An embedded one would be in the exporter, whose memory is measured.
	well := testserver.MariaDB(t)
	db := well.Database(t, "well", "UTC")
	client, _ := onServer(t, well, well.UserDSN("well"))
	client = strings.Replace(client, "timezone:", "max_connections: 2, timezone:", 1)
	testserver.Execute(t, db.Admin, "ALTER USER "+testserver.User+" WITH MAX_USER_CONNECTIONS 0")
	now := time.Now().UTC().Format("'2006-01-02 15:04:05'")
	testserver.Execute(t, db.Admin, strings.ReplaceAll(`
		INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, order_date, created_tx_stamp)
		VALUES ('M1', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', NOW, NOW, NOW);
		INSERT INTO job_sandbox (job_id, job_name, service_name, pool_id, status_id, run_time, start_date_time, finish_date_time, last_updated_tx_stamp)
		VALUES ('1', 'Import', 'import', 'pool', 'SERVICE_FINISHED', NOW, NOW, NOW, NOW), ('2', 'Import', 'import', 'pool', 'SERVICE_RUNNING', NOW, NOW, NULL, NOW);
		INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, last_updated_tx_stamp)
		VALUES ('1', 'IMPORT', 'SERVICE_PENDING', NOW, NOW)`, "NOW", now))
	for i := range others {
		f.ordinary = append(f.ordinary, entry(name(i), client))
	}
	return f
}

func name(i int) string { return fmt.Sprintf("C%02d", i+1) }

const faulty = "FAULTY"

func entry(name, settings string) string {
	return "  - {name: " + name + ", timezone: UTC, " + settings + "}\n"
}

func sqlite(path string) string { return database("sqlite", "dsn: "+strconv.Quote(path)) }

func database(driver, dsn string) string {
	return "database: {driver: " + driver + ", " + dsn + ", timezone: UTC}"
}

// configure writes the configuration.
func (f *field) configure(t *testing.T, client string) {
	t.Helper()
	text := "clients:\n" + strings.Join(f.ordinary, "") + entry(faulty, client)
	check(t, os.WriteFile(f.config, []byte(text), 0o600))
}

// suffer starts an exporter, and lets it suffer one fault from its begin until its client is whole again.
func (f *field) suffer(t *testing.T, s scenario, r *result) {
	dir := t.TempDir()
	f.config = filepath.Join(dir, "oms_exporter.yml")
	f.configure(t, s.client)
	log := s.log
	if log == "" {
		log = filepath.Join(dir, "log")
	}
	defer func() {
		if info, err := os.Stat(log); err == nil && info.Mode().IsRegular() {
			r.log = info.Size()
		}
		if r.log > maxLog {
			t.Errorf("%d KiB were logged", r.log>>10)
		}
		if t.Failed() && r.log > 0 {
			text, err := os.ReadFile(log)
			check(t, err)
			t.Logf("%s", text[max(0, len(text)-2<<10):])
		}
	}()
	f.launch(t, log)
	f.befall(t, s, r)
	if r.lost > 0 || r.scrapes < 2*others || r.peak > memory {
		t.Errorf("of %d scrapes of other clients %d were lost; %d MiB of memory", r.scrapes, r.lost, r.peak>>20)
	}
}

// launch starts an exporter with the configuration, until the test ends.
func (f *field) launch(t *testing.T, log string) {
	t.Helper()
	f.exporter = testserver.Exporter(t, "/-/ready", "/usr/bin/env", goal, "LOG="+log, "/bin/sh", "-c", `exec "$@" 2>>"$LOG"`, "sh",
		f.binary, "--web.enable-lifecycle", "--config.file="+f.config)
	for i := range others {
		until(t, func() error { return f.whole(t.Context(), name(i)) })
	}
}

// befall lets the running exporter suffer the fault.
func (f *field) befall(t *testing.T, s scenario, r *result) {
	t.Helper()
	var cancel func()
	f.load, cancel = context.WithCancel(t.Context())
	f.stop = func() { cancel(); f.loading.Wait() }
	defer f.stop()
	if s.begin != nil {
		until(t, func() error { return f.whole(t.Context(), faulty) })
	}
	stop := f.scrape(t, r)
	defer stop()
	began := time.Now()
	if s.begin != nil {
		s.begin()
	}
	if s.told != "" {
		until(t, func() error { return f.tells(t.Context(), s) })
	}
	r.shown = time.Since(began)
	time.Sleep(hold)
	if s.told != "" {
		until(t, func() error { return f.tells(t.Context(), s) })
	}
	ended := time.Now()
	if s.end != nil {
		s.end()
		until(t, func() error {
			if s.told != "" && f.tells(t.Context(), s) == nil {
				return errors.New("it still tells " + s.told)
			}
			return f.whole(t.Context(), faulty)
		})
		r.whole = time.Since(ended)
	}
	stop()
	_, r.peak = f.exporter.Memory(t) // fails when the process has ended
	t.Logf("%+v", *r)
}

// scrape scrapes all clients as Prometheus does, each by itself, until the returned function is called.
func (f *field) scrape(t *testing.T, r *result) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var scrapers sync.WaitGroup
	var mu sync.Mutex
	watch := func(client string, offset time.Duration) {
		timer := time.NewTimer(offset)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			next := time.Now().Add(interval)
			err := f.whole(context.WithoutCancel(ctx), client)
			timer.Reset(time.Until(next))
			if client == faulty {
				continue
			}
			mu.Lock()
			r.scrapes++
			if err != nil {
				r.lost++
				if r.lost <= 3 {
					t.Log(err)
				}
			}
			mu.Unlock()
		}
	}
	for i := range others {
		scrapers.Go(func() { watch(name(i), interval*time.Duration(i)/others) })
	}
	scrapers.Go(func() { watch(faulty, 0) })
	return func() { cancel(); scrapers.Wait() }
}

// failing matches what a client's page says where something is not measured.
var failing = regexp.MustCompile(`(?m)^oms_collector_success\{.* 0$`)

// whole scrapes a client, and reports what is not measured.
func (f *field) whole(ctx context.Context, client string) error {
	page, err := f.get(ctx, "/probe?client="+client)
	if missing := failing.FindString(page); missing != "" {
		err = errors.New(missing)
	} else if err == nil && !strings.Contains(page, "oms_collector_success{") {
		err = fmt.Errorf("client %s is not on its page", client)
	}
	return err
}

// tells looks whether one can read of the fault.
func (f *field) tells(ctx context.Context, s scenario) error {
	path := s.page
	if path == "" {
		path = "/probe?client=" + faulty
	}
	page, err := f.get(ctx, path)
	if err == nil && !regexp.MustCompile(`(?m)`+s.told).MatchString(page) {
		err = fmt.Errorf("%s does not tell %s:\n%s", path, s.told, regexp.MustCompile(`(?m)^oms_(collector_success|sftp|report|client).*$`).FindAllString(page, -1))
	}
	return err
}

func (f *field) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return f.ask(ctx, http.MethodGet, path, strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64))
}

// until waits until a look finds nothing amiss. It leaves the exporter time for others.
func until(t *testing.T, look func() error) {
	t.Helper()
	testserver.Eventually(t, patience, func() error {
		err := look()
		if err != nil {
			time.Sleep(interval / 4)
		}
		return err
	})
}

func table(results []result) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	_, _ = fmt.Fprintf(w, "| fault\t| scrapes of %d others\t| lost\t| memory at most\t| log\t| shown after\t| whole again after\t| passed\t|\n", others)
	_, _ = fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range results {
		if r.elsewhere != "" {
			_, _ = fmt.Fprintf(w, "| %s\t| %s\t|\t|\t|\t|\t|\t| %t\t|\n", r.name, r.elsewhere, !r.failed)
			continue
		}
		whole := "-"
		if r.whole > 0 {
			whole = fmt.Sprintf("%.1f s", r.whole.Seconds())
		}
		_, _ = fmt.Fprintf(w, "| %s\t| %d\t| %d\t| %d MiB\t| %d KiB\t| %.1f s\t| %s\t| %t\t|\n",
			r.name, r.scrapes, r.lost, r.peak>>20, (r.log+1023)>>10, r.shown.Seconds(), whole, !r.failed)
	}
	_ = w.Flush()
	return text.String()
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
