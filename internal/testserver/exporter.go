package testserver

import "testing"

// Exporter starts a built oms_exporter with these arguments for the length of the test, and returns its URL without a slash
// at the end.
func Exporter(tb testing.TB, binary string, args ...string) string {
	tb.Helper()
	return serveHTTP(tb, newFolder(tb, nil), append([]string{binary}, args...)...)
}
