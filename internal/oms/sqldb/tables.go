package sqldb

import (
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

// catalogue is what the exporter can send to a client that sets created orders aside for these missing attributes.
func catalogue(attributes []string) sqlread.Catalogue {
	return sqlread.Catalogue{SQL: statementsSQL, Tables: tables(), Funcs: template.FuncMap{
		"page":          func() int { return history.Page },
		"sequence_page": func() int { return history.SequencePage },
		"most_waiting":  func() int { return mostWaiting },
		"ages":          func() any { return oms.CreatedAges() },
		"unended":       unendedMessages,
		"waiting":       func() string { return quoted(waitingFiles()) },
		"open_orders":   func() string { return quoted(slices.Sorted(maps.Keys(orderStates()))) },
		"attributes":    func() []string { return attributes },
		"unstamped":     func(table, id, page string) unstampedRows { return unstampedRows{table, id, page} },
		"most_recent":   func() int { return mostRecent },
		"spans":         func() []history.Span { return make([]history.Span, mostSpans) },
		"orders_by_id": func(table string) tableByID {
			return tableByID{table, "order_header", "order_id", "COALESCE(entry_date, order_date)"}
		},
		"fulfillments_by_id": func(table string) tableByID {
			return tableByID{table, "order_fulfillment_history", "fulfillment_log_id", "created_date"}
		},
		"approvals":   approvals,
		"unfillables": unfillables,
	}}
}

// unstampedRows is for the template of that name: which page of which table, by which primary key.
type unstampedRows struct{ Table, ID, Page string }

// tableByID is for the templates that look for recent rows by their ids: a table, its name in this package, its primary key, and when a
// row entered.
type tableByID struct{ Table, Name, ID, Entered string }

// quoted writes a list of the exporter's own words as SQL.
func quoted(words []string) string { return "'" + strings.Join(words, "', '") + "'" }

// Statements returns every statement that can be sent to a database of that kind, with parameters by name.
func Statements(driver config.Driver) ([]sqlread.StatementText, error) {
	return catalogue([]string{"ATTRIBUTE"}).Statements(driver)
}

// tables is every table and column that a statement names.
func tables() []sqlread.Table {
	return []sqlread.Table{
		{Name: "order_header", Required: "order_id order_type_id status_id product_store_id sales_channel_enum_id order_date entry_date",
			Optional: "created_tx_stamp external_id", Probed: "order_name"},
		{Name: "order_item", Required: "order_id order_item_seq_id status_id", Optional: "ship_group_seq_id"},
		{Name: "order_item_ship_group", Required: "order_id ship_group_seq_id facility_id"},
		{Name: "order_item_ship_group_assoc", Required: "order_id order_item_seq_id ship_group_seq_id"},
		{Name: "order_facility_change", Required: "order_id order_item_seq_id facility_id change_datetime",
			Optional: "from_facility_id created_tx_stamp order_facility_change_id"},
		{Name: "order_status", Required: "order_id order_item_seq_id status_id status_datetime",
			Optional: "created_tx_stamp order_status_id"},
		{Name: "order_attribute", Required: "order_id attr_name"},
		{Name: "order_identification", Required: "order_identification_type_id order_id id_value thru_date"},
		{Name: "order_fulfillment_history", Required: "fulfillment_log_id order_id external_fulfillment_id created_date",
			Optional: "created_tx_stamp"},
		{Name: "facility", Required: "facility_id facility_type_id"},
		{Name: "facility_type", Required: "facility_type_id parent_type_id"},
		{Name: "job_sandbox", Required: "job_id job_name service_name status_id pool_id run_by_instance_id run_time start_date_time " +
			"finish_date_time cancel_date_time last_updated_tx_stamp",
			Optional: "system_job_enum_id product_store_id shop_id",
			Probed:   "temp_expr_id recurrence_info_id current_retry_count created_tx_stamp lease_updated_stamp recurrence_time_zone"},
		{Name: "job_manager_lock", Required: "instance_id from_date thru_date"},
		{Name: "data_manager_log", Required: "log_id config_id status_id created_date start_date_time finish_date_time last_updated_stamp",
			Optional: "last_updated_tx_stamp parent_log_id cancel_date_time total_record_count failed_record_count",
			Probed:   "job_id run_by_instance_id error_record_content_id"},
		{Name: "data_manager_config", Required: "config_id", Optional: "execution_mode_id",
			Probed: "description import_service_name import_path file_name_pattern"},
		{Name: "service_job", Required: "job_name cron_expression paused",
			Optional: "from_date thru_date repeat_count expire_lock_time min_retry_time last_updated_stamp"},
		{Name: "service_job_run", Required: "job_run_id job_name has_error start_time end_time", Optional: "host_name parameters last_updated_stamp"},
		{Name: "service_job_run_lock", Required: "job_name job_run_id last_run_time", Optional: "last_updated_stamp"},
		{Name: "system_message", Required: "system_message_type_id status_id is_outgoing init_date last_attempt_date " +
			"fail_count last_updated_stamp"},
		{Name: "shopify_oms_order_recon", Required: "system_message_remote_id shopify_order_id shop_id order_created_at last_updated_stamp"},
		{Name: "product_store", Required: "default_time_zone_string", Aside: true},
	}
}

// generationOf tells by its tables which services write into the database.
func generationOf(s *sqlread.Schema) oms.Generation {
	switch ofbiz, moqui := s.Exists("job_sandbox"), s.Exists("service_job_run"); {
	case ofbiz && moqui:
		return oms.GenerationBoth
	case ofbiz:
		return oms.GenerationOFBiz
	case moqui:
		return oms.GenerationMoqui
	}
	return oms.GenerationUnknown
}

// without says of a table that cannot be used whether it is missing as it is in some OMS versions: then there is nothing to measure, and nothing
// wrong. A stock OFBiz lacks the tables of HotWax and Moqui, and where only Moqui runs those of OFBiz may be
// missing. But every OFBiz has orders, the tables of Moqui's jobs come together, and an OMS without any jobs is none that
// anybody knows: there, and where a column is missing that every OMS version has, something is wrong with the database or with
// what its user may read.
func without(s *sqlread.Schema, table string) bool {
	generation := generationOf(s)
	ofbiz, moqui := generation != oms.GenerationMoqui, generation != oms.GenerationOFBiz
	switch {
	case generation == oms.GenerationUnknown, ofbiz && table == "order_header", moqui && strings.HasPrefix(table, "service_job"):
		return false
	}
	return slices.Contains(s.Missing, sqlread.Column{Table: table})
}

// requireTable says whether the table can be used; it is an error if it cannot, unless an OMS version may lack the table.
func (s *Source) requireTable(r *sqlread.Reader, table string) (bool, error) {
	if r.Schema.Has(table) {
		return true, nil
	}
	if without(r.Schema, table) {
		return false, nil
	}
	s.db.SuspectSchema()
	return false, r.Schema.MissingTable(table)
}
