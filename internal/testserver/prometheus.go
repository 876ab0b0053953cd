package testserver

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Prometheus starts a Prometheus server with a configuration (the YAML of a whole prometheus.yml), for the length of
// the test, and returns its URL without a slash at the end. It runs as oneself, so that it can read the test's rules.
func Prometheus(tb testing.TB, configuration string) string {
	tb.Helper()
	prometheus := Tool(tb, "prometheus")
	dir := newFolder(tb, nil)
	file := filepath.Join(dir, "prometheus.yml")
	check(tb, os.WriteFile(file, []byte(configuration), 0o600))

	var base string
	serve(tb, nil, dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		address := "127.0.0.1:" + port
		base = "http://" + address
		command := []string{
			prometheus, "--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
			"--web.listen-address=" + address,
		}
		return command, func(ctx context.Context) error { return get(ctx, base+"/-/ready") }
	})
	return base
}
