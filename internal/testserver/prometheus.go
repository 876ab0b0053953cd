package testserver

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Prometheus starts a Prometheus server with a configuration (the YAML of a whole prometheus.yml), for the length of
// the test, and returns its URL without a slash at the end. It runs as oneself, so that it can read the test's rules.
func Prometheus(tb testing.TB, configuration string) string {
	tb.Helper()
	prometheus := installed(tb, "prometheus",
		"go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/prometheus@v0.316.0", goBin())
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

// get fetches a page and expects the status OK.
func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true} // which would outlive the test
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
