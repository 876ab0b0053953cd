package manifests

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

// A release is enough for Kubernetes: from the files that .ci/release packs the same is rendered as from the repository. Its
// program is built as .promu.yml says.
func TestRelease(t *testing.T) {
	t.Parallel()
	var promu struct {
		Build   struct{ Flags string }
		Tarball struct{ Files []string }
	}
	check(t, yaml.Unmarshal([]byte(read(t, root+".promu.yml")), &promu))
	if want := "build " + promu.Build.Flags + " -ldflags "; !strings.Contains(read(t, root+"Makefile"), want) {
		t.Errorf("the Makefile has no %q", want)
	}

	work := t.TempDir()
	unpacked := filepath.Join(work, name) + "/"
	shell(t, root, nil, "mkdir "+unpacked+" && cp -R "+strings.Join(promu.Tarball.Files, " ")+" "+unpacked)
	leaveOut := regexp.MustCompile(`(?m)^\tfind .*$`).FindAllString(read(t, root+".ci/release"), -1)
	shell(t, root, []string{"work=" + work, "name=" + name}, strings.Join(leaveOut, "\n"))
	if left, err := filepath.Glob(unpacked + "*/*.go"); err != nil || len(left) > 0 {
		t.Errorf("a release is without %q: %v", left, err)
	}
	for _, overlay := range []string{base, operator, sharded} {
		if !equality.Semantic.DeepEqual(render(t, unpacked, overlay), render(t, root, overlay)) {
			t.Errorf("%s is rendered otherwise from a release", overlay)
		}
	}
}
