package superset

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// testFilters has a chart in the scope of filters with defaults, and others that are not.
func testFilters(t *testing.T, s *testserver.SupersetServer, dataset int) {
	dashboard := s.NewDashboard(t, "Filtered", "filtered")
	encode := func(v any) string {
		text, err := json.Marshal(v)
		must(t, err)
		return string(text)
	}
	position := map[string]any{}
	chart := func(name, tab string) int {
		q := number(metric("COUNT(*)", "orders"))
		q["filters"] = []any{map[string]any{"col": "entry_date", "op": "TEMPORAL_RANGE", "val": "No filter"}}
		id := s.NewChart(t, dashboard, dataset, name, "big_number_total", q)
		position["CHART-"+name] = map[string]any{"type": "CHART", "parents": []any{"ROOT_ID", tab},
			"meta": map[string]any{"chartId": id, "sliceName": name, "sliceNameOverride": "As " + name}}
		return id
	}
	chart("first", "TAB-1")
	excluded := chart("excluded", "TAB-1")
	chart("other", "TAB-2")
	filter := func(roots []any, excluded []any, extra map[string]any) map[string]any {
		return map[string]any{"type": "NATIVE_FILTER", "scope": map[string]any{"rootPath": roots, "excluded": excluded},
			"defaultDataMask": map[string]any{"extraFormData": extra, "filterState": map[string]any{"value": "x"}}, "controlValues": map[string]any{}}
	}
	ids := map[string]any{"filters": []any{map[string]any{"col": "order_id", "op": "IN", "val": []any{"M1", "M2", "M7"}}}}
	unknown := map[string]any{"filters": []any{map[string]any{"col": "no_such_column", "op": "IN", "val": []any{"x"}}}}
	s.Call(t, http.MethodPut, fmt.Sprint("/api/v1/dashboard/", dashboard), map[string]any{
		"position_json": encode(position),
		"json_metadata": encode(map[string]any{"native_filter_configuration": []any{
			filter([]any{"ROOT_ID"}, []any{excluded}, ids), filter([]any{"ROOT_ID"}, nil, unknown),
			filter([]any{"TAB-2"}, nil, map[string]any{"time_range": "2026-03-01T00:00:00 : 2026-03-01T02:30:00"}),
		}}),
	})
	run, err := look(t, open(t, NewPool(time.Now), by(t, s.URL, testserver.User), "filtered"), 0)
	must(t, err)
	got := charts(run)
	for name, want := range map[string]float64{"As first": 3, "As excluded": 8, "As other": 2} {
		if c := got[name]; c.Values["orders"] != want {
			t.Errorf("%s: %v, want %g", name, c, want)
		}
	}
}

// expired returns a token of the administrator's, signed as Superset signs it, whose time is over.
func expired() string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		part([]byte(`{"fresh":true,"iat":1700000000,"nbf":1700000000,"exp":1700000900,"jti":"a","type":"access","sub":"1","csrf":"b"}`))
	sign := hmac.New(sha256.New, []byte("signs nothing but what the tests ask for"))
	sign.Write([]byte(text))
	return text + "." + part(sign.Sum(nil))
}

// testExpiry puts tokens into the account that Superset does not accept any more, or never did.
func testExpiry(t *testing.T, s *testserver.SupersetServer) {
	now := start
	p := NewPool(func() time.Time { return now })
	r := open(t, p, by(t, s.URL, testserver.User), "small")
	_, err := look(t, r, 0)
	must(t, err)
	good := r.account.held()
	step := time.Duration(0)
	for name, bad := range map[string]login{
		"access token expired":   {access: expired(), refresh: good.refresh},
		"access token broken":    {access: "broken", refresh: good.refresh},
		"refresh token broken":   {access: expired(), refresh: good.refresh + "x"},
		"refresh token expired":  {access: expired(), refresh: expired()},
		"nothing but the access": {access: expired()},
	} {
		bad.since = now
		r.account.hold(bad)
		step += 5 * time.Minute
		now = start.Add(step)
		if _, err := look(t, r, step); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := r.account.held()
		if renewed := got.refresh == good.refresh; got.access == bad.access || renewed != (bad.refresh == good.refresh) {
			t.Errorf("%s: another refresh token: %t", name, !renewed)
		}
	}
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte(expired()), 0o600))
	ready := open(t, p, config.SupersetAccount{URL: s.URL, Token: config.FileSecret(file)}, "small")
	_, err = look(t, ready, 0)
	if err == nil || !strings.Contains(err.Error(), "rejects the token, put a new one into token_file") {
		t.Errorf("a token whose time is over: %v", err)
	}
	must(t, os.WriteFile(file, []byte(r.account.held().access), 0o600))
	_, err = look(t, ready, 5*time.Minute)
	must(t, err)
}

// TestCSRF asks a real Superset that exempts nothing from its CSRF protection.
func TestCSRF(t *testing.T) {
	s, pg := testserver.Superset(t, "CSRF=1"), testserver.Postgres(t)
	database, _ := orders(t, s, pg, "oms")
	dataset := s.NewDataset(t, database, "created", "public", "SELECT * FROM order_header")
	s.NewChart(t, s.NewDashboard(t, "Small", "small"), dataset, "Only", "table", table("order_id"))
	r := open(t, NewPool(time.Now), by(t, s.URL, testserver.User), "small")
	for i := range 2 {
		run, err := look(t, r, time.Duration(i)*5*time.Minute)
		must(t, err)
		compare(t, failed(run), map[string]string{"Only": "ok"})
		if r.account.held().csrf == "" {
			t.Error("no CSRF token was wanted")
		}
		stale := r.account.held()
		stale.csrf = "stale"
		r.account.hold(stale)
	}
}
