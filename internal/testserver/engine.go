package testserver

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver of the embedded engine

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// An Engine is a kind of database on which a suite runs.
type Engine struct {
	Name   string
	Driver config.Driver
	// Start starts the server and returns what makes a database on it, with the OMS's tables and, as the OMS does, the
	// zone in which a time without one is read.
	Start func(tb testing.TB) func(tb testing.TB, name, zone string) Database
}

// A Database is one for the exporter to read and for a test to write into.
type Database struct {
	Config config.Database
	Admin  *sql.DB
}

// Engines returns every kind of database that the exporter reads.
func Engines() []Engine {
	return []Engine{
		{"sqlite", config.SQLite, func(testing.TB) func(testing.TB, string, string) Database { return embedded }},
		engineOf("mariadb", config.MySQL, MariaDB),
		engineOf("postgres", config.Postgres, Postgres),
		engineOf("mysql", config.MySQL, MySQL),
	}
}

// NewerEngines returns later lines of servers that are in Engines.
func NewerEngines() []Engine {
	return []Engine{
		engineOf("mariadb-newer", config.MySQL, func(tb testing.TB) *Server { tb.Helper(); return mariaDB(tb, newer, temporary) }),
		engineOf("postgres-newer", config.Postgres, func(tb testing.TB) *Server { tb.Helper(); return postgres(tb, newer, temporary) }),
	}
}

func engineOf(name string, driver config.Driver, start func(testing.TB) *Server) Engine {
	return Engine{name, driver, func(tb testing.TB) func(testing.TB, string, string) Database { tb.Helper(); return start(tb).Database }}
}

// Servers returns what starts each kind of database server, by its name in Engines.
func Servers() map[string]func(testing.TB) *Server {
	return map[string]func(testing.TB) *Server{"mariadb": MariaDB, "mysql": MySQL, "postgres": Postgres}
}

// Database makes a database on the server.
func (s *Server) Database(tb testing.TB, name, zone string) Database {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name+".dsn")
	if err := os.WriteFile(path, []byte(s.NewDatabase(tb, name)), 0o600); err != nil {
		tb.Fatal(err)
	}
	admin := s.Admin(tb, name)
	if s.driver == config.Postgres { // a literal without a zone is one of the session's
		admin.SetMaxOpenConns(1)
		Execute(tb, admin, "SET TIME ZONE '"+zone+"'")
	}
	return Database{config.Database{
		Driver: s.driver, DSN: config.FileSecret(path), Timezone: Zone(tb, zone), MaxConnections: config.DefaultMaxConnections,
	}, admin}
}

// MixCollations gives each of so many tables of MySQL or MariaDB another character set or collation than those before it, as far
// as there are so many. One of them is what the server makes tables with.
func (db Database) MixCollations(tb testing.TB, tables []string) {
	tb.Helper()
	all := []string{
		"utf8mb3_general_ci", "latin1_swedish_ci", "", "utf8mb4_unicode_ci", "utf8mb4_bin", "utf8mb4_unicode_520_ci", "latin1_bin",
	}
	for i, table := range tables {
		if collation := all[i%len(all)]; collation != "" {
			charset, _, _ := strings.Cut(collation, "_")
			Execute(tb, db.Admin, "ALTER TABLE "+table+" CONVERT TO CHARACTER SET "+charset+" COLLATE "+collation)
		}
	}
}

// Lock holds a table against readers until the returned function is called.
func (s *Server) Lock(tb testing.TB, db Database, table string) (unlock func()) {
	tb.Helper()
	conn, err := db.Admin.Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	lock, release := "LOCK TABLES "+table+" WRITE", "UNLOCK TABLES"
	if s.driver == config.Postgres {
		lock, release = "BEGIN; LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE", "ROLLBACK"
	}
	if _, err := conn.ExecContext(tb.Context(), lock); err != nil {
		tb.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(context.WithoutCancel(tb.Context()), release); err != nil {
			tb.Error(err)
		}
		_ = conn.Close()
	}
}

func embedded(tb testing.TB, name, zone string) Database {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name+".db")
	admin, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(0)&_pragma=busy_timeout(5000)")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = admin.Close() })
	Execute(tb, admin, omsschema.SQLite)
	return Database{config.Database{
		Driver: config.SQLite, DSN: config.EnvSecret(path), Timezone: Zone(tb, zone), MaxConnections: config.DefaultMaxConnections,
	}, admin}
}

var comment = regexp.MustCompile(`(?m)^\s*--.*$`)

// Execute sends statements one by one.
func Execute(tb testing.TB, db *sql.DB, statements string) {
	tb.Helper()
	for _, statement := range omsschema.Statements(comment.ReplaceAllString(statements, "")) {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%v in %s", err, statement)
		}
	}
}

// Zone returns an IANA time zone.
func Zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}
