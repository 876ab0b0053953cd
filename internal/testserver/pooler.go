package testserver

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// PgBouncer starts PgBouncer as it comes, in transaction mode and with at most size connections to each database, in front of
// a PostgreSQL server. It returns the server as it is by the pooler, to which User comes that way and the superuser does not.
func PgBouncer(tb testing.TB, server *Server, size int) *Server {
	tb.Helper()
	pgbouncer := installed(tb, "pgbouncer", "apt-get install pgbouncer", "/usr/sbin")
	s := *server
	direct, err := url.Parse(s.userDSN(s.maintenance))
	check(tb, err)
	owner := unprivileged(tb, "postgres")
	dir := newFolder(tb, owner)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		check(tb, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	users := write("users", fmt.Sprintf("%q %q\n", User, Password))
	serve(tb, owner, dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		settings := write("pgbouncer.ini", "[databases]\n* = host=127.0.0.1 port="+direct.Port()+"\n[pgbouncer]\n"+
			"listen_addr = 127.0.0.1\nlisten_port = "+port+"\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = "+users+"\n"+
			"pool_mode = transaction\ndefault_pool_size = "+strconv.Itoa(size)+"\n")
		s.userDSN = func(name string) string {
			return "postgres://" + User + ":" + Password + "@127.0.0.1:" + port + "/" + name + "?sslmode=disable"
		}
		return []string{pgbouncer, settings}, func(ctx context.Context) error {
			db, err := sql.Open(s.sqlDriver, s.userDSN(s.maintenance))
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			return db.PingContext(ctx)
		}
	})
	return &s
}
