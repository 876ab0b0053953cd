package rules_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// look is how often the rules are evaluated in TestCalendar, from a minute past: the first look after a deadline is a minute later.
const look = 30 * time.Minute

// days are those of a client, told by the exporter, in TestCalendar. Times are those of its clock, with its offset.
type days struct {
	what, zone string
	source     string // what the source says beside its config_ids
	holidays   string
	processed  []string // when files were processed
	fires      []string // from and to, of the page that no file was received
}

// TestCalendar judges by the shipped rules what the exporter tells of entries in its configuration. ADOC, KREWE and UCG have rows in
// limits.yml: 15:00, 13:00 and 15:00 on every day.
func TestCalendar(t *testing.T) {
	t.Parallel()
	const chicago, newYork, workdays = "America/Chicago", "America/New_York", ", days: [Mon, Tue, Wed, Thu, Fri]"
	var tests []map[string]any
	for _, period := range []struct {
		from, to string
		clients  map[string]days
	}{
		{"2026-06-12T12:31:00-05:00", "2026-06-16T14:01:00-05:00", map[string]days{
			"KREWE": {
				what: "no page on days off, and for Monday a file of Sunday evening", zone: chicago, source: `process_by: ["13:00"]` + workdays,
				processed: []string{"2026-06-12T12:00:00-05:00", "2026-06-14T20:00:00-05:00"},
				fires:     []string{"2026-06-16T13:01:00-05:00", ""},
			},
			"ADOC": {
				what: "the same without process_by", zone: chicago,
				processed: []string{"2026-06-12T12:00:00-05:00", "2026-06-14T20:00:00-05:00"},
				fires:     []string{"2026-06-13T15:01:00-05:00", "2026-06-14T20:01:00-05:00", "2026-06-15T15:01:00-05:00", ""},
			},
			"UCG": {
				what: "another deadline than that of limits.yml, and no other day off", zone: newYork, source: `process_by: ["16:30"]`,
				processed: []string{"2026-06-12T10:00:00-04:00", "2026-06-13T16:30:00-04:00", "2026-06-15T16:00:00-04:00"},
				fires:     []string{"2026-06-14T16:31:00-04:00", "2026-06-15T16:01:00-04:00"},
			},
			"FRIDAY": {
				what: "missed until Monday, whose file counts for Monday", zone: chicago, source: `process_by: ["13:00"]` + workdays,
				processed: []string{"2026-06-11T12:00:00-05:00", "2026-06-15T10:00:00-05:00", "2026-06-15T14:00:00-05:00", "2026-06-16T12:00:00-05:00"},
				fires:     []string{"2026-06-12T13:01:00-05:00", "2026-06-15T10:01:00-05:00"},
			},
			"LATE": {
				what: "a file for Friday too late is no page on Saturday, and does not count for Monday", zone: chicago, source: `process_by: ["13:00"]` + workdays,
				processed: []string{"2026-06-11T12:00:00-05:00", "2026-06-12T15:00:00-05:00"},
				fires:     []string{"2026-06-12T13:01:00-05:00", "2026-06-12T15:01:00-05:00", "2026-06-15T13:01:00-05:00", ""},
			},
			"HOLIDAY": {
				what: "a holiday after the weekend", zone: chicago, source: `process_by: ["13:00"]` + workdays, holidays: "2026-06-15",
				processed: []string{"2026-06-12T12:00:00-05:00"},
				fires:     []string{"2026-06-16T13:01:00-05:00", ""},
			},
			"TWICE": {
				what: "two deadlines a day", zone: newYork, source: `process_by: ["22:00", "09:00"]` + workdays,
				processed: []string{"2026-06-12T08:00:00-04:00", "2026-06-12T21:30:00-04:00", "2026-06-13T03:00:00-04:00", "2026-06-15T23:00:00-04:00"},
				fires:     []string{"2026-06-15T22:01:00-04:00", "2026-06-15T23:01:00-04:00", "2026-06-16T09:01:00-04:00", ""},
			},
			"KOLKATA": {
				what: "half an hour, and a file of the last minute", zone: "Asia/Kolkata", source: `process_by: ["00:30"], days: [Sat, Mon, Tue]`,
				processed: []string{"2026-06-12T12:00:00+05:30", "2026-06-15T00:30:30+05:30", "2026-06-16T00:30:00+05:30", "2026-06-16T00:45:00+05:30"},
			},
		}},
		{"2026-03-07T20:01:00-05:00", "2026-03-09T03:01:00-04:00", map[string]days{
			"SPRING": {
				what: "2 o'clock becomes 3", zone: newYork, source: `process_by: ["02:30"]`,
				processed: []string{"2026-03-07T02:00:00-05:00", "2026-03-08T05:00:00-04:00", "2026-03-08T06:00:00-04:00"},
				fires:     []string{"2026-03-08T03:01:00-04:00", "2026-03-08T05:01:00-04:00"},
			},
		}},
		{"2026-10-31T20:01:00-04:00", "2026-11-01T05:01:00-05:00", map[string]days{
			"AUTUMN": {
				what: "2 o'clock becomes 1", zone: newYork, source: `process_by: ["01:30"]`,
				processed: []string{"2026-10-31T01:00:00-04:00", "2026-11-01T02:00:00-05:00"},
				fires:     []string{"2026-11-01T01:31:00-05:00", "2026-11-01T02:01:00-05:00"},
			},
		}},
	} {
		from, to := instant(t, period.from), instant(t, period.to)
		test := map[string]any{"start_timestamp": from.UTC().Format(time.RFC3339), "interval": look.String()}
		var input []map[string]string
		var expected []map[string]any
		for now := from; !now.After(to); now = now.Add(look) {
			samples := []map[string]any{}
			for client, c := range period.clients {
				for i := 0; i < len(c.fires); i += 2 {
					end := to.Add(look)
					if c.fires[i+1] != "" {
						end = instant(t, c.fires[i+1])
					}
					if !now.Before(instant(t, c.fires[i])) && now.Before(end) {
						samples = append(samples, map[string]any{"labels": fmt.Sprintf(`{alertname="OMSResetInventoryNotReceived",client=%q}`, client), "value": 1})
					}
				}
			}
			expected = append(expected, map[string]any{
				"expr":      `group by (alertname, client) (ALERTS{alertstate="firing",branch!=""})`,
				"eval_time": now.Sub(from).String(), "exp_samples": samples,
			})
		}
		for client, c := range period.clients {
			input = append(input, c.series(t, client, from, to)...)
		}
		test["input_series"], test["promql_expr_test"] = input, expected
		tests = append(tests, test)
	}
	ruleFiles := []string{"limits.yml", "exporter.yml", "reset_inventory.yml"}
	for i, name := range ruleFiles {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		ruleFiles[i] = path
	}
	judge(t, map[string]any{
		"rule_files": ruleFiles, "evaluation_interval": look.String(), "tests": tests,
		"group_eval_order": []string{
			"oms_clients", "oms_limit_defaults", "oms_limit_overrides", "oms_report_limits", "oms_deadlines", "oms_limits", "oms_exporter_tickets", "oms_exporter",
			"oms_reset_inventory", "oms_reset_inventory_tickets",
		},
	})
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// series are those that the exporter has of the client at each look. The data manager has each file for five minutes before it is
// processed.
func (d days) series(t *testing.T, name string, from, to time.Time) []map[string]string {
	t.Helper()
	source, holidays := "", ""
	if d.source != "" {
		source = ", " + d.source
	}
	if d.holidays != "" {
		holidays = "\n  holidays: [" + d.holidays + "]"
	}
	text := fmt.Sprintf("clients:\n- name: %s\n  timezone: %s\n  database: {driver: sqlite, dsn: /oms.db, timezone: UTC}\n"+
		"  reset_inventory: [{source: wms, config_ids: [RESET_INVENTORY]%s}]%s\n", name, d.zone, source, holidays)
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var now time.Time
	fake := new(omstest.Fake)
	client := collector.NewClient(collector.Options{
		Logger: slog.New(slog.DiscardHandler), Collectors: collector.All(), Now: func() time.Time { return now },
	}, cfg.Clients[0], collector.Sources{OMS: fake})
	values := map[string][]string{}
	looks := 0
	for now = from; !now.After(to); now = now.Add(look) {
		source := oms.ResetSource{Source: "wms"}
		for _, text := range d.processed {
			if p := instant(t, text); !p.After(now) {
				source.LastProcessed, source.LastReceived = p, p.Add(-5*time.Minute)
			}
		}
		fake.Facts.ResetInventory.Sources = []oms.ResetSource{source}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		families, err := collector.Gather(ctx, []*collector.Client{client}, nil).Gather()
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			for _, m := range family.Metric {
				series := named(family.GetName(), m)
				for len(values[series]) < looks {
					values[series] = append(values[series], "_")
				}
				values[series] = append(values[series], value(m))
			}
		}
		looks++
	}
	var all []map[string]string
	for _, series := range slices.Sorted(maps.Keys(values)) {
		for len(values[series]) < looks {
			values[series] = append(values[series], "stale")
		}
		all = append(all, map[string]string{"series": series, "values": strings.Join(values[series], " ")})
	}
	return all
}

func named(name string, m *dto.Metric) string {
	var labels []string
	for _, l := range m.Label {
		labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}

func value(m *dto.Metric) string {
	v := m.GetGauge().GetValue()
	if math.IsInf(v, 0) {
		return "Inf"
	}
	return fmt.Sprintf("%f", v)
}
