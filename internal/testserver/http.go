package testserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
)

// ready is the page by which servers of Prometheus' family say that they are.
const ready = "/-/ready"

// An HTTPServer is a running server of Prometheus' family.
type HTTPServer struct {
	*daemon
	URL string // without a slash at the end

	page string // which answers when the server is ready
}

// Stop ends the server before the test does.
func (s *HTTPServer) Stop(tb testing.TB) {
	tb.Helper()
	s.end(tb, syscall.SIGTERM)
}

// Restart starts a server that was stopped, with what it has kept, at the same address.
func (s *HTTPServer) Restart(tb testing.TB) {
	tb.Helper()
	d := start(tb, nil, filepath.Dir(s.log), s.command)
	s.daemon = d
	tb.Cleanup(func() { d.end(tb, syscall.SIGTERM) })
	ctx, cancel := context.WithTimeout(d.life, patience)
	defer cancel()
	if err := poll(ctx, func() error { return get(ctx, s.URL+s.page) }); err != nil {
		tb.Fatalf("%s does not start again: %v; its output ends with\n%s", s.name, err, s.output(tb))
	}
}

// serveHTTP starts a server of Prometheus' family in dir, and waits until that page answers.
func serveHTTP(tb testing.TB, dir, page string, command ...string) HTTPServer {
	tb.Helper()
	s := HTTPServer{page: page}
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
	_, err := Page(ctx, http.MethodGet, url)
	return err
}

// Page returns the body of a page, and an error unless its status is OK.
func Page(ctx context.Context, method, url string) (string, error) {
	status, body, err := Fetch(ctx, method, url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d %s: %s", url, status, http.StatusText(status), body)
	}
	return body, err
}

// Fetch sends a request without a body, on a connection of its own, and returns the answer's status and body.
func Fetch(ctx context.Context, method, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	transport := &http.Transport{DisableKeepAlives: true} // which would outlive the test
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), errors.Join(err, response.Body.Close())
}
