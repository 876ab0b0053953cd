package testserver

import (
	"net/url"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql" // for the superuser
	_ "github.com/jackc/pgx/v5/stdlib" // for the superuser

	"github.com/oms-exporter/oms_exporter/deploy/database"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
)

// Nobody needs a server's data after a crash, so no server waits for the disk.

// newer is the suffix of the programs of later lines, which "make servers" fetches.
const newer = "-trixie"

// remedyFor says how one gets the programs with the suffix.
func remedyFor(suffix, packaged string) string {
	if suffix == newer {
		return "make servers"
	}
	return "apt-get install " + packaged
}

// MariaDB starts a MariaDB server for the length of the test.
func MariaDB(tb testing.TB) *Server {
	tb.Helper()
	return mariaDB(tb, "", temporary)
}

// MariaDBIn starts, for the length of the test, a MariaDB server with further options. Its data stay in home, where they
// may be from an earlier test.
func MariaDBIn(tb testing.TB, home string, options ...string) *Server {
	tb.Helper()
	return mariaDB(tb, "", kept(home), options...)
}

// mariaDB starts the program whose name has the suffix.
func mariaDB(tb testing.TB, suffix string, place place, more ...string) *Server {
	tb.Helper()
	remedy := remedyFor(suffix, "mariadb-server")
	mariadbd := installed(tb, "mariadbd"+suffix, remedy, "/usr/sbin", "/usr/libexec")
	install := installed(tb, "mariadb-install-db"+suffix, remedy)
	once := []string{"--auth-root-authentication-method=normal", "--skip-test-db"}
	if suffix == newer { // the script would look for its server below /usr
		server, err := filepath.EvalSymlinks(mariadbd)
		check(tb, err)
		once = append(once, "--basedir="+filepath.Dir(filepath.Dir(server)))
	}
	return newServer(tb, "mysql", place, func(dir string) kind {
		options := append(likeMySQL(dir), "--innodb-log-file-size=16M", "--debug-no-sync")
		return newMySQL(dir, slices.Concat([]string{install}, options, once), slices.Concat([]string{mariadbd}, options))
	}, more)
}

// MySQL starts a server of MySQL proper for the length of the test.
func MySQL(tb testing.TB) *Server {
	tb.Helper()
	return mySQL(tb, temporary)
}

// MySQLIn is MariaDBIn for MySQL proper.
func MySQLIn(tb testing.TB, home string, options ...string) *Server {
	tb.Helper()
	return mySQL(tb, kept(home), options...)
}

func mySQL(tb testing.TB, place place, more ...string) *Server {
	tb.Helper()
	mysqld := installed(tb, "mysqld-sid", "make servers")
	return newServer(tb, "mysql", place, func(dir string) kind {
		command := slices.Concat([]string{mysqld}, likeMySQL(dir), []string{
			"--innodb-redo-log-capacity=32M", "--mysqlx=OFF", "--secure-file-priv=NULL",
			"--local-infile=1", // for omsdata
			// The default, but that fractions which a column does not hold are cut off, as MariaDB does, and not rounded.
			"--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO," +
				"NO_ENGINE_SUBSTITUTION,TIME_TRUNCATE_FRACTIONAL",
		})
		return newMySQL(dir, append(slices.Clip(command), "--initialize-insecure"), command)
	}, more)
}

// likeMySQL returns the options that MariaDB and MySQL share, for making their data and for running.
func likeMySQL(dir string) []string {
	return []string{
		"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--skip-name-resolve", "--skip-log-bin",
		"--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
		"--innodb-buffer-pool-dump-at-shutdown=0", "--innodb-buffer-pool-load-at-startup=0",
	}
}

// newMySQL returns a server that speaks MySQL's protocol.
func newMySQL(dir string, initialize, command []string) kind {
	socket := filepath.Join(dir, "socket")
	return kind{initialize, syscall.SIGTERM, func(port string) ([]string, flavour) {
		const processes = " FROM information_schema.processlist WHERE user = '" + User + "'"
		command := slices.Concat(command, []string{
			"--socket=" + socket, "--pid-file=" + filepath.Join(dir, "pid"), "--bind-address=127.0.0.1", "--port=" + port,
			"--max-connections=100", "--character-set-server=utf8mb4", "--default-time-zone=+00:00", "--innodb-fast-shutdown=2",
		})
		return command, flavour{
			driver:    config.MySQL,
			sqlDriver: "mysql",
			adminDSN:  func(name string) string { return "root@unix(" + socket + ")/" + name + "?multiStatements=true" },
			userDSN: func(name string) string {
				return User + ":" + Password + "@tcp(127.0.0.1:" + port + ")/" + name
			},
			maintenance: "mysql",
			access:      database.MySQL,
			schema:      omsschema.MySQL,
			statements:  "SELECT info" + processes + " AND info IS NOT NULL",
			connections: "SELECT count(*)" + processes,
			kills:       "SELECT CONCAT('KILL ', id)" + processes,
		}
	}}
}

// Postgres starts a PostgreSQL server for the length of the test.
func Postgres(tb testing.TB) *Server {
	tb.Helper()
	return postgres(tb, "", temporary)
}

// PostgresIn is MariaDBIn for PostgreSQL; the options are those that follow -c.
func PostgresIn(tb testing.TB, home string, options ...string) *Server {
	tb.Helper()
	return postgres(tb, "", kept(home), options...)
}

func postgres(tb testing.TB, suffix string, place place, more ...string) *Server {
	tb.Helper()
	const folder = "/usr/lib/postgresql/*/bin"
	remedy := remedyFor(suffix, "postgresql")
	program := installed(tb, "postgres"+suffix, remedy, folder)
	initdb := installed(tb, "initdb"+suffix, remedy, folder)
	var options []string
	for _, option := range more {
		options = append(options, "-c", option)
	}
	return newServer(tb, "postgres", place, func(dir string) kind {
		data := filepath.Join(dir, "data")
		initialize := []string{
			initdb, "--pgdata=" + data, "--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256",
			"--encoding=UTF8", "--locale=C", "--no-sync",
		}
		return kind{initialize, syscall.SIGINT, func(port string) ([]string, flavour) {
			command := []string{
				program, "-D", data, "-k", dir, "-h", "127.0.0.1", "-p", port, "-F", "-c", "synchronous_commit=off",
				"-c", "full_page_writes=off", "-c", "timezone=UTC", "-c", "log_timezone=UTC",
			}
			const processes = " FROM pg_stat_activity WHERE usename = '" + User + "'"
			return command, flavour{
				driver:    config.Postgres,
				sqlDriver: "pgx",
				adminDSN: func(name string) string {
					return "postgres:///" + name + "?user=postgres&host=" + url.QueryEscape(dir) + "&port=" + port
				},
				userDSN: func(name string) string {
					return "postgres://" + User + ":" + Password + "@127.0.0.1:" + port + "/" + name + "?sslmode=disable"
				},
				maintenance: "postgres",
				access:      database.Postgres,
				schema:      omsschema.Postgres,
				statements:  "SELECT query" + processes + " AND state = 'active'",
				connections: "SELECT count(*)" + processes,
				kills:       "SELECT 'SELECT pg_terminate_backend(' || pid || ')'" + processes,
			}
		}}
	}, options)
}
