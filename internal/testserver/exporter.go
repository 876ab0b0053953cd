package testserver

import "testing"

// Exporter starts a built exporter for the length of the test. It takes the address to listen on as Prometheus' family does,
// and is up when that page answers.
func Exporter(tb testing.TB, page string, command ...string) HTTPServer {
	tb.Helper()
	return serveHTTP(tb, newFolder(tb, nil), page, command...)
}
