package testserver

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
)

// ready is the page by which servers of Prometheus' family say that they are.
const ready = "/-/ready"

// An HTTPServer is a running server of Prometheus' family.
type HTTPServer struct {
	*daemon
	URL string // without a slash at the end
}

// serveHTTP starts a server of Prometheus' family in dir, and waits until that page answers.
func serveHTTP(tb testing.TB, dir, page string, command ...string) HTTPServer {
	tb.Helper()
	var s HTTPServer
	s.daemon = serve(tb, nil, dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		address := "127.0.0.1:" + port
		s.URL = "http://" + address
		return append(command[:len(command):len(command)], "--web.listen-address="+address),
			func(ctx context.Context) error { return get(ctx, s.URL+page) }
	})
	return s
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
