package superset

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// saved is a chart as Superset knows it. query is what its query was when it was saved, and result the members of the
// answer's first query.
type saved struct {
	name, form, query, result string
}

// board serves the charts, by their ids, on the dashboard d. It returns the Superset and the queries that were sent for each
// chart.
func board(t *testing.T, charts map[int]saved, layout, metadata string) (f *fake, sent func(id int) string) {
	t.Helper()
	quote := func(text string) string {
		quoted, err := json.Marshal(text)
		must(t, err)
		return string(quoted)
	}
	var mu sync.Mutex
	queries := map[int]string{}
	pages := map[string]http.HandlerFunc{
		boardPage: answerJSON(200, fmt.Sprintf(`{"result":{"id":1,"json_metadata":%s,"position_json":%s}}`, quote(metadata), quote(layout))),
		"GET /api/v1/dashboard/1/datasets": answerJSON(200, `{"result":[{"uid":"1__table","database":{"name":"KREWE  OMS"}},`+
			`{"uid":"2__table","database":{"name":"`+strings.Repeat("ö", maxName+1)+`"}}]}`),
		dataPage: func(w http.ResponseWriter, r *http.Request) {
			var asked struct {
				Form struct {
					ID int `json:"slice_id"`
				} `json:"form_data"`
				Queries json.RawMessage
			}
			body, _ := io.ReadAll(r.Body)
			if err := json.Unmarshal(body, &asked); err != nil {
				t.Errorf("%v: %s", err, body)
			}
			mu.Lock()
			queries[asked.Form.ID] = string(asked.Queries)
			mu.Unlock()
			answerJSON(200, `{"message":[1,{"a":[]}],"result":[{`+charts[asked.Form.ID].result+`},{"data":[{"n":99}]}]}`)(w, r)
		},
	}
	var list []string
	for _, id := range slices.Sorted(maps.Keys(charts)) {
		c := charts[id]
		list = append(list, fmt.Sprintf(`{"id":%d,"slice_name":%s,"form_data":%s}`, id, quote(c.name), c.form))
		pages[fmt.Sprintf("GET /api/v1/chart/%d", id)] = answerJSON(200, `{"result":{"query_context":`+quote(c.query)+`}}`)
	}
	pages[listPage] = answerJSON(200, `{"result":[`+strings.Join(list, ",")+`]}`)
	return newFake(t, pages), func(id int) string {
		mu.Lock()
		defer mu.Unlock()
		return queries[id]
	}
}

// TestDashboard shows how the charts of a dashboard get their names, their data sources and the defaults of its filters.
func TestDashboard(t *testing.T) {
	const form, query, data = `{"datasource":"1__table"}`, `{"queries":[{}]}`, `"data":[]`
	long := strings.Repeat("ä", maxName)
	again := "" // the places of one chart are in no order
	for i := range 20 {
		again += fmt.Sprintf(`"CHART-z%d":{"type":"CHART","meta":{"chartId":8,"sliceNameOverride":"A"}},`, i)
	}
	f, sent := board(t, map[int]saved{
		1:  {" Open \n orders", form, `{"queries":[{"filters":[{"col":"a"}],"extras":{"where":"b"}},"odd",{"row_limit":1}]}`, data},
		2:  {"", `{"datasource":"9__table"}`, query, data},
		3:  {long + "ä", `{"datasource":"2__table"}`, query, data},
		4:  {"Twice", form, query, data},
		5:  {"Twice", form, query, data},
		6:  {"Once", form, query, data},
		7:  {"Original", form, query, data},
		8:  {"On both tabs", form, `{"queries":[{"extras":null}]}`, data},
		9:  {"Excluded", form, query, data},
		10: {"Twice (5)", form, query, data},
	}, `{"DASHBOARD_VERSION_KEY":"v2","TAB-3":{"type":"TAB","meta":{"chartId":30}},"CHART-0":{"type":"CHART","meta":{"sliceName":"none"}},
		"CHART-a":{"type":"CHART","meta":{"chartId":7,"sliceName":"Original","sliceNameOverride":"Shown"}},
		"CHART-b":{"type":"CHART","parents":["ROOT_ID","TAB-1"],"meta":{"chartId":8,"sliceNameOverride":"B"}},
		"CHART-c":{"type":"CHART","parents":["ROOT_ID","TAB-2"],"meta":{"chartId":8,"sliceNameOverride":"A"}},
		"CHART-d":{"type":"CHART","parents":["ROOT_ID","TAB-1"],"meta":{"chartId":4}},
		`+again+`"CHART-e":{"type":"CHART","meta":{"chartId":20,"sliceName":"Once"}},
		"CHART-f":{"type":"CHART","meta":{"chartId":21,"sliceName":"Away","sliceNameOverride":"Gone"}},
		"CHART-g":{"type":"CHART","meta":{"chartId":22}},
		"CHART-h":{"type":"CHART","meta":{"chartId":23,"sliceName":"Pair"}},
		"CHART-i":{"type":"CHART","meta":{"chartId":24,"sliceName":"Pair"}}}`,
		`{"native_filter_configuration":[
		{"scope":{"rootPath":["ROOT_ID"],"excluded":[9,2]},"defaultDataMask":{"extraFormData":{"filters":[{"col":"c","op":"IN"},{"col":"d"}]}}},
		{"scope":{"rootPath":["TAB-9","TAB-1"]},"defaultDataMask":{"extraFormData":{"time_range":"Last day"}}},
		{"scope":{"rootPath":["TAB-2"]},"defaultDataMask":{"extraFormData":{"granularity_sqla":"e","time_grain_sqla":"P1D"}}},
		{"scope":{"rootPath":["ROOT_ID"],"excluded":[1]},"defaultDataMask":{"extraFormData":{"time_grain_sqla":"P1W"}},"controlValues":{"defaultToFirstItem":true}},
		{"scope":{"rootPath":[]},"defaultDataMask":{"extraFormData":{"time_range":"never"}}},
		{"scope":{"rootPath":["ROOT_ID"],"excluded":[2,3,4,5,6,7,8,9]},"defaultDataMask":{"extraFormData":{"filters":[{"col":"f"}],"time_grain_sqla":"P1Y"}}}]}`)
	run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
	must(t, err)

	var got, gone []string
	for _, c := range run.Dashboards[0].Charts {
		text := c.Name + "|" + c.DataSource
		if c.Failure == nil {
			got = append(got, text)
		} else {
			gone = append(gone, text+"|"+string(c.Failure.Reason)+"|"+c.Failure.Text)
		}
	}
	slices.Sort(got)
	want := []string{"B|KREWE OMS", "Excluded|KREWE OMS", "Once (6)|KREWE OMS", "Open orders|KREWE OMS", "Shown|KREWE OMS", "Twice (4)|KREWE OMS",
		"Twice (5) (5)|KREWE OMS", "Twice (5)|KREWE OMS", "chart 2|", long + "|" + strings.Repeat("ö", maxName)}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var wantGone []string
	for i, name := range []string{"Once (20)", "Gone", "chart 22", "Pair (23)", "Pair (24)"} {
		wantGone = append(wantGone, fmt.Sprintf("%s||deleted|the chart %d is deleted, remove it from the dashboard", name, 20+i))
	}
	if !slices.Equal(gone, wantGone) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(gone, "\n"), strings.Join(wantGone, "\n"))
	}

	const extra = `{"col":"c","isExtra":true,"op":"IN"},{"col":"d","isExtra":true}`
	for id, want := range map[int]string{
		1: `[{"extras":{"time_grain_sqla":"P1Y","where":"b"},"filters":[{"col":"a"},` + extra + `,{"col":"f","isExtra":true}]},"odd",` +
			`{"extras":{"time_grain_sqla":"P1Y"},"filters":[` + extra + `,{"col":"f","isExtra":true}],"row_limit":1}]`,
		2: `[{}]`,
		3: `[{"filters":[` + extra + `]}]`,
		4: `[{"filters":[` + extra + `],"time_range":"Last day"}]`,
		8: `[{"extras":{"time_grain_sqla":"P1D"},"filters":[` + extra + `],"granularity":"e","time_range":"Last day"}]`,
		9: `[{}]`,
	} {
		if got := sent(id); got != want {
			t.Errorf("chart %d: sent\n%s\nwant\n%s", id, got, want)
		}
	}
}

// TestWideDatasets has charts that show all columns of large datasets: Superset describes each.
func TestWideDatasets(t *testing.T) {
	const column = `{"advanced_data_type":null,"certification_details":null,"certified_by":null,"column_name":"shipment_attribute_%03d","description":` +
		`"As the OMS stores it","expression":null,"filterable":true,"groupby":true,"id":%[1]d,"uuid":"0f9c2a5e-5d3b-4c1e-9a52-000000000000","is_certified":false,` +
		`"is_dttm":false,"python_date_format":null,"type":"VARCHAR(255)","type_generic":1,"verbose_name":null,"warning_markdown":null}`
	var columns, names, datasets []string
	for i := range 300 {
		columns = append(columns, fmt.Sprintf(column, i))
		names = append(names, fmt.Sprintf(`"shipment_attribute_%03d":"Attribute %[1]d"`, i))
	}
	for i := range 20 {
		datasets = append(datasets, fmt.Sprintf(`{"columns":[%s],"verbose_map":{%s},"uid":"%d__table","database":{"id":1,"name":"KREWE"}}`,
			strings.Join(columns, ","), strings.Join(names, ","), i))
	}
	for want, answer := range map[string]string{
		"c|KREWE": strings.Join(datasets, ","),
		"too_large: the answer to /api/v1/dashboard/1/datasets has more than 32 MiB, 1000 datasets, or 256 KiB in one value": `{"sql":"` + strings.Repeat("x", maxRow) + `"}`,
	} {
		f := newFake(t, map[string]http.HandlerFunc{"GET /api/v1/dashboard/1/datasets": answerJSON(200, `{"count":20,"result":[`+answer+`]}`)})
		run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			continue
		}
		if charts := run.Dashboards[0].Charts; len(charts) != 1 || charts[0].Name+"|"+charts[0].DataSource != want {
			t.Errorf("got %+v, want %s", charts, want)
		}
	}
}

// TestValues shows what is kept of the data of each kind of chart.
func TestValues(t *testing.T) {
	const metrics = `"columns":[],"metrics":[{}]`
	const none = "map[]"
	tests := []struct{ name, viz, query, result, want string }{
		{"a big number", "big_number_total", metrics, `"data":[{"orders":9}]`, "1 row, map[orders:9]"},
		{"one row of metrics", "table", metrics, `"data":[{"orders":9,"worth":4.5,"text":"x","none":null}]`, "1 row, map[orders:9 worth:4.5]"},
		{"no row", "table", metrics, `"data":[]`, "0 row, " + none},
		{"no data", "table", metrics, `"data":null`, "0 row, " + none},
		{"several rows of metrics", "table", metrics, `"data":[{"n":1},{"n":2}]`, "2 row, map[n:1]"},
		{"columns divide", "table", `"columns":["id"],"metrics":[{}]`, `"data":[{"id":1,"n":2}]`, "1 row, " + none},
		{"no metric", "table", `"columns":[],"metrics":[]`, `"data":[{"n":2},{"n":3}]`, "2 row, " + none},
		{"neither", "table", ``, `"data":[{"n":2}]`, "1 row, " + none},
		{"a time series", "line", metrics + `,"is_timeseries":true`, `"data":[{"n":2}]`, "1 row, " + none},
		{"a trend", "big_number", `"columns":[{"label":"day"},7],"metrics":[{}]`,
			`"data":[{"day":-5,"n":10},{"day":-3,"n":30},{"day":-4,"n":20}]`, "3 row, map[n:30]"},
		{"the last value of a trend", "big_number:LAST_VALUE", `"columns":["day"]`, `"data":[{"day":2,"n":5},{"day":1,"n":4}]`, "2 row, map[n:5]"},
		{"a trend by an old form", "big_number", metrics, `"data":[{"__timestamp":1,"n":4},{"__timestamp":2,"n":5}]`, "2 row, map[n:5]"},
		{"the sum of a trend", "big_number:sum", `"columns":["day"],"metrics":[{}]`, `"data":[{"day":2,"n":5}]`, "1 row, " + none},
		{"the sum of one", "big_number:sum", metrics, `"data":[{"n":5}]`, "1 row, " + none},
		{"another with an aggregation", "table:LAST_VALUE", `"columns":["day"],"metrics":[{}]`, `"data":[{"n":5}]`, "1 row, " + none},
		{"cached", "table", ``, `"cached_dttm":"2026-03-02T07:00:00","data":[]`, "0 row, " + none + ", 1h0m0s old"},
		{"cached, with a zone", "table", ``, `"data":[{}],"cached_dttm":"2026-03-02T08:00:00+02:00"`, "1 row, " + none + ", 2h0m0s old"},
		{"cached never", "table", ``, `"cached_dttm":"","data":[{}]`, "1 row, " + none},
		{"an odd row", "table", metrics, `"data":[5]`, "bad_answer"},
		{"rows that break off", "table", metrics, `"data":[{"n":1}`, "bad_answer"},
		{"odd otherwise", "table", metrics, `"data":[],"colnames":[1,}`, "bad_answer"},
		{"an odd time", "table", metrics, `"cached_dttm":5`, "bad_answer"},
		{"more than a page may have", "table", ``, `"data":[{}` + strings.Repeat(`,{"a":"`+strings.Repeat("x", maxRow/2)+`"}`, maxPage/maxRow*2) + `]`, fmt.Sprintf("%d row, ", maxPage/maxRow*2+1) + none},
		{"with more to it", "table", metrics, `"colnames":[["n"],{"a":{}}],"rowcount":7,"data":[{"n":5}]`, "1 row, map[n:5]"},
	}
	all := map[int]saved{100: {"no query", `{}`, `{}`, `"data":[{"n":1}]`}}
	for i, test := range tests {
		viz, aggregation, _ := strings.Cut(test.viz, ":")
		form := fmt.Sprintf(`{"datasource":"1__table","viz_type":%q,"aggregation":%q}`, viz, aggregation)
		all[i+1] = saved{test.name, form, `{"queries":[{` + test.query + `}]}`, test.result}
	}
	f, _ := board(t, all, "", "")
	run, err := look(t, open(t, NewPool(func() time.Time { return start }), by(t, f.URL, testserver.User), "d"), 0)
	must(t, err)
	got := charts(run)
	for _, test := range append(tests, struct{ name, viz, query, result, want string }{name: "no query", want: "1 row, " + none}) {
		c := got[test.name]
		text := fmt.Sprintf("%d row, %v", c.Rows, c.Values)
		if age := start.Sub(c.Read); age != 0 {
			text += fmt.Sprintf(", %s old", age)
		}
		if c.Failure != nil {
			text = string(c.Failure.Reason)
		}
		if text != test.want || c.Took <= 0 {
			t.Errorf("%s: %s, want %s: %+v", test.name, text, test.want, c)
		}
	}
}

// TestTitles has dashboards that are known by their title.
func TestTitles(t *testing.T) {
	const title = "KREWE/Order's Sync!"
	for found, want := range map[string]string{
		`[{"id":5}]`:          "",
		`[]`:                  "has no dashboard with that slug, id or title, or hides it from user exporter",
		`[{"id":5},{"id":6}]`: "has several dashboards with that title, write the slug or the id",
	} {
		var asked string
		f := newFake(t, map[string]http.HandlerFunc{
			"GET /api/v1/dashboard/": func(w http.ResponseWriter, r *http.Request) {
				if q := r.URL.Query().Get("q"); strings.Contains(q, "filters") {
					asked = q
				}
				answerJSON(200, `{"result":`+found+`}`)(w, r)
			},
		})
		f.pages["GET /api/v1/dashboard/5"] = f.pages[boardPage]
		run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), title), 0)
		if query := "(columns:!(id),filters:!((col:dashboard_title,opr:eq,value:'KREWE/Order!'s Sync!!')))"; asked != query {
			t.Errorf("asked %s, want %s", asked, query)
		}
		if want == "" {
			must(t, err)
			compare(t, failed(run), map[string]string{"c": "ok"})
			continue
		}
		compare(t, failed(run), map[string]string{title: "not_found"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	// What does not say that it is missing is not looked for by its title.
	f := newFake(t, map[string]http.HandlerFunc{
		boardPage: answerJSON(403, `{}`), "GET /api/v1/dashboard/": answerJSON(200, `{"result":[{"id":1}]}`),
	})
	run, _ := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
	compare(t, failed(run), map[string]string{"d": "permission"})
	// Nor is anything made of a title that cannot be looked for, or of a dashboard whose data sources are not told.
	for page, handler := range map[string]http.HandlerFunc{
		"GET /api/v1/dashboard/": answerJSON(500, `{}`), "GET /api/v1/dashboard/1/datasets": answerJSON(500, `{}`),
	} {
		f := newFake(t, map[string]http.HandlerFunc{page: handler})
		if strings.HasSuffix(page, "/") {
			delete(f.pages, boardPage)
		}
		run, _ := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d"), 0)
		compare(t, failed(run), map[string]string{"d": "server_error"})
	}
}

// TestHints has names that no dashboard has, and what may have been meant by them.
func TestHints(t *testing.T) {
	const (
		sync  = `{"id":3,"slug":"krewe-order-sync","dashboard_title":"Order Sync"}`
		stock = `{"id":4,"slug":null,"dashboard_title":"Inventory"}`
	)
	f := newFake(t, map[string]http.HandlerFunc{
		"GET /api/v1/dashboard/": func(w http.ResponseWriter, r *http.Request) {
			found := sync + "," + stock
			if strings.Contains(r.URL.Query().Get("q"), "filters") {
				found = ""
			}
			answerJSON(200, `{"result":[`+found+`]}`)(w, r)
		},
		"GET /api/v1/dashboard/permalink/dk2Rpz6Wbl8": answerJSON(200, `{"dashboardId":"3","state":{}}`),
		"GET /api/v1/dashboard/permalink/older":       answerJSON(200, `{"dashboardId":4,"state":{}}`),
		"GET /api/v1/dashboard/3":                     answerJSON(200, `{"result":`+sync+`}`),
		"GET /api/v1/dashboard/4":                     answerJSON(200, `{"result":`+stock+`}`),
		"GET /api/v1/dashboard/krewe-order-sync":      answerJSON(200, `{"result":`+sync+`}`),
	})
	const link, others = `; it is a link to the dashboard krewe-order-sync ("Order Sync"): write that slug or id`,
		`hides it from user exporter, who sees `
	for name, want := range map[string]string{
		"https://tathya.example.com/superset/dashboard/p/dk2Rpz6Wbl8/": link,
		"/superset/dashboard/p/dk2Rpz6Wbl8":                            link,
		"dk2Rpz6Wbl8":                                                  link,
		"https://tathya.example.com/superset/dashboard/krewe-order-sync/?native_filters=(a:1)": link,
		"superset/dashboard/3/": link,
		"p/older":               `; it is a link to the dashboard 4 ("Inventory"): write that slug or id`,
		"https://tathya.example.com/superset/dashboard/p/gone/": others,
		"order-sync": others + `krewe-order-sync ("Order Sync"), 4 ("Inventory")`,
		"Inventry":   others + `4 ("Inventory"), krewe-order-sync ("Order Sync")`,
	} {
		run, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), name), 0)
		compare(t, failed(run), map[string]string{name: "not_found"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	f.pages["GET /api/v1/dashboard/"] = answerJSON(200, `{"result":[]}`)
	if _, err := look(t, open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "a"), 0); err == nil || !strings.Contains(err.Error(), "; Superset lists no dashboard for that account") {
		t.Errorf("error %v", err)
	}
}

// TestSeen lists the dashboards that an account sees, by the names that the configuration takes.
func TestSeen(t *testing.T) {
	const page = "GET /api/v1/dashboard/"
	f := newFake(t, map[string]http.HandlerFunc{page: answerJSON(200, `{"result":[{"id":1,"slug":"sync","dashboard_title":"Order Sync"},{"id":2,"slug":null,"dashboard_title":"Jobs"}]}`)})
	pool := NewPool(time.Now)
	seen, err := pool.Dashboards(t.Context(), by(t, f.URL, testserver.User))
	if got := fmt.Sprint(seen); err != nil || got != "[{sync Order Sync} {2 Jobs}]" {
		t.Errorf("error %v, got %s", err, got)
	}
	f.pages[page] = answerJSON(403, `{"message":"no"}`)
	if _, err := pool.Dashboards(t.Context(), by(t, f.URL, testserver.User)); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("error %v", err)
	}
	if len(pool.accounts) != 0 {
		t.Errorf("%d accounts are kept", len(pool.accounts))
	}
}
