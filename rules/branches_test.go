package rules_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// whereabouts is all that can be known of a source's file some minutes after its deadline.
type whereabouts struct {
	failed, open, waits, fetched bool
	missed                       bool   // nothing was processed in the window …
	received                     bool   // … though the data manager had something
	folders                      string // those that are looked into
	unseen                       string // the one of them that cannot be
	truncated                    string // the one of which only a part is seen
}

// alert is the one that the decision tree of the design comes to, in its order.
func (w whereabouts) alert() string {
	switch watched := strings.Contains(w.folders, "inbox"); {
	case w.failed:
		return "OMSResetInventoryFailed"
	case !w.missed:
		return ""
	case w.open || w.received:
		return "OMSResetInventoryNotProcessed"
	case watched && w.waits && w.unseen != "inbox":
		return "OMSResetInventoryWaitsOnSFTP"
	case strings.Contains(w.folders, "archive") && w.fetched && w.unseen != "archive":
		return "OMSResetInventoryNotImported"
	case watched && w.unseen+w.truncated != "":
		return "OMSResetInventoryWhereaboutsUnknown"
	case strings.Contains(w.folders, "archive"):
		return "OMSResetInventoryNotDelivered"
	}
	return "OMSResetInventoryNotReceived"
}

// everyWhereabouts has all combinations for a source, also impossible ones: files of several kinds can be there at once.
func everyWhereabouts(folders, unseen, truncated string) []whereabouts {
	var all []whereabouts
	for bits := range 1 << 6 {
		is := func(bit int) bool { return bits>>bit&1 == 1 }
		all = append(all, whereabouts{is(0), is(1), is(2), is(3), is(4), is(5), folders, unseen, truncated})
	}
	return all
}

// TestBranches takes a source through all that can be known of its file, with real rules in promtool: exactly one alert
// says what is to be done, and none when nothing is the matter.
func TestBranches(t *testing.T) {
	t.Parallel()
	promtool := testserver.Tool(t, "promtool")
	var ruleFiles []string
	for _, file := range files(t, "*.yml") {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		ruleFiles = append(ruleFiles, path)
	}
	var tests []map[string]any
	tried := map[string]bool{}
	const both = "inbox archive"
	for _, look := range [][3]string{
		{}, {"inbox"}, {both}, {"inbox", "inbox"}, {both, "inbox"}, {both, "archive"},
		{"inbox", "", "inbox"}, {both, "", "inbox"}, {both, "", "archive"}, {both, "inbox", "archive"},
	} {
		var input []map[string]string
		expected := []map[string]any{}
		for i, w := range everyWhereabouts(look[0], look[1], look[2]) {
			client := fmt.Sprintf("C%03d", i)
			w.addSeries(func(name, labels string, value int) {
				input = append(input, map[string]string{
					"series": fmt.Sprintf("%s{client=%q%s}", name, client, labels), "values": fmt.Sprintf("%dx15", value),
				})
			})
			if alert := w.alert(); alert != "" {
				tried[alert] = true
				labels := fmt.Sprintf("{alertname=%q,client=%q,source=%q}", alert, client, "wms")
				expected = append(expected, map[string]any{"labels": labels, "value": 1})
			}
		}
		tests = append(tests, map[string]any{
			"name": fmt.Sprintf("folders, unseen, truncated: %q", look), "start_timestamp": "2026-06-10T13:00:00Z", "input_series": input,
			"promql_expr_test": []map[string]any{{
				"expr":      `count by (alertname, client, source) (ALERTS{alertstate="firing",branch!=""})`,
				"eval_time": "15m", "exp_samples": expected,
			}},
		})
	}
	branches := map[string]bool{}
	for _, alert := range alerts(t) {
		if strings.Contains(alert.Expr, "{branch=") && !strings.Contains(alert.Expr, "unless") {
			branches[alert.Alert] = true
		}
	}
	same(t, "branch", branches, "combination", tried)

	content, err := yaml.Marshal(map[string]any{
		"rule_files": ruleFiles, "evaluation_interval": "1m", "tests": tests,
		"group_eval_order": parse[testFile](t, "tests/reset_inventory_test.yml").GroupEvalOrder,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "branches_test.yml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// addSeries adds what the exporter tells of a client whose clock is UTC and whose deadline was at 13:05, from 13:00 on.
func (w whereabouts) addSeries(add func(name, labels string, value int)) {
	const start, hour = 1781096400, 3600
	count := func(is bool) int {
		if is {
			return 1
		}
		return 0
	}
	const wms = `,source="wms"`
	const deadline = wms + `,deadline="13:05"`
	const config = `,config="RESET_INVENTORY"`
	add("oms_client_info", "", 1)
	add("oms_client_utc_offset_seconds", "", 0)
	add("oms_collector_success", `,collector="data_manager"`, 1)
	add("oms_collector_success", `,collector="reset_inventory"`, 1)
	add("oms:reset_inventory_process_by", deadline, 13*hour+300)
	add("oms:reset_inventory_window", deadline, 13*hour)
	add("oms_reset_inventory_config_info", wms+config, 1)
	processed := start - 2*hour - count(w.missed)*18*hour
	add("oms_reset_inventory_last_processed_timestamp_seconds", wms, processed)
	add("oms_reset_inventory_last_processed_utc_offset_seconds", wms, 0)
	add("oms_reset_inventory_last_received_timestamp_seconds", wms, max(processed-300, count(w.received)*(start-hour)))
	if w.failed {
		add("oms_data_manager_last_failure_timestamp_seconds", config, start-hour)
	}
	for _, status := range []string{"pending", "running"} {
		is := count(w.open && status == "pending")
		add("oms_data_manager_files", config+`,status="`+status+`"`, is)
		add("oms_data_manager_oldest_age_seconds", config+`,status="`+status+`"`, is*60)
	}
	for folder := range strings.FieldsSeq(w.folders) {
		labels := wms + fmt.Sprintf(",location=%q,folder=%q", "drop", folder)
		add("oms_sftp_folder_info", labels, 1)
		if folder == w.unseen {
			continue
		}
		has := count(folder == "inbox" && w.waits || folder == "archive" && w.fetched)
		add("oms_sftp_files", labels, has)
		add("oms_sftp_oldest_file_age_seconds", labels, has*hour)
		add("oms_sftp_listing_truncated", labels, count(folder == w.truncated))
		if has == 1 {
			add("oms_sftp_newest_file_timestamp_seconds", labels, start-hour)
		}
	}
}
