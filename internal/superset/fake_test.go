package superset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// canaries are what the fake hands out and is given: they must show nowhere.
const (
	accessCanary  = "canary-access-token"
	refreshCanary = "canary-refresh-token"
	cookieCanary  = "canary-cookie"
	foreignToken  = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature"
)

// tokens is the answer to a login.
const tokens = `{"access_token":"` + accessCanary + `","refresh_token":"` + refreshCanary + `"}`

// fake is as much of a Superset's API as the exporter uses: the dashboard d with the chart c. Any of its pages can be
// replaced by a misbehaving one.
type fake struct {
	*httptest.Server
	pages  map[string]http.HandlerFunc
	logins atomic.Int64
	busy   atomic.Int64 // requests under way
	most   atomic.Int64 // of them at a time
	opened atomic.Int64 // connections
	closed atomic.Int64 // of them
}

func answerJSON(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

const (
	loginPage = "POST /api/v1/security/login"
	boardPage = "GET /api/v1/dashboard/d"
	listPage  = "GET /api/v1/dashboard/1/charts"
	chartPage = "GET /api/v1/chart/7"
	dataPage  = "POST /api/v1/chart/data"
	csrfPage  = "GET /api/v1/security/csrf_token/"
)

func newFake(tb testing.TB, pages map[string]http.HandlerFunc) *fake {
	tb.Helper()
	saved, err := json.Marshal(`{"datasource":{"id":1,"type":"table"},"force":true,"queries":[{"columns":["order_id"],"metrics":null}]}`)
	must(tb, err)
	f := &fake{pages: map[string]http.HandlerFunc{
		loginPage:                          answerJSON(200, tokens),
		boardPage:                          answerJSON(200, `{"result":{"id":1,"json_metadata":null,"position_json":null}}`),
		listPage:                           answerJSON(200, `{"result":[{"id":7,"slice_name":"c","form_data":{"datasource":"1__table","viz_type":"table"}}]}`),
		"GET /api/v1/dashboard/1/datasets": answerJSON(200, `{"result":[{"uid":"1__table","database":{"name":"KREWE"}}]}`),
		chartPage:                          answerJSON(200, `{"result":{"query_context":`+string(saved)+`}}`),
		dataPage:                           answerJSON(200, `{"result":[{"cached_dttm":"2026-03-02T07:00:00","data":[{"order_id":"M1"}]}]}`),
	}}
	for page, handler := range pages {
		f.pages[page] = handler
	}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then does the server see the client go
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.most.Store(max(f.most.Load(), f.busy.Add(1)))
		defer f.busy.Add(-1)
		page := r.Method + " " + r.URL.Path
		if page == loginPage {
			f.logins.Add(1)
		} else if r.Header.Get("Authorization") != "Bearer "+accessCanary {
			answerJSON(401, `{"msg":"Missing Authorization Header"}`)(w, r)
			return
		}
		if handler := f.pages[page]; handler != nil {
			handler(w, r)
			return
		}
		answerJSON(404, `{"message":"Not found"}`)(w, r)
	}))
	f.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			f.opened.Add(1)
		case http.StateClosed:
			f.closed.Add(1)
		default:
		}
	}
	f.Start()
	tb.Cleanup(f.Close)
	return f
}

// impatient is a pool that does not wait as long as is due.
func impatient() *Pool {
	p := NewPool(func() time.Time { return start })
	p.timeouts = timeouts{page: 500 * time.Millisecond, data: 500 * time.Millisecond}
	return p
}

// hang waits until the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// trickle writes a little now and then, until the client has gone.
func trickle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"result":[{"data":[`))
	for {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
			_, _ = w.Write([]byte(`{},`))
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// flood answers with 50 MB.
func flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"result":[{"data":[`))
	row := bytes.Repeat([]byte(`{"order_id":"`+strings.Repeat("M", 9985)+`"},`), 10)
	for range 500 {
		if _, err := w.Write(row); err != nil {
			return
		}
	}
	_, _ = w.Write([]byte(`{}]}]}`))
}

func page(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html>%s</html>", strings.Repeat("Sign in", 1000))
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}
