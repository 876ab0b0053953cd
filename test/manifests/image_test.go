package manifests

import (
	"encoding/json"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// instructions returns the arguments of each kind of instruction in the Dockerfile.
func instructions(t *testing.T) map[string][]string {
	t.Helper()
	text := strings.ReplaceAll(read(t, root+"Dockerfile"), "\\\n", " ")
	found := map[string][]string{}
	for _, line := range regexp.MustCompile(`(?m)^([A-Z]+) +(.*)$`).FindAllStringSubmatch(text, -1) {
		found[line[1]] = append(found[line[1]], strings.Join(strings.Fields(line[2]), " "))
	}
	return found
}

// The image has a Go that can build the module: there it fetches no other.
func TestImageHasGo(t *testing.T) {
	t.Parallel()
	has := regexp.MustCompile(`golang:(\S+)`).FindStringSubmatch(instructions(t)["FROM"][0])
	needs := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, root+"go.mod"))
	if version.Compare("go"+has[1], "go"+needs[1]) < 0 {
		t.Errorf("the image builds with Go %s, go.mod needs %s", has[1], needs[1])
	}
}

// The image builds without BuildKit, which some packages of Docker lack: it is asked for nothing that only BuildKit has, and what only
// BuildKit sets has a default where it must not be empty.
func TestImageWithoutBuildKit(t *testing.T) {
	t.Parallel()
	for kind, all := range instructions(t) {
		for _, arguments := range all {
			flags := regexp.MustCompile(`^(--\S+ )*`).FindString(arguments)
			if !slices.Contains([]string{"", "--from=build ", "--platform=${BUILDPLATFORM:-linux} "}, flags) || strings.Contains(arguments, "<<") {
				t.Errorf("%s %s needs BuildKit", kind, arguments)
			}
		}
	}
}

// TestImage does what the Dockerfile says: it builds from what .dockerignore leaves, and runs the program as the image's user,
// in the image's folders and with nothing else.
func TestImage(t *testing.T) {
	t.Parallel()
	testserver.Root(t) // who alone can change the root folder
	dockerfile, src, image := instructions(t), buildContext(t), t.TempDir()
	environment := []string{"revision=none", "branch=none", "TARGETOS=", "TARGETARCH="} // as without BuildKit
	for _, command := range dockerfile["RUN"] {
		shell(t, src, environment, strings.ReplaceAll(command, "/rootfs", image))
	}
	check(t, os.MkdirAll(filepath.Join(image, dockerfile["WORKDIR"][1]), 0o755))

	var entrypoint []string
	check(t, json.Unmarshal([]byte(dockerfile["ENTRYPOINT"][0]), &entrypoint))
	says := func(want string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), entrypoint[0], append(entrypoint[1:], args...)...)
		cmd.Dir, cmd.Env = dockerfile["WORKDIR"][1], []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: image, Credential: user(t, dockerfile["USER"][0])}
		if output, _ := cmd.CombinedOutput(); !strings.Contains(string(output), want) {
			t.Errorf("%q says %s, want %q", args, output, want)
		}
	}
	says("version "+strings.TrimSpace(read(t, root+"VERSION")), "--version")
	says("web.listen-address=:"+dockerfile["EXPOSE"][0], "--help")
	says("oms_exporter.yml") // which is looked for in the working directory, and not there
	if exposed := dockerfile["EXPOSE"][0]; exposed != strconv.Itoa(port) {
		t.Errorf("the image exposes port %s, the tests know %d", exposed, port)
	}
	const fault, unknown = "--fault=KREWE:none", "unknown fault" // said once the demo has written all that it writes
	says(unknown, "demo", fault)

	// Compose lets it write to memory alone.
	service := compose(t).Services["exporter"]
	check(t, os.Chmod(filepath.Join(image, "tmp"), 0o555))
	for _, mount := range service.Tmpfs {
		folder, _, _ := strings.Cut(mount, ":")
		check(t, os.Chmod(filepath.Join(image, folder), 0o777))
	}
	says(unknown, append(service.Command, fault)...)
}

// buildContext returns a folder with what "docker build" would send.
func buildContext(t *testing.T) string {
	t.Helper()
	patterns, err := ignorefile.ReadAll(strings.NewReader(read(t, root+".dockerignore")))
	check(t, err)
	ignored, err := patternmatcher.New(patterns)
	check(t, err)
	context := t.TempDir()
	check(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		relative := strings.TrimPrefix(path, root)
		if entry.IsDir() {
			if slices.Contains([]string{".git", ".build", ".tarballs"}, relative) {
				return filepath.SkipDir
			}
			return nil
		}
		if skip, err := ignored.MatchesOrParentMatches(relative); err != nil || skip {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.MkdirAll(filepath.Join(context, filepath.Dir(relative)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(context, relative), content, 0o600)
		}
		return err
	}))
	return context
}

// user returns who UID:GID is.
func user(t *testing.T, ids string) *syscall.Credential {
	t.Helper()
	var uid, gid uint32
	if _, err := fmt.Sscanf(ids, "%d:%d", &uid, &gid); err != nil || uid == 0 || gid == 0 {
		t.Fatalf("USER %s: %v", ids, err)
	}
	return &syscall.Credential{Uid: uid, Gid: gid}
}

// shell runs a line of shell in a folder.
func shell(t *testing.T, dir string, environment []string, line string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-ec", line)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, output)
	}
}
