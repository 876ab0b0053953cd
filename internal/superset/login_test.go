package superset

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestRefusedLogin shows that an account is not locked by many attempts, whoever shares it.
func TestRefusedLogin(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{loginPage: answerJSON(401, `{"message":"Not authorized"}`)})
	now := start
	p := NewPool(func() time.Time { return now })
	account := by(t, f.URL, testserver.User)
	first, second := open(t, p, account, "d", "e"), open(t, p, account, "d")
	for i, want := range []int64{1, 1, 2} {
		now = start.Add(time.Duration(i) * refusedFor / 2)
		for _, r := range []*Reports{first, second} {
			run, err := look(t, r, time.Duration(i)*5*time.Minute)
			if err == nil || failed(run)["d"] != "login" {
				t.Errorf("%+v, %v", run, err)
			}
		}
		if got := f.logins.Load(); got != want {
			t.Errorf("%d logins after %s, want %d", got, now.Sub(start), want)
		}
	}
	// Another password is tried at once.
	must(t, os.WriteFile(account.Password.Path(), []byte("another"), 0o600))
	if run, _ := look(t, second, 20*time.Minute); failed(run)["d"] != "login" || f.logins.Load() != 3 {
		t.Errorf("with another password: %+v after %d logins", run, f.logins.Load())
	}
	f.pages[loginPage] = answerJSON(200, `{"access_token":"`+accessCanary+`"}`)
	must(t, os.WriteFile(account.Password.Path(), []byte("right"), 0o600))
	_, err := look(t, first, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "dashboard e: not_found") || strings.Contains(err.Error(), "dashboard d") {
		t.Errorf("error %v", err)
	}
}

// TestFailedLogin shows for how long no login is tried after one that failed otherwise, by whatever needs one.
func TestFailedLogin(t *testing.T) {
	limited := func(retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			answerJSON(429, `{"message":"5 per 1 minute"}`)(w, r)
		}
	}
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		interval time.Duration
		reason   string
		held     time.Duration
	}{
		"server error":           {page(502), time.Hour, "server_error", failedFor},
		"the next run is sooner": {page(502), failedFor / 2, "server_error", failedFor / 2},
		"hung up":                {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, time.Hour, "unreachable", failedFor},
		"no such page":           {page(404), time.Hour, "bad_answer", failedFor},
		"limited":                {answerJSON(429, `{}`), time.Hour, "rate_limited", failedFor},
		"limited for a time":     {limited("120"), time.Minute, "rate_limited", 2 * time.Minute},
		"limited for very long":  {limited("36000"), time.Minute, "rate_limited", refusedFor},
		"limited until a date":   {limited("Mon, 02 Mar 2026 09:00:00 GMT"), time.Hour, "rate_limited", failedFor},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, map[string]http.HandlerFunc{loginPage: test.handler})
			now := start
			r := open(t, NewPool(func() time.Time { return now }), by(t, f.URL, testserver.User), "d", "e")
			r.interval = test.interval
			for i, want := range []int64{1, 1, 2} {
				now = start.Add(time.Duration(i) * test.held / 2)
				run, _ := look(t, r, time.Duration(i)*test.interval)
				compare(t, failed(run), map[string]string{"d": test.reason, "e": test.reason})
				if got := f.logins.Load(); got != want {
					t.Errorf("%d logins after %s, want %d", got, now.Sub(start), want)
				}
			}
		})
	}
}

// TestSlowLogin has a login hang, which keeps only those waiting who need it. A login is a request like any other.
func TestSlowLogin(t *testing.T) {
	release := make(chan struct{})
	f := newFake(t, map[string]http.HandlerFunc{loginPage: func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "slow") {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		} else {
			<-time.After(20 * time.Millisecond)
		}
		answerJSON(200, tokens)(w, r)
	}})
	p := NewPool(time.Now)
	begin := func(a config.SupersetAccount) *Reports {
		r := open(t, p, a, "d")
		_, _ = r.Latest(ended(t), start)
		return r
	}
	var waiting []*Reports
	slow := by(t, f.URL, "slow")
	for range parallel + 1 {
		waiting = append(waiting, begin(slow))
	}
	testserver.Eventually(t, 10*time.Second, func() error {
		if f.logins.Load() == 0 {
			return fmt.Errorf("nobody logs in")
		}
		return nil
	})
	_, err := look(t, open(t, p, by(t, f.URL, "quick"), "d"), 0)
	must(t, err)
	close(release)
	for i := range 2 * parallel {
		waiting = append(waiting, begin(by(t, f.URL, fmt.Sprint("another", i))))
	}
	for _, r := range waiting {
		_, err := look(t, r, 0)
		must(t, err)
	}
	if logins, most := f.logins.Load(), f.most.Load(); logins != 2+2*parallel || most != parallel {
		t.Errorf("%d logins, want one of each account; %d requests at a time, want %d", logins, most, parallel)
	}
}

// TestLDAP logs in where the directory knows the user, and nobody else does.
func TestLDAP(t *testing.T) {
	var asked []string
	f := newFake(t, map[string]http.HandlerFunc{loginPage: func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, string(body))
		var given struct{ Provider string }
		if err := json.Unmarshal(body, &given); err != nil || given.Provider != "ldap" {
			answerJSON(401, `{"message":"Not authorized"}`)(w, r)
			return
		}
		answerJSON(200, tokens)(w, r)
	}})
	account := by(t, f.URL, testserver.User)
	for provider, want := range map[config.SupersetProvider]map[string]string{
		config.SupersetLDAP: {"c": "ok"}, config.SupersetDB: {"d": "login"},
	} {
		asked, account.Provider = nil, provider
		run, _ := look(t, open(t, NewPool(time.Now), account, "d"), 0)
		compare(t, failed(run), want)
		sent := fmt.Sprintf(`{"password":%q,"provider":%q,"refresh":true,"username":%q}`, testserver.Password, provider, testserver.User)
		if len(asked) != 1 || asked[0] != sent {
			t.Errorf("sent %v, want %s", asked, sent)
		}
	}
}

// TestCookies has a load balancer, which adds a cookie of its own to the session that goes with a CSRF token.
func TestCookies(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{
		csrfPage: func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: cookieCanary})
			http.SetCookie(w, &http.Cookie{Name: "server", Value: "s1"})
			answerJSON(200, `{"result":"canary-csrf"}`)(w, r)
		},
		dataPage: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-CSRFToken") != "canary-csrf" || r.Header.Get("Cookie") != "session="+cookieCanary+"; server=s1" {
				answerJSON(400, `{"errors":[{"message":"400 Bad Request: The CSRF session token is missing."}]}`)(w, r)
				return
			}
			answerJSON(400, `{"message":"Error: s1 knows `+cookieCanary+`"}`)(w, r)
		},
	})
	run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
	must(t, err)
	if c := charts(run)["c"]; c.Failure == nil || c.Failure.Text != "Error: s1 knows <secret>" {
		t.Errorf("%+v", c.Failure)
	}
}
