package main

import (
	"strings"
	"testing"
)

// TestServiceLevels has promtool evaluate the queries of the board over what rules/service_levels.yml records.
func TestServiceLevels(t *testing.T) {
	t.Parallel()
	// 100 minutes: created is broken in 10 of 90 that were watched, in an incident of 10 minutes; sftp was broken in two of 4 and 8 minutes, and is in
	// one of 20 now; reports is not watched. Of 120 orders 90 were approved within 3 hours and 110 within 6, and 3 were unfillable. Of four deadlines of wms one was missed, and of a fifth it is not known.
	series := []map[string]string{
		{"series": `oms:client{client="C"}`, "values": "1x99"},
		{"series": `oms:check_state{client="C",check="created"}`, "values": "0x79 2x9 0x9"},
		{"series": `oms:check_state{client="C",check="sftp"}`, "values": "2x99"},
		{"series": `oms:check_state{client="C",check="reports"}`, "values": "4x99"},
		{"series": `oms:check_within_limits{client="C",check="created"}`, "values": "1x69 _x10 0x9 1x9"},
		{"series": `oms:check_within_limits{client="C",check="sftp"}`, "values": "0x3 1x29 0x7 1x37 0x19"},
		{"series": `oms:incident_seconds{client="C",check="created"}`, "values": "_x90 600 stale"},
		{"series": `oms:incident_seconds{client="C",check="sftp"}`, "values": "_x4 240 stale _x36 480 stale"},
		{"series": `oms:incident_start_timestamp_seconds{client="C",check="sftp"}`, "values": "_x80 4800x19"},
		{"series": `oms:reset_inventory_deadline_met{client="C",source="wms",deadline="13:00"}`, "values": "_x5 1 stale _x20 0 stale _x20 1 stale _x20 1 stale"},
		{"series": `oms:orders_approved{client="C",le="3600.0"}`, "values": "_x5 40 stale _x20 20 stale"},
		{"series": `oms:orders_approved{client="C",le="10800.0"}`, "values": "_x5 60 stale _x20 30 stale"},
		{"series": `oms:orders_approved{client="C",le="21600.0"}`, "values": "_x5 70 stale _x20 40 stale"},
		{"series": `oms:orders_approved{client="C",le="+Inf"}`, "values": "_x5 70 stale _x20 50 stale"},
		{"series": `oms:orders_unfillable{client="C"}`, "values": "_x9 2 stale _x9 1 stale"},
		{"series": `oms:orders_counted{client="C",job="oms",instance="a"}`, "values": "7x99"},
		{"series": `oms:orders_counted{client="C",job="oms",instance="a",le="+Inf"}`, "values": "900x99"},
		{"series": `oms:reset_inventory_deadline_unknown{client="C",source="wms",deadline="13:00"}`, "values": "_x50 1 stale"},
	}
	checks := func(values map[string]float64) (samples []map[string]any) {
		for check, value := range values {
			samples = append(samples, map[string]any{"labels": `{client="C",check="` + check + `"}`, "value": value})
		}
		return samples
	}
	one := func(labels string, value float64) []map[string]any {
		return []map[string]any{{"labels": labels, "value": value}}
	}
	const source = `{client="C",source="wms",deadline="13:00"}`
	want := map[string][]map[string]any{
		"Deadlines met":                    one(`{}`, 75),
		"Orders approved":                  one(`{}`, 12000),
		"Orders approved within 3 hours":   one(`{}`, 75),
		"Time to approval, p95":            one(`{}`, 2160000), // beyond the last bound
		"Unfillable orders":                one(`{}`, 2.5),
		"Incidents":                        one(`{}`, 400),
		"Mean time to repair":              one(`{}`, 44000),
		"Time within limits within":        checks(map[string]float64{"created": 88.89, "sftp": 68}),
		"Time within limits unwatched":     checks(map[string]float64{"created": 99.11, "sftp": 99.01, "reports": 100}),
		"Incidents by check incidents":     checks(map[string]float64{"created": 100, "sftp": 300, "reports": 0}),
		"Incidents by check length":        checks(map[string]float64{"created": 60000, "sftp": 62000}),
		"Incidents by check repair":        checks(map[string]float64{"created": 60000, "sftp": 36000}),
		"Deadlines by source met":          one(source, 300),
		"Deadlines by source passed":       one(source, 400),
		"Deadlines by source unknown":      one(source, 100),
		"Time within limits unwatched_30d": checks(map[string]float64{"created": 99.79, "sftp": 99.77, "reports": 100}),
	}
	var expected []map[string]any
	asked := map[string]bool{}
	for _, p := range serviceLevels().all() {
		for _, q := range p.Targets {
			name := p.Title + " " + q.RefID
			samples, known := want[name]
			if !known { // it is the same of both periods, which have the same samples
				name = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(name, "30d"), "7d"), " _")
				samples, known = want[name]
			}
			if !known {
				t.Errorf("nothing is expected of %s, query %s", p.Title, q.RefID)
				continue
			}
			asked[name] = true
			expected = append(expected, map[string]any{
				"expr": "round(100 * (" + strings.ReplaceAll(q.Expr, "$client", "C") + "), 0.01)", "eval_time": "99m", "exp_samples": samples,
			})
		}
	}
	for name := range want {
		if !asked[name] {
			t.Errorf("no query is %s", name)
		}
	}
	judge(t, []map[string]any{{"interval": "1m", "input_series": series, "promql_expr_test": expected}})
}
