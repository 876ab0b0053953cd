package deploy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// services stand for the watchdog, the pager, the chat and Jira, and remember what they are sent.
type services struct {
	*httptest.Server

	mu       sync.Mutex
	received map[string][]string // by method and path: authorization and body
	ticket   string              // the status category of the one ticket, if there is one
}

func newServices(t *testing.T) *services {
	t.Helper()
	s := &services{received: map[string][]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP answers as each service does.
func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	call := r.Method + " " + r.URL.Path
	s.received[call] = append(s.received[call], r.Header.Get("Authorization")+"\n"+string(body))

	answer := "ok"
	switch call {
	case "POST /jira/search":
		answer = `{"issues": []}`
		if s.ticket != "" {
			answer = `{"issues": [{"key": "OMS-1", "fields": {"status": {"statusCategory": {"key": "` + s.ticket + `"}}}}]}`
		}
	case "POST /jira/issue":
		s.ticket = "new"
	case "GET /jira/issue/OMS-1/transitions":
		answer = `{"transitions": [{"id": "Done", "name": "Done"}, {"id": "To Do", "name": "To Do"}]}`
	case "POST /jira/issue/OMS-1/transitions":
		s.ticket = map[bool]string{true: "done", false: "new"}[strings.Contains(string(body), "Done")]
	}
	_, _ = io.WriteString(w, answer)
}

// requests returns what a service was sent.
func (s *services) requests(call string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.received[call]...)
}

// await waits until a service gets a request with all the words.
func (s *services) await(t *testing.T, call string, words ...string) {
	t.Helper()
	testserver.Eventually(t, patience, func() error {
		requests := s.requests(call)
		for _, request := range requests {
			if !missesAny(request, words) {
				return nil
			}
		}
		return fmt.Errorf("%s: no %q in %q", call, words, requests)
	})
}

func missesAny(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return true
		}
	}
	return false
}
