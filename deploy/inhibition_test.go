package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// An inhibition is an inhibition rule as far as it has to be known here.
type inhibition struct {
	Name string
	Rest map[string]any `yaml:",inline"`
}

// A pair is what a source does to a target.
type pair struct {
	name           string
	source, target labels
	silenced       bool
}

// Each rule by itself does what it is for, and no more.
func TestInhibitionRules(t *testing.T) {
	t.Parallel()
	alert := func(name, client string, further ...string) labels { return newAlert(t, name, client, further...) }
	const yes, no = true, false
	pairs := map[string][]pair{
		"page over ticket": {
			{"same check", alert("OMSOrderStuckInCreated", "A"), alert("OMSOrderUnfulfilled", "A"), yes},
			{"other client", alert("OMSOrderStuckInCreated", "B"), alert("OMSOrderUnfulfilled", "C"), no},
			{"other check", alert("OMSOrderStuckInCreated", "D"), alert("OMSJobOverdue", "D"), no},
			{"page", alert("OMSOrderStuckInCreated", "E"), alert("OMSOrderWaitsForBrokering", "E"), no},
			{"info", alert("OMSDataManagerFileFailed", "F"), alert("OMSDataManagerRecordsRefused", "F"), no},
			{"collector", alert("OMSOrderStuckInCreated", "G"), alert("OMSCollectorFailing", "G", "collector=orders"), no},
			{"Superset", alert("OMSSupersetUnreachable", "H"), alert("OMSReportChartFailing", "H"), yes},
			{"page about a chart", alert("OMSSupersetUnreachable", "I"), alert("OMSReportOverLimit", "I"), no},
			{"what a chart shows", alert("OMSReportOverLimit", "J"), alert("OMSReportChartFailing", "J"), no},
			{"a report's limit", alert("OMSReportOverLimit", "K"), alert("OMSReportLimitUnused", "K"), no},
		},
		"exporter down": {
			{"what depends on the database", alert("OMSExporterDown", "A"), alert("OMSOrderStuckInCreated", "A"), yes},
			{"what depends on the exporter", alert("OMSExporterDown", "B"), alert("OMSDatabaseUnreachable", "B"), yes},
			{"other client", alert("OMSExporterDown", "C"), alert("OMSOrderStuckInCreated", "D"), no},
			{"other client's exporter", alert("OMSExporterDown", "E"), alert("OMSExporterDown", "F"), no},
			{"about no client", alert("OMSExporterDown", "all"), alert("OMSConfigReloadFailed", "all"), yes},
			{"watchdog", alert("OMSExporterDown", "all"), alert("OMSWatchdog", "all"), no},
		},
		"all exporters down": {
			{"exporter", alert("OMSExporterDown", "all"), alert("OMSExporterDown", "A"), yes},
			{"any other alert", alert("OMSExporterDown", "all"), alert("OMSOrderStuckInCreated", "A"), yes},
			{"watchdog", alert("OMSExporterDown", "all"), alert("OMSWatchdog", "all"), no},
			{"itself", alert("OMSExporterDown", "all"), alert("OMSExporterDown", "all"), no},
		},
		"client vanished": {
			{"what depends on the database", alert("OMSClientVanished", "A"), alert("OMSOrderStuckInCreated", "A"), yes},
			{"its database", alert("OMSClientVanished", "B"), alert("OMSDatabaseUnreachable", "B"), yes},
			{"its exporter", alert("OMSClientVanished", "C"), alert("OMSExporterDown", "C"), no},
			{"other client", alert("OMSClientVanished", "D"), alert("OMSOrderStuckInCreated", "E"), no},
		},
		"database unreachable": {
			{"dependent", alert("OMSDatabaseUnreachable", "A"), alert("OMSJobStuck", "A"), yes},
			{"collector", alert("OMSDatabaseUnreachable", "B"), alert("OMSCollectorFailing", "B", "collector=jobs"), yes},
			{"independent", alert("OMSDatabaseUnreachable", "C"), alert("OMSResetInventorySourceWithoutDeadline", "C"), no},
			{"other server", alert("OMSDatabaseUnreachable", "F"), alert("OMSCollectorFailing", "F", "collector=sftp"), no},
			{"Superset", alert("OMSDatabaseUnreachable", "G"), alert("OMSReportDataSourceFailing", "G"), no},
			{"its runs", alert("OMSDatabaseUnreachable", "H"), alert("OMSDataStale", "H", "collector=reports"), no},
			{"other client", alert("OMSDatabaseUnreachable", "D"), alert("OMSJobStuck", "E"), no},
		},
		"database secret": {
			{"its database", alert("OMSClientMisconfigured", "A", "reason=database_secret"), alert("OMSDatabaseUnreachable", "A"), yes},
			{"collector", alert("OMSClientMisconfigured", "B", "reason=database_secret"), alert("OMSCollectorFailing", "B", "collector=jobs"), yes},
			{"what is still measured", alert("OMSClientMisconfigured", "C", "reason=database_secret"), alert("OMSJobStuck", "C"), no},
			{"other server", alert("OMSClientMisconfigured", "D", "reason=database_secret"), alert("OMSCollectorFailing", "D", "collector=sftp"), no},
			{"other secret", alert("OMSClientMisconfigured", "E", "reason=sftp_secret"), alert("OMSDatabaseUnreachable", "E"), no},
			{"other client", alert("OMSClientMisconfigured", "F", "reason=database_secret"), alert("OMSDatabaseUnreachable", "G"), no},
		},
		"SFTP secret": {
			{"its folder", alert("OMSClientMisconfigured", "A", "reason=sftp_secret"), alert("OMSSFTPUnreachable", "A"), yes},
			{"collector", alert("OMSClientMisconfigured", "B", "reason=sftp_secret"), alert("OMSCollectorFailing", "B", "collector=sftp"), yes},
			{"other collector", alert("OMSClientMisconfigured", "C", "reason=sftp_secret"), alert("OMSCollectorFailing", "C", "collector=jobs"), no},
			{"a file", alert("OMSClientMisconfigured", "D", "reason=sftp_secret"), alert("OMSSFTPFileInvalid", "D"), no},
			{"other secret", alert("OMSClientMisconfigured", "E", "reason=superset_secret"), alert("OMSSFTPUnreachable", "E"), no},
			{"other client", alert("OMSClientMisconfigured", "F", "reason=sftp_secret"), alert("OMSSFTPUnreachable", "G"), no},
		},
		"Superset secret": {
			{"login", alert("OMSClientMisconfigured", "A", "reason=superset_secret"), alert("OMSSupersetLoginFailing", "A"), yes},
			{"collector", alert("OMSClientMisconfigured", "B", "reason=superset_secret"), alert("OMSCollectorFailing", "B", "collector=reports"), yes},
			{"other collector", alert("OMSClientMisconfigured", "C", "reason=superset_secret"), alert("OMSCollectorFailing", "C", "collector=jobs"), no},
			{"a chart", alert("OMSClientMisconfigured", "D", "reason=superset_secret"), alert("OMSReportOverLimit", "D"), no},
			{"other secret", alert("OMSClientMisconfigured", "E", "reason=database_secret"), alert("OMSSupersetLoginFailing", "E"), no},
			{"other client", alert("OMSClientMisconfigured", "F", "reason=superset_secret"), alert("OMSSupersetLoginFailing", "G"), no},
		},
		"database clock skewed": {
			{"told by age", alert("OMSDatabaseClockSkewed", "A"), alert("OMSOrderStuckInCreated", "A"), yes},
			{"a deadline", alert("OMSDatabaseClockSkewed", "B"), alert("OMSResetInventoryWhereaboutsUnknown", "B"), yes},
			{"stillness", alert("OMSDatabaseClockSkewed", "C"), alert("OMSDatabaseStill", "C"), yes},
			{"its server", alert("OMSDatabaseClockSkewed", "D"), alert("OMSInstanceClockSkewed", "D", "oms_instance=1"), yes},
			{"collector", alert("OMSDatabaseClockSkewed", "E"), alert("OMSCollectorFailing", "E", "collector=jobs"), no},
			{"a schedule", alert("OMSDatabaseClockSkewed", "F"), alert("OMSScheduleUnreadable", "F"), no},
			{"independent", alert("OMSDatabaseClockSkewed", "G"), alert("OMSSFTPUnreachable", "G"), no},
			{"other client", alert("OMSDatabaseClockSkewed", "H"), alert("OMSOrderStuckInCreated", "I"), no},
			{"itself", alert("OMSDatabaseClockSkewed", "J"), alert("OMSDatabaseClockSkewed", "J", "instance=other"), no},
		},
		"database still": {
			{"scheduler", alert("OMSDatabaseStill", "A"), alert("OMSJobSchedulerDown", "A", "pool=pool"), yes},
			{"orders", alert("OMSDatabaseStill", "B"), alert("OMSOrderImportStalled", "B"), yes},
			{"zone", alert("OMSDatabaseStill", "C"), alert("OMSDatabaseClockSkewed", "C"), no},
			{"collector", alert("OMSDatabaseStill", "D"), alert("OMSCollectorFailing", "D", "collector=jobs"), no},
			{"independent", alert("OMSDatabaseStill", "E"), alert("OMSSFTPUnreachable", "E"), no},
			{"other client", alert("OMSDatabaseStill", "F"), alert("OMSJobStuck", "G"), no},
		},
		"instance clock skewed": {
			{"its jobs", alert("OMSInstanceClockSkewed", "A", "oms_instance=1"), alert("OMSJobStuck", "A", "oms_instance=1"), yes},
			{"its silence", alert("OMSInstanceClockSkewed", "B", "oms_instance=1"), alert("OMSInstanceSilent", "B", "oms_instance=1"), yes},
			{"other server", alert("OMSInstanceClockSkewed", "C", "oms_instance=1"), alert("OMSJobStuck", "C", "oms_instance=2"), no},
			{"other alert", alert("OMSInstanceClockSkewed", "D", "oms_instance=1"), alert("OMSOrderStuckInCreated", "D"), no},
			{"other client", alert("OMSInstanceClockSkewed", "E", "oms_instance=1"), alert("OMSJobStuck", "F", "oms_instance=1"), no},
		},
		"collector failing": {
			{"page of its check", alert("OMSCollectorFailing", "A", "collector=orders"), alert("OMSOrderStuckInCreated", "A"), yes},
			{"other check", alert("OMSCollectorFailing", "B", "collector=orders"), alert("OMSJobStuck", "B"), no},
			{"other client", alert("OMSCollectorFailing", "C", "collector=orders"), alert("OMSOrderStuckInCreated", "D"), no},
			{
				"independent", alert("OMSCollectorFailing", "E", "collector=reset_inventory"),
				alert("OMSResetInventorySourceWithoutDeadline", "E"), no,
			},
			{
				"collector of the same name", alert("OMSCollectorFailing", "F", "collector=orders"),
				alert("OMSCollectorFailing", "F", "collector=orders", "instance=other"), no,
			},
		},
		"data manager failing": {
			{"its files", alert("OMSCollectorFailing", "A", "collector=data_manager"), alert("OMSResetInventoryNotReceived", "A"), yes},
			{"collector", alert("OMSCollectorFailing", "B", "collector=data_manager"), alert("OMSDatabaseUnreachable", "B"), no},
			{"other collector", alert("OMSCollectorFailing", "C", "collector=jobs"), alert("OMSResetInventoryNotReceived", "C"), no},
			{"other client", alert("OMSCollectorFailing", "D", "collector=data_manager"), alert("OMSResetInventoryNotReceived", "E"), no},
		},
		"scheduler down": {
			{"same pool", alert("OMSJobSchedulerDown", "A", "pool=pool"), alert("OMSJobOverdue", "A", "pool=pool"), yes},
			{"other pool", alert("OMSJobSchedulerDown", "B", "pool=pool"), alert("OMSJobOverdue", "B", "pool=other"), no},
			{"other client", alert("OMSJobSchedulerDown", "C", "pool=pool"), alert("OMSJobOverdue", "D", "pool=pool"), no},
			{"other alert", alert("OMSJobSchedulerDown", "E", "pool=pool"), alert("OMSJobStuck", "E", "pool=pool"), no},
		},
		"scheduler down, so its server is silent": {
			{"same client", alert("OMSJobSchedulerDown", "A", "pool=pool"), alert("OMSInstanceSilent", "A", "oms_instance=1"), yes},
			{"other client", alert("OMSJobSchedulerDown", "B", "pool=pool"), alert("OMSInstanceSilent", "C", "oms_instance=1"), no},
			{"a job that starts late", alert("OMSJobOverdue", "D", "pool=pool"), alert("OMSInstanceSilent", "D", "oms_instance=1"), no},
			{"other alert", alert("OMSJobSchedulerDown", "E", "pool=pool"), alert("OMSJobFailing", "E", "job_name=1"), no},
		},
		"instance silent": {
			{"same instance", alert("OMSInstanceSilent", "A", "oms_instance=1"), alert("OMSJobStuck", "A", "oms_instance=1"), yes},
			{"other instance", alert("OMSInstanceSilent", "B", "oms_instance=1"), alert("OMSJobStuck", "B", "oms_instance=2"), no},
			{"other client", alert("OMSInstanceSilent", "C", "oms_instance=1"), alert("OMSJobStuck", "D", "oms_instance=1"), no},
			{"other alert", alert("OMSInstanceSilent", "E", "oms_instance=1"), alert("OMSJobFailing", "E", "oms_instance=1"), no},
		},
		"orders unfillable": {
			{"same facility", alert("OMSOrderUnfillable", "A", "facility=1"), alert("OMSUnfillableSurge", "A", "facility=1"), yes},
			{"other facility", alert("OMSOrderUnfillable", "B", "facility=1"), alert("OMSUnfillableSurge", "B", "facility=2"), no},
			{"other client", alert("OMSOrderUnfillable", "C", "facility=1"), alert("OMSUnfillableSurge", "D", "facility=1"), no},
			{"the reverse", alert("OMSUnfillableSurge", "E", "facility=1"), alert("OMSOrderUnfillable", "E", "facility=1"), no},
		},
	}
	rules := inhibitions(t)
	if len(rules) != len(pairs) {
		t.Errorf("%d inhibition rules, %d of them tested", len(rules), len(pairs))
	}
	for _, rule := range rules {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			// The silenced come last, as judge wants it.
			slices.SortStableFunc(pairs[rule.Name], func(a, b pair) int {
				switch {
				case a.silenced == b.silenced:
					return 0
				case b.silenced:
					return -1
				}
				return 1
			})
			var alerts []labels
			want := map[string]bool{}
			for _, p := range pairs[rule.Name] {
				alerts = append(alerts, p.source, p.target)
				want[p.target.String()] = p.silenced
			}
			got := judge(t, []inhibition{rule}, alerts, want)
			for _, p := range pairs[rule.Name] {
				if got[p.target.String()] != p.silenced {
					t.Errorf("%s: %s silenced by %s: %t, want %t", p.name, p.target, p.source, !p.silenced, p.silenced)
				}
			}
		})
	}
}

// inhibitions returns the shipped inhibition rules.
func inhibitions(t *testing.T) []inhibition {
	t.Helper()
	var config struct {
		Rules []inhibition `yaml:"inhibit_rules"`
	}
	parse(t, read(t, alertmanagerFile), &config)
	return config.Rules
}

// judge starts an Alertmanager that has the inhibition rules and tells nobody, sends it the alerts, waits until those are
// silenced that should be, and returns which are. Alertmanager takes up alerts in their order: what silences should be among
// the last, so that all have been taken up when its targets are silent.
func judge(t *testing.T, rules []inhibition, alerts []labels, want map[string]bool) map[string]bool {
	t.Helper()
	base := testserver.Alertmanager(t, write(t, "alertmanager.yml", encode(t, map[string]any{
		"route":         map[string]any{"receiver": "nobody"},
		"receivers":     []any{map[string]any{"name": "nobody"}},
		"inhibit_rules": rules,
	})))
	posted := make([]postedAlert, len(alerts))
	for i, alert := range alerts {
		posted[i].Labels = alert
	}
	post(t, base, posted...)
	var got map[string]bool
	testserver.Eventually(t, patience, func() (err error) {
		if got, err = inhibited(t, base); err != nil {
			return err
		}
		for alert, silenced := range want {
			if silenced && !got[alert] {
				return fmt.Errorf("%s is not silenced", alert)
			}
		}
		return nil
	})
	return got
}

// The list of what to do now (rules/check_state.yml) leaves out what Alertmanager inhibits: in PromQL, matchers mean the same.
func TestProblemsAreWhatIsNotInhibited(t *testing.T) {
	t.Parallel()
	var operands []string
	for _, rule := range inhibitions(t) {
		var content struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
			Equal  []string
		}
		parse(t, encode(t, rule.Rest), &content)
		alerts := func(matchers []string) string {
			return "ALERTS{" + strings.Join(append(matchers, `alertstate="firing"`), ", ") + "}"
		}
		operands = append(operands, fmt.Sprintf("%s and on (%s) %s", alerts(content.Target), strings.Join(content.Equal, ", "), alerts(content.Source)))
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Record, Expr string }
		}
	}
	parse(t, read(t, "../rules/check_state.yml"), &rules)
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			if r.Record == "oms:alert_inhibited" {
				if want := strings.Join(operands, "\nor\n"); strings.TrimSpace(r.Expr) != want {
					t.Errorf("oms:alert_inhibited in rules/check_state.yml is not what %s inhibits; it should be\n%s", alertmanagerFile, want)
				}
				return
			}
		}
	}
	t.Error("rules/check_state.yml does not record oms:alert_inhibited")
}
