package demo

import (
	"fmt"
	"strings"
)

// dashboard is a dashboard of Superset as every client has it: one of those that the guide names.
type dashboard struct {
	slug, title string // behind the client's name
	charts      []chart
}

// chart is a chart on a dashboard: with a metric it is a big number, else a table of columns. What is shown is what a query
// of the client's tables tells; that Solr holds some of it is pretended.
type chart struct {
	name            string
	solr            bool
	metric, columns string
	from            string // where it counts or lists what; ? is a day ago
	id              int
}

// missingOrders is the chart on which the fault chart-error works.
const missingOrders = "Missing orders"

// dashboards are the dashboards, their charts numbered.
func dashboards() []dashboard {
	all := []dashboard{
		{"order-sync", "Order Sync", []chart{
			{name: missingOrders, columns: "shop_id, shopify_order_id, order_created_at", from: "shopify_oms_order_recon r " +
				"WHERE NOT EXISTS (SELECT 1 FROM order_header h WHERE h.external_id = r.shopify_order_id)"},
			{name: "Created orders", metric: "orders", from: "order_header WHERE status_id = 'ORDER_CREATED'"},
			{name: "Orders of a day", metric: "orders", from: "order_header WHERE created_tx_stamp > ?1 AND entry_date > ?1"},
			{name: "Shopify order import errors", solr: true, columns: "log_id, created_date, failed_record_count",
				from: "data_manager_log WHERE config_id = 'CRT_SHOPIFY_ORDER' AND failed_record_count > 0 AND created_date > ?"},
		}},
		{"inventory", "Inventory", []chart{
			{name: "Pending files", columns: "log_id, config_id, created_date",
				from: "data_manager_log WHERE status_id IN ('SERVICE_PENDING', 'DmlsPending')"},
			{name: "Inventory files of a day", metric: "files",
				from: "data_manager_log WHERE config_id = '" + resetConfig + "' AND status_id = 'SERVICE_FINISHED' " +
					"AND finish_date_time > ?"},
			{name: "Inventory import errors", solr: true, columns: "log_id, config_id, created_date, failed_record_count",
				from: "data_manager_log WHERE config_id IN ('" + resetConfig + "', '" + otherConfig + "') " +
					"AND failed_record_count > 0 AND created_date > ?"},
		}},
		{"fulfillment", "Fulfillment", []chart{
			{name: "Unfulfilled orders", metric: "orders", from: "order_header WHERE status_id = 'ORDER_APPROVED'"},
			{name: "Unfillable orders", columns: "order_id, entry_date, product_store_id", from: "order_header " +
				"JOIN order_item_ship_group USING (order_id) WHERE status_id = 'ORDER_APPROVED' AND facility_id = '" + unfillable + "'"},
			{name: "Failed jobs of a day", solr: true, columns: "job_id, job_name, finish_date_time, job_result",
				from: "job_sandbox WHERE status_id = 'SERVICE_FAILED' AND last_updated_tx_stamp > ?"},
		}},
	}
	id := 0
	for _, d := range all {
		for i := range d.charts {
			id++
			d.charts[i].id = id
		}
	}
	return all
}

// vizType is the kind of the chart, by Superset's name.
func (c chart) vizType() string {
	if c.metric != "" {
		return "big_number_total"
	}
	return "table"
}

// query is what Superset saved of the chart's question.
func (c chart) query() object {
	columns, metrics := []string{}, []any{}
	if c.metric == "" {
		columns = strings.Split(c.columns, ", ")
	} else {
		metrics = append(metrics, object{"expressionType": "SQL", "sqlExpression": "count(*)", "label": c.metric})
	}
	return object{"datasource": object{"id": c.dataset(), "type": "table"},
		"queries": []any{object{"columns": columns, "metrics": metrics, "filters": []any{}}}}
}

// statement is what Superset asks the data source.
func (c chart) statement() string {
	what := c.columns
	if c.metric != "" {
		what = "count(*) AS " + c.metric
	}
	return fmt.Sprintf("SELECT %s FROM %s LIMIT 1000", what, c.from)
}

// The datasets behind the charts: the tables of the OMS, and its log in Solr.
const (
	omsDataset  = 1
	solrDataset = 2
)

func (c chart) dataset() int {
	if c.solr {
		return solrDataset
	}
	return omsDataset
}

// uid names a dataset where charts name theirs.
func uid(dataset int) string { return fmt.Sprintf("%d__table", dataset) }
