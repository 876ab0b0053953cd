package superset

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const refreshPage = "POST /api/v1/security/refresh"

// TestRenewal has an account hold tokens that Superset does not accept any more, and shows what is sent until it accepts
// one, or why none is.
func TestRenewal(t *testing.T) {
	refused := answerJSON(401, `{"msg":"Token has expired"}`)
	renewed := answerJSON(200, `{"access_token":"`+accessCanary+`"}`)
	old := login{access: "old", refresh: "old-refresh", since: start.Add(-time.Hour)}
	for name, test := range map[string]struct {
		held           login
		refresh, login http.HandlerFunc
		asked          []string // what carries which token
		access         string   // held in the end
		refreshes      string   // likewise
		words          string   // of the failure
	}{
		"none yet":           {login{}, refused, nil, []string{"login", "d " + accessCanary}, accessCanary, refreshCanary, ""},
		"accepted":           {login{access: accessCanary}, refused, refused, []string{"d " + accessCanary}, accessCanary, "", ""},
		"renewed":            {old, renewed, refused, []string{"d old", "refresh old-refresh", "d " + accessCanary}, accessCanary, "old-refresh", ""},
		"to be refreshed":    {login{refresh: "old-refresh"}, renewed, refused, []string{"refresh old-refresh", "d " + accessCanary}, accessCanary, "old-refresh", ""},
		"refresh is refused": {old, refused, nil, []string{"d old", "refresh old-refresh", "login", "d " + accessCanary}, accessCanary, refreshCanary, ""},
		"nothing to refresh": {login{access: "old"}, renewed, nil, []string{"d old", "login", "d " + accessCanary}, accessCanary, refreshCanary, ""},
		"refresh fails": {old, answerJSON(500, `{}`), nil, []string{"d old", "refresh old-refresh"}, "", "old-refresh",
			"server_error: %s fails (500 Internal Server Error), its log says why"},
		"refresh gives none": {old, answerJSON(200, `{}`), nil, []string{"d old", "refresh old-refresh"}, "", "old-refresh",
			"bad_answer: %s answers a login without a token"},
		"login is refused too": {old, refused, answerJSON(403, `{"message":"no"}`), []string{"d old", "refresh old-refresh", "login"}, "", "",
			"login: %s rejects the login of user exporter, check the username, the password and the provider db: the token is refused: no"},
		"renewed for nothing": {old, answerJSON(200, `{"access_token":"odd"}`), nil, []string{"d old", "refresh old-refresh", "d odd"}, "odd", "old-refresh",
			"login: %s rejects the login of user exporter: the token is refused: Missing Authorization Header"},
		"refused at once": {login{access: "old", since: start.Add(time.Second - freshFor)}, nil, nil, []string{"d old"}, "old", "",
			"login: %s rejects the token that it has just issued to user exporter"},
		"refused a minute later": {login{access: "old", since: start.Add(-freshFor)}, nil, nil,
			[]string{"d old", "login", "d " + accessCanary}, accessCanary, refreshCanary, ""},
		"failed a while ago": {login{failed: errors.New("away"), retry: start}, nil, nil, []string{"login", "d " + accessCanary}, accessCanary, refreshCanary, ""},
		"the clock was set back": {login{failed: errors.New("away"), retry: start.Add(refusedFor + 1)}, nil, nil,
			[]string{"login", "d " + accessCanary}, accessCanary, refreshCanary, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, nil)
			if test.login != nil {
				f.pages[loginPage] = test.login
			}
			var asked []string
			handler := f.Config.Handler
			f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.Method + " " + r.URL.Path {
				case loginPage, refreshPage, boardPage:
					bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer")
					asked = append(asked, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]+bearer)
				}
				if r.URL.Path == "/api/v1/security/refresh" {
					test.refresh(w, r)
					return
				}
				handler.ServeHTTP(w, r)
			})
			r := open(t, NewPool(func() time.Time { return start }), by(t, f.URL, testserver.User), "d")
			r.account.hold(test.held)
			run, err := look(t, r, 0)
			if !slices.Equal(asked, test.asked) {
				t.Errorf("asked %q, want %q", asked, test.asked)
			}
			if got := r.account.held(); got.access != test.access || got.refresh != test.refreshes {
				t.Errorf("holds %q and %q, want %q and %q", got.access, got.refresh, test.access, test.refreshes)
			}
			if test.words == "" {
				must(t, err)
				compare(t, failed(run), map[string]string{"c": "ok"})
			} else if want := "dashboard d: " + fmt.Sprintf(test.words, f.URL); err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

// TestSecretsOfAccount has the secrets of an account in files, which are read when they are wanted.
func TestSecretsOfAccount(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{boardPage: answerJSON(403, `{"message":"hidden from `+accessCanary+`"}`)})
	file := filepath.Join(t.TempDir(), "secret")
	ready := config.SupersetAccount{URL: f.URL, Token: config.FileSecret(file)}
	login := config.SupersetAccount{URL: f.URL, Provider: config.SupersetDB, Username: "exporter", Password: config.FileSecret(file)}
	for i, step := range []struct {
		account config.SupersetAccount
		secret  string
		words   string
		logins  int64
	}{
		{ready, "", "login: token: ", 0},
		{ready, "stale", "login: " + f.URL + " rejects the token, put a new one into token_file", 0},
		{ready, accessCanary, "permission: the token may not see it, grant it in Superset: hidden from <secret>", 0},
		{login, "", "login: password: ", 0},
		{login, "correct", "permission: user exporter may not see it, grant it in Superset: hidden from <secret>", 1},
	} {
		_ = os.Remove(file)
		if step.secret != "" {
			must(t, os.WriteFile(file, []byte(step.secret+"\n"), 0o600))
		}
		_, err := look(t, open(t, NewPool(time.Now), step.account, "d"), 0)
		if err == nil || !strings.Contains(err.Error(), "dashboard d: "+step.words) {
			t.Errorf("step %d: error %v, want %s", i, err, step.words)
		}
		if got := f.logins.Load(); got != step.logins {
			t.Errorf("step %d: %d logins, want %d", i, got, step.logins)
		}
	}
	// A token that is refused is read again at once. One that is accepted is kept, whatever becomes of its file.
	must(t, os.WriteFile(file, []byte("stale"), 0o600))
	r := open(t, NewPool(time.Now), ready, "d")
	read := 0
	f.Config.Handler = func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if read++; read == 1 {
				must(t, os.WriteFile(file, []byte(accessCanary), 0o600))
			}
			next.ServeHTTP(w, r)
		}
	}(f.Config.Handler)
	for i, want := range []int{2, 3} {
		_, err := look(t, r, time.Duration(i)*5*time.Minute)
		if err == nil || !strings.Contains(err.Error(), "may not see it") || read != want {
			t.Errorf("%d requests, want %d: %v", read, want, err)
		}
		must(t, os.RemoveAll(file))
	}
}

// TestCSRFTokens has a Superset that wants a CSRF token with each request that may change something.
func TestCSRFTokens(t *testing.T) {
	given, accepted := 0, 0 // numbers of tokens
	var posts []string
	give := func(w http.ResponseWriter, r *http.Request) {
		given++
		answerJSON(200, fmt.Sprintf(`{"result":"t%d"}`, given))(w, r)
	}
	f := newFake(t, map[string]http.HandlerFunc{csrfPage: give})
	data := f.pages[dataPage]
	f.pages[dataPage] = func(w http.ResponseWriter, r *http.Request) {
		posts = append(posts, r.Header.Get("X-CSRFToken")+" "+r.Header.Get("Referer"))
		if token := r.Header.Get("X-CSRFToken"); token != fmt.Sprint("t", accepted) {
			answerJSON(400, `{"errors":[{"message":"400 Bad Request: The CSRF token is invalid."}]}`)(w, r)
			return
		}
		data(w, r)
	}
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d")
	for i, step := range []struct {
		accepted int
		give     http.HandlerFunc
		posts    string // with which tokens
		words    string
	}{
		{1, give, " ,t1 U", ""},
		{1, give, "t1 U", ""},
		{2, give, "t1 U,t2 U", ""},
		{9, give, "t2 U,t3 U", "bad_answer: U accepts none of its own CSRF tokens: a CSRF token is wanted"},
		{9, answerJSON(500, `{}`), "t3 U", "server_error: U fails (500 Internal Server Error), its log says why"},
	} {
		posts, accepted, f.pages[csrfPage] = nil, step.accepted, step.give
		run, err := look(t, r, time.Duration(i)*5*time.Minute)
		must(t, err)
		if got := strings.ReplaceAll(strings.Join(posts, ","), f.URL, "U"); got != step.posts {
			t.Errorf("step %d: posts with %q, want %q", i, got, step.posts)
		}
		got := ""
		if failure := charts(run)["c"].Failure; failure != nil {
			got = strings.ReplaceAll(string(failure.Reason)+": "+failure.Text, f.URL, "U")
		}
		if got != step.words {
			t.Errorf("step %d: %q, want %q", i, got, step.words)
		}
	}
}

// TestRequests shows what goes with each request.
func TestRequests(t *testing.T) {
	f := newFake(t, nil)
	var asked []string
	f.Config.Handler = func(next http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, fmt.Sprintf("%s %s|%s|%s|%s|%s", r.Method, r.URL.Path, r.Header.Get("Accept"), r.Header.Get("Accept-Language"),
				r.Header.Get("User-Agent"), r.Header.Get("Content-Type")))
			next.ServeHTTP(w, r)
		}
	}(f.Config.Handler)
	_, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
	must(t, err)
	const get, post = "|application/json|en|oms_exporter|", "|application/json|en|oms_exporter|application/json"
	want := []string{loginPage + post, boardPage + get, listPage + get, "GET /api/v1/dashboard/1/datasets" + get, chartPage + get, dataPage + post}
	if !slices.Equal(asked, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}

// TestWords has each form of an error, and shows how much of it is told.
func TestWords(t *testing.T) {
	text := func(n int) string { return strings.Repeat("ä", n) }
	for body, want := range map[string]string{
		`{"errors":[{"message":"first"},{"message":"second"}],"message":"other"}`: "first",
		`{"errors":[],"error":"a  mistake:\n "}`:                                  "a mistake",
		`{"message":"in words"}`:                                                  "in words",
		`{"message":{"json":["a","b"]}}`:                                          `{"json":["a","b"]}`,
		`{"msg":"about a token","message":"other"}`:                               "about a token",
		`{"message":"` + text(maxText) + `"}`:                                     text(maxText),
		`{"message":"` + text(maxText+1) + `"}`:                                   text(maxText) + "…",
		`{"message":"` + strings.Repeat("x", maxComplaint) + `"}`:                 "U rejects the request (422 Unprocessable Entity)",
		`<html>`: "U rejects the request (422 Unprocessable Entity)",
	} {
		status := 422
		if strings.Contains(body, `"msg"`) { // with the other status it would be about the token
			status = 400
		}
		f := newFake(t, map[string]http.HandlerFunc{dataPage: answerJSON(status, body)})
		run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
		must(t, err)
		if c := charts(run)["c"]; c.Failure == nil || strings.ReplaceAll(c.Failure.Text, f.URL, "U") != want {
			t.Errorf("%.80s: %+v, want %s", body, c.Failure, want)
		}
	}
}

// TestGuard reads up to the limits, and no byte or value more.
func TestGuard(t *testing.T) {
	for _, c := range []struct {
		text  string
		guard guard
		want  error
	}{
		{"four", guard{left: 4}, nil},
		{"four", guard{left: 3}, errTooLarge},
		{`[1,{"a":"],,\\\"["}]`, guard{left: 100, elements: 3}, nil},
		{`[1,{"a":"],,\\\"["}]`, guard{left: 100, elements: 2}, errTooLarge},
		{strings.Repeat("[", maxDepth), guard{left: 1000, elements: 1000}, nil},
		{strings.Repeat("[", maxDepth+1), guard{left: 1000, elements: 1000}, errForm},
		{strings.Repeat("[]", maxDepth), guard{left: 1000, elements: 1000}, nil},
		{"four", guard{left: 4, within: 5}, nil},
		{"four", guard{left: 4, within: 3}, errTooLarge},
	} {
		c.guard.r = strings.NewReader(c.text)
		if _, err := io.ReadAll(&c.guard); !errors.Is(err, c.want) {
			t.Errorf("%.20s within %+v: %v", c.text, c.guard, err)
		}
	}
}
