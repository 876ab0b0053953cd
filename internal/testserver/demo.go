package testserver

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Demo builds the exporter and starts its demo, for the length of the test, and returns its URL without a slash at the end.
// The test must run in a folder of this module.
func Demo(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short builds no program")
	}
	dir := newFolder(tb, nil)
	program := filepath.Join(dir, "oms_exporter")
	build := exec.CommandContext(tb.Context(), "go", "build", "-buildvcs=false", "-o", program,
		"github.com/oms-exporter/oms_exporter/cmd/oms_exporter")
	if output, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("build the exporter: %v\n%s", err, tail(output))
	}
	return serveHTTP(tb, dir, ready, program, "demo").URL
}
