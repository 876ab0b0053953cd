// Package testserver starts real servers for tests: MariaDB, PostgreSQL and Prometheus, from the installed programs, on
// loopback ports, with their data below a temporary folder. They end with the test, and also when the test process is
// killed.
//
// A test whose server is not installed is skipped, or fails when the environment has REQUIRE_SERVERS=1.
package testserver

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// User is the database user of deploy/database, who may read in NewDatabase what the exporter reads, and Password its
// password. The password is a canary: it must never show in a log, an error, a page or a metric.
const (
	User     = "exporter"
	Password = "canary-of-the-exporter"
)

// A Server is a private database server. Its clock shows UTC. The methods may be called by several tests at once.
type Server struct {
	*daemon
	flavour
}

// flavour is what differs between the kinds of database servers.
type flavour struct {
	driver    config.Driver
	sqlDriver string // as database/sql knows it
	// The DSN of a database, for the superuser, who comes by a Unix socket, and for User.
	adminDSN, userDSN func(database string) string
	maintenance       string // a database that is always there
	access            string // deploy/database's statements, which create User and let it read
	schema            string // the tables of a new database
	statements        string // a query for what User has running
	connections       string // a query for the number of User's connections
	kills             string // a query for the statements that end them
}

// Driver is the kind of the server, as a client's configuration names it.
func (s *Server) Driver() config.Driver { return s.driver }

// NewDatabase creates a database with the tables of an OMS, all empty, and returns the DSN by which User may read it.
func (s *Server) NewDatabase(tb testing.TB, name string) string {
	tb.Helper()
	s.exec(tb, s.maintenance, "CREATE DATABASE "+name)
	if s.driver == config.MySQL { // in PostgreSQL a new database is like template1
		s.addTables(tb, name)
		_, grants := access(s.access)
		s.exec(tb, name, grants)
	}
	return s.userDSN(name)
}

// UserDSN is the DSN by which User may read a database.
func (s *Server) UserDSN(database string) string { return s.userDSN(database) }

// Admin opens a database for reading and writing, until the end of the test.
func (s *Server) Admin(tb testing.TB, name string) *sql.DB {
	tb.Helper()
	db, err := sql.Open(s.sqlDriver, s.adminDSN(name))
	if err != nil {
		tb.Fatalf("open database %s: %v", name, err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close database %s: %v", name, err)
		}
	})
	return db
}

// Processes returns the statements that User has running on the server.
func (s *Server) Processes(tb testing.TB) (running []string) {
	tb.Helper()
	s.admin(tb, s.maintenance, func(ctx context.Context, db *sql.DB) (err error) {
		running, err = texts(ctx, db, s.statements)
		return err
	})
	return running
}

// texts returns the rows of an answer that has one column.
func texts(ctx context.Context, db *sql.DB, query string) (all []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err reports what matters
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// Connections counts User's connections to the server.
func (s *Server) Connections(tb testing.TB) int {
	tb.Helper()
	var n int
	s.admin(tb, s.maintenance, func(ctx context.Context, db *sql.DB) error {
		return db.QueryRowContext(ctx, s.connections).Scan(&n)
	})
	return n
}

// EndConnections has the server end all connections of User's.
func (s *Server) EndConnections(tb testing.TB) {
	tb.Helper()
	s.admin(tb, s.maintenance, func(ctx context.Context, db *sql.DB) error {
		kills, err := texts(ctx, db, s.kills)
		if err == nil {
			Execute(tb, db, strings.Join(kills, ";"))
		}
		return err
	})
}

// Stop ends the server for good.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGINT)
}

// A kind is a kind of database server, with data in a certain folder.
type kind struct {
	initialize []string // the command that makes data
	quit       syscall.Signal
	prepare    func(port string) (command []string, flavour flavour)
}

// newServer starts a database server with further options, which runs as the named user. of gets the folder.
func newServer(tb testing.TB, user string, place place, of func(dir string) kind, more []string) *Server {
	tb.Helper()
	owner := unprivileged(tb, user)
	dir, fresh := place(tb, owner)
	if fresh {
		copyData(tb, template(tb, owner, of), filepath.Join(dir, "data"))
	}
	return startServer(tb, owner, dir, of(dir), more)
}

func startServer(tb testing.TB, owner *syscall.Credential, dir string, of kind, more []string) *Server {
	tb.Helper()
	s := new(Server)
	s.daemon = serve(tb, owner, dir, of.quit, func(port string) (command []string, ready func(context.Context) error) {
		command, s.flavour = of.prepare(port)
		return append(command, more...), s.ping
	})
	return s
}

// ping looks whether the superuser gets in.
func (s *Server) ping(ctx context.Context) error {
	db, err := sql.Open(s.sqlDriver, s.adminDSN(s.maintenance))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.PingContext(ctx)
}

// exec runs statements as the superuser.
func (s *Server) exec(tb testing.TB, database, statements string) {
	tb.Helper()
	s.admin(tb, database, func(_ context.Context, db *sql.DB) error {
		Execute(tb, db, statements)
		return nil
	})
}

// admin calls f with a superuser's short-lived connection.
func (s *Server) admin(tb testing.TB, database string, f func(context.Context, *sql.DB) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	db, err := sql.Open(s.sqlDriver, s.adminDSN(database))
	if err != nil {
		tb.Fatalf("open database %s: %v", database, err)
	}
	defer func() { _ = db.Close() }()
	if err := f(ctx, db); err != nil {
		tb.Fatalf("superuser of %s, database %s: %v", s.name, database, err)
	}
}
