package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestStates judges, by the shipped rules in promtool, what the demo does not have. Each case is a client of its own beside the others:
// promtool evaluates the rules once for all of them.
func TestStates(t *testing.T) {
	t.Parallel()
	const (
		noJobs       = `oms_collector_success{collector="jobs"} 0`
		jobs         = `oms_collector_success{collector="jobs"} 1`
		noSFTP       = `oms_collector_success{collector="sftp"} 0`
		sftp         = `oms_collector_success{collector="sftp"} 1`
		inbox        = `oms_sftp_folder_info{location="drop",source="wms",folder="inbox"} 1`
		archive      = `oms_sftp_folder_info{location="drop",source="wms",folder="archive"} 1`
		seenInbox    = `oms_sftp_files{location="drop",source="wms",folder="inbox"} 0`
		seenArchive  = `oms_sftp_files{location="drop",source="wms",folder="archive"} 0`
		some         = `oms_jobs{status="running"} 1`
		long         = `oms_job_long_running_seconds{job_name="LONG",job_id="1",oms_instance="i1",generation="ofbiz"} 2400`
		orders       = `oms_collector_success{collector="orders"} 1`
		files        = `oms_collector_success{collector="data_manager"} 1`
		longLimit    = `oms:limit_override{limit="job_running_seconds",job_name="LONG"} 10800`
		silent       = `oms_instance_last_activity_timestamp_seconds{oms_instance="i1"} 1781000000`
		runs         = `oms_job_recent_runs{job_name="FLAKY"} 20`
		reset        = `oms_collector_success{collector="reset_inventory"} 1`
		source       = `oms_reset_inventory_config_info{source="wms",config="RESET"} 1`
		deadline     = `oms_reset_inventory_deadline_seconds{source="wms",deadline="13:45",days="Mon"} 49500`
		window       = `oms_reset_inventory_deadline_window_seconds{source="wms",deadline="13:45",days="Mon"} 86400`
		lastDeadline = `oms_reset_inventory_last_deadline_timestamp_seconds{source="wms",deadline="13:45"} 1781012700`
		nextDeadline = `oms_reset_inventory_next_deadline_timestamp_seconds{source="wms",deadline="13:45"} 1781099100`
	)
	var together []map[string]string
	var states []map[string]any
	for i, c := range []struct {
		check  string
		want   int
		series []string // name, labels and value, but for the client
	}{
		{"created", unwatched, nil},
		{"unfulfilled", unwatched, []string{`oms_orders_oldest_approved_age_seconds{stage="store"} 483840`}},
		{"unfulfilled", ok, []string{orders, `oms_orders_oldest_approved_age_seconds{stage="store"} 483840`}},
		{"unfulfilled", near, []string{`oms_orders_oldest_approved_age_seconds{stage="store"} 483841`}},
		{"unfulfilled", near, []string{`oms_orders_oldest_approved_age_seconds{stage="store"} 604800`}},
		{"unfulfilled", broken, []string{`oms_orders_oldest_approved_age_seconds{stage="store"} 604801`}},
		{"import", ok, []string{orders, `oms_orders_last_import_timestamp_seconds{product_store="S",channel="W"} 1781096400`}},
		{"import", broken, []string{`oms_orders_last_import_timestamp_seconds{product_store="S",channel="W"} 1781000000`}},
		{"import", ok, []string{orders, `oms_orders_missing{shop="S"} 0`}},
		{"import", broken, []string{`oms_orders_missing{shop="S"} 1`}},
		{"job_running", near, []string{some, long, jobs}},
		{"job_running", ok, []string{some, long, jobs, longLimit}},
		{"job_running", unknown, []string{noJobs}},
		{"job_running", unknown, []string{noJobs, some}},
		{"job_running", unknown, []string{noJobs, some, long}}, // as its alert, which the page about the collector silences
		{"scheduler", ok, []string{jobs, some, `oms_job_scheduler_locked{oms_instance="_NA_"} 0`, `oms_job_oldest_overdue_seconds{pool="pool"} 900`}},
		{"scheduler", near, []string{jobs, `oms_job_scheduler_locked{oms_instance="_NA_"} 1`}},
		{"scheduler", broken, []string{jobs, `oms_job_oldest_overdue_seconds{pool="pool"} 901`}},
		{"scheduler", broken, []string{jobs, `oms_job_oldest_overdue_seconds{pool="pool"} 0`, `oms_job_schedule_unreadable{job_name="ODD"} 1`}},
		{"scheduler", broken, []string{jobs, silent, `oms_job_oldest_claimed_seconds{oms_instance="i1"} 901`}},
		{"scheduler", broken, []string{
			jobs, `oms_job_oldest_overdue_seconds{pool="pool"} 0`, `oms_job_scheduled{job_name="LOST"} 0`,
			`oms_job_usual_interval_seconds{job_name="LOST"} 1800`, `oms_job_expected_start_timestamp_seconds{job_name="LOST"} 1781000000`,
		}},
		{"job_failing", ok, []string{jobs, some, `oms_job_consecutive_failures{job_name="FLAKY"} 0`, runs, `oms_job_recent_failures{job_name="FLAKY"} 4`}},
		{"job_failing", broken, []string{jobs, `oms_job_consecutive_failures{job_name="FLAKY"} 0`, runs, `oms_job_recent_failures{job_name="FLAKY"} 5`}},
		{"job_failing", broken, []string{
			jobs, `oms_job_consecutive_failures{job_name="GONE"} 3`, `oms_job_scheduled{job_name="GONE"} 0`,
			`oms_job_first_failure_timestamp_seconds{job_name="GONE"} 1781000000`, `oms_job_recent_failures{job_name="GONE"} 3`,
		}},
		{"reset_inventory", broken, []string{source}},
		// A deadline of the entry in half an hour, before and after its file, and a day off.
		{"reset_inventory", near, []string{source, reset, lastDeadline, nextDeadline, deadline, window, `oms_reset_inventory_last_processed_timestamp_seconds{source="wms"} 1781012000`}},
		{"reset_inventory", ok, []string{source, reset, lastDeadline, nextDeadline, deadline, window, `oms_reset_inventory_last_processed_timestamp_seconds{source="wms"} 1781013000`}},
		{"reset_inventory", ok, []string{
			source, reset, lastDeadline, `oms_reset_inventory_next_deadline_timestamp_seconds{source="wms",deadline="13:45"} 1781185500`, deadline, window,
			`oms_reset_inventory_last_processed_timestamp_seconds{source="wms"} 1781012000`,
		}},
		{"sftp", ok, []string{sftp, inbox, archive, seenInbox, seenArchive}},
		{"sftp", near, []string{noSFTP, inbox, archive, seenInbox}},
		{"sftp", unknown, []string{noSFTP, inbox, archive, seenInbox, seenArchive}},
		{"sftp", broken, []string{noSFTP, inbox, archive, seenArchive}},
		{"files_running", ok, []string{files, `oms_data_manager_oldest_age_seconds{config="C",status="running"} 2160`}},
		{"files_running", broken, []string{`oms_data_manager_oldest_age_seconds{config="C",status="running"} 2701`}},
		{"files_failed", near, []string{
			`oms_data_manager_last_success_timestamp_seconds{config="C"} 2`, `oms_data_manager_last_failure_timestamp_seconds{config="C"} 1`,
			`oms_data_manager_recent_files{config="C",outcome="failed"} 1`,
		}},
		{"files_failed", broken, []string{
			`oms_data_manager_last_success_timestamp_seconds{config="C"} 1`, `oms_data_manager_last_failure_timestamp_seconds{config="C"} 2`,
		}},
		{"measurement", ok, []string{`oms_collector_success{collector="client"} 1`}},
		{"measurement", broken, []string{`oms_collector_success{collector="client"} 1`, `oms_series_dropped{metric="oms_orders"} 1`}},
		{"measurement", broken, []string{`oms_collector_success{collector="client"} 1`, `oms_database_clock_skew_seconds -3600`}},
		{"measurement", broken, []string{`oms_collector_success{collector="client"} 1`, `oms_database_newest_timestamp_age_seconds 1801`}},
		{"measurement", broken, []string{`oms_collector_success{collector="client"} 1`, `oms_instance_clock_skew_seconds{oms_instance="oms2"} 3600`}},
		{"files_running", unknown, []string{`oms_database_clock_skew_seconds -3600`, `oms_data_manager_oldest_age_seconds{config="C",status="running"} 3600`}},
		{"files_running", unknown, []string{`oms_database_newest_timestamp_age_seconds 1801`, `oms_data_manager_oldest_age_seconds{config="C",status="running"} 0`}},
	} {
		client := fmt.Sprintf("C%d", i)
		together = append(together, input(client, c.series...)...)
		states = append(states, expect(c.check+": "+strings.Join(c.series, ", "), client, stateOf(t, c.check), c.want))
	}
	testRules(t, []map[string]any{{
		"start_timestamp": "2026-06-10T13:00:00Z", "input_series": together, "promql_expr_test": states,
	}})
}

// TestBareClient wants words rather than "No data" of a client without drop folders, reset-inventory files and reports: a row in each
// table that promises it, when all is well and when nothing can be measured.
func TestBareClient(t *testing.T) {
	t.Parallel()
	const client = "C"
	bare := collector.NewClient(collector.Options{Collectors: collector.All()}, config.Client{}, collector.Sources{OMS: new(omstest.Fake)})
	var tests []map[string]any
	tables := 0
	for _, success := range []string{"1", "0"} {
		var series []string
		for _, s := range bare.Status() {
			series = append(series, `oms_collector_success{collector="`+s.Collector+`"} `+success)
		}
		var rows []map[string]any
		for name, d := range all(shipped(t)) {
			for _, p := range d.all() {
				if !strings.Contains(p.Description, "A row without a ") {
					continue
				}
				var either []string
				for _, q := range p.Targets {
					either = append(either, "("+q.Expr+")")
				}
				rows = append(rows, expect(name+": "+p.Title, client, "group by (client) ("+strings.Join(either, " or ")+")", 1))
			}
		}
		tables += len(rows)
		tests = append(tests, map[string]any{"name": "success " + success, "input_series": input(client, series...), "promql_expr_test": rows})
	}
	if tables < 20 {
		t.Errorf("only %d tables promise a row", tables/2)
	}
	testRules(t, tests)
}

// input are series of a client, each by its name, labels and value.
func input(client string, series ...string) []map[string]string {
	var all []map[string]string
	for _, s := range append(series, `oms_client_info 1`) {
		name, value, _ := strings.Cut(s, " ")
		name, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
		all = append(all, map[string]string{"series": fmt.Sprintf("%s{client=%q,%s}", name, client, labels), "values": value + "x15"})
	}
	return all
}

// expect wants one value of that client. What the case is stands behind the expression, which promtool shows when it is not so.
func expect(name, client, expr string, value int) map[string]any {
	return map[string]any{
		"expr": strings.ReplaceAll(expr, "$client", client) + " # " + name, "eval_time": "15m",
		"exp_samples": []map[string]any{{"labels": fmt.Sprintf("{client=%q}", client), "value": value}},
	}
}

// testRules has promtool make the tests with the shipped rules.
func testRules(t *testing.T, tests []map[string]any) {
	t.Helper()
	rules, err := filepath.Abs("../rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	judge(t, tests, rules)
}

// judge has promtool make the tests with files of rules, or without any.
func judge(t *testing.T, tests []map[string]any, ruleFiles ...string) {
	t.Helper()
	promtool := testserver.Tool(t, "promtool")
	content, err := json.Marshal(map[string]any{"rule_files": ruleFiles, "evaluation_interval": "1m", "tests": tests})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "states.json") // which is YAML too
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
