package behaviour

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/demo"
	"github.com/oms-exporter/oms_exporter/internal/dropfolder"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/superset"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// series are the values of one scrape, by metric name and labels.
type series map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// most returns the greatest value of a metric among the samples with these labels.
func (s series) most(metric string, labels ...string) float64 {
	most := 0.0
	for _, sample := range s[metric] {
		matches := true
		for i := 0; i < len(labels); i += 2 {
			matches = matches && sample.labels[labels[i]] == labels[i+1]
		}
		if matches {
			most = max(most, sample.value)
		}
	}
	return most
}

// ails says which faults of the demo show in the metrics, by the limits of the guide. Why SFTP cannot be seen says its error.
func (s series) ails(now time.Time, sftp string) []string {
	const minute, hour = 60.0, 3600.0
	if s.most("oms_database_newest_timestamp_age_seconds") > 30*minute { // everything else grows old by it
		return []string{"replica-stopped"}
	}
	since := func(timestamp float64) float64 { return float64(now.Unix()) - timestamp }
	lastImport := s.most("oms_orders_last_import_timestamp_seconds", "channel", "WEB_SALES_CHANNEL")
	stuck := s.most("oms_job_long_running_seconds") > 45*minute
	dead := slices.ContainsFunc(s["oms_instance_last_activity_timestamp_seconds"], func(i sample) bool {
		return since(i.value) > 30*minute && s.most("oms_job_long_running_seconds", "oms_instance", i.labels["oms_instance"]) > 45*minute
	})
	claimed := slices.ContainsFunc(s["oms_instance_last_activity_timestamp_seconds"], func(i sample) bool {
		return since(i.value) > 30*minute && s.most("oms_job_oldest_claimed_seconds", "oms_instance", i.labels["oms_instance"]) > 15*minute
	})
	failed := func(reset bool) bool {
		return slices.ContainsFunc(s["oms_data_manager_last_failure_timestamp_seconds"], func(f sample) bool {
			config := f.labels["config"]
			return (config == "RESET_INVENTORY") == reset && f.value > s.most("oms_data_manager_last_success_timestamp_seconds", "config", config)
		})
	}
	hung := slices.ContainsFunc(s["oms_collector_success"], func(c sample) bool {
		return c.labels["collector"] != "sftp" && c.labels["collector"] != "reports" && c.value == 0
	})
	unfillable := s.most("oms_orders_oldest_parked_age_seconds", "facility", "UNFILLABLE_PARKING") > 24*hour
	empty := len(s["oms_reset_inventory_last_records"]) > 0 && s.most("oms_reset_inventory_last_records", "source", "wms", "result", "total") == 0
	disabled := s.most("oms_data_manager_config_info", "config", "RESET_INVENTORY", "enabled", "false") == 1
	late := !failed(true) && !empty && s.most("oms_reset_inventory_seconds_since_processed", "source", "wms") > 15*hour
	waits := s.most("oms_sftp_files", "folder", "inbox") > 0
	fetched := s.most("oms_sftp_newest_file_timestamp_seconds", "folder", "archive") >
		s.most("oms_reset_inventory_last_received_timestamp_seconds", "source", "wms")+15*minute
	unseen, otherKey := s.most("oms_collector_success", "collector", "sftp") == 0, strings.Contains(sftp, "offers the host key")
	var found []string
	for _, fault := range []struct {
		name string
		is   bool
	}{
		{"order-stuck", s.most("oms_orders_oldest_created_age_seconds") > 3*hour},
		{"order-unfulfilled", s.most("oms_orders_oldest_unfulfilled_age_seconds", "stage", "brokering_queue") > 24*hour},
		{"unfillable", unfillable && s.most("oms_orders_recently_parked", "facility", "UNFILLABLE_PARKING") > 20},
		{"retry-storm", unfillable && s.most("oms_orders_recently_parked", "facility", "UNFILLABLE_PARKING") <= 20},
		{"erp-stopped", s.most("oms_orders_unsynced") > 0},
		{"import-stalled", !hung && since(lastImport) > 3*hour},
		{"job-stuck", stuck && !dead},
		{"instance-died", dead},
		{"job-failing", s.most("oms_job_consecutive_failures") >= 3},
		{"job-claimed", claimed},
		{"job-flaky", slices.ContainsFunc(s["oms_job_recent_failures"], func(f sample) bool {
			return f.value >= 5 && f.value >= s.most("oms_job_recent_runs", "job_name", f.labels["job_name"])/10
		})},
		{"schedule-lost", slices.ContainsFunc(s["oms_job_expected_start_timestamp_seconds"], func(e sample) bool {
			job := e.labels["job_name"]
			return s.most("oms_job_scheduled", "job_name", job) == 0 && since(e.value) > max(hour, 2*s.most("oms_job_usual_interval_seconds", "job_name", job))
		})},
		{"scheduler-down", s.most("oms_job_oldest_overdue_seconds") > 15*minute && since(s.most("oms_job_last_start_timestamp_seconds")) > 15*minute},
		{"file-missing", late && !waits && !fetched},
		{"file-late", late && !waits && fetched && !disabled},
		{"file-stuck-on-sftp", late && waits},
		{"file-invalid", s.most("oms_sftp_invalid_files") > 0},
		{"file-failed", failed(true)},
		{"file-empty", empty},
		{"config-wrong", disabled},
		{"dm-pending", s.most("oms_data_manager_oldest_age_seconds", "status", "pending") > hour},
		{"dm-failed", failed(false)},
		{"files-flaky", !failed(false) && s.most("oms_data_manager_recent_files", "config", "CRT_SHOPIFY_ORDER", "outcome", "failed") > 5},
		{"timezone-wrong", s.most("oms_database_clock_skew_seconds") > 5*minute},
		{"db-hung", hung},
		{"sftp-hung", unseen && !otherKey},
		{"sftp-hostkey-changed", unseen && otherKey},
		{"superset-down", s.most("oms_report_dashboard_error", "reason", "server_error") > 0 && s.most("oms_report_dashboard_success") == 0},
		{"chart-error", s.most("oms_report_chart_error", "reason", "query") > 0},
		{"solr-token-expired", s.most("oms_report_chart_error", "reason", "data_source_auth") > 0},
	} {
		if fault.is {
			found = append(found, fault.name)
		}
	}
	return found
}

// TestDemoFaults switches each fault of the demo on and off, and expects to see it, and no other, in the metrics.
func TestDemoFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	logger := slog.New(slog.DiscardHandler)
	now := time.Date(2026, 11, 18, 21, 0, 0, 0, time.UTC) // 15:00 in Chicago: KREWE's deadline has passed
	sim, err := demo.New(t.Context(), logger, t.TempDir(), now, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	cfg, err := config.Load(sim.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	krewe := cfg.Clients[0]
	krewe.Superset.Interval = 10 * time.Second // whenever somebody looks
	source, err := sqldb.Open(logger, krewe)
	if err != nil {
		t.Fatal(err)
	}
	folders, err := dropfolder.Open(logger, krewe)
	if err != nil {
		t.Fatal(err)
	}
	var clock atomic.Pointer[time.Time] // reports are run beside the scrapes
	clock.Store(&now)
	ticking := func() time.Time { return *clock.Load() }
	reports, err := superset.NewPool(ticking).Open(logger, krewe)
	if err != nil {
		t.Fatal(err)
	}
	client := collector.NewClient(collector.Options{
		Logger: logger, Collectors: collector.All(), MaxSeries: 500, Now: ticking,
	}, krewe, collector.Sources{
		OMS: source, DropFolders: folders, Reports: reports,
		Hold: func(ctx context.Context) error { return sim.Hang(ctx, krewe.Name) },
	})
	t.Cleanup(func() { _ = client.Close() })

	// scrape moves the clock and looks, until what ails the client is as it should be: the look back that a moved order
	// starts may take a scrape.
	scrape := func(want ...string) {
		t.Helper()
		testserver.Eventually(t, 20*time.Second, func() error {
			now := clock.Load().Add(10 * time.Second)
			clock.Store(&now)
			if err := sim.Advance(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			families, err := collector.Gather(ctx, []*collector.Client{client}, nil).Gather()
			if err != nil {
				t.Fatal(err)
			}
			seen := series{}
			for _, family := range families {
				for _, m := range family.GetMetric() {
					s := sample{map[string]string{}, m.GetGauge().GetValue() + m.GetCounter().GetValue()}
					for _, l := range m.GetLabel() {
						s.labels[l.GetName()] = l.GetValue()
					}
					seen[family.GetName()] = append(seen[family.GetName()], s)
				}
			}
			var sftp string
			for _, status := range client.Status() {
				if status.Collector == "sftp" {
					sftp = fmt.Sprint(status.Err)
				}
			}
			if got := seen.ails(now, sftp); !slices.Equal(got, want) {
				return fmt.Errorf("the metrics show %v, want %v", got, want)
			}
			return nil
		})
	}
	// looked lets the time pass after which it is looked again whether orders have arrived.
	looked := func(fault string) {
		if fault == "erp-stopped" {
			now := clock.Load().Add(10 * time.Minute)
			clock.Store(&now)
		}
	}
	scrape()
	for _, fault := range demo.Faults() {
		if err := sim.SetFault(t.Context(), krewe.Name, fault.Name, true); err != nil {
			t.Fatal(err)
		}
		shows := fault.Name
		if shows == "file-backdated" { // which is one that waits, and is told as such
			shows = "file-stuck-on-sftp"
		}
		looked(fault.Name)
		scrape(shows)
		if err := sim.SetFault(t.Context(), krewe.Name, fault.Name, false); err != nil {
			t.Fatal(err)
		}
		looked(fault.Name)
		scrape()
	}
}
