package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// TestMaxRequests has more scrapes at a time than may be, of a client that hangs: those of another are answered.
func TestMaxRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := newFake()
		b := newBench(t, options{maxRequests: 3}, map[string]*omstest.Fake{"KREWE": hung}, "KREWE", "UCG")
		hung.Before = func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		for _, page := range []string{"/metrics", "/metrics?client=UCG", "/probe?client=KREWE", "/probe?client=KREWE&debug=true"} {
			var waiting sync.WaitGroup
			for range 3 {
				waiting.Go(func() {
					if w := b.ask(t.Context(), "GET", page); w.Code != 200 {
						t.Errorf("%s: status %d: %s", page, w.Code, w.Body)
					}
				})
			}
			synctest.Wait()
			full := b.ask(t.Context(), "GET", page)
			if full.Code != 503 || !strings.Contains(full.Body.String(), "3 requests are already in progress (--web.max-requests)") {
				t.Errorf("%s: status %d: %s", page, full.Code, full.Body)
			}
			for other, want := range map[string]int{"/probe?client=UCG": 200, "/": 200, "/-/healthy": 200, "/sd": 200} {
				if w := b.ask(t.Context(), "GET", other); w.Code != want {
					t.Errorf("%s beside %s: status %d", other, page, w.Code)
				}
			}
			waiting.Wait()
			if w := b.ask(t.Context(), "GET", "/probe?client=UCG"); w.Code != 200 {
				t.Errorf("after %s: status %d", page, w.Code)
			}
		}
	})
}

// TestPagesAtOnce has as many pages be made as may be, which take longer than others wait, and then does not.
func TestPagesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{}, nil, "KREWE")
		for range pagesAtOnce {
			b.pagePlaces <- struct{}{}
		}
		for page, want := range map[string]int{"/": 503, "/status.json": 503, "/client?name=KREWE": 503, "/metrics": 200, "/probe?client=KREWE": 200, "/sd": 200} {
			start := time.Now()
			w := b.ask(t.Context(), "GET", page)
			if waited := time.Since(start) == pagePatience; w.Code != want || waited != (want == 503) {
				t.Errorf("%s: status %d after %s", page, w.Code, time.Since(start))
			}
		}
		go func() {
			time.Sleep(pagePatience / 2)
			<-b.pagePlaces
		}()
		if w := b.ask(t.Context(), "GET", "/"); w.Code != 200 || len(b.pagePlaces) != pagesAtOnce-1 {
			t.Errorf("with a place: status %d, %d places taken", w.Code, len(b.pagePlaces))
		}
	})
}

// TestSlowReaders has more readers who read nothing than requests may be answered at a time: others are answered all the same. When
// what they have not read is too much, the first ones lose it.
func TestSlowReaders(t *testing.T) {
	const readers, kept = 12, 4
	large := newFake()
	large.Facts = largeClient(time.Now())
	b := newBench(t, options{maxRequests: 3, maxSeries: 500}, map[string]*omstest.Fake{"KREWE": large, "UCG": large}, "KREWE", "UCG")
	server := b.newHTTPServer()
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if err := c.(*net.TCPConn).SetWriteBuffer(64 << 10); err != nil {
			t.Error(err)
		}
		return ctx
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // until it is closed
	closeAtEnd(t, server)
	ask := func() *http.Response {
		t.Helper()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, conn)
		if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("answer %v, %v", answer, err)
		}
		return answer
	}
	first := b.ask(t.Context(), "GET", "/metrics").Body.Len()
	b.unsent.most = kept*first + first/2
	var slow []*http.Response
	for range readers {
		slow = append(slow, ask()) //nolint:bodyclose // its connection is
	}
	for i, answer := range slow {
		body, err := io.ReadAll(answer.Body)
		complete := err == nil && strings.Contains(string(body), "\npromhttp_")
		if complete != (i >= readers-kept) {
			t.Errorf("reader %d: %d bytes, %v", i, len(body), err)
		}
	}
	if b.unsent.size != 0 || len(b.unsent.all) != 0 {
		t.Errorf("%d bytes of %d answers are still kept", b.unsent.size, len(b.unsent.all))
	}
}

// TestCrossOrigin has pages of others send a browser here.
func TestCrossOrigin(t *testing.T) {
	b := newBench(t, options{lifecycle: true}, nil, "KREWE")
	b.faults = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeLine(w, "broken") })
	for _, page := range []string{"/-/reload", "/demo/fault?client=KREWE&name=order-stuck&on=true"} {
		for headers, want := range map[string]int{
			"": 200, "Sec-Fetch-Site: same-origin": 200, "Sec-Fetch-Site: cross-site": 403, "Sec-Fetch-Site: same-site": 403, "Origin: https://evil.example": 403,
		} {
			if w := b.ask(t.Context(), "POST", page, headers); w.Code != want {
				t.Errorf("%s with %q: status %d, want %d", page, headers, w.Code, want)
			}
		}
	}
	if w := b.ask(t.Context(), "GET", "/", "Sec-Fetch-Site: cross-site"); w.Code != 200 {
		t.Errorf("a link leads to status %d", w.Code)
	}
}

// TestDiscoveryHost shows which names of the exporter are handed on.
func TestDiscoveryHost(t *testing.T) {
	b := newBench(t, options{}, nil, "KREWE")
	for host, want := range map[string]int{
		"exporter": 200, "oms-exporter.oms_exporter.svc:9942": 200, "192.0.2.7:9942": 200, "[2001:db8::1]:9942": 200, "[::1]": 200,
		"": 400, "a b": 400, "a/b": 400, "<script>": 400, "user@host": 400, "a:b": 400, "a:999999": 400, "-a": 400, "a,b": 400, "2001:db8::1": 400,
		strings.Repeat("a", 300): 400,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/sd", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if b.handler().ServeHTTP(w, r); w.Code != want || want == 400 && host != "" && strings.Contains(w.Body.String(), host) {
			t.Errorf("%.40q: status %d, want %d: %s", host, w.Code, want, w.Body)
		}
	}
}

// brokenWriter is a connection that its other end has closed.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("write: broken pipe") }

// TestQuiet has hang-ups in mid-answer, and headers that are long or make no sense: there are few lines, and short ones.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{}, nil, "KREWE")
		log := logged(b)
		hangUp := func() {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
			b.handler().ServeHTTP(brokenWriter{httptest.NewRecorder()}, r)
		}
		hangUp()
		if n := strings.Count(log.String(), "the answer is not complete"); n != 1 || strings.Count(log.String(), "\n") != n {
			t.Errorf("one hang-up is logged as\n%s", log)
		}
		for range 100 {
			hangUp()
			b.ask(t.Context(), "GET", "/metrics/exporter", timeoutHeader+": "+strings.Repeat("9e", 450_000))
			b.ask(t.Context(), "GET", "/probe?client=KREWE", timeoutHeader+": "+strings.Repeat("ä", 450_000))
		}
		if n := strings.Count(log.String(), "\n"); n > noiseLines || log.Len() > noiseLines*2*noiseBytes {
			t.Errorf("%d lines of %d bytes", n, log.Len())
		}
		time.Sleep(noiseEvery)
		log.Reset()
		hangUp()
		if !strings.Contains(log.String(), "lines_left_out=") || !strings.Contains(log.String(), "broken pipe") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestIdleConnections has connections that say nothing, and bodies without an end.
func TestIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{}, nil, "KREWE")
		server := b.newHTTPServer()
		listener := &pipes{conns: make(chan net.Conn)}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		for name, c := range map[string]struct {
			sent  string
			more  string // again and again
			limit time.Duration
		}{
			"nothing":          {"", "", headerTimeout},
			"half a header":    {"GET / HTTP/1.1\r\nHost: a\r\n", "X-A: b\r\n", headerTimeout},
			"idle":             {"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n", "", idleTimeout},
			"an endless body":  {"POST /-/reload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", readTimeout},
			"a silent body":    {"GET /-/healthy HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n", "", readTimeout},
			"a header of 1 MB": {"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 1<<20), "", headerTimeout},
		} {
			ours, theirs := net.Pipe()
			listener.conns <- theirs
			start := time.Now()
			var writing sync.WaitGroup
			writing.Go(func() {
				_, err := io.WriteString(ours, c.sent)
				for err == nil && c.more != "" {
					time.Sleep(time.Second)
					_, err = io.WriteString(ours, c.more)
				}
			})
			_, err := io.Copy(io.Discard, ours) // until it is closed
			if took := time.Since(start); took > c.limit+2*time.Second {
				t.Errorf("%s: closed after %s (%v), want %s", name, took, err, c.limit)
			}
			if err := ours.Close(); err != nil {
				t.Error(err)
			}
			writing.Wait()
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// pipes is a listener that is given its connections.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
