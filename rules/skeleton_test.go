package rules_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var skeletonOf = flag.String("skeleton", "", "an alert: write tests/ALERT_test.yml, to be filled in")

// TestSkeleton writes the skeleton of a test for the alert of -skeleton. Without the flag it wants one that promtool understands:
// that fails until it is filled in, and for no other reason.
func TestSkeleton(t *testing.T) {
	t.Parallel()
	if *skeletonOf != "" {
		if err := os.WriteFile("tests/"+*skeletonOf+"_test.yml", []byte(skeleton(t, *skeletonOf)), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "skeleton_test.yml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(skeleton(t, "OMSJobStuck"), "../", dir+"/")), 0o600); err != nil {
		t.Fatal(err)
	}
	output, _ := promtool(t, "test", "rules", file)
	if !strings.Contains(output, "alertname: OMSJobStuck, time: 6m") {
		t.Errorf("%s", output)
	}
}

// skeleton fills tests/skeleton.yml, the cases that every alert should have, with the series, files and groups that one needs.
func skeleton(t *testing.T, alert string) string {
	t.Helper()
	byName, fileOf := map[string][]rule{}, map[string]string{}
	for _, file := range files(t, "*.yml") {
		for _, group := range parse[ruleFile](t, file).Groups {
			fileOf[group.Name] = file
			for _, r := range group.Rules {
				name := cmp.Or(r.Record, r.Alert)
				byName[name], fileOf[name] = append(byName[name], r), file
			}
		}
	}
	if len(byName[alert]) == 0 {
		t.Fatalf("no rule raises %s", alert)
	}
	var series, ruleFiles []string
	seen := map[string]bool{}
	var follow func(string)
	follow = func(metric string) {
		if seen[metric] {
			return
		}
		seen[metric] = true
		if len(byName[metric]) == 0 {
			series = append(series, fmt.Sprintf("      - {series: '%s{job=\"oms\",instance=\"oms:9942\",client=\"KREWE\"}', values: 0x4 1x4 stale 1x8 0x60}\n", metric))
		} else if file := "../" + fileOf[metric]; !slices.Contains(ruleFiles, file) {
			ruleFiles = append(ruleFiles, file)
		}
		for _, r := range byName[metric] {
			for _, other := range name.FindAllString(withoutLabels.ReplaceAllString(r.Expr, ""), -1) {
				follow(other)
			}
		}
	}
	follow(alert)
	slices.Sort(ruleFiles)
	order := slices.DeleteFunc(parse[testFile](t, "tests/two_exporters_test.yml").GroupEvalOrder, func(group string) bool {
		return !slices.Contains(ruleFiles, "../"+fileOf[group])
	})
	expected := map[string]string{"client": "KREWE"}
	maps.Copy(expected, byName[alert][0].Labels)
	labels, err := json.Marshal(expected)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("ALERTS{", "ALERTS{", "ALERT", alert,
		"FILES", strings.Join(ruleFiles, ", "), "GROUPS", strings.Join(order, ", "),
		"SERIES", strings.Join(series, ""), "LABELS", string(labels)).Replace(read(t, "tests/skeleton.yml"))
}

var withoutLabels = regexp.MustCompile(`"[^"]*"|\b(by|on|group_left) *\([^)]*\)`)
