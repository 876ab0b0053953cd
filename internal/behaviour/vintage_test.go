package behaviour

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/deploy/database"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omsschema"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// A vintage is an OMS database as some client has it: the tables of omsschema with some edits. The same rows go into every one. What a
// vintage lacks is there while a clinic writes: SQLite's exporter looks when it has been taken away, and that of a server comes as a
// user who may not read it.
type vintage struct {
	name string
	// engines are those on which it differs from the standard; nil stands for all.
	engines []config.Driver
	// lacks are the tables, and columns as table.column, that it does not have.
	lacks []string
	// upper has the names of tables in upper case.
	upper bool
	// from and to are types of columns: what omsschema declares, and what it is here.
	from, to string
	// mixed has tables of different character sets and collations.
	mixed bool
	// rows are statements that make the rows what they are here.
	rows []string
}

// vintages lists them all; the first is the standard, with which the others are compared. What they lack is named as far
// as the exporter looks for it.
func vintages() []vintage {
	return []vintage{
		{name: "standard"},
		{name: "ofbiz-17.12", lacks: []string{ // nothing is missed without these: that is the point
			"job_sandbox.priority", "job_sandbox.current_retry_count", "job_sandbox.job_result", "job_sandbox.lease_updated_stamp",
			"job_sandbox.recurrence_time_zone", "service_semaphore.locked_by_instance_id",
		}},
		// OFBiz without anything of HotWax' or Moqui's: the ship group is not on the item, but associated with it.
		{name: "stock", lacks: slices.Concat(moquiTables(), hotwaxTables(), []string{
			"job_sandbox.system_job_enum_id", "job_sandbox.product_store_id", "job_sandbox.shop_id", "order_item.ship_group_seq_id",
		})},
		{name: "upper-case", engines: []config.Driver{config.MySQL, config.Postgres}, upper: true}, // SQLite knows no case
		{name: "datetime-seconds", engines: []config.Driver{config.MySQL}, from: "DATETIME(3)", to: "DATETIME"},
		{name: "datetime-milliseconds", engines: []config.Driver{config.MySQL}, from: "DATETIME", to: "DATETIME(3)"},
		{name: "mixed-collations", engines: []config.Driver{config.MySQL}, mixed: true},
		{name: "timestamp-without-zone", engines: []config.Driver{config.Postgres}, from: "TIMESTAMPTZ", to: "TIMESTAMP"},
		{name: "no-refusals", lacks: []string{"data_manager_log.failed_record_count"}},
		{name: "ofbiz-only", lacks: moquiTables()},
		// Moqui alone makes the tables itself, and stamps rows with last_updated_stamp only.
		{name: "moqui-only", lacks: slices.Concat(ofbizTables(),
			[]string{"order_header.created_tx_stamp", "order_fulfillment_history.created_tx_stamp", "order_status.created_tx_stamp",
				"order_facility_change.created_tx_stamp", "data_manager_log.last_updated_tx_stamp"})},
		{name: "moqui-without-orders", lacks: slices.Concat(ofbizTables(), orderTables(), []string{"data_manager_log.last_updated_tx_stamp"})},
		// Both, and everything that Moqui can write was written by it.
		{name: "both-unstamped", rows: []string{
			"UPDATE order_header SET last_updated_tx_stamp = NULL, created_tx_stamp = NULL",
			"UPDATE order_fulfillment_history SET last_updated_tx_stamp = NULL, created_tx_stamp = NULL",
			"UPDATE order_status SET created_tx_stamp = NULL",
			"UPDATE order_facility_change SET created_tx_stamp = NULL",
			"UPDATE data_manager_log SET last_updated_tx_stamp = NULL, created_tx_stamp = NULL",
		}},
		{name: "empty", lacks: omsTables()},
	}
}

var granted = regexp.MustCompile(`(?m)^GRANT .* ON (\w+) TO `)

// omsTables lists the tables that the exporter looks for: those that it may read.
func omsTables() []string {
	var tables []string
	for _, grant := range granted.FindAllStringSubmatch(database.MySQL, -1) {
		tables = append(tables, grant[1])
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

func ofbizTables() []string { return []string{"job_sandbox", "job_manager_lock"} }

func moquiTables() []string {
	return []string{"service_job", "service_job_run", "service_job_run_lock", "system_message"}
}

func hotwaxTables() []string {
	return []string{"data_manager_config", "data_manager_log", "order_facility_change", "order_fulfillment_history", "order_identification", "shopify_oms_order_recon"}
}

// orderTables are those of orders and whatever belongs to them: all that are none of jobs, messages and files.
func orderTables() []string {
	return slices.DeleteFunc(omsTables(), func(table string) bool {
		return slices.Contains(slices.Concat(ofbizTables(), moquiTables(), []string{"data_manager_config", "data_manager_log", "shopify_oms_order_recon"}), table)
	})
}

var (
	createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	columnType  = regexp.MustCompile(`(?m)^  (\w+) ([A-Z]+(?:\(\d+\))?)[, ]`)
)

// on says whether the vintage differs from the standard there.
func (v vintage) on(driver config.Driver) bool {
	return v.engines == nil || slices.Contains(v.engines, driver)
}

// first is the engine by which what is expected of the vintage is written.
func (v vintage) first() string {
	names := map[config.Driver]string{config.MySQL: "mariadb", config.Postgres: "postgres", config.SQLite: "sqlite"}
	return names[append(v.engines, config.SQLite)[0]]
}

// together returns the vintages that are played there, in groups that see the same rows; the standard is the first.
func together(driver config.Driver) [][]vintage {
	groups := [][]vintage{nil}
	for i, v := range vintages() {
		switch own := v.upper || v.mixed || v.from != "" || v.rows != nil || driver == config.SQLite; {
		case !v.on(driver): // as the standard
		case i == 0 || !own:
			groups[0] = append(groups[0], v)
		default:
			groups = append(groups, []vintage{v})
		}
	}
	return groups
}

// make makes an empty database one of the vintage, but for what this lacks.
func (v vintage) make(t *testing.T, db testserver.Database) {
	t.Helper()
	switch {
	case v.upper:
		for _, table := range omsTables() {
			testserver.Execute(t, db.Admin, "ALTER TABLE "+table+" RENAME TO "+upper(db.Config.Driver, table))
		}
		db.Grant(t)
	case v.mixed:
		db.MixCollations(t, omsTables())
	case v.from != "":
		v.retype(t, db)
	}
}

// upper returns the name of a table in upper case.
func upper(driver config.Driver, table string) string {
	mark := map[config.Driver]string{config.MySQL: "`", config.Postgres: `"`}[driver]
	return mark + strings.ToUpper(table) + mark
}

var word = regexp.MustCompile(`\w+`)

// write executes statements that name tables as the standard does.
func (v vintage) write(t *testing.T, db testserver.Database, statements string) {
	t.Helper()
	if v.upper {
		tables := omsTables()
		statements = word.ReplaceAllStringFunc(statements, func(name string) string {
			if slices.Contains(tables, name) {
				return upper(db.Config.Driver, name)
			}
			return name
		})
	}
	testserver.Execute(t, db.Admin, statements)
}

// seen is how the exporter comes to a database in which this vintage and others are seen.
func (v vintage) seen(t *testing.T, db testserver.Database) config.Database {
	t.Helper()
	if db.Config.Driver == config.SQLite || v.lacks == nil {
		return db.Config
	}
	return db.As(t, "of_"+strings.NewReplacer("-", "_", ".", "_").Replace(v.name), v.lacks)
}

// retype gives the columns of an empty database another type.
func (v vintage) retype(t *testing.T, db testserver.Database) {
	t.Helper()
	ddl, change := omsschema.MySQL, "MODIFY %s %s"
	if db.Config.Driver == config.Postgres {
		ddl, change = omsschema.Postgres, "ALTER %s TYPE %s"
	}
	retyped := false
	for _, table := range createTable.FindAllStringSubmatch(ddl, -1) {
		var changes []string
		for _, column := range columnType.FindAllStringSubmatch(table[2], -1) {
			if column[2] == v.from {
				changes = append(changes, fmt.Sprintf(change, column[1], v.to))
			}
		}
		if changes != nil {
			testserver.Execute(t, db.Admin, "ALTER TABLE "+table[1]+" "+strings.Join(changes, ", "))
			retyped = true
		}
	}
	if !retyped {
		t.Fatalf("no column is a %s", v.from)
	}
}

// show takes away from SQLite what the vintage lacks, until the returned function is called.
func (v vintage) show(t *testing.T, db testserver.Database) (unshow func()) {
	t.Helper()
	v.write(t, db, strings.Join(v.rows, ";"))
	if db.Config.Driver != config.SQLite {
		return func() {}
	}
	rename := func(from, to string) {
		for _, name := range v.lacks {
			what := "ALTER TABLE " + from + name + " RENAME TO " + to + name
			if table, column, ok := strings.Cut(name, "."); ok {
				what = "ALTER TABLE " + table + " RENAME COLUMN " + from + column + " TO " + to + column
			}
			testserver.Execute(t, db.Admin, what)
		}
	}
	rename("", "away_")
	return func() { rename("away_", "") }
}
