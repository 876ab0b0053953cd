//go:build faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A fault is a line of the table.
type fault struct {
	name string
	make func(t *testing.T) scenario
}

const (
	jobsFail   = `^oms_collector_success\{client="FAULTY",collector="jobs"\} 0$`
	ordersFail = `^oms_collector_success\{client="FAULTY",collector="orders"\} 0$`
	sftpFails  = `^oms_collector_success\{client="FAULTY",collector="sftp"\} 0$`
	sftpWell   = `^oms_collector_success\{client="FAULTY",collector="sftp"\} 1$`
)

func (f *field) faults() []fault {
	return []fault{
		{"nothing", func(t *testing.T) scenario { return scenario{client: spare(t), begin: func() {}, end: func() {}} }},
		{"database: MariaDB hangs", func(t *testing.T) scenario { return hung(t, f.mariadb) }},
		{"database: PostgreSQL hangs", func(t *testing.T) scenario { return hung(t, f.postgres) }},
		{"database: pooled connections die silently", func(t *testing.T) scenario { return between(t, f.postgres, silent, func() {}) }},
		{"database: silent, and scrapes that would wait for 2 minutes", func(t *testing.T) scenario {
			return between(t, f.mariadb, silent, func() { f.flood(3, "/probe?client="+faulty, 120) })
		}},
		{"database: MariaDB killed", func(t *testing.T) scenario { return between(t, f.mariadb, refusing, func() {}) }},
		{"database: PostgreSQL slow, 1 s for each packet", func(t *testing.T) scenario { return between(t, f.postgres, slow, func() {}) }},
		{"database: MariaDB, a table locked", func(t *testing.T) scenario { return locked(t, f.mariadb) }},
		{"database: PostgreSQL, a table locked", func(t *testing.T) scenario { return locked(t, f.postgres) }},
		{"database: wrong password", func(t *testing.T) scenario { return wrongPassword(t, f.mariadb) }},
		{"database: 300 000 channels, 250 000 running jobs, 80 000 configurations", func(t *testing.T) scenario { return manyGroups(t, f.postgres) }},
		{"log: the disk is full", func(t *testing.T) scenario {
			s := hung(t, f.mariadb)
			s.log = "/dev/full"
			return s
		}},
		{"SFTP: a size of 2^63", func(t *testing.T) scenario { return odd(t, 3, 1<<63, "", sftpFails) }},
		{"SFTP: an error text of 200 KB", func(t *testing.T) scenario {
			return odd(t, 3, 100, strings.Repeat("no\x1b[2J\r\n", 22_000), sftpFails)
		}},
		{"SFTP: a million files in each of three folders", func(t *testing.T) scenario {
			return odd(t, 1_000_000, 100, "", `^oms_sftp_listing_truncated\{client="FAULTY",.* 1$`)
		}},
		{"SFTP: the server hangs", func(t *testing.T) scenario {
			server := testserver.SSHD(t)
			s := onSSHD(t, server, "", sftpFails)
			s.begin, s.end = func() { server.Freeze(t) }, server.Thaw
			return s
		}},
		{"SFTP: passwords by keyboard-interactive only", func(t *testing.T) scenario { return onSSHD(t, testserver.SSHD(t, testserver.PAM), "", sftpWell) }},
		{"SFTP: unreadable lines in known_hosts", func(t *testing.T) scenario {
			return onSSHD(t, testserver.SSHD(t), "other.example.com ssh-future AAAA\nother.example.com ssh-rsa =AAA\nold.example.com 1024 35 12345\n", sftpWell)
		}},
		{"SFTP: ssh-rsa only, until it is allowed", func(t *testing.T) scenario { return f.legacy(t, "HostKey DIR/host_rsa\nHostKeyAlgorithms ssh-rsa\n") }},
		{"SFTP: group14-sha1 only, until it is allowed", func(t *testing.T) scenario { return f.legacy(t, "KexAlgorithms diffie-hellman-group14-sha1\n") }},
		{"Superset: answers of 32 MB, queries of 8 MB and null", func(t *testing.T) scenario {
			b := new(board)
			return scenario{
				client: spare(t) + ", " + b.settings(t), told: `(?:^oms_report_chart_success\{.* 0\n){12}`,
				begin: func() { b.bad.Store(true) }, end: func() { b.bad.Store(false) },
			}
		}},
		{"load: 150 requests of /metrics at a time", func(t *testing.T) scenario {
			return f.loaded(t, func() { f.flood(150, "/metrics", 5) })
		}},
		{"load: 1000 debug requests of one client at a time", func(t *testing.T) scenario {
			return f.loaded(t, func() { f.flood(1000, "/probe?debug=true&client="+faulty, 5) })
		}},
		{"load: 20 hang-ups in mid-answer at a time", func(t *testing.T) scenario {
			return f.loaded(t, func() { f.raw(20, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", hangUp) })
		}},
		{"load: headers of 900 KB", func(t *testing.T) scenario {
			header := "GET /metrics HTTP/1.1\r\nHost: a\r\nX-Prometheus-Scrape-Timeout-Seconds: " + strings.Repeat("9e", 450_000)
			return f.loaded(t, func() { f.raw(10, header+"\r\n\r\n", readAll) })
		}},
		{"load: 500 idle connections, 100 endless bodies", func(t *testing.T) scenario {
			return f.loaded(t, func() {
				f.raw(500, "", readAll)
				f.raw(100, "POST /-/reload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", drip)
			})
		}},
		{"configuration: a secret that is missing from the start", func(t *testing.T) scenario {
			path := filepath.Join(t.TempDir(), "absent.dsn")
			return scenario{
				client: database("sqlite", "dsn_file: "+strconv.Quote(path)), told: `^oms_client_configuration_error\{client="FAULTY",`,
				end: func() { check(t, os.WriteFile(path, []byte(file(t)), 0o600)) },
			}
		}},
		{"configuration: broken at a reload", func(t *testing.T) scenario {
			client := spare(t)
			return scenario{
				client: client, page: "/metrics/exporter", told: "^oms_exporter_config_last_reload_successful 0$",
				begin: func() { f.configure(t, "database: {driver: oracle}"); go f.reload(t) },
				end:   func() { f.configure(t, client); f.reload(t) },
			}
		}},
		{"configuration: a file that does not answer at a reload", f.silentFile},
	}
}

// file returns an empty database of SQLite, and spare a client that is well with one.
func file(t *testing.T) string {
	t.Helper()
	dsn, err := testserver.Engines()[0].Start(t)(t, "faulty", "UTC").Config.DSN.Read()
	check(t, err)
	return dsn
}

func spare(t *testing.T) string { t.Helper(); return sqlite(file(t)) }

// onServer returns a client with a database on a server, and the file of its DSN.
func onServer(t *testing.T, s *testserver.Server, dsn string) (client, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "dsn")
	check(t, os.WriteFile(file, []byte(dsn), 0o600))
	return database(string(s.Driver()), "dsn_file: "+strconv.Quote(file)), file
}

// unique returns a name for a database.
func unique(t *testing.T) string {
	name := "d" + regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(strings.TrimPrefix(t.Name(), "TestFaults")), "")
	return name[:min(len(name), 60)] // longer ones no server takes
}

func hung(t *testing.T, s *testserver.Server) scenario {
	t.Helper()
	client, _ := onServer(t, s, s.NewDatabase(t, unique(t)))
	return scenario{
		client: client, told: jobsFail,
		begin: func() { s.Freeze(t) }, end: s.Thaw,
	}
}

func locked(t *testing.T, s *testserver.Server) scenario {
	t.Helper()
	db := s.Database(t, unique(t), "UTC")
	client, _ := onServer(t, s, s.UserDSN(unique(t)))
	var unlock func()
	return scenario{
		client: client, told: ordersFail,
		begin: func() { unlock = s.Lock(t, db, "order_header") }, end: func() { unlock() },
	}
}

func wrongPassword(t *testing.T, s *testserver.Server) scenario {
	t.Helper()
	dsn := s.NewDatabase(t, unique(t))
	client, path := onServer(t, s, dsn)
	write := func(text string) { check(t, os.WriteFile(path, []byte(text), 0o600)) }
	return scenario{
		client: client, told: jobsFail,
		begin: func() { write(strings.Replace(dsn, testserver.Password, "wrong", 1)); s.EndConnections(t) }, end: func() { write(dsn) },
	}
}

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// between has the way to a database server fail in the mode.
func between(t *testing.T, s *testserver.Server, mode int32, also func()) scenario {
	t.Helper()
	dsn := s.NewDatabase(t, unique(t))
	l := newLink(t, address.FindString(dsn))
	client, _ := onServer(t, s, strings.Replace(dsn, l.target, l.address, 1))
	return scenario{
		client: client, told: jobsFail,
		begin: func() { l.mode.Store(mode); also() }, end: func() { l.mode.Store(passing) },
	}
}

// manyGroups has more channels, jobs and configurations than can be told of.
func manyGroups(t *testing.T, s *testserver.Server) scenario {
	t.Helper()
	db := s.Database(t, unique(t), "UTC")
	client, _ := onServer(t, s, s.UserDSN(unique(t)))
	return scenario{
		client: client, told: jobsFail,
		begin: func() {
			testserver.Execute(t, db.Admin, strings.ReplaceAll(`
				INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, order_date, created_tx_stamp)
				SELECT 'M' || i, 'SALES_ORDER', 'ORDER_CREATED', 'STORE_' || i, 'CHANNEL_' || i, PAST, PAST, PAST FROM generate_series(1, 300000) i;
				INSERT INTO job_sandbox (job_id, job_name, service_name, pool_id, status_id, run_time, start_date_time, last_updated_tx_stamp)
				SELECT i, 'Job ' || i, 'service' || i, 'pool', 'SERVICE_RUNNING', PAST, PAST, PAST FROM generate_series(1, 250000) i;
				INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, last_updated_tx_stamp)
				SELECT i, 'CONFIG_' || i, 'SERVICE_PENDING', PAST, PAST FROM generate_series(1, 80000) i`, "PAST", "LOCALTIMESTAMP - interval '20 days'"))
		},
		end: func() {
			testserver.Execute(t, db.Admin, "TRUNCATE order_header; TRUNCATE job_sandbox; TRUNCATE data_manager_log")
		},
	}
}

// odd has an SFTP server list and say what none should.
func odd(t *testing.T, files int, size uint64, words, told string) scenario {
	t.Helper()
	server := new(folder)
	return scenario{
		client: spare(t) + ", " + server.location(t), told: told,
		begin: func() { server.set(files, size, words) }, end: func() { server.set(0, 0, "") },
	}
}

// onSSHD is a drop folder on OpenSSH's server, with lines in known_hosts before its own.
func onSSHD(t *testing.T, s *testserver.SSHServer, lines, told string) scenario {
	t.Helper()
	check(t, os.MkdirAll(filepath.Join(s.Root, "in", "archive"), 0o755))
	check(t, os.MkdirAll(filepath.Join(s.Root, "in", "failed"), 0o755))
	known, err := os.ReadFile(s.KnownHosts)
	check(t, err)
	path := filepath.Join(t.TempDir(), "known_hosts")
	check(t, os.WriteFile(path, append([]byte(lines), known...), 0o600))
	return scenario{client: spare(t) + ", " + location(t, s.Address, path, filepath.Join(s.Root, "in")), told: told}
}

// legacy has a server offer old algorithms only, which the configuration allows in the end.
func (f *field) legacy(t *testing.T, settings string) scenario {
	t.Helper()
	s := onSSHD(t, testserver.SSHD(t, settings), "", sftpFails)
	s.end = func() {
		f.configure(t, strings.Replace(s.client, "format:", "legacy_algorithms: true, format:", 1))
		f.reload(t)
	}
	return s
}

// silentFile puts a pipe that nobody writes in the place of the configuration.
func (f *field) silentFile(t *testing.T) scenario {
	client := spare(t)
	return scenario{
		client: client, page: "/metrics/exporter", told: "^oms_exporter_config_last_reload_successful 0$",
		begin: func() {
			check(t, os.Remove(f.config))
			check(t, syscall.Mkfifo(f.config, 0o600))
			go f.reload(t)
		},
		end: func() {
			check(t, os.Remove(f.config))
			f.configure(t, client)
			f.reload(t)
		},
	}
}

// reload has the configuration read again.
func (f *field) reload(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, _ = f.ask(ctx, http.MethodPost, "/-/reload", "")
}

// loaded is a client that is well, whatever is asked of the exporter.
func (f *field) loaded(t *testing.T, load func()) scenario {
	t.Helper()
	return scenario{client: spare(t), begin: load, end: func() { f.stop() }}
}

// flood sends so many requests at a time, again and again until the fault ends.
func (f *field) flood(n int, path string, seconds int) {
	f.repeat(n, func(ctx context.Context) { _, _ = f.ask(ctx, http.MethodGet, path, strconv.Itoa(seconds)) })
}

// raw opens so many connections at a time, sends a text on each, and goes on as then says.
func (f *field) raw(n int, text string, then func(context.Context, net.Conn)) {
	f.repeat(n, func(ctx context.Context) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(f.exporter.URL, "http://"))
		if err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, text); err == nil {
			then(ctx, conn)
		}
	})
}

func readAll(_ context.Context, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func hangUp(_ context.Context, conn net.Conn) {
	_, _ = conn.Read(make([]byte, 100))
	_ = conn.(*net.TCPConn).SetLinger(0)
}

func drip(ctx context.Context, conn net.Conn) {
	for ctx.Err() == nil {
		if _, err := io.WriteString(conn, "1\r\na\r\n"); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (f *field) repeat(n int, do func(context.Context)) {
	for range n {
		f.loading.Go(func() {
			for f.load.Err() == nil {
				do(f.load)
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

// ask sends a request on a connection of its own, with the time that a scraper has if any.
func (f *field) ask(ctx context.Context, method, path, seconds string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, f.exporter.URL+path, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", seconds)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close())
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", path, response.Status, body)
	}
	return string(body), err
}
