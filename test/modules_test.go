// Package test tests what lies in modules of its own, because of the many that it needs.
package test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestModules vets and tests the modules below this one, which "go test ./..." passes over; those of tools/ have no code.
func TestModules(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short leaves out the modules below this one")
	}
	modules := find(t)
	if len(modules) == 0 {
		t.Fatal("there are none")
	}
	for _, module := range modules {
		t.Run(filepath.Base(module), func(t *testing.T) {
			t.Parallel()
			ctx, notes := t.Context(), filepath.Join(t.TempDir(), "notes")
			t.Cleanup(func() { pass(t, notes) })
			// What a module reads of its parent does not keep go test from taking its result from the cache.
			test := []string{"test", "-count=1", "-vet=off"} // it is vetted before, and more thoroughly
			if testing.Verbose() {
				test = append(test, "-v")
			}
			if deadline, ok := t.Deadline(); ok {
				const toTell = 10 * time.Second
				test = append(test, "-timeout="+(time.Until(deadline)-toTell).String())
				var cancel context.CancelFunc
				ctx, cancel = context.WithDeadline(ctx, deadline.Add(-toTell))
				defer cancel()
			}
			for _, args := range [][]string{{"vet"}, test} {
				cmd := exec.CommandContext(ctx, "go", append(args, "./...")...)
				cmd.Dir, cmd.WaitDelay = module, time.Second
				// It is named here because go test takes a result from the cache only if what was asked for by name is the same.
				cmd.Env = append(os.Environ(), "REQUIRE_SERVERS="+os.Getenv("REQUIRE_SERVERS"), "NOT_TESTED="+notes)
				output, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("go %s: %v\n%s", args[0], err, output)
				}
				t.Logf("go %s\n%s", args[0], output)
			}
		})
	}
}

// pass passes on what the tests of a module left out, as testserver tells it. NOT_TESTED is always another file: without anything
// to pass on it is not asked for, so that go test can take the result from the cache.
func pass(t *testing.T, notes string) {
	t.Helper()
	text, err := os.ReadFile(notes)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	name := os.Getenv("NOT_TESTED")
	if err != nil || name == "" {
		t.Logf("left out: %s, error %v", text, err)
		return
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.Write(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Error(err)
	}
}

// find returns the folders of the modules. It goes through all folders that a test may read, so that go test does not take the
// result from the cache when any file has changed.
func find(t *testing.T) (modules []string) {
	t.Helper()
	const root = ".."
	if err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch dir := filepath.Dir(path); {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".build", ".tarballs"}, entry.Name()):
			return filepath.SkipDir
		case entry.Name() == "go.mod" && dir != root && !strings.HasPrefix(dir, filepath.Join(root, "tools")):
			modules = append(modules, dir)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return modules
}
