package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// compare fails the test unless got is what the golden file says.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", file), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := fs.ReadFile(os.DirFS("testdata"), file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(golden) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, golden)
	}
}

// fourClients are one with troubles, one that is well, one whose database is dead, and one of which nothing is measured yet.
func fourClients(t *testing.T, now time.Time, prometheus string) *bench {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	web := oms.Channel{ProductStore: "STORE", Channel: "WEB<SALES>"}
	troubled, well, dead := newFake(), newFake(), newFake()
	troubled.Facts.Orders = oms.Orders{
		Created:     oms.Known([]oms.CreatedOrders{{Channel: web, Oldest: ago(4*time.Hour + 3*time.Minute), OlderThan: []int{2, 1, 0, 0, 0}}}),
		Unfulfilled: oms.Known([]oms.WaitingOrders{{Place: "store", Count: 3, Oldest: ago(time.Hour), OldestApproved: ago(26 * time.Hour)}}),
		Parked: []oms.WaitingOrders{
			{Place: "UNFILLABLE_PARKING", Count: 1, Oldest: ago(30 * time.Minute)}, {Place: "_NA_", Count: 1, Oldest: ago(50 * time.Hour)},
		},
		Imports: []oms.Import{{Channel: web, Last: ago(40 * time.Second)}},
	}
	troubled.Facts.Jobs = oms.Jobs{
		Runs:    oms.Known([]oms.Run{{JobName: "JOB_RST_INV", JobID: "10002", Start: ago(8*time.Hour + 41*time.Minute)}}),
		History: &oms.JobHistory{Jobs: []oms.JobRuns{{JobName: "JOB_FAILS", Failures: 3, FirstFailure: ago(time.Hour)}}},
	}
	troubled.Facts.ResetInventory.Sources = []oms.ResetSource{{Source: "wms", Configs: map[string]oms.ResetConfig{"RST_INV": {}}, LastProcessed: ago(11*time.Hour + 5*time.Minute)}}
	troubled.Facts.Instance.Missing = []oms.Column{{Table: "data_manager_log"}, {Table: "order_item", Column: "ship_group_seq_id"}}
	well.Facts = largeClient(now)
	dead.Err = errors.New("client ADOC: the table <orders> is locked")
	return newBench(t, options{prometheus: prometheus}, map[string]*omstest.Fake{"UCG": well, "KREWE": troubled, "ADOC": dead},
		"UCG@America/Los_Angeles", "KREWE@America/Chicago", "ADOC@America/El_Salvador", "NEWERA@Asia/Tokyo")
}

// A fakePrometheus answers the two questions of the status page.
type fakePrometheus struct {
	states, alerts string // the answers
	asked          atomic.Int32
}

func (p *fakePrometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	switch r.URL.Path + "?" + r.URL.RawQuery {
	case "/api/v1/query?query=oms%3Acheck_state":
		writeLine(w, p.states)
	case "/api/v1/alerts?":
		writeLine(w, p.alerts)
	default:
		http.NotFound(w, r)
	}
}

// RoundTrip answers without a network, which has a clock of its own.
func (p *fakePrometheus) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// serve returns its URL.
func (p *fakePrometheus) serve(t testing.TB) string {
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// states is an answer to the query, of the values of each client in the order of the checks.
func states(clients map[string]string) string {
	var series []string
	for client, values := range clients {
		for i, check := range collector.Checks() {
			if i < len(values) && values[i] != ' ' {
				series = append(series, fmt.Sprintf(`{"metric":{"__name__":"oms:check_state","client":%q,"check":%q},"value":[946684800,"%c"]}`, client, check.Name, values[i]))
			}
		}
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
}

// firing is an alert as the API shows it.
type firing struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
	ActiveAt    time.Time         `json:"activeAt"`
	Keep        *time.Time        `json:"keepFiringSince,omitempty"`
	Value       string            `json:"value"`
}

func fire(name, client, severity, summary string, since time.Time) firing {
	return firing{
		Labels: map[string]string{"alertname": name, "client": client, "severity": severity}, State: "firing", ActiveAt: since, Value: "1e+00",
		Annotations: map[string]string{"summary": client + ": " + summary, "description": "What " + name + " means.", "runbook_url": "https://runbooks.example/" + name + ".md"},
	}
}

// alerts is an answer with these alerts, and the watchdog, which says where the dashboards are.
func alerts(t testing.TB, those ...firing) string {
	t.Helper()
	watchdog := fire(watchdogAlert, "all", "info", "The alerts are evaluated", time.Now())
	watchdog.Annotations["client_dashboard_url"] = "https://grafana.example/d/oms-client?var-client="
	text, err := json.Marshal(append(those, watchdog))
	if err != nil {
		t.Fatal(err)
	}
	return `{"status":"success","data":{"alerts":` + string(text) + `}}`
}

// TestStatus has the pages of four clients, without a Prometheus and with one that judges them.
func TestStatus(t *testing.T) {
	for _, name := range []string{"unjudged", "judged"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // stops the clock: it is midnight in London
				now, p, url := time.Now(), new(fakePrometheus), ""
				if name == "judged" {
					p.states = states(map[string]string{"KREWE": "20000022124444440", "UCG": "00000000010000000", "ADOC": "33333333334333442", "OTHER": "2"})
					slow, recovering := fire("OMSJobStuck", "KREWE", "page", "JOB_RST_INV has been running for 8h 41m 0s", now.Add(-8*time.Hour)),
						fire("OMSOrderStuckInCreated", "KREWE", "page", "an order of <b>STORE</b> has been in created for 4h 3m 0s", now.Add(-63*time.Minute))
					slow.Annotations["runbook_url"] = "javascript:alert(1)"
					recovering.Keep = new(now.Add(-3 * time.Minute))
					pending := fire("OMSJobOverdue", "UCG", "ticket", "is not shown", now)
					pending.State = "pending"
					p.alerts = alerts(t, recovering, slow, pending,
						fire("OMSDatabaseUnreachable", "ADOC", "page", "the exporter gets no answer from the OMS database", now.Add(-12*time.Minute)),
						fire("OMSDataManagerRecordsRefused", "UCG", "info", "is not shown", now),
						fire("OMSClientVanished", "OLD", "ticket", "the exporter no longer watches this client", now.Add(-50*time.Hour)),
						fire("OMSJobStuck", "OTHER", "page", "is not shown", now),
						fire("HighLoad", "KREWE", "page", "is not shown", now),
						fire("OMSConfigReloadFailed", "all", "ticket", "The configuration could not be reloaded", now),
						fire("OMSSupersetUnreachable", "KREWE", "page", "Superset cannot be reached", now.Add(-time.Hour)),
						fire("OMSSupersetUnreachable", "UCG", "page", "Superset cannot be reached", now.Add(-time.Hour)),
						fire("OMSSupersetUnreachable", "NEWERA", "page", "Superset cannot be reached", now.Add(-time.Hour)),
					)
					url = "http://prometheus.example:9090"
				}
				b := fourClients(t, now, url)
				if b.judge != nil {
					b.judge.client.Transport = p
				}
				for _, client := range []string{"UCG", "KREWE", "ADOC"} {
					b.ask(t.Context(), "GET", "/probe?client="+client)
				}
				time.Sleep(12 * time.Second)
				for page, target := range map[string]string{
					".html": "/", "_client.html": "/client?name=KREWE&refresh=off", "_dead.html": "/client?name=ADOC", ".json": "/status.json",
				} {
					w := b.ask(t.Context(), "GET", target)
					text := w.Body.String()
					if _, body, found := strings.Cut(text, "</style>\n"); found {
						text = body
					}
					if w.Code != http.StatusOK || strings.Contains(text, "is not shown") || strings.Contains(text, "javascript") {
						t.Errorf("%s: status %d:\n%s", target, w.Code, text)
					}
					if page == ".json" {
						var lines bytes.Buffer
						if err := json.Indent(&lines, w.Body.Bytes(), "", " "); err != nil {
							t.Fatal(err)
						}
						text = lines.String()
					}
					compare(t, "status_"+name+page, text)
				}
			})
		})
	}
}

// TestWorstFirst has the rows in the order in which they are to be looked at.
func TestWorstFirst(t *testing.T) {
	p := new(fakePrometheus)
	p.states = states(map[string]string{
		"A": "00000000000000000", "B": "44444444444444440", "C": "00000000000000002", "D": "03000000000000000", "E": "00100000000000000", "F": "13000000000000000", "G": "0000000000000000 ", "I": "00000000004444440", "J": "44444444444444444",
	})
	p.alerts = alerts(t, fire("OMSSystemMessageFailed", "H", "ticket", "messages fail", time.Now()))
	p.states = strings.Replace(p.states, `"result":[`, `"result":[`+ // newer rules, the same check twice, a value that nobody knows
		`{"metric":{"client":"A","check":"unsynced"},"value":[0,"2"]},{"metric":{"client":"I","check":"unsynced"},"value":[0,"0"]},{"metric":{"client":"B","check":"created"},"value":[0,"1"]},{"metric":{"client":"C","check":"created"},"value":[0,"NaN"]},`, 1)
	b := newBench(t, options{prometheus: p.serve(t)}, nil, "J", "I", "H", "G", "F", "E", "D", "C", "B", "A")
	var status struct {
		Clients []struct{ Name, State string }
	}
	if err := json.Unmarshal(b.ask(t.Context(), "GET", "/status.json").Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range status.Clients {
		got = append(got, c.Name+" "+c.State)
	}
	want := []string{"A broken", "C broken", "B near", "E near", "F near", "H near", "D unknown", "G unknown", "J unknown", "I ok"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if page := b.ask(t.Context(), "GET", "/").Body.String(); strings.Count(page, `data-of="unsynced"`) != 10 || !strings.Contains(page, `<th scope="col">unsynced</th>`) {
		t.Errorf("a check of newer rules is not shown:\n%s", page)
	}
}

// TestPrometheusTrouble has a Prometheus that does not answer as it should. It costs the page its signs or alerts, and says so.
func TestPrometheusTrouble(t *testing.T) {
	good, none := states(map[string]string{"KREWE": "2"}), `{"status":"success","data":{"alerts":[]}}`
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			writeLine(w, body)
		}
	}
	for name, tc := range map[string]struct {
		states, alerts http.HandlerFunc
		want           []string
		judged         bool
	}{
		"no rules": {
			answer(200, states(nil)), answer(200, none), []string{
				"No check states: the series oms:check_state, which the rules of the exporter record, is not in Prometheus.",
				"No alerts: the alert OMSWatchdog, which always fires, is not in Prometheus: it does not evaluate the rules of the exporter.",
			}, false,
		},
		"no alerts": {answer(200, good), answer(200, none), []string{"No alerts: the alert OMSWatchdog, which always fires, is not in Prometheus"}, true},
		"refuses":   {answer(401, "who are you?"), answer(401, good), []string{"No check states and no alerts: the answer of Prometheus has the status 401 Unauthorized."}, false},
		"redirects": {http.RedirectHandler("/login", http.StatusFound).ServeHTTP, answer(200, alerts(t)), []string{"No check states: the answer of Prometheus has the status 302 Found."}, false},
		"huge": {
			answer(200, `{"status":"success","data":{"result":[`+strings.Repeat(" ", answerAtMost)+`]}}`), answer(200, alerts(t)),
			[]string{"No check states: the answer of Prometheus is larger than 8 MiB."}, false,
		},
		"no JSON": {answer(200, "<html>"), answer(200, alerts(t)), []string{"No check states: what answers is not the API of Prometheus: "}, false},
		"another form": {
			answer(200, `{"status":"success","data":{"result":{"client":"KREWE"}}}`), answer(200, `{"status":"error","error":"<b>"}`),
			[]string{"No check states: what answers is not the API of Prometheus: ", "No alerts: what answers is not the API of Prometheus: its status is &#34;error&#34;."}, false,
		},
		"cut off": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				writeLine(w, good[:50])
			}, answer(200, alerts(t)),
			[]string{"No check states: what answers is not the API of Prometheus: unexpected EOF."}, false,
		},
		"slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, answer(200, alerts(t)), []string{"No check states: no answer from Prometheus within "}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/alerts") {
					tc.alerts(w, r)
					return
				}
				tc.states(w, r)
			}))
			defer p.Close()
			b := newBench(t, options{prometheus: p.URL}, nil, "KREWE", "UCG")
			b.judge.within = map[bool]time.Duration{true: 50 * time.Millisecond, false: time.Minute}[name == "slow"]
			b.ask(t.Context(), "GET", "/metrics")
			page := b.ask(t.Context(), "GET", "/")
			for _, want := range append(tc.want, ">KREWE</a>", ">UCG</a>", "8 of 8") {
				if want = strings.Replace(want, "8 of 8", fmt.Sprintf("%[1]d of %[1]d", len(omsCollectors())), 1); !strings.Contains(page.Body.String(), want) {
					t.Errorf("%q is missing in\n%s", want, page.Body)
				}
			}
			if judged := strings.Contains(page.Body.String(), `class="broken"`); judged != tc.judged || page.Code != http.StatusOK {
				t.Errorf("status %d, judged: %t\n%s", page.Code, judged, page.Body)
			}
		})
	}
	p := httptest.NewServer(http.NotFoundHandler())
	p.Close()
	b := newBench(t, options{prometheus: p.URL}, nil, "KREWE")
	if page := b.ask(t.Context(), "GET", "/").Body.String(); !strings.Contains(page, "No check states and no alerts: the connection to Prometheus failed: dial tcp ") {
		t.Errorf("one that is away:\n%s", page)
	}
}

// TestPrometheusAskedSeldom has many who look at the pages at once, and again.
func TestPrometheusAskedSeldom(t *testing.T) {
	p := new(fakePrometheus)
	p.states, p.alerts = states(map[string]string{"KREWE": "2"}), alerts(t)
	b := newBench(t, options{prometheus: p.serve(t)}, nil, "KREWE")
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	b.ask(gone, "GET", "/") // does not spoil the answer for others
	pages := make(chan string)
	for i := range 20 {
		go func() {
			pages <- b.ask(t.Context(), "GET", []string{"/", "/status.json", "/client?name=KREWE"}[i%3]).Body.String()
		}()
	}
	for range 20 {
		if page := <-pages; !strings.Contains(page, "broken") {
			t.Errorf("a page without signs:\n%s", page)
		}
	}
	if n := p.asked.Load(); n > 4 { // two questions, and those of whom nobody waits for
		t.Errorf("Prometheus was asked %d times", n)
	}
	b.judge.asked = b.judge.asked.Add(-askEvery)
	before := p.asked.Load()
	b.ask(t.Context(), "GET", "/")
	if n := p.asked.Load() - before; n != 2 {
		t.Errorf("later it was asked %d times", n)
	}
}

// TestStale has clients that nobody scrapes any more: what was found then is not what is now.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{}, nil, "KREWE")
		page := func() string { return b.ask(t.Context(), "GET", "/").Body.String() }
		if before := page(); !strings.Contains(before, "Clients: 1 unknown") || !strings.Contains(before, ">never<") {
			t.Errorf("nothing has been measured, but the page says\n%s", before)
		}
		b.ask(t.Context(), "GET", "/metrics")
		if good := page(); !strings.Contains(good, "Clients: 1 not evaluated") || !strings.Contains(good, ">0 s ago<") {
			t.Errorf("just measured, and the page says\n%s", good)
		}
		time.Sleep(staleAfter)
		if stale := page(); !strings.Contains(stale, "Clients: 1 unknown") || !strings.Contains(stale, "<b>5 min ago</b>") {
			t.Errorf("nobody has measured for a while, but the page says\n%s", stale)
		}
	})
}

// TestShared says once what many clients have in common.
func TestShared(t *testing.T) {
	sources, names := map[string]*omstest.Fake{}, []string{}
	for i := range 40 {
		name := fmt.Sprintf("C%02d", i)
		sources[name], names = newFake(), append(names, name)
		sources[name].Err = errors.New("client " + name + ": the server is away\nclient " + name + ": and says why")
	}
	b := newBench(t, options{}, sources, names...)
	b.ask(t.Context(), "GET", "/metrics")
	page := b.ask(t.Context(), "GET", "/").Body.String()
	for want, times := range map[string]int{"the server is away <small>": 1, "and says why <small>": 1, " and 10 more</li>": 2, ">C29</a>": 3, ">C30</a>": 1, "<tr class=\"lines\">": 0} {
		if n := strings.Count(page, want); n != times {
			t.Errorf("%q is there %d times, not %d:\n%s", want, n, times, page)
		}
	}
}

// TestAccessible checks by the text of the pages what a program for the blind needs, and that colours can be told from the page.
func TestAccessible(t *testing.T) {
	b := fourClients(t, time.Now(), "")
	b.ask(t.Context(), "GET", "/metrics")
	for _, target := range []string{"/", "/client?name=KREWE"} {
		page := b.ask(t.Context(), "GET", target).Body.String()
		for want, times := range map[string]int{`<html lang="en">`: 1, "<main>": 1, "<header>": 1, "<h1>": 1, "<title>": 1, `<meta name="viewport"`: 1} {
			if n := strings.Count(page, want); n != times {
				t.Errorf("%s: %s is there %d times", target, want, n)
			}
		}
		if bare := regexp.MustCompile(`<th(>| [^s])`).FindAllString(page, -1); len(bare) > 0 || !strings.Contains(page, `<th scope="row">`) {
			t.Errorf("%s: th without scope: %q", target, bare)
		}
		if level := regexp.MustCompile(`<h[3-6]`).FindString(page); level != "" {
			t.Errorf("%s: %s below h2", target, level)
		}
	}
	colours := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(statusHTML, -1)
	if len(colours) != 20 {
		t.Fatalf("%d colours, want ten, light and dark", len(colours))
	}
	var page string
	for _, c := range colours {
		switch c[1] {
		case "page":
			page = c[2]
		case "line": // no text
		default:
			if ratio := contrast(t, page, c[2]); ratio < 4.5 {
				t.Errorf("%s #%s on #%s has a contrast of %.2f", c[1], c[2], page, ratio)
			}
		}
	}
}

// contrast is that of WCAG 2.
func contrast(t *testing.T, a, b string) float64 {
	luminance := func(colour string) float64 {
		var l float64
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= 0.03928 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			l += weight * c
		}
		return l
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestPrometheusURL shows what is taken for one.
func TestPrometheusURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://localhost:9090": "http://localhost:9090", "https://example.com/prometheus/": "https://example.com/prometheus",
		"localhost:9090": "", "http://": "", "ftp://example.com": "", "http://u:p@example.com": "", "http://example.com?x=1": "", "http://example.com#x": "", "http://a b": "", "": "",
	} {
		if got, err := prometheusURL("--prometheus.url", text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// manyClients are 200, of which a few have troubles, with what Prometheus says of them.
func manyClients(t testing.TB) *bench {
	p := new(fakePrometheus)
	of, names, sources, fired := map[string]string{}, []string{}, map[string]*omstest.Fake{}, []firing{}
	facts := largeClient(time.Now())
	for i := range 200 {
		name := fmt.Sprintf("CLIENT-%03d", i)
		names, sources[name], of[name] = append(names, name), newFake(), "0000000004000440"
		sources[name].Facts = facts
		switch {
		case i%29 == 7:
			of[name] = "2000022104000440"
			for j := range 3 {
				fired = append(fired, fire("OMSJobStuck", name, "page", fmt.Sprintf("JOB_IMP_ORD/STORE_%d/SHOP_1 has been running for 1h %dm 0s", j, i%60), time.Now().Add(-time.Duration(i)*time.Minute)))
			}
		case i%31 == 9:
			of[name] = "0100000104000440"
		case i%67 == 3:
			of[name] = "3333333333333443"
			sources[name].Err = errors.New("no answer from the database within 14.5 s")
		case i%50 == 20:
			fired = append(fired, fire("OMSSupersetUnreachable", name, "page", "Superset cannot be reached", time.Now().Add(-time.Hour)))
		}
	}
	p.states, p.alerts = states(of), alerts(t, fired...)
	b := newBench(t, options{prometheus: p.serve(t), maxSeries: 500}, sources, names...)
	if w := b.ask(context.Background(), "GET", "/metrics", timeoutHeader+": 50"); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	return b
}

// BenchmarkStatus tells what the status page of 200 clients takes.
func BenchmarkStatus(b *testing.B) {
	bench := manyClients(b)
	for _, page := range []string{"/", "/status.json"} {
		b.Run(page, func(b *testing.B) {
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				size = bench.ask(b.Context(), "GET", page, "Accept-Encoding: identity").Body.Len()
			}
			b.ReportMetric(float64(size), "B/answer")
		})
	}
}
