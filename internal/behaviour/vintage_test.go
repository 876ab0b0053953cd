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

// A vintage is an OMS database as some client has it: the tables of omsschema with some edits. Its edits are undone while
// a clinic writes, so that the same rows go into every vintage, and done again before the exporter looks.
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

// retyped says whether the columns have other types or collations than the standard's.
func (v vintage) retyped() bool { return v.from != "" || v.mixed }

// retype gives the columns of an empty database other types or collations.
func (v vintage) retype(t *testing.T, db testserver.Database) {
	t.Helper()
	if v.mixed {
		db.MixCollations(t, omsTables())
		return
	}
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

// show makes the database what the exporter sees of this vintage.
func (v vintage) show(t *testing.T, db testserver.Database) {
	t.Helper()
	testserver.Execute(t, db.Admin, strings.Join(v.rows, ";"))
	testserver.Execute(t, db.Admin, rename(db.Config.Driver, v.renames(db.Config.Driver)))
	if v.upper {
		db.Grant(t)
	}
}

// unshow makes it again what a clinic writes into.
func (v vintage) unshow(t *testing.T, db testserver.Database) {
	t.Helper()
	all := v.renames(db.Config.Driver)
	slices.Reverse(all)
	for i, r := range all {
		all[i].from, all[i].to = r.to, r.from
	}
	testserver.Execute(t, db.Admin, rename(db.Config.Driver, all))
}

// A renaming is of a table or, where that is told, of a column in it.
type renaming struct{ table, from, to string }

// rename returns the statements. MySQL takes all tables in one, which spares it much: it writes each change into its dictionary.
func rename(driver config.Driver, all []renaming) string {
	var statements, together []string
	for _, r := range all {
		switch {
		case r.table != "":
			statements = append(statements, "ALTER TABLE "+r.table+" RENAME COLUMN "+r.from+" TO "+r.to)
		case driver == config.MySQL:
			together = append(together, r.from+" TO "+r.to)
		default:
			statements = append(statements, "ALTER TABLE "+r.from+" RENAME TO "+r.to)
		}
	}
	if together != nil {
		statements = append(statements, "RENAME TABLE "+strings.Join(together, ", "))
	}
	return strings.Join(statements, ";")
}

// renames takes away what the vintage lacks.
func (v vintage) renames(driver config.Driver) []renaming {
	var all []renaming
	for _, name := range v.lacks {
		if table, column, ok := strings.Cut(name, "."); ok {
			all = append(all, renaming{table, column, "away_" + column})
		} else {
			all = append(all, renaming{"", name, "away_" + name})
		}
	}
	if v.upper {
		mark := map[config.Driver]string{config.MySQL: "`", config.Postgres: `"`}[driver]
		for _, name := range omsTables() {
			all = append(all, renaming{"", name, mark + strings.ToUpper(name) + mark})
		}
	}
	return all
}
