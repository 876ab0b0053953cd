package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// Charts that fail are measured, so the collector is well; in words they are said all the same, up to a number.
func TestFailingChartsInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", goldens()["reports"].source, "reports")
		want(t, scrape(t, time.Second, []*collector.Client{c}), `oms_collector_success{client="KREWE",collector="reports"} 1`)
		const first = "dashboard krewe-order-sync: chart Import errors: data_source_auth: 401 Client Error: Unauthorized"
		if got := status(t, c, "reports").Remarks; len(got) != 2 || got[0] != first {
			t.Errorf("%q", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var page bytes.Buffer
		collector.Debug(ctx, c, nil, &page)
		want(t, page.String(), "# "+first)

		many := oms.Dashboard{Name: "d"}
		for i := range 23 {
			many.Charts = append(many.Charts, oms.Chart{Name: fmt.Sprintf("chart %02d", 22-i), Failure: &oms.ReportFailure{Reason: oms.ReportQuery}})
		}
		c = newClient(t, "KREWE", &fake{Facts: facts{Reports: &oms.ReportRun{Dashboards: []oms.Dashboard{many}}}}, "reports")
		scrape(t, time.Second, []*collector.Client{c})
		got := status(t, c, "reports").Remarks
		if len(got) != 21 || !strings.HasPrefix(got[0], "dashboard d: chart chart 00: query") || got[20] != "and 3 more charts fail, see the log for all of them" {
			t.Errorf("%q", got)
		}
	})
}

// The charts that fail stay when there are more than the cap allows.
func TestFailingChartsStay(t *testing.T) {
	run := oms.ReportRun{Dashboards: []oms.Dashboard{{Name: "d"}}}
	for i := range 600 {
		c := oms.Chart{Name: fmt.Sprintf("%03d", i)}
		if i == 599 {
			c.Failure = &oms.ReportFailure{Reason: oms.ReportQuery}
		}
		run.Dashboards[0].Charts = append(run.Dashboards[0].Charts, c)
	}
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "KREWE", &fake{Facts: facts{Reports: &run}}, "reports")
		want(t, scrape(t, time.Second, []*collector.Client{c}), `oms_report_chart_success{chart="599",client="KREWE",dashboard="d"} 0`,
			`oms_series_dropped{client="KREWE",metric="oms_report_chart_success"} 100`)
	})
}

func TestClientWithoutReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want(t, scrape(t, time.Second, []*collector.Client{newClient(t, "KREWE", &fake{})}), "!report")
	})
}
