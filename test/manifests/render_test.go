// Package manifests proves what deploy/ has for Docker Compose and Kubernetes, with the libraries of those who read it. They
// are many, so it is a module of its own.
package manifests

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const (
	root       = "../../"
	kubernetes = "deploy/kubernetes/"
	base       = "base"
	operator   = "overlays/prometheus-operator"
	sharded    = "overlays/sharded"

	namespace = "oms-exporter"
	name      = "oms-exporter" // of almost everything
	port      = 9942           // by default, as TestImage sees
)

// objects are what Kubernetes would be given, by kind and name.
type objects map[string]runtime.Object

// render builds an overlay below the top folder as "kubectl apply --kustomize" does, and decodes each document as the server
// would, with the same types; keys that they do not know are errors.
func render(t *testing.T, top, overlay string) objects {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), top+kubernetes+overlay)
	check(t, err)
	found := objects{}
	for _, resource := range built.Resources() {
		document, err := resource.AsYAML()
		check(t, err)
		found.add(t, document)
	}
	return found
}

func (o objects) add(t *testing.T, document []byte) {
	t.Helper()
	object := decode(t, document)
	meta, isObject := object.(metav1.Object)
	if !isObject {
		t.Fatalf("%T has no metadata", object)
	}
	kind := object.GetObjectKind().GroupVersionKind().Kind
	if _, isNamespace := object.(*corev1.Namespace); !isNamespace && meta.GetNamespace() != namespace {
		t.Errorf("%s %s is in namespace %q", kind, meta.GetName(), meta.GetNamespace())
	}
	o[kind+"/"+meta.GetName()] = object
}

func decode(t *testing.T, document []byte) runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, networkingv1.AddToScheme, monitoringv1.AddToScheme, monitoringv1alpha1.AddToScheme,
	} {
		check(t, add(scheme))
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	object, _, err := decoder.Decode(document, nil, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object
}

// get returns the one object with that kind and name.
func get[T runtime.Object](t *testing.T, from objects, key string) T {
	t.Helper()
	object, isThere := from[key].(T)
	if !isThere {
		t.Fatalf("there is no %s among %q", key, slices.Sorted(maps.Keys(from)))
	}
	return object
}

// all returns the objects of a type.
func all[T runtime.Object](from objects) []T {
	var found []T
	for _, key := range slices.Sorted(maps.Keys(from)) {
		if object, is := from[key].(T); is {
			found = append(found, object)
		}
	}
	return found
}

// build builds the exporter and returns its path.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "oms_exporter")
	shell(t, root, nil, "go build -buildvcs=false -o "+binary+" ./cmd/oms_exporter")
	return binary
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	check(t, err)
	return string(content)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	check(t, os.WriteFile(file, []byte(content), 0o600))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
