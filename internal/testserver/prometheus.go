package testserver

import (
	"os"
	"path/filepath"
	"testing"
)

// Prometheus starts a Prometheus server with a configuration (the YAML of a whole prometheus.yml), for the length of
// the test, and returns its URL without a slash at the end. It runs as oneself, so that it can read the test's rules.
func Prometheus(tb testing.TB, configuration string) string {
	tb.Helper()
	return StartPrometheus(tb, configuration).URL
}

// StartPrometheus is Prometheus with further flags, for a test that stops it in between.
func StartPrometheus(tb testing.TB, configuration string, flags ...string) *HTTPServer {
	tb.Helper()
	prometheus, dir := Tool(tb, "prometheus"), newFolder(tb, nil)
	file := filepath.Join(dir, "prometheus.yml")
	check(tb, os.WriteFile(file, []byte(configuration), 0o600))
	command := append([]string{prometheus, "--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data")}, flags...)
	s := serveHTTP(tb, dir, ready, command...)
	return &s
}
