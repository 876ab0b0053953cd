//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A notice is what one receiver is told about one alert.
type notice struct {
	Status              string
	Labels, Annotations map[string]string

	receiver string
	at       time.Time
}

func (n notice) name() string { return n.Labels["alertname"] }

func (n notice) isOf(client string) bool { return n.Labels["client"] == client && n.name() != watchdog }

// about is the alert and its receiver, in words.
func (n notice) about() string { return fmt.Sprintf("%s %v", n.receiver, n.Labels) }

func (n notice) String() string {
	return fmt.Sprintf("%s %s %s: %q", n.at.Format("15:04:05"), n.Status, n.about(), n.Annotations["summary"])
}

// An inbox is the webhook of every receiver: each has the path of its name.
type inbox struct {
	mu      sync.Mutex
	notices []notice
}

func newInbox(t *testing.T) (_ *inbox, base string) {
	t.Helper()
	in := new(inbox)
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	return in, server.URL
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message struct{ Alerts []notice }
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, n := range message.Alerts {
		n.receiver, n.at = strings.TrimPrefix(r.URL.Path, "/"), time.Now()
		in.notices = append(in.notices, n)
	}
}

// of returns what has arrived about a client. The watchdog, whose notices always come, is about none.
func (in *inbox) of(client string) []notice {
	in.mu.Lock()
	defer in.mu.Unlock()
	return heard(slices.DeleteFunc(slices.Clone(in.notices), func(n notice) bool { return !n.isOf(client) }))
}

// heard leaves out that an alert is resolved of which nobody was told before: whenever Alertmanager has something to tell of
// a group, it also names those that it suppressed until they were resolved.
func heard(notices []notice) []notice {
	fired := make(map[string]bool)
	return slices.DeleteFunc(notices, func(n notice) bool {
		fired[n.about()] = fired[n.about()] || n.Status == "firing"
		return !fired[n.about()]
	})
}

// take returns what has arrived about a client, and forgets it.
func (in *inbox) take(client string) []notice {
	in.mu.Lock()
	defer in.mu.Unlock()
	var taken []notice
	in.notices = slices.DeleteFunc(in.notices, func(n notice) bool {
		if n.isOf(client) {
			taken = append(taken, n)
		}
		return n.isOf(client)
	})
	return heard(taken)
}

// watched tells whether the watchdog's notice has arrived.
func (in *inbox) watched() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, err := first(in.notices, "watchdog", watchdog, "firing")
	return err
}

// first returns the first notice of that status about an alert to a receiver.
func first(notices []notice, receiver, alert, status string) (notice, error) {
	for _, n := range notices {
		if n.receiver == receiver && n.name() == alert && n.Status == status {
			return n, nil
		}
	}
	return notice{}, fmt.Errorf("%s was not told that %s is %s", receiver, alert, status)
}

// unresolved returns the alerts of which a receiver was told that they fire, and not yet that they do no more.
func unresolved(notices []notice) []string {
	last := make(map[string]string)
	for _, n := range notices {
		last[n.about()] = n.Status
	}
	var found []string
	for about, status := range last {
		if status != "resolved" {
			found = append(found, about)
		}
	}
	slices.Sort(found)
	return found
}
