package testserver

import (
	"os"
	"path/filepath"
	"testing"
)

// PrometheusOf starts a Prometheus that has these samples, a text in the format OpenMetrics with a timestamp in each line and "# EOF" at
// its end, and scrapes nothing. They may be of any time. It returns its URL without a slash at the end.
func PrometheusOf(tb testing.TB, samples string) string {
	tb.Helper()
	prometheus, promtool, dir := Tool(tb, "prometheus"), Tool(tb, "promtool"), newFolder(tb, nil)
	configuration, input, data := filepath.Join(dir, "prometheus.yml"), filepath.Join(dir, "samples.txt"), filepath.Join(dir, "data")
	check(tb, os.WriteFile(configuration, []byte("scrape_configs: []\n"), 0o600))
	check(tb, os.WriteFile(input, []byte(samples), 0o600))
	// It reads all samples once for each block, so few blocks.
	run(tb, nil, dir, promtool, "tsdb", "create-blocks-from", "--max-block-duration=31d", "openmetrics", "--quiet", input, data)
	s := serveHTTP(tb, dir, ready, prometheus, "--config.file="+configuration, "--storage.tsdb.path="+data, "--storage.tsdb.retention.time=100y")
	return s.URL
}
