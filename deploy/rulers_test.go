package deploy_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestRulers compares what alertmanager/examples/README.md says that other rulers must cope with to the rules.
func TestRulers(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(ruleFiles)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d rule files: %v", len(files), err)
	}
	texts := regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
	names := regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	var want []string
	for _, file := range files {
		var parsed struct {
			Groups []struct {
				Name, Interval string
				Rules          []struct{ Record, Alert, Expr string }
			}
		}
		parse(t, read(t, file), &parsed)
		for _, group := range parsed.Groups {
			self, alerts := "no", "no"
			for i, r := range group.Rules {
				for _, name := range names.FindAllString(texts.ReplaceAllString(r.Expr, ""), -1) {
					if name == "ALERTS" || name == "ALERTS_FOR_STATE" {
						alerts = "yes"
					}
					first := slices.IndexFunc(group.Rules, func(other struct{ Record, Alert, Expr string }) bool { return other.Record == name })
					if first >= i { // recorded by this rule or by a later one, so it is what the last evaluation recorded
						self = "yes"
					}
				}
			}
			if len(group.Rules) > 20 || self == "yes" || alerts == "yes" || group.Interval != "" {
				want = append(want, fmt.Sprintf("| `%s` | %d | %s | %s | %s |", group.Name, len(group.Rules), group.Interval, self, alerts))
			}
		}
	}
	slices.Sort(want)
	_, table, found := strings.Cut(read(t, "alertmanager/examples/README.md"), "\n| group | rules | interval | reads its own results | reads `ALERTS` |\n|---|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if got := strings.TrimSpace(table); !found || got != strings.Join(want, "\n") {
		t.Errorf("the table is\n%s\nand should be\n%s", got, strings.Join(want, "\n"))
	}
}
