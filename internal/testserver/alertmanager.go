package testserver

import (
	"path/filepath"
	"testing"
)

// Alertmanager starts an Alertmanager with a configuration file for the length of the test, and returns its URL without
// a slash at the end. It runs as oneself, so that it can read the test's templates and secrets.
func Alertmanager(tb testing.TB, file string) string {
	tb.Helper()
	return StartAlertmanager(tb, file).URL
}

// StartAlertmanager is Alertmanager with further flags, for a test that stops it in between.
func StartAlertmanager(tb testing.TB, file string, flags ...string) *HTTPServer {
	tb.Helper()
	alertmanager, dir := Tool(tb, "alertmanager"), newFolder(tb, nil)
	command := append([]string{
		alertmanager, "--config.file=" + file, "--storage.path=" + filepath.Join(dir, "data"), "--cluster.listen-address=",
	}, flags...)
	s := serveHTTP(tb, dir, ready, command...)
	return &s
}
