package manifests

import (
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

const pair = "prometheus"

// The two servers of Kubernetes and of Docker Compose are the same but for the resend delay, and the alerts of both are one.
func TestPrometheusPair(t *testing.T) {
	t.Parallel()
	rendered := render(t, root, pair)
	keeps := get[*monitoringv1.Prometheus](t, rendered, "Prometheus/oms").Spec
	tells := get[*monitoringv1.Prometheus](t, rendered, "Prometheus/oms-2").Spec

	services := compose(t).Services
	delay := func(service string) string {
		for _, argument := range services[service].Command {
			if value, found := strings.CutPrefix(argument, "--rules.alert.resend-delay="); found {
				return value
			}
		}
		return ""
	}
	want := []monitoringv1.Argument{{Name: "rules.alert.resend-delay", Value: delay("prometheus")}}
	if !slices.Equal(keeps.AdditionalArgs, want) || len(tells.AdditionalArgs) > 0 || delay("prometheus-2") != "" {
		t.Errorf("the arguments are %v and %v", keeps.AdditionalArgs, tells.AdditionalArgs)
	}
	keeps.AdditionalArgs = nil
	if !equality.Semantic.DeepEqual(keeps, tells) {
		t.Errorf("the servers differ:\n%+v\n%+v", keeps, tells)
	}
	if keeps.EvaluationInterval != "15s" || *keeps.Replicas != 1 {
		t.Errorf("%d replicas evaluate every %s", *keeps.Replicas, keeps.EvaluationInterval)
	}
	if keeps.Retention != "45d" {
		t.Errorf("they keep %s", keeps.Retention)
	}
	for _, label := range []*string{keeps.PrometheusExternalLabelName, keeps.ReplicaExternalLabelName} {
		if label == nil || *label != "" {
			t.Error("an external label tells the alerts of the two apart")
		}
	}
	if keeps.ScrapeConfigSelector == nil || keeps.RuleSelector == nil {
		t.Error("the jobs or the rules are not taken")
	}

	get[*corev1.ServiceAccount](t, rendered, "ServiceAccount/"+keeps.ServiceAccountName)
	source := keeps.AdditionalAlertManagerConfigs
	var alertmanagers []map[string]any
	check(t, yaml.Unmarshal(get[*corev1.Secret](t, rendered, "Secret/"+source.Name).Data[source.Key], &alertmanagers))
	if len(alertmanagers) == 0 {
		t.Error("no Alertmanager gets the alerts")
	}
}
