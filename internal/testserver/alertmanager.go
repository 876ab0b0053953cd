package testserver

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
)

// Alertmanager starts an Alertmanager with a configuration file for the length of the test, and returns its URL without
// a slash at the end. It runs as oneself, so that it can read the test's templates and secrets.
func Alertmanager(tb testing.TB, file string) string {
	tb.Helper()
	alertmanager := Tool(tb, "alertmanager")
	dir := newFolder(tb, nil)
	var base string
	serve(tb, nil, dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		address := "127.0.0.1:" + port
		base = "http://" + address
		command := []string{
			alertmanager, "--config.file=" + file, "--storage.path=" + filepath.Join(dir, "data"),
			"--web.listen-address=" + address, "--cluster.listen-address=",
		}
		return command, func(ctx context.Context) error { return get(ctx, base+"/-/ready") }
	})
	return base
}
