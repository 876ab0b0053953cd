package testserver

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
)

// serveHTTP starts a server of Prometheus' family in dir, and returns its URL when it is ready.
func serveHTTP(tb testing.TB, dir string, command ...string) string {
	tb.Helper()
	var base string
	serve(tb, nil, dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		address := "127.0.0.1:" + port
		base = "http://" + address
		return append(command[:len(command):len(command)], "--web.listen-address="+address),
			func(ctx context.Context) error { return get(ctx, base+"/-/ready") }
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
