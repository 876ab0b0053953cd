package sqldb

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A table lists what the statements read of it. Every vintage has the required columns: without one of them the table is
// as good as missing. An optional column reads as NULL where a vintage lacks it. That of the stamps is optional because
// Moqui, where it makes a table itself, gives it last_updated_stamp only.
type table struct {
	name     string
	required string
	optional string
}

// wanted is every table and column that a statement names.
func wanted() []table {
	return []table{
		{"order_header", "order_id order_type_id status_id product_store_id sales_channel_enum_id order_date entry_date",
			"created_tx_stamp external_id"},
		{"order_item", "order_id order_item_seq_id status_id", "ship_group_seq_id"},
		{"order_item_ship_group", "order_id ship_group_seq_id facility_id", ""},
		{"order_item_ship_group_assoc", "order_id order_item_seq_id ship_group_seq_id", ""},
		{"order_facility_change", "order_id order_item_seq_id change_datetime", ""},
		{"order_status", "order_id order_item_seq_id status_id status_datetime", ""},
		{"order_attribute", "order_id attr_name", ""},
		{"facility", "facility_id facility_type_id", ""},
		{"facility_type", "facility_type_id parent_type_id", ""},
		{"job_sandbox", "job_id job_name service_name status_id pool_id run_by_instance_id run_time start_date_time " +
			"finish_date_time cancel_date_time last_updated_tx_stamp", "system_job_enum_id product_store_id shop_id"},
		{"job_manager_lock", "instance_id from_date thru_date", ""},
		{"data_manager_log", "log_id config_id status_id created_date start_date_time finish_date_time last_updated_stamp",
			"last_updated_tx_stamp parent_log_id cancel_date_time total_record_count failed_record_count"},
		{"service_job", "job_name cron_expression paused",
			"from_date thru_date repeat_count expire_lock_time min_retry_time last_updated_stamp"},
		{"service_job_run", "job_run_id job_name has_error start_time end_time", "host_name user_id last_updated_stamp"},
		{"service_job_run_lock", "job_name job_run_id last_run_time", "last_updated_stamp"},
		{"system_message", "system_message_type_id status_id is_outgoing init_date last_attempt_date " +
			"fail_count last_updated_stamp", ""},
		{"shopify_oms_order_recon", "system_message_remote_id shopify_order_id shop_id order_created_at last_updated_stamp", ""},
	}
}

// A schema is what a look at the database's catalogue found of the wanted tables.
type schema struct {
	tables     map[string]string // the real, quoted name of each table that can be used
	columns    map[string]bool   // "table.column" of each optional column that is there
	missing    []oms.Column
	generation oms.Generation
}

// probe looks which of the wanted tables and columns there are. Names are compared without their case.
func (d dialect) probe(ctx context.Context, r *reader) (*schema, error) {
	var names []string
	for _, t := range wanted() {
		names = append(names, t.name)
	}
	found := map[string][]string{} // by real table name
	err := r.send(ctx, "columns", newStatement(d.catalogue), args{"tables": names}, func(rec record) {
		column := rec.text(1)
		if d.driver != config.Postgres { // where the statements' column names fold to lower case, and nothing else does
			column = strings.ToLower(column)
		}
		found[rec.text(0)] = append(found[rec.text(0)], column)
	})
	if err != nil {
		return nil, err
	}
	actual := map[string]string{}
	columns := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		folded := strings.ToLower(name)
		if actual[folded] != "" { // a server that tells cases apart and holds both: lower case sorts last and wins
			maps.DeleteFunc(columns, func(c string, _ bool) bool { return strings.HasPrefix(c, folded+".") })
		}
		actual[folded] = name
		for _, c := range found[name] {
			columns[folded+"."+c] = true
		}
	}
	s := &schema{tables: map[string]string{}, columns: map[string]bool{}, generation: generationOf(actual)}
	for _, t := range wanted() {
		if actual[t.name] == "" {
			s.missing = append(s.missing, oms.Column{Table: t.name})
			continue
		}
		usable := true
		for _, c := range strings.Fields(t.required) {
			if !columns[t.name+"."+c] {
				s.missing = append(s.missing, oms.Column{Table: t.name, Column: c})
				usable = false
			}
		}
		for _, c := range strings.Fields(t.optional) {
			if !columns[t.name+"."+c] {
				s.missing = append(s.missing, oms.Column{Table: t.name, Column: c})
				continue
			}
			s.columns[t.name+"."+c] = true
		}
		if usable {
			s.tables[t.name] = d.quote(actual[t.name])
		}
	}
	return s, nil
}

// complete is the schema with everything in it, by which the statements are printed.
func (d dialect) complete() *schema {
	s := &schema{tables: map[string]string{}, columns: map[string]bool{}}
	for _, t := range wanted() {
		s.tables[t.name] = t.name
		for _, c := range strings.Fields(t.optional) {
			s.columns[t.name+"."+c] = true
		}
	}
	return s
}

func generationOf(tables map[string]string) oms.Generation {
	switch ofbiz, moqui := tables["job_sandbox"] != "", tables["service_job_run"] != ""; {
	case ofbiz && moqui:
		return oms.GenerationBoth
	case ofbiz:
		return oms.GenerationOFBiz
	case moqui:
		return oms.GenerationMoqui
	}
	return oms.GenerationUnknown
}

// equal says whether the statements are the same for both. There is none before the first look.
func (s *schema) equal(o *schema) bool {
	return s != nil && s.generation == o.generation && slices.Equal(s.missing, o.missing) && maps.Equal(s.tables, o.tables) &&
		maps.Equal(s.columns, o.columns)
}

// has says whether all the tables can be used.
func (s *schema) has(tables ...string) bool {
	return !slices.ContainsFunc(tables, func(t string) bool { return s.tables[t] == "" })
}

// without says whether the table is missing as it is in some vintages: then there is nothing to measure, and nothing
// wrong. A stock OFBiz lacks the tables of HotWax and Moqui, and where Moqui alone is at work those of OFBiz may be
// missing. But every OFBiz has orders, the tables of Moqui's jobs come together, and an OMS without any jobs is none that
// anybody knows: there, and where a column is missing that every vintage has, something is wrong with the database or with
// what its user may read.
func (s *schema) without(table string) bool {
	ofbiz, moqui := s.generation != oms.GenerationMoqui, s.generation != oms.GenerationOFBiz
	switch {
	case s.generation == oms.GenerationUnknown, ofbiz && table == "order_header", moqui && strings.HasPrefix(table, "service_job"):
		return false
	}
	return slices.Contains(s.missing, oms.Column{Table: table})
}

// need returns a lackError unless the table can be used.
func (s *schema) need(table string) error {
	for _, m := range s.missing {
		switch {
		case m.Table != table || s.has(table):
		case m.Column == "":
			return lackError("table " + table + " is not in the database, or its user may not read it")
		default:
			return lackError("table " + table + " has no column " + m.Column + ", or the database's user may not read it")
		}
	}
	return nil
}
