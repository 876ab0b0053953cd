package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// What a connection may take. Prometheus keeps connections open from scrape to scrape.
const (
	headerTimeout = 10 * time.Second
	// readTimeout is for a whole request. It must be longer than a scrape: the server takes its end for that of the scraper.
	readTimeout = maxTimeout + 10*time.Second
	// writeTimeout is for the scrape and for sending the answer.
	writeTimeout = 2 * maxTimeout
	idleTimeout  = 75 * time.Second
	maxHeader    = 16 << 10 // bytes
)

// newHTTPServer returns what answers with the server's pages.
func (s *server) newHTTPServer() *http.Server {
	return &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.noise.Handler(), slog.LevelWarn),
	}
}

const probePath = "/probe"

// places bounds how many requests are answered at a time, for each key.
type places struct {
	most int // 0 is no bound

	mu    sync.Mutex
	taken map[string]int
}

func newPlaces(most int) *places { return &places{most: most, taken: map[string]int{}} }

// take takes a place, which leave gives back, if there is one.
func (p *places) take(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most > 0 && p.taken[key] >= p.most {
		return false
	}
	p.taken[key]++
	return true
}

func (p *places) leave(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[key]--; p.taken[key] == 0 {
		delete(p.taken, key)
	}
}

// atMost answers as many requests as --web.max-requests at a time, and refuses the others. Those for a client do not count for
// the others: one whose database hangs must not take their places.
func (s *server) atMost(page http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := ""
		if r.URL.Path == probePath {
			key = r.URL.Query().Get("client")
		}
		if !s.places.take(key) {
			http.Error(w, fmt.Sprintf("%d requests are already in progress (--web.max-requests), try again later", s.places.most),
				http.StatusServiceUnavailable)
			return
		}
		defer s.places.leave(key)
		page.ServeHTTP(w, r)
	}
}

const (
	// pagesAtOnce is how many pages for people are made at a time: with more, scrapes would get too little of the processor.
	pagesAtOnce = 8
	// pagePatience is how long others wait for one of those.
	pagePatience = 10 * time.Second
)

// forPeople makes few pages at a time, and lets others wait for a while.
func (s *server) forPeople(page http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(pagePatience)
		defer timer.Stop()
		select {
		case s.pagePlaces <- struct{}{}:
			defer func() { <-s.pagePlaces }()
			page.ServeHTTP(w, r)
		case <-r.Context().Done():
		case <-timer.C:
			http.Error(w, "too many pages are requested, try again later", http.StatusServiceUnavailable)
		}
	}
}

// hostPort matches what can be the address of this exporter: a name or an address, and perhaps a port.
var hostPort = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)
