package rules_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// whereabouts is all that can be known of a source's file some minutes after its deadline.
type whereabouts struct {
	failed, empty        bool // the last file that ended
	open, waits, fetched bool
	misconfigured        bool   // the data manager does not have its configuration
	missed               bool   // nothing was processed in the window …
	received             bool   // … though the data manager had something
	folders              string // those that are looked into
	unseen               string // the one of them that cannot be
	truncated            string // the one of which only a part is seen
}

// alert is the one that the decision tree of the design comes to, in its order.
func (w whereabouts) alert() string {
	switch watched := strings.Contains(w.folders, "inbox"); {
	case w.failed:
		return "OMSResetInventoryFailed"
	case w.empty:
		return "OMSResetInventoryEmpty"
	case !w.missed, w.open: // what is in work may take its time
		return ""
	case w.received:
		return "OMSResetInventoryNotProcessed"
	case watched && w.waits && w.unseen != "inbox":
		return "OMSResetInventoryWaitsOnSFTP"
	case w.misconfigured: // which is a ticket of its own
		return ""
	case strings.Contains(w.folders, "archive") && w.fetched && w.unseen != "archive":
		return "OMSResetInventoryNotImported"
	case watched && w.unseen+w.truncated != "":
		return "OMSResetInventoryWhereaboutsUnknown"
	case strings.Contains(w.folders, "archive"):
		return "OMSResetInventoryNotDelivered"
	}
	return "OMSResetInventoryNotReceived"
}

const combinations = 1 << 8

// clientsAtOnce is how many clients a test has: promtool takes no more than 10 000 samples in an answer.
const clientsAtOnce = 64

// combination is one of all for a source, also impossible ones: files of several kinds can be there at once. Looked into, unseen
// and truncated folders are given.
func combination(bits int, look [3]string) whereabouts {
	is := func(bit int) bool { return bits>>bit&1 == 1 }
	return whereabouts{is(0), is(1), is(2), is(3), is(4), is(5), is(6), is(7), look[0], look[1], look[2]}
}

// TestBranches takes a source through all that can be known of its file, with real rules in promtool: exactly one alert
// says what is to be done, and none when nothing is the matter. Each client has another source whose folders are looked into
// otherwise, and of which the contrary is known; for every other client they change names. Each is judged for itself.
func TestBranches(t *testing.T) {
	t.Parallel()
	test := parse[testFile](t, "tests/reset_inventory_test.yml")
	var ruleFiles []string
	for _, file := range test.RuleFiles {
		path, err := filepath.Abs(filepath.Join("tests", file))
		if err != nil {
			t.Fatal(err)
		}
		ruleFiles = append(ruleFiles, path)
	}
	var tests []map[string]any
	tried := map[string]bool{}
	const both = "inbox archive"
	for _, looks := range [][2][3]string{
		{{}, {"inbox"}}, {{both}, {"inbox", "inbox"}}, {{both, "inbox"}, {both, "archive"}},
		{{"inbox", "", "inbox"}, {both, "", "inbox"}}, {{both, "", "archive"}, {both, "inbox", "archive"}},
	} {
		for first := 0; first < combinations; first += clientsAtOnce {
			var input []map[string]string
			expected := []map[string]any{}
			for i := first; i < first+clientsAtOnce; i++ {
				client := fmt.Sprintf("C%03d", i)
				add := func(name, labels string, value int) {
					input = append(input, map[string]string{
						"series": fmt.Sprintf("%s{client=%q%s}", name, client, labels), "values": fmt.Sprintf("%dx3", value),
					})
				}
				addClient(add)
				sources := [2]string{"wms", "erp"}
				if i%2 == 1 {
					slices.Reverse(sources[:])
				}
				for source, w := range map[string]whereabouts{
					sources[0]: combination(i, looks[0]), sources[1]: combination(combinations-1-i, looks[1]),
				} {
					w.addSeries(source, add)
					if alert := w.alert(); alert != "" {
						tried[alert] = true
						labels := fmt.Sprintf("{alertname=%q,client=%q,source=%q}", alert, client, source)
						expected = append(expected, map[string]any{"labels": labels, "value": 1})
					}
				}
			}
			tests = append(tests, map[string]any{
				"name": fmt.Sprintf("folders, unseen, truncated: %q, from client %d on", looks, first), "start_timestamp": "2026-06-10T13:00:00Z", "input_series": input,
				"promql_expr_test": []map[string]any{{
					"expr":      `count by (alertname, client, source) (ALERTS{alertstate="firing",branch!=""})`,
					"eval_time": "15m", "exp_samples": expected,
				}},
			})
		}
	}
	branches := map[string]bool{}
	for _, alert := range alerts(t) {
		if strings.Contains(alert.Expr, "{branch=") && !strings.Contains(alert.Expr, "unless") {
			branches[alert.Alert] = true
		}
	}
	same(t, "branch", branches, "combination", tried)

	judge(t, map[string]any{
		"rule_files": ruleFiles, "evaluation_interval": "5m", "tests": tests,
		"group_eval_order": test.GroupEvalOrder,
	})
}

const start, hour = 1781096400, 3600

// addClient adds what the exporter tells of a client whose clock is UTC, from 13:00 on.
func addClient(add func(name, labels string, value int)) {
	add("oms_client_info", "", 1)
	add("oms_client_utc_offset_seconds", "", 0)
	add("oms_collector_success", `,collector="data_manager"`, 1)
	add("oms_collector_success", `,collector="reset_inventory"`, 1)
}

// addSeries adds what the exporter tells of a source whose deadline was at 13:05.
func (w whereabouts) addSeries(source string, add func(name, labels string, value int)) {
	count := func(is bool) int {
		if is {
			return 1
		}
		return 0
	}
	of := fmt.Sprintf(",source=%q", source)
	deadline := of + `,deadline="13:05"`
	config := fmt.Sprintf(",config=%q", "RESET_INVENTORY_"+source)
	add("oms:reset_inventory_process_by", deadline, 13*hour+300)
	add("oms:reset_inventory_window", deadline, 13*hour)
	add("oms_reset_inventory_config_info", of+config, 1)
	add("oms_reset_inventory_config_known", of+config, 1-count(w.misconfigured))
	add("oms_reset_inventory_last_records", of+`,result="total"`, 500*(1-count(w.empty)))
	processed := start - 2*hour - count(w.missed)*18*hour
	add("oms_reset_inventory_last_processed_timestamp_seconds", of, processed)
	add("oms_reset_inventory_last_processed_utc_offset_seconds", of, 0)
	add("oms_reset_inventory_last_received_timestamp_seconds", of, max(processed-300, count(w.received)*(start-hour)))
	if w.failed {
		add("oms_data_manager_last_failure_timestamp_seconds", config, start-hour)
	}
	for _, status := range []string{"pending", "running"} {
		is := count(w.open && status == "pending")
		add("oms_data_manager_files", config+`,status="`+status+`"`, is)
		add("oms_data_manager_oldest_age_seconds", config+`,status="`+status+`"`, is*60)
	}
	for folder := range strings.FieldsSeq(w.folders) {
		labels := of + fmt.Sprintf(",location=%q,folder=%q", source, folder)
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
