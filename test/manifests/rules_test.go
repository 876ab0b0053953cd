package manifests

import (
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

// The operator is given exactly the rules of rules/: one PrometheusRule for each file, and no other.
func TestRulesAreThose(t *testing.T) {
	t.Parallel()
	rendered := render(t, root, operator)
	files, err := filepath.Glob(root + "rules/*.yml")
	check(t, err)
	if given := all[*monitoringv1.PrometheusRule](rendered); len(given) != len(files) {
		t.Errorf("%d PrometheusRules for %d files: make generate", len(given), len(files))
	}
	for _, file := range files {
		resource := "oms-" + strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".yml"), "_", "-")
		var want monitoringv1.PrometheusRuleSpec
		check(t, yaml.UnmarshalStrict([]byte(read(t, file)), &want))
		if len(want.Groups) == 0 {
			t.Errorf("%s has no groups", file)
		}
		got := get[*monitoringv1.PrometheusRule](t, rendered, "PrometheusRule/"+resource).Spec
		if !equality.Semantic.DeepEqual(got, want) {
			t.Errorf("PrometheusRule %s differs from %s: make generate", resource, file)
		}
	}
}
