package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// secretsOfSuperset are what a misbehaving Superset gives and quotes.
func secretsOfSuperset() map[string]string {
	return map[string]string{
		"password": testserver.Password, "access": "canary-access", "ready": "canary-ready", "stale": "canary-stale", "refresh": "canary-refresh", "cookie": "canary-cookie", "csrf": "canary-csrf",
		"foreign": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature", "source": "canary-source",
	}
}

// A loose Superset wants a CSRF token, hands out cookies, and quotes every secret of the account in its errors. While it is
// silent it answers nothing, while it is large a chart has 50 MB of data.
type looseSuperset struct {
	*httptest.Server
	logins        atomic.Int64
	silent, large atomic.Bool
}

func newLooseSuperset(t *testing.T) *looseSuperset {
	t.Helper()
	secrets, s := secretsOfSuperset(), new(looseSuperset)
	pages := map[string]string{
		"POST /api/v1/security/login":      `{"access_token":"` + secrets["access"] + `","refresh_token":"` + secrets["refresh"] + `"}`,
		"GET /api/v1/security/csrf_token/": `{"result":"` + secrets["csrf"] + `"}`,
		"GET /api/v1/dashboard/d":          `{"result":{"id":1}}`,
		"GET /api/v1/dashboard/1/charts":   `{"result":[{"id":7,"slice_name":"c"}]}`,
		"GET /api/v1/dashboard/1/datasets": `{"result":[]}`,
		"GET /api/v1/chart/7":              `{"result":{"query_context":"{}"}}`,
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if s.silent.Load() {
			<-r.Context().Done()
			return
		}
		page := r.Method + " " + r.URL.Path
		if page == "POST /api/v1/security/login" {
			s.logins.Add(1)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: secrets["cookie"]})
		w.Header().Set("Content-Type", "application/json")
		bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if bearer == secrets["stale"] {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"msg":"%s has expired"}`, bearer)
			return
		}
		if s.large.Load() && page == "POST /api/v1/chart/data" {
			row := `{"order_id":"` + strings.Repeat("M", 10<<10) + `"},`
			_, _ = io.WriteString(w, `{"result":[{"data":[`+strings.Repeat(row, 5<<10)+`{}]}]}`)
			return
		}
		if body, ok := pages[page]; ok {
			_, _ = io.WriteString(w, body)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		if cookie, err := r.Cookie("session"); err != nil || cookie.Value != secrets["cookie"] || r.Header.Get("X-CSRFToken") != secrets["csrf"] {
			_, _ = io.WriteString(w, `{"errors":[{"message":"400 Bad Request: The CSRF token is missing."}]}`)
			return
		}
		quoted := []string{bearer, secrets["cookie"], secrets["csrf"]}
		if bearer == secrets["access"] {
			quoted = append(quoted, secrets["password"], secrets["refresh"])
		}
		_, _ = fmt.Fprintf(w, `{"message":"Error: solr://u:%s@solr?jwt=%s refuses %s"}`, secrets["source"], secrets["foreign"], strings.Join(quoted, " "))
	}))
	t.Cleanup(s.Close)
	return s
}

// wantNoSecrets looks for the secrets of Superset in the pages seen and the logs.
func wantNoSecrets(t *testing.T, p *process, seen string) {
	t.Helper()
	for where, text := range map[string]string{"a page": seen, "stdout": p.stdout.String(), "stderr": p.stderr.String()} {
		for what, secret := range secretsOfSuperset() {
			if strings.Contains(text, secret) {
				t.Errorf("the %s stands in %s:\n%s", what, where, text)
			}
		}
	}
}

// wantOthersQuick wants a page on which no collector of KREWE but the reports took long.
func wantOthersQuick(t *testing.T, page string) {
	t.Helper()
	for _, name := range omsCollectors() {
		if took := value(t, page, `oms_collector_duration_seconds{client="KREWE",collector="`+name+`"}`); took > 2 {
			t.Errorf("%s took %g s", name, took)
		}
	}
}

// TestReadyToken has a token in a file, which Superset refuses at first, and quotes in its errors.
func TestReadyToken(t *testing.T) {
	s, secrets := newLooseSuperset(t), secretsOfSuperset()
	file, token := filepath.Join(t.TempDir(), "oms_exporter.yml"), filepath.Join(t.TempDir(), "superset.token")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(token, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(secrets["stale"])
	const reports = "    superset: {url: %q, token_file: %q, dashboards: [d]}\n"
	writeConfig(t, file, sqliteClient(t, "KREWE")+fmt.Sprintf(reports, s.URL, token))
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	var seen strings.Builder
	see := func(line, words string) {
		t.Helper()
		const debug = "/probe?client=KREWE&collector=reports&debug=true"
		pages := map[string]string{"/metrics": line, debug: words, "/client?name=KREWE": words, "/probe?client=KREWE": line}
		for _, path := range []string{"/metrics", debug, "/client?name=KREWE", "/probe?client=KREWE"} {
			page := p.get(t, path, timeoutHeader+": 30")
			seen.WriteString(page)
			if !strings.Contains(page, pages[path]) {
				t.Errorf("%s lacks %s:\n%s", path, pages[path], page)
			}
		}
	}
	see(`oms_report_dashboard_error{client="KREWE",dashboard="d",reason="login"} 1`, "rejects the token, put a new one into token_file")
	put(secrets["ready"])
	status, answer := p.ask(t, "POST", "/-/reload") // for another first run
	if status != http.StatusOK {
		t.Errorf("status %d: %s", status, answer)
	}
	see(`oms_report_chart_error{chart="c",client="KREWE",dashboard="d",reason="query"} 1`, "solr")
	if n := s.logins.Load(); n > 0 {
		t.Errorf("%d logins by whoever has a token", n)
	}
	wantNoSecrets(t, p, seen.String()+answer)
}

// TestLargeAnswer has a chart with 50 MB of data, which costs nobody else anything.
func TestLargeAnswer(t *testing.T) {
	t.Setenv("SUPERSET_PASSWORD", testserver.Password)
	s := newLooseSuperset(t)
	s.large.Store(true)
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, file, withSuperset(sqliteClient(t, "KREWE"), s.URL, "d"))
	p := start(t, "--config.file="+file)
	others := omsCollectors()
	testserver.Eventually(t, 30*time.Second, func() error { // the first look back
		page := p.get(t, "/probe?client=KREWE&collector="+strings.Join(others, "&collector="))
		for _, name := range others {
			if !strings.Contains(page, `oms_collector_success{client="KREWE",collector="`+name+`"} 1`) {
				return errors.New(page)
			}
		}
		return nil
	})
	page := p.get(t, "/metrics", timeoutHeader+": 60")
	wantLines(t, page, `oms_report_chart_error{chart="c",client="KREWE",dashboard="d",reason="too_large"} 1`)
	for _, name := range append(others, "reports") {
		wantLines(t, page, `oms_collector_success{client="KREWE",collector="`+name+`"} 1`)
	}
	wantOthersQuick(t, page)
}
