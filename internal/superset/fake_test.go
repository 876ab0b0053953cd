package superset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// canaries are what the fake hands out and is given: they must show nowhere.
const (
	accessCanary  = "canary-access-token"
	refreshCanary = "canary-refresh-token"
	cookieCanary  = "canary-cookie"
	foreignToken  = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature"
)

// fake is as much of a Superset's API as the exporter uses: the dashboard d with the chart c. Any of its pages can be
// replaced by a misbehaving one.
type fake struct {
	*httptest.Server
	pages  map[string]http.HandlerFunc
	logins atomic.Int64
	busy   atomic.Int64 // requests for data under way
	most   atomic.Int64 // of them at a time
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
)

func newFake(tb testing.TB, pages map[string]http.HandlerFunc) *fake {
	tb.Helper()
	saved, err := json.Marshal(`{"datasource":{"id":1,"type":"table"},"force":true,"queries":[{"columns":["order_id"],"metrics":null}]}`)
	must(tb, err)
	f := &fake{pages: map[string]http.HandlerFunc{
		loginPage:                          answerJSON(200, `{"access_token":"`+accessCanary+`","refresh_token":"`+refreshCanary+`"}`),
		boardPage:                          answerJSON(200, `{"result":{"id":1,"json_metadata":null,"position_json":null}}`),
		listPage:                           answerJSON(200, `{"result":[{"id":7,"slice_name":"c","form_data":{"datasource":"1__table","viz_type":"table"}}]}`),
		"GET /api/v1/dashboard/1/datasets": answerJSON(200, `{"result":[{"uid":"1__table","database":{"name":"KREWE"}}]}`),
		chartPage:                          answerJSON(200, `{"result":{"query_context":`+string(saved)+`}}`),
		dataPage:                           answerJSON(200, `{"result":[{"cached_dttm":"2026-03-02T07:00:00","data":[{"order_id":"M1"}]}]}`),
	}}
	for page, handler := range pages {
		f.pages[page] = handler
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the client go
		page := r.Method + " " + r.URL.Path
		if page == loginPage {
			f.logins.Add(1)
		} else if r.Header.Get("Authorization") != "Bearer "+accessCanary {
			answerJSON(401, `{"msg":"Missing Authorization Header"}`)(w, r)
			return
		}
		if page == dataPage {
			f.most.Store(max(f.most.Load(), f.busy.Add(1)))
			defer f.busy.Add(-1)
		}
		if handler := f.pages[page]; handler != nil {
			handler(w, r)
			return
		}
		answerJSON(404, `{"message":"Not found"}`)(w, r)
	}))
	tb.Cleanup(f.Close)
	return f
}

// impatient is a pool that does not wait as long as is due.
func impatient() *Pool {
	p := NewPool(func() time.Time { return start })
	p.patience = patience{page: 500 * time.Millisecond, data: 500 * time.Millisecond}
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

// TestMisbehaviour has each page misbehave in each way, and wants a reason and plain words for it.
func TestMisbehaviour(t *testing.T) {
	var stolen atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer elsewhere.Close()
	database := func(status int, text string) http.HandlerFunc {
		message, _ := json.Marshal(map[string]string{"message": "Error: " + text})
		return answerJSON(status, string(message))
	}
	for name, test := range map[string]struct {
		page    string
		handler http.HandlerFunc
		reason  oms.ReportReason
		words   string
	}{
		"wrong password":         {loginPage, answerJSON(401, `{"message":"Not authorized"}`), "login", "refuses the login of user exporter, check the username, the password and the provider db: the token is refused: Not authorized"},
		"wrong provider":         {loginPage, answerJSON(400, `{"message":{"provider":["not allowed"]}}`), "login", "check the username"},
		"login without token":    {loginPage, answerJSON(200, `{}`), "bad_answer", "answers a login without a token"},
		"login limited":          {loginPage, answerJSON(429, `{"message":"5 per 1 second"}`), "rate_limited", "429 Too Many Requests"},
		"login is a page":        {loginPage, page(200), "bad_answer", "answers with text/html; charset=utf-8 in place of JSON, check the url"},
		"no login there":         {loginPage, page(404), "bad_answer", "refuses the request (404 Not Found)"},
		"login hangs":            {loginPage, hang, "timeout", "has not answered within 500ms"},
		"login moved":            {loginPage, redirect(elsewhere.URL + "/x?token=canary-query"), "bad_answer", "redirects to " + elsewhere.URL + "/x, write the url"},
		"dashboard hangs":        {boardPage, hang, "timeout", "has not answered within 500ms"},
		"dashboard trickles":     {boardPage, trickle, "timeout", "has not answered within 500ms"},
		"dashboard is a page":    {boardPage, page(200), "bad_answer", "check the url"},
		"dashboard is forbidden": {boardPage, answerJSON(403, `{"message":"Forbidden"}`), "permission", "user exporter may not see it, grant it in Superset: Forbidden"},
		"dashboard wants login":  {boardPage, redirect("/login/?next=canary-next"), "login", "/login/: its API must accept a bearer token"},
		"single sign-on":         {boardPage, redirect(elsewhere.URL + "/oauth2/start"), "login", "/oauth2/start"},
		"token never accepted":   {boardPage, answerJSON(422, `{"msg":"Signature verification failed"}`), "login", "refuses the token that it has just given to user exporter"},
		"dashboard is odd":       {boardPage, answerJSON(200, `{"result":{"id":"x"}}`), "bad_answer", "JSON that is not Superset's"},
		"layout is odd":          {boardPage, answerJSON(200, `{"result":{"id":1,"position_json":"["}}`), "bad_answer", "not as Superset writes them"},
		"list breaks off":        {listPage, answerJSON(200, `{"result":[{"id":`), "unreachable", "breaks off"},
		"list fails":             {listPage, page(500), "server_error", "fails (500 Internal Server Error), its log says why"},
		"no gateway":             {listPage, page(502), "server_error", "502 Bad Gateway"},
		"list is too large":      {listPage, flood, "too_large", "more than 8 MiB"},

		"chart is hidden":    {chartPage, answerJSON(404, `{"message":"Not found"}`), "permission", "hidden from user exporter"},
		"chart unsaved":      {chartPage, answerJSON(200, `{"result":{"query_context":null}}`), "no_query_context", "open the chart and save it"},
		"chart is odd":       {chartPage, answerJSON(200, `{"result":{"query_context":"{"}}`), "no_query_context", "open the chart and save it"},
		"data hang":          {dataPage, hang, "timeout", "has not answered within 500ms"},
		"data trickle":       {dataPage, trickle, "timeout", "has not answered within 500ms"},
		"data are a page":    {dataPage, page(200), "bad_answer", "text/html"},
		"data want login":    {dataPage, redirect("/login/"), "login", "redirects to the login page"},
		"data limited":       {dataPage, answerJSON(429, `{"errors":[{"message":"50 per 1 second"}]}`), "rate_limited", "make superset.interval longer: 50 per 1 second"},
		"data fail":          {dataPage, answerJSON(500, `{"errors":[{"message":"Fatal error"}]}`), "server_error", "Fatal error"},
		"gateway gives up":   {dataPage, page(504), "timeout", "504 Gateway Timeout"},
		"service is away":    {dataPage, answerJSON(503, `{"message":"connection refused"}`), "server_error", "503"},
		"data break off":     {dataPage, answerJSON(200, `{"result":[{"data":[{"a":1},`), "unreachable", "breaks off"},
		"data are no query":  {dataPage, answerJSON(200, `{"result":[]}`), "bad_answer", "without a query"},
		"data are odd":       {dataPage, answerJSON(200, `{"result":[{"data":"x"}]}`), "bad_answer", "JSON that is not Superset's"},
		"time is odd":        {dataPage, answerJSON(200, `{"result":[{"cached_dttm":"yesterday","data":[]}]}`), "bad_answer", "yesterday"},
		"data later":         {dataPage, answerJSON(202, `{"job_id":"a"}`), "bad_answer", "GLOBAL_ASYNC_QUERIES"},
		"dataset is gone":    {dataPage, answerJSON(404, `{"message":"Not found"}`), "query", "Not found"},
		"data are forbidden": {dataPage, answerJSON(403, `{"errors":[{"message":"needs the datasource created"}]}`), "permission", "needs the datasource created"},

		// What data sources say, by the texts of their drivers and of Superset's db_engine_specs.
		"MySQL is down":      {dataPage, database(500, `(pymysql.err.OperationalError) (2003, "Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)")`), "data_source", "Can't connect"},
		"MySQL went away":    {dataPage, database(400, `(2006, 'MySQL server has gone away')`), "data_source", "gone away"},
		"MySQL lost":         {dataPage, database(400, `Lost connection to MySQL server during query`), "data_source", ""},
		"MySQL denies":       {dataPage, database(500, `(1045, "Access denied for user 'krewe'@'host' (using password: YES)")`), "data_source_auth", ""},
		"MySQL grants none":  {dataPage, database(400, `SELECT command denied to user 'krewe'@'host' for table 'order_header'`), "data_source_auth", ""},
		"MySQL gives up":     {dataPage, database(400, `(3024, 'Query execution was interrupted, maximum statement execution time exceeded')`), "timeout", ""},
		"MariaDB gives up":   {dataPage, database(400, `Query execution was interrupted (max_statement_time exceeded)`), "timeout", ""},
		"MySQL has no table": {dataPage, database(400, `(1146, "Table 'krewe.order_headr' doesn't exist")`), "query", ""},
		"Superset's words":   {dataPage, database(400, `Either the username "krewe" or the password is incorrect.`), "data_source_auth", ""},
		"host is down":       {dataPage, database(400, `The host "db" might be down, and can't be reached on port 3306.`), "data_source", ""},
		"Solr's token":       {dataPage, database(500, `401 Client Error: Unauthorized for url: http://solr:8983/solr/logInsights/select?q=x&jwt=`+foreignToken), "data_source_auth", "&<secret>"},
		"Solr's password":    {dataPage, database(500, `HTTPConnectionPool(host='solr'): Max retries exceeded with url: http://u:canary-password@solr/`), "data_source", "http<secret>solr/"},
		"Solr's address":     {dataPage, database(500, `cannot parse solr://solr/x?token=`+foreignToken), "server_error", ""},
		"a misleading name":  {dataPage, database(400, `column "access_denied" does not exist, nor timeout_at, nor "unauthorized"`), "query", ""},
		"everything quoted":  {dataPage, database(400, accessCanary+refreshCanary+testserver.Password), "query", "<secret><secret><secret>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, map[string]http.HandlerFunc{test.page: test.handler})
			var log bytes.Buffer
			p := impatient()
			if test.reason == oms.ReportTooLarge { // which takes its time
				p = NewPool(time.Now)
			}
			r, err := p.Open(slog.New(slog.NewTextHandler(&log, nil)), config.Client{Name: "KREWE", Superset: config.Superset{
				SupersetAccount: by(t, f.URL, testserver.User), Dashboards: []string{"d"}, Interval: 5 * time.Minute,
			}})
			must(t, err)
			began := time.Now()
			run, err := look(t, r, 0)
			must(t, r.Close())
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it takes %s", took)
			}
			if len(run.Dashboards) != 1 {
				t.Fatalf("%+v, %v", run, err)
			}
			failure := run.Dashboards[0].Failure
			if ofChart := test.page == chartPage || test.page == dataPage; ofChart == (err != nil) {
				t.Errorf("error %v", err)
			} else if ofChart {
				failure = run.Dashboards[0].Charts[0].Failure
			}
			if failure == nil || failure.Reason != test.reason || !strings.Contains(failure.Text, test.words) || len(failure.Text) > maxText+100 {
				t.Errorf("%+v, want %s and %q", failure, test.reason, test.words)
			}
			everything := fmt.Sprintf("%+v %v %s %+v", run, err, log.String(), failure)
			for _, canary := range []string{"canary", testserver.Password, foreignToken} {
				if strings.Contains(everything, canary) {
					t.Errorf("%s in %s", canary, everything)
				}
			}
		})
	}
	if stolen.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// TestUnreachable has nobody listen.
func TestUnreachable(t *testing.T) {
	f := newFake(t, nil)
	r := open(t, impatient(), by(t, f.URL, testserver.User), "d", "e")
	f.Close()
	run, err := look(t, r, 0)
	compare(t, failed(run), map[string]string{"d": "unreachable", "e": "unreachable"})
	if err == nil || !strings.Contains(err.Error(), "client KREWE: dashboard d: unreachable: "+f.URL+" cannot be reached: dial tcp ") {
		t.Errorf("error %v", err)
	}
}

// TestFloodIsNotHeld measures what an answer of 50 MB takes.
func TestFloodIsNotHeld(t *testing.T) {
	r := open(t, NewPool(time.Now), by(t, newFake(t, map[string]http.HandlerFunc{dataPage: flood}).URL, testserver.User), "d")
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, highest := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				highest <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	run, err := look(t, r, 0)
	must(t, err)
	close(stop)
	most := <-highest
	if c := charts(run)["c"]; c.Failure == nil || c.Failure.Reason != "too_large" || c.Failure.Text != "the data have more than 32 MiB, give the chart a row limit" {
		t.Errorf("%+v", c)
	}
	t.Logf("%d KiB at most, %d KiB before", most>>10, before.HeapAlloc>>10)
	if most > before.HeapAlloc+20<<20 {
		t.Errorf("%d MiB more", (most-before.HeapAlloc)>>20)
	}
}

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
	f.pages[loginPage] = answerJSON(200, `{"access_token":"`+accessCanary+`"}`)
	now = now.Add(refusedFor)
	_, err := look(t, first, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "dashboard e: not_found") || strings.Contains(err.Error(), "dashboard d") {
		t.Errorf("error %v", err)
	}
}

// TestSharedAccount shows that clients share a login and the few requests at a time, and what remains of that.
func TestSharedAccount(t *testing.T) {
	var list strings.Builder
	pages := map[string]http.HandlerFunc{dataPage: func(w http.ResponseWriter, r *http.Request) {
		<-time.After(20 * time.Millisecond)
		answerJSON(200, `{"result":[{"data":[]}]}`)(w, r)
	}}
	for id := range 12 {
		fmt.Fprintf(&list, `,{"id":%d,"slice_name":"c%d"}`, 100+id, id)
		pages[fmt.Sprint("GET /api/v1/chart/", 100+id)] = answerJSON(200, `{"result":{"query_context":"{}"}}`)
	}
	pages[listPage] = answerJSON(200, `{"result":[`+list.String()[1:]+`]}`)
	f, p := newFake(t, pages), NewPool(time.Now)
	account, another := by(t, f.URL, testserver.User), by(t, f.URL, "another")
	var all []*Reports
	for _, a := range []config.SupersetAccount{account, account, another} {
		all = append(all, open(t, p, a, "d"))
	}
	for _, r := range all {
		_, _ = r.Look(ended(t), start)
	}
	for _, r := range all {
		run, err := look(t, r, 0)
		must(t, err)
		if len(failed(run)) != 12 {
			t.Errorf("%+v", run)
		}
	}
	if f.logins.Load() != 2 || f.most.Load() != parallel {
		t.Errorf("%d logins, want one of each account; %d requests at a time, want %d", f.logins.Load(), f.most.Load(), parallel)
	}
	// As in a reload: the new one is opened before the old one is closed.
	next := open(t, p, account, "d")
	for _, r := range all {
		must(t, r.Close())
	}
	if _, err := look(t, next, 0); err != nil || f.logins.Load() != 2 {
		t.Errorf("%d logins, %v", f.logins.Load(), err)
	}
	must(t, next.Close())
	if len(p.accounts) > 0 {
		t.Errorf("%d accounts are held for nobody", len(p.accounts))
	}
	if _, err := next.Look(t.Context(), start); err == nil || !strings.Contains(err.Error(), "client KREWE: the reports are closed") {
		t.Errorf("error %v", err)
	}
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestDetached shows when a caller waits, and for what.
func TestDetached(t *testing.T) {
	release := make(chan struct{})
	var slow atomic.Bool
	slow.Store(true)
	f := newFake(t, map[string]http.HandlerFunc{
		listPage: answerJSON(200, `{"result":[{"id":7,"slice_name":"quick"},{"id":8,"slice_name":"slow"}]}`),
		"GET /api/v1/chart/8": func(w http.ResponseWriter, r *http.Request) {
			if slow.Load() {
				<-release
			}
			answerJSON(200, `{"result":{"query_context":null}}`)(w, r)
		},
	})
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d")
	brief, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	run, err := r.Look(brief, start) // the first waits for what it can
	if err == nil || !strings.Contains(err.Error(), "the first run is under way") {
		t.Errorf("error %v", err)
	}
	compare(t, failed(run), map[string]string{"quick": "ok"})
	close(release)
	run, err = look(t, r, time.Minute)
	must(t, err)
	compare(t, failed(run), map[string]string{"quick": "ok", "slow": "no_query_context"})
	if run.Age != time.Minute {
		t.Errorf("age %s", run.Age)
	}
	release = make(chan struct{})
	for _, step := range []time.Duration{5 * time.Minute, 10 * time.Minute} { // begins one, and meets it
		run, err = r.Look(ended(t), start.Add(step))
		must(t, err)
		if run.Age != step || failed(run)["slow"] == "" {
			t.Errorf("%+v", run)
		}
	}
	var asked []string
	ctx := oms.WithTrace(ended(t), func(what string, _ time.Duration, rows int, _ error) {
		asked = append(asked, fmt.Sprint(what, " ", rows))
	})
	_, _ = r.Look(ctx, start.Add(10*time.Minute))
	if text := strings.Join(asked, "\n"); !strings.Contains(text, dataPage+" (quick) 1") || !strings.Contains(text, "GET /api/v1/dashboard/1/charts 0") {
		t.Errorf("the trace is\n%s", text)
	}
	began := time.Now()
	must(t, r.Close()) // ends the run under way, though the server does not
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closing takes %s", took)
	}
	close(release)
}

// TestRunIsOver has charts that the run cannot come to.
func TestRunIsOver(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{dataPage: hang})
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d", "e")
	r.interval = 200 * time.Millisecond
	run, err := look(t, r, 0)
	if err == nil || !strings.Contains(err.Error(), "the run was over after 200ms, and 2 dashboards or charts were not asked: make superset.interval longer") {
		t.Errorf("error %v", err)
	}
	compare(t, failed(run), nil)
}

// TestLog shows that a failure is logged once, and its end too.
func TestLog(t *testing.T) {
	f := newFake(t, nil)
	var log bytes.Buffer
	r, err := impatient().Open(slog.New(slog.NewTextHandler(&log, nil)), config.Client{Name: "KREWE", Superset: config.Superset{
		SupersetAccount: by(t, f.URL, testserver.User), Dashboards: []string{"d"}, Interval: 5 * time.Minute,
	}})
	must(t, err)
	good := f.pages[dataPage]
	for i, handler := range []http.HandlerFunc{
		good, answerJSON(400, `{"message":"Error: a"}`), answerJSON(400, `{"message":"Error: a"}`), answerJSON(400, `{"message":"Error: b"}`), good, good,
	} {
		f.pages[dataPage] = handler
		_, err := look(t, r, time.Duration(i)*5*time.Minute)
		must(t, err)
	}
	must(t, r.Close())
	const line = " client=KREWE collector=reports dashboard=d chart=c duration_seconds="
	var got []string
	for text := range strings.Lines(log.String()) {
		_, text, _ = strings.Cut(text, " ")
		before, after, _ := strings.Cut(text, line)
		_, after, _ = strings.Cut(strings.TrimSpace(after), " ")
		got = append(got, strings.TrimSpace(before+" … "+after))
	}
	want := []string{
		`level=WARN msg="the chart fails" … reason=query err="Error: a"`, `level=WARN msg="the chart fails" … reason=query err="Error: b"`,
		`level=INFO msg="the chart works" …`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged\n%s", log.String())
	}
}
