package collector_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
)

// TestCalendar has clients whose entries say what the rules take: on a holiday of KREWE, and in the minute of UCG's deadline. KREWE's
// came with a reload.
func TestCalendar(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	if err := os.WriteFile(file, []byte(`clients:
- name: KREWE
  timezone: America/Chicago
  database: {driver: sqlite, dsn: /oms.db, timezone: UTC}
  reset_inventory:
  - {source: wms, config_ids: [A], process_by: ["13:00"], days: [Mon, Tue, Wed, Thu, Fri]}
  - {source: shopify, config_ids: [B], process_by: ["22:00", "09:00"]}
  - {source: erp, config_ids: [C]}
  holidays: [2026-03-09, 2026-03-10]
  limits:
  - {limit: created_age_seconds, value: 4h}
  - {limit: unfulfilled_age_seconds, stage: store, value: 240h}
  - {limit: parked_per_hour, facility: UNFILLABLE_PARKING, value: 50}
  - {limit: job_running_seconds, job_name: JOB_IMP_INV, value: 90m}
- name: UCG
  timezone: America/Chicago
  database: {driver: sqlite, dsn: /oms.db, timezone: UTC}
  reset_inventory: [{source: wms, config_ids: [A], process_by: ["13:00"]}]
  holidays: [2026-03-09]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var clients []*collector.Client
		for _, c := range cfg.Clients {
			before := c
			if c.Name == "KREWE" {
				before.Holidays, before.Limits, before.ResetInventory = nil, nil, []config.ResetSource{
					{Source: "wms", ConfigIDs: []string{"A"}, ProcessBy: []config.TimeOfDay{0}},
					{Source: "shopify", ConfigIDs: []string{"B"}},
					{Source: "erp", ConfigIDs: []string{"C"}},
				}
			}
			client := collector.NewClient(collector.Options{Now: func() time.Time { return now }}, before, collector.Sources{OMS: &fake{}})
			if !before.Equal(c) {
				t.Fatal("a reload would make another client")
			}
			client.Reloaded(c)
			clients = append(clients, client)
		}
		compare(t, "calendar.prom", scrape(t, time.Second, clients))
	})
}
