package manifests

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// workloads returns each overlay's objects and the pods that it makes.
func workloads(t *testing.T) (map[string]objects, map[string]corev1.PodTemplateSpec) {
	t.Helper()
	rendered, pods := map[string]objects{}, map[string]corev1.PodTemplateSpec{}
	for _, overlay := range []string{base, operator, sharded} {
		rendered[overlay] = render(t, root, overlay)
		if overlay == sharded {
			pods[overlay] = get[*appsv1.StatefulSet](t, rendered[overlay], "StatefulSet/"+name).Spec.Template
		} else {
			pods[overlay] = get[*appsv1.Deployment](t, rendered[overlay], "Deployment/"+name).Spec.Template
		}
	}
	return rendered, pods
}

// The namespace enforces it, so pods that were not would never start. The judge is the server's own.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	rendered, pods := workloads(t)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	check(t, err)
	for overlay, pod := range pods {
		enforced := get[*corev1.Namespace](t, rendered[overlay], "Namespace/"+namespace).Labels[api.EnforceLevelLabel]
		level, err := api.ParseLevel(enforced)
		check(t, err)
		if level != api.LevelRestricted {
			t.Errorf("%s: the namespace enforces %q", overlay, enforced)
		}
		results := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec)
		if verdict := policy.AggregateCheckResults(results); !verdict.Allowed {
			t.Errorf("%s: %s", overlay, verdict.ForbiddenDetail())
		}
		account := get[*corev1.ServiceAccount](t, rendered[overlay], "ServiceAccount/"+pod.Spec.ServiceAccountName)
		if *pod.Spec.AutomountServiceAccountToken || *account.AutomountServiceAccountToken {
			t.Errorf("%s: the pod gets a token for Kubernetes", overlay)
		}
		container := pod.Spec.Containers[0]
		if !*container.SecurityContext.ReadOnlyRootFilesystem || container.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s: the container may write, or use all memory", overlay)
		}
		if _, tag, _ := strings.Cut(container.Image, ":"); tag != strings.TrimSpace(read(t, root+"VERSION")) {
			t.Errorf("%s: the image is %s, which is not the VERSION", overlay, container.Image)
		}
	}
}

// What a Service leads to, and what the kubelet asks, is there.
func TestPodsAreReached(t *testing.T) {
	t.Parallel()
	rendered, pods := workloads(t)
	for overlay, pod := range pods {
		container := pod.Spec.Containers[0]
		leads := get[*corev1.Service](t, rendered[overlay], "Service/"+name)
		if !labels.SelectorFromSet(leads.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("%s: the Service selects %v, the pods have %v", overlay, leads.Spec.Selector, pod.Labels)
		}
		if leads.Spec.Ports[0].Port != port || container.Ports[0].ContainerPort != port {
			t.Errorf("%s: the Service has port %d, the container %d", overlay, leads.Spec.Ports[0].Port, container.Ports[0].ContainerPort)
		}
		names := []string{leads.Spec.Ports[0].TargetPort.String()}
		for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
			names = append(names, probe.TCPSocket.Port.String())
		}
		policy := get[*networkingv1.NetworkPolicy](t, rendered[overlay], "NetworkPolicy/"+name).Spec
		if selector, err := metav1.LabelSelectorAsSelector(&policy.PodSelector); err != nil || !selector.Matches(labels.Set(pod.Labels)) {
			t.Errorf("%s: the NetworkPolicy is about other pods: %v", overlay, err)
		}
		if len(policy.Ingress) != 1 || len(policy.Ingress[0].Ports) != 1 || len(policy.PolicyTypes) != 2 {
			t.Errorf("%s: the NetworkPolicy lets more in than to one port: %+v", overlay, policy)
		}
		names = append(names, policy.Ingress[0].Ports[0].Port.String())
		for _, port := range names {
			if port != container.Ports[0].Name {
				t.Errorf("%s: there is no port %s", overlay, port)
			}
		}
	}
	set := get[*appsv1.StatefulSet](t, rendered[sharded], "StatefulSet/"+name)
	leads := get[*corev1.Service](t, rendered[sharded], "Service/"+set.Spec.ServiceName).Spec
	if leads.ClusterIP != corev1.ClusterIPNone || !leads.PublishNotReadyAddresses {
		t.Error("only a headless Service gives replicas names, and those that are not ready only if it says so")
	}
	if *set.Spec.Replicas != 3 {
		t.Errorf("there are %d replicas, and tests scrape 3", *set.Spec.Replicas)
	}
	if selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector); err != nil ||
		!selector.Matches(labels.Set(set.Spec.Template.Labels)) {
		t.Errorf("the StatefulSet does not select its own pods: %v", err)
	}
}

// The configuration is valid where the pod finds it, with the files of the example Secret.
func TestPodsConfiguration(t *testing.T) {
	t.Parallel()
	rendered, pods := workloads(t)
	secret, isSecret := decode(t, []byte(read(t, root+kubernetes+"secret.example.yaml"))).(*corev1.Secret)
	if !isSecret || secret.Namespace != namespace {
		t.Fatal("the example is no Secret of this namespace")
	}
	for overlay, pod := range pods {
		container := pod.Spec.Containers[0]
		mount, volume := container.VolumeMounts[0], pod.Spec.Volumes[0]
		if mount.Name != volume.Name {
			t.Fatalf("%s: there is no volume %s", overlay, mount.Name)
		}
		mode, security := *volume.Projected.DefaultMode, pod.Spec.SecurityContext
		if group := security.FSGroup; mode != 0o440 || group == nil || *group != *security.RunAsGroup {
			t.Errorf("%s: its own group alone should read the files, their mode is %o", overlay, mode)
		}
		dir := t.TempDir()
		for _, source := range volume.Projected.Sources {
			switch {
			case source.ConfigMap != nil:
				for file, content := range get[*corev1.ConfigMap](t, rendered[overlay], "ConfigMap/"+source.ConfigMap.Name).Data {
					write(t, filepath.Join(dir, file), content)
				}
			case source.Secret.Name == secret.Name:
				for file, content := range secret.StringData {
					write(t, filepath.Join(dir, file), content)
				}
			default:
				t.Errorf("%s: there is no Secret %s", overlay, source.Secret.Name)
			}
		}
		file, isNamed := strings.CutPrefix(container.Args[0], "--config.file="+mount.MountPath+"/")
		if !isNamed || path.Base(file) != file {
			t.Fatalf("%s: the arguments %q name no file of the volume", overlay, container.Args)
		}
		loaded, err := config.Check(filepath.Join(dir, file))
		if err != nil {
			t.Errorf("%s: %v", overlay, err)
		} else if len(loaded.Clients) == 0 {
			t.Errorf("%s: there is no client", overlay)
		}
	}
}

// Grafana's sidecar is given every dashboard, each in a ConfigMap of its own: one may hold 1 MiB.
func TestDashboardsAreGiven(t *testing.T) {
	t.Parallel()
	var given []string
	for _, m := range all[*corev1.ConfigMap](render(t, root, operator)) {
		if m.Labels["grafana_dashboard"] != "1" {
			continue
		}
		for file, content := range m.Data {
			given = append(given, file)
			if len(m.Data) != 1 || len(content) > 1<<20 {
				t.Errorf("%s has more than a ConfigMap should hold", m.Name)
			}
			if content != read(t, root+"dashboards/"+file) {
				t.Errorf("%s differs from dashboards/%s", m.Name, file)
			}
		}
	}
	slices.Sort(given)
	files, err := filepath.Glob(root + "dashboards/*.json")
	check(t, err)
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	if !slices.Equal(given, files) {
		t.Errorf("dashboards/kustomization.yaml gives %q, the folder has %q", given, files)
	}
}
