package deploy_test

import (
	"slices"
	"testing"
)

// All rules together leave the one alert that says what is wrong, and what it does not explain. What silences comes last, as
// judge wants it.
func TestOutages(t *testing.T) {
	t.Parallel()
	alert := func(name, client string, further ...string) labels { return newAlert(t, name, client, further...) }
	watchdog := alert("OMSWatchdog", "all")
	other := alert("OMSJobStuck", "UCG", "oms_instance=ucg1")
	for _, c := range []struct {
		name         string
		told, silent []labels
	}{
		{
			"no exporter answers",
			[]labels{watchdog, alert("OMSExporterDown", "all")},
			[]labels{
				other, alert("OMSExporterDown", "KREWE"), alert("OMSExporterDown", "UCG"), alert("OMSDatabaseUnreachable", "KREWE"),
				alert("OMSConfigReloadFailed", "all"), alert("OMSClientVanished", "ADOC"),
				alert("OMSCollectorFailing", "KREWE", "collector=orders"),
			},
		},
		{
			"the exporter of one client is down",
			[]labels{watchdog, other, alert("OMSExporterDown", "KREWE")},
			[]labels{
				alert("OMSDatabaseUnreachable", "KREWE"), alert("OMSOrderStuckInCreated", "KREWE"), alert("OMSDataStale", "KREWE"),
				alert("OMSCollectorFailing", "KREWE", "collector=jobs"),
			},
		},
		{
			"the database of one client is down",
			[]labels{watchdog, other, alert("OMSLimitOverrideUnused", "KREWE"), alert("OMSDatabaseUnreachable", "KREWE")},
			[]labels{
				alert("OMSOrderStuckInCreated", "KREWE"), alert("OMSDataManagerRecordsRefused", "KREWE"),
				alert("OMSResetInventoryNotReceived", "KREWE", "source=wms"), alert("OMSDataStale", "KREWE"),
				alert("OMSCollectorFailing", "KREWE", "collector=jobs"), alert("OMSDatabaseClockSkewed", "KREWE"),
			},
		},
		{
			"a client's DSN cannot be read",
			[]labels{watchdog, other, alert("OMSLimitOverrideUnused", "KREWE"), alert("OMSClientMisconfigured", "KREWE", "reason=database_secret")},
			[]labels{
				alert("OMSDatabaseUnreachable", "KREWE"), alert("OMSCollectorFailing", "KREWE", "collector=jobs"),
				alert("OMSOrderStuckInCreated", "KREWE"), alert("OMSDataStale", "KREWE"), alert("OMSResetInventoryNotReceived", "KREWE", "source=wms"),
			},
		},
		{
			"the zone of one client is wrong",
			[]labels{watchdog, other, alert("OMSLimitOverrideUnused", "KREWE"), alert("OMSSFTPUnreachable", "KREWE"), alert("OMSDatabaseClockSkewed", "KREWE")},
			[]labels{
				alert("OMSOrderStuckInCreated", "KREWE"), alert("OMSJobSchedulerDown", "KREWE", "pool=pool"),
				alert("OMSInstanceSilent", "KREWE", "oms_instance=krewe1"), alert("OMSJobStuck", "KREWE", "oms_instance=krewe1", "job_id=1"),
				alert("OMSResetInventoryNotDelivered", "KREWE", "source=wms"), alert("OMSDataManagerFilePending", "KREWE"),
				alert("OMSDatabaseStill", "KREWE"),
			},
		},
		{
			"the replica of one client has stopped",
			[]labels{watchdog, other, alert("OMSDatabaseStill", "KREWE")},
			[]labels{
				alert("OMSJobSchedulerDown", "KREWE", "pool=pool"), alert("OMSJobStuck", "KREWE", "oms_instance=krewe1", "job_id=1"),
				alert("OMSInstanceSilent", "KREWE", "oms_instance=krewe1"), alert("OMSOrderStuckInCreated", "KREWE"),
				alert("OMSResetInventoryWhereaboutsUnknown", "KREWE", "source=wms"),
			},
		},
		{
			"the Superset of one client is away",
			[]labels{watchdog, other, alert("OMSOrderUnfulfilled", "KREWE"), alert("OMSSupersetUnreachable", "KREWE")},
			[]labels{
				alert("OMSReportChartFailing", "KREWE", "dashboard=sync", "chart=Import errors"),
				alert("OMSReportDataOld", "KREWE", "dashboard=sync", "chart=Created orders"),
				alert("OMSReportDashboardUnavailable", "KREWE", "dashboard=old"), alert("OMSReportLimitUnused", "KREWE"),
			},
		},
		{
			"a collector fails",
			[]labels{watchdog, other, alert("OMSJobStuck", "KREWE"), alert("OMSCollectorFailing", "KREWE", "collector=orders")},
			[]labels{alert("OMSOrderStuckInCreated", "KREWE"), alert("OMSOrderUnfulfilled", "KREWE")},
		},
		{
			"an instance dies before a deadline",
			[]labels{
				watchdog, other, alert("OMSInstanceSilent", "KREWE", "oms_instance=krewe1"),
				alert("OMSResetInventoryNotProcessed", "KREWE", "source=wms"),
			},
			[]labels{
				alert("OMSJobStuck", "KREWE", "oms_instance=krewe1", "job_id=1"),
				alert("OMSJobStuck", "KREWE", "oms_instance=krewe1", "job_id=2"),
				alert("OMSJobOverdue", "KREWE", "pool=pool"), alert("OMSResetInventoryRecordsRefused", "KREWE", "source=wms"),
			},
		},
		{
			"the only instance dies with jobs that run, and jobs that it claimed",
			[]labels{watchdog, other, alert("OMSJobSchedulerDown", "KREWE", "pool=pool")},
			[]labels{
				alert("OMSJobStuck", "KREWE", "oms_instance=krewe1", "job_id=1"), alert("OMSInstanceSilent", "KREWE", "oms_instance=krewe1"),
				alert("OMSJobOverdue", "KREWE", "pool=pool"), alert("OMSJobNotScheduled", "KREWE", "job_name=nightly"),
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]bool{}
			for _, alert := range c.silent {
				want[alert.String()] = true
			}
			got := judge(t, inhibitions(t), slices.Concat(c.silent, c.told), want)
			for _, alert := range c.told {
				if got[alert.String()] {
					t.Errorf("%s is silenced", alert)
				}
			}
		})
	}
}
