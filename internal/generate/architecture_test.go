package main

import (
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecture holds the imports that ARCHITECTURE.md allows against those of the code, tests apart. It reads the files
// as "go list" does, and itself, so that "go test" knows when it has to run again.
func TestArchitecture(t *testing.T) {
	const module, root = "github.com/oms-exporter/oms_exporter/", "../.."
	document, err := os.ReadFile(root + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```imports\n(.*?)```").FindAllStringSubmatch(string(document), -1) {
		for line := range strings.Lines(block[1]) {
			from, to, ok := strings.Cut(strings.TrimSpace(line), " -> ")
			if !ok {
				t.Errorf("%q is not of the form: package -> package package", line)
			}
			for _, imported := range strings.Fields(to) {
				allowed[from+" -> "+imported] = true
			}
		}
	}

	made := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		_, err = os.Stat(filepath.Join(path, "go.mod"))
		if path != root && (err == nil || strings.HasPrefix(entry.Name(), ".")) {
			return filepath.SkipDir // another module, or git's
		}
		found, err := build.ImportDir(path, 0)
		if _, none := errors.AsType[*build.NoGoError](err); none {
			return nil
		}
		for _, imported := range found.Imports {
			if own, ok := strings.CutPrefix(imported, module); ok {
				made[strings.TrimPrefix(filepath.ToSlash(path), root+"/")+" -> "+own] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	for edge := range made {
		if !allowed[edge] {
			t.Errorf("%s is not in ARCHITECTURE.md: do without this import, or change the picture on purpose", edge)
		}
	}
	for edge := range allowed {
		if !made[edge] {
			t.Errorf("ARCHITECTURE.md has %s, which the code does not import", edge)
		}
	}
}
