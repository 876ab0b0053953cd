//go:build bench

package bench

import (
	"cmp"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// home is where the servers keep their data between "make bench-data" and "make bench", unless DATA names another folder:
// who runs as root has servers that run as other users, who may not enter root's own folders.
const home = "../../.build/bench"

// An engine is a kind of database server, with settings as a production server of moderate size has them.
type engine struct {
	name   string
	driver config.Driver
	start  func(tb testing.TB, home string, options ...string) *testserver.Server
	// run are the options for measuring, load those that filling needs besides.
	run, load []string
	// prepare is what measuring needs; the counters tell what the server has done so far.
	prepare  []string
	examined string // what they count as such
	counters func(tb testing.TB, db *sql.DB) work
}

func engines() []engine {
	return []engine{
		{
			name: "MariaDB", driver: config.MySQL, start: testserver.MariaDBIn,
			run: []string{"--innodb-buffer-pool-size=2G", "--max-connections=1000", "--innodb-fast-shutdown=1", "--performance-schema=OFF"},
			load: []string{"--innodb-log-file-size=1G", "--innodb-sort-buffer-size=64M", "--innodb-buffer-pool-size=3G",
				"--innodb-change-buffering=none", "--innodb-max-dirty-pages-pct=90"},
			prepare:  []string{"ALTER USER exporter WITH MAX_USER_CONNECTIONS 0"},
			examined: "the calls for a row to the storage engine (Handler_read_%)", counters: countMySQL,
		},
		{
			name: "MySQL", driver: config.MySQL, start: testserver.MySQLIn,
			run: []string{"--innodb-buffer-pool-size=2G", "--max-connections=1000", "--innodb-fast-shutdown=1"},
			load: []string{"--innodb-redo-log-capacity=2G", "--innodb-sort-buffer-size=64M", "--innodb-buffer-pool-size=3G",
				"--innodb-change-buffering=none", "--innodb-max-dirty-pages-pct=90"},
			prepare:  []string{"ALTER USER exporter WITH MAX_USER_CONNECTIONS 0"},
			examined: "the calls for a row to the storage engine (Handler_read_%)", counters: countMySQL,
		},
		{
			name: "PostgreSQL", driver: config.Postgres, start: testserver.PostgresIn,
			run: []string{"shared_buffers=1GB", "max_connections=1000", "max_wal_size=4GB", "shared_preload_libraries=pg_stat_statements"},
			load: []string{"wal_level=minimal", "max_wal_senders=0", "maintenance_work_mem=512MB", "checkpoint_timeout=1h", "autovacuum=off",
				"max_parallel_maintenance_workers=0"}, // two tables at a time have both processors
			prepare:  []string{"CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "ALTER USER exporter CONNECTION LIMIT -1"},
			examined: "the blocks of 8 KiB that statements touched (pg_stat_statements)", counters: countPostgres,
		},
	}
}

// A size is a database by the length of its history. The open sets, and what enters in a day, are the same in all.
type size struct {
	database string
	history  float64
}

// sizes are a history and a tenth of it, so that what grows with it shows. The whole is a large client's, or the part or
// multiple of it that HISTORY names.
func sizes(tb testing.TB) []size {
	tb.Helper()
	whole := 1.0
	if text := os.Getenv("HISTORY"); text != "" {
		var err error
		whole, err = strconv.ParseFloat(text, 64)
		check(tb, err)
	}
	return []size{{"tenth", whole / 10}, {"whole", whole}}
}

// dataFolder is where an engine keeps its data.
func dataFolder(tb testing.TB, e engine) string {
	tb.Helper()
	dir, err := filepath.Abs(filepath.Join(cmp.Or(os.Getenv("DATA"), home), e.name))
	check(tb, err)
	return dir
}

// anchorFile says that the data are complete, and when they end.
const anchorFile = "anchor"

// anchor is now, or the time that ANCHOR names in RFC 3339.
func anchor(tb testing.TB) time.Time {
	tb.Helper()
	now := time.Now()
	if text := os.Getenv("ANCHOR"); text != "" {
		var err error
		now, err = time.Parse(time.RFC3339, text)
		check(tb, err)
	}
	return now.Truncate(time.Second)
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
