package superset

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// TestMisbehaviour has each page misbehave in each way, and wants a reason and plain words for it.
func TestMisbehaviour(t *testing.T) {
	var stolen atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	t.Cleanup(func() { // after the subtests, which run beside each other
		elsewhere.Close()
		if stolen.Load() > 0 {
			t.Error("a redirect was followed")
		}
	})
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
		"wrong password":           {loginPage, answerJSON(401, `{"message":"Not authorized"}`), "login", "rejects the login of user exporter, check the username, the password and the provider db: the token is refused: Not authorized"},
		"wrong provider":           {loginPage, answerJSON(400, `{"message":{"provider":["not allowed"]}}`), "login", "check the username"},
		"login without token":      {loginPage, answerJSON(200, `{}`), "bad_answer", "answers a login without a token"},
		"login limited":            {loginPage, answerJSON(429, `{"message":"5 per 1 second"}`), "rate_limited", "429 Too Many Requests"},
		"login is a page":          {loginPage, page(200), "bad_answer", "answers with text/html; charset=utf-8 in place of JSON, check the url"},
		"no login there":           {loginPage, page(404), "bad_answer", "rejects the request (404 Not Found)"},
		"login hangs":              {loginPage, hang, "timeout", "has not answered within 500ms"},
		"login moved":              {loginPage, redirect(strings.Replace(elsewhere.URL, "//", "//canary@", 1) + "/x?token=canary-query#canary-fragment"), "bad_answer", "redirects to " + elsewhere.URL + "/x, write the url"},
		"dashboard hangs":          {boardPage, hang, "timeout", "has not answered within 500ms"},
		"dashboard trickles":       {boardPage, trickle, "timeout", "has not answered within 500ms"},
		"dashboard is a page":      {boardPage, page(200), "bad_answer", "check the url"},
		"dashboard is forbidden":   {boardPage, answerJSON(403, `{"message":"Forbidden"}`), "permission", "user exporter may not see it, grant it in Superset: Forbidden"},
		"dashboard wants login":    {boardPage, redirect("/login/?next=canary-next"), "login", "/login/: its API must accept a bearer token"},
		"single sign-on":           {boardPage, redirect(elsewhere.URL + "/oauth2/start"), "login", "/oauth2/start"},
		"sso":                      {boardPage, redirect(elsewhere.URL + "/sso_start"), "login", "/sso_start"},
		"dashboard moved":          {boardPage, redirect(elsewhere.URL + "/processor"), "bad_answer", "/processor, write the url"},
		"token never accepted":     {boardPage, answerJSON(422, `{"msg":"Signature of `+accessCanary+` is wrong"}`), "login", "rejects the token that it has just issued to user exporter"},
		"dashboard fails in words": {boardPage, answerJSON(500, `{"message":"connection refused"}`), "server_error", "fails (500 Internal Server Error), its log says why: connection refused"},
		"dashboard is refused":     {boardPage, answerJSON(400, `{"message":"no"}`), "bad_answer", "rejects the request (400 Bad Request): no"},
		"dashboard unprocessable":  {boardPage, answerJSON(422, `{"message":"no"}`), "bad_answer", "rejects the request (422 Unprocessable Entity): no"},
		"dashboard too late":       {boardPage, answerJSON(408, `{}`), "timeout", "has not answered in time (408 Request Timeout)"},
		"login fails":              {loginPage, answerJSON(500, `{"message":"no"}`), "server_error", "fails (500 Internal Server Error)"},
		"not modified":             {boardPage, answerJSON(304, ``), "bad_answer", "rejects the request (304 Not Modified)"},
		"moved nowhere": {boardPage, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/x")
			answerJSON(400, `{"message":"no"}`)(w, r)
		}, "bad_answer", "rejects the request (400 Bad Request): no"},
		"dashboard is odd":  {boardPage, answerJSON(200, `{"result":{"id":"x"}}`), "bad_answer", "JSON that is not Superset's"},
		"layout is odd":     {boardPage, answerJSON(200, `{"result":{"id":1,"position_json":"["}}`), "bad_answer", "not as Superset writes them"},
		"list breaks off":   {listPage, answerJSON(200, `{"result":[{"id":`), "unreachable", "is cut off"},
		"list fails":        {listPage, page(500), "server_error", "fails (500 Internal Server Error), its log says why"},
		"no gateway":        {listPage, page(502), "server_error", "502 Bad Gateway"},
		"list is too large": {listPage, answerJSON(200, `{"result":[`+strings.Repeat(" ", maxPage)+`]}`), "too_large", "the answer to /api/v1/dashboard/1/charts has more than 8 MiB"},

		"chart is hidden":    {chartPage, answerJSON(404, `{"message":"Not found"}`), "permission", "hidden from user exporter"},
		"chart unsaved":      {chartPage, answerJSON(200, `{"result":{"query_context":null}}`), "no_query_context", "open the chart and save it"},
		"chart is null":      {chartPage, answerJSON(200, `{"result":{"query_context":"null"}}`), "no_query_context", "open the chart and save it"},
		"chart is a list":    {chartPage, answerJSON(200, `{"result":{"query_context":"[]"}}`), "no_query_context", "open the chart and save it"},
		"chart is long":      {chartPage, answerJSON(200, `{"result":{"query_context":"`+strings.Repeat(" ", maxQuery+1)+`"}}`), "too_large", "the query of the chart has more than 256 KiB or 100000 values"},
		"many charts":        {listPage, answerJSON(200, `{"result":[{}`+strings.Repeat(",{}", 2*maxCharts)+`]}`), "too_large", "more than 500 are not supported"},
		"many values":        {listPage, answerJSON(200, `{"result":[{}`+strings.Repeat(",{}", maxElements)+`]}`), "too_large", "has more than 8 MiB or 100000 values"},
		"many settings":      {boardPage, answerJSON(200, `{"result":{"id":1,"json_metadata":"[`+strings.Repeat("[],", maxElements)+`"}}`), "too_large", "the dashboard's settings have more than 100000 values"},
		"many filters":       {boardPage, answerJSON(200, `{"result":{"id":1,"json_metadata":"{\"native_filter_configuration\":[{}`+strings.Repeat(",{}", maxFilters)+`]}"}}`), "too_large", "has 201 filters"},
		"chart is odd":       {chartPage, answerJSON(200, `{"result":{"query_context":"{"}}`), "no_query_context", "open the chart and save it"},
		"data hang":          {dataPage, hang, "timeout", "has not answered within 500ms"},
		"data trickle":       {dataPage, trickle, "timeout", "has not answered within 500ms"},
		"data are a page":    {dataPage, page(200), "bad_answer", "text/html"},
		"data want login":    {dataPage, redirect("/login/"), "login", "redirects to the login page"},
		"data limited":       {dataPage, answerJSON(429, `{"errors":[{"message":"50 per 1 second"}]}`), "rate_limited", "increase superset.interval: 50 per 1 second"},
		"data fail":          {dataPage, answerJSON(500, `{"errors":[{"message":"Fatal error"}]}`), "server_error", "Fatal error"},
		"data fail silently": {dataPage, page(500), "server_error", "fails (500 Internal Server Error), its log says why"},
		"no gateway to data": {dataPage, answerJSON(502, `{"message":"connection refused"}`), "server_error", "fails (502 Bad Gateway)"},
		"gateway gives up":   {dataPage, page(504), "timeout", "504 Gateway Timeout"},
		"service is away":    {dataPage, answerJSON(503, `{"message":"connection refused"}`), "server_error", "503"},
		"data break off":     {dataPage, answerJSON(200, `{"result":[{"data":[{"a":1},`), "unreachable", "is cut off"},
		"data are empty":     {dataPage, answerJSON(200, ``), "unreachable", "is cut off"},
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
			p := NewPool(time.Now)
			if strings.Contains(test.words, "500ms") {
				p = impatient()
			}
			r, err := p.Open(slog.New(slog.NewTextHandler(&log, nil)), config.Client{Name: "KREWE", Superset: config.Superset{
				Account: by(t, f.URL, testserver.User), Dashboards: []string{"d"}, Interval: 5 * time.Minute,
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
			everything := fmt.Sprintf("%+v %v %s %+v %+v", run, err, log.String(), failure, r.last.trace)
			for _, canary := range []string{"canary", testserver.Password, foreignToken} {
				if strings.Contains(everything, canary) {
					t.Errorf("%s in %s", canary, everything)
				}
			}
		})
	}
}

// TestUnreachable has nobody listen.
func TestUnreachable(t *testing.T) {
	f := newFake(t, nil)
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d", "e")
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
	more := peak(t, func() {
		run, err := look(t, r, 0)
		must(t, err)
		if c := charts(run)["c"]; c.Failure == nil || c.Failure.Reason != "too_large" || c.Failure.Text != "the data has more than 32 MiB, or one row more than 256 KiB: give the chart a row limit" {
			t.Errorf("%+v", c)
		}
	})
	if more > 20<<20 {
		t.Errorf("%d MiB more", more>>20)
	}
}

// TestBombs measures what answers take that are small to send, and would be large to hold. There are five such charts.
func TestBombs(t *testing.T) {
	const size = 32<<20 - 100
	data := func(text string) http.HandlerFunc { // without a copy for each answer
		body := []byte(text)
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		}
	}
	for name, test := range map[string]struct {
		page, body string
		reason     oms.ReportReason
	}{
		"depth":          {dataPage, strings.Repeat("[", size), "bad_answer"},
		"depth, skipped": {dataPage, `{"x":` + strings.Repeat("[", size), "bad_answer"},
		"depth of a row": {dataPage, `{"result":[{"data":[{"x":` + strings.Repeat("[", size), "bad_answer"},
		"one row":        {dataPage, `{"result":[{"data":[{"x":[` + strings.Repeat("[],", size/3) + "[]]}]}]}", "too_large"},
		"one text":       {dataPage, `{"result":[{"data":[{"x":"` + strings.Repeat("x", size) + `"}]}]}`, "too_large"},
		"query":          {"", `{"result":{"query_context":"{\"queries\":[` + strings.Repeat("[],", maxPage/3-100) + `[]]}"}}`, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			saved := `{"result":{"query_context":"{\"queries\":[{\"metrics\":[\"x\"]}]}"}}`
			var list []string
			pages := map[string]http.HandlerFunc{dataPage: data(test.body)}
			if test.page == "" {
				saved = test.body
			}
			for id := range 5 {
				list = append(list, fmt.Sprintf(`{"id":%d,"slice_name":"c%d","form_data":{"viz_type":"big_number_total"}}`, id, id))
				pages[fmt.Sprintf("GET /api/v1/chart/%d", id)] = data(saved)
			}
			pages[listPage] = data(`{"result":[` + strings.Join(list, ",") + `]}`)
			r := open(t, NewPool(time.Now), by(t, newFake(t, pages).URL, testserver.User), "d")
			more := peak(t, func() {
				run, err := look(t, r, 0)
				must(t, err)
				found := charts(run)
				if len(found) != 5 {
					t.Errorf("%d charts", len(found))
				}
				for _, c := range found {
					if c.Failure == nil || c.Failure.Reason != test.reason {
						t.Errorf("%+v", c)
					}
				}
			})
			if more > 100<<20 {
				t.Errorf("%d MiB more", more>>20)
			}
		})
	}
}

// peak measures how many bytes f makes the heap grow at most.
func peak(t *testing.T, f func()) uint64 {
	t.Helper()
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
	f()
	close(stop)
	most := <-highest
	t.Logf("%d KiB at most, %d KiB before", most>>10, before.HeapAlloc>>10)
	return most - min(most, before.HeapAlloc)
}
