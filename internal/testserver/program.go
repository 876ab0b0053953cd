package testserver

import (
	"context"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// installed finds a program in PATH, or in one of the folders (patterns; the last match wins) where packages hide it.
// Without the program the test ends, and with -short without a look. It fails where REQUIRE_SERVERS=1, unless
// MISSING_SERVERS names the program among those that cannot be had today.
func installed(tb testing.TB, name, remedy string, folders ...string) string {
	tb.Helper()
	if testing.Short() {
		tb.Skipf("-short starts no %s", name)
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, folder := range folders {
		if found, err := filepath.Glob(filepath.Join(folder, name)); err == nil && len(found) > 0 {
			return found[len(found)-1]
		}
	}
	why := fmt.Sprintf("%s is not installed: %s", name, remedy)
	if os.Getenv("REQUIRE_SERVERS") == "1" && !slices.Contains(strings.Fields(os.Getenv("MISSING_SERVERS")), name) {
		tb.Fatal(why)
	}
	leaveOut(tb, why)
	return ""
}

// Root ends the test, unless root runs it.
func Root(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		leaveOut(tb, tb.Name()+" needs root: run the tests as root")
	}
}

// leaveOut skips the test, and adds why to the file that NOT_TESTED names. "make test" prints it at its end, because go test
// passes over the reasons of skipped tests. That file is another one in each run, and asked for by name here only: so go test
// takes results from its cache, except those of packages with skipped tests.
func leaveOut(tb testing.TB, why string) {
	tb.Helper()
	if name := os.Getenv("NOT_TESTED"); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		check(tb, err)
		_, err = file.WriteString(why + "\n") // at once: other tests add to it at the same time
		check(tb, errors.Join(err, file.Close()))
	}
	tb.Skip(why)
}

// Tool finds a program of Prometheus' family: prometheus, promtool, alertmanager or amtool. "make tools" builds all of
// them. Without it the test ends.
func Tool(tb testing.TB, name string) string {
	tb.Helper()
	return installed(tb, name, "make tools", goBin())
}

// Systemd finds a program of systemd. None of them needs a machine that it runs. Without it the test ends.
func Systemd(tb testing.TB, name string) string {
	tb.Helper()
	return installed(tb, name, "apt-get install systemd")
}

// Chromium finds the browser. Without it the test ends.
func Chromium(tb testing.TB) string {
	tb.Helper()
	return installed(tb, "chromium", "apt-get install chromium")
}

// goBin is the folder of the programs that "go install" made.
func goBin() string {
	return filepath.Join(filepath.SplitList(build.Default.GOPATH)[0], "bin")
}

// unprivileged returns whom a server runs as: in the place of root, whom servers refuse, the named user or nobody; else
// nil, which is oneself.
func unprivileged(tb testing.TB, name string) *syscall.Credential {
	tb.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	check(tb, err)
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	check(tb, err)
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	check(tb, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// newFolder makes a folder of the owner's for the length of the test. It is not below tb.TempDir, whose parents only
// oneself may enter.
func newFolder(tb testing.TB, owner *syscall.Credential) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "testserver-")
	check(tb, err)
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if owner != nil {
		check(tb, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	}
	return dir
}

// A place is a folder of a server's owner for its data; fresh says that none are there yet.
type place func(tb testing.TB, owner *syscall.Credential) (dir string, fresh bool)

func temporary(tb testing.TB, owner *syscall.Credential) (dir string, fresh bool) {
	tb.Helper()
	return newFolder(tb, owner), true
}

// kept is a place for longer than the test. What makes it must be done to the end: half a server does not start.
func kept(dir string) place {
	return func(tb testing.TB, owner *syscall.Credential) (string, bool) {
		tb.Helper()
		_, err := os.Stat(filepath.Join(dir, "data"))
		fresh := errors.Is(err, fs.ErrNotExist)
		check(tb, os.MkdirAll(dir, 0o755))
		if owner != nil {
			check(tb, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
		}
		return dir, fresh
	}
}

// run runs a program to its end.
func run(tb testing.TB, owner *syscall.Credential, dir string, command ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 4*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	cmd.Dir = dir
	cmd.Env = environment(dir)
	if output, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", command[0], err, tail(output))
	}
}

// environment is that of a server in dir: its own temporary folder, because it may be barred from the test's, and plain
// English, which serve reads.
func environment(dir string) []string { return append(os.Environ(), "TMPDIR="+dir, "LC_ALL=C") }

// tail returns the end of a program's output.
func tail(output []byte) string {
	const most = 4 << 10
	return string(output[max(0, len(output)-most):])
}
