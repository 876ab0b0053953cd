package testserver

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// supersetAdmin is the administrator that "make superset" has made, and his password.
const supersetAdmin = "admin"

// SupersetServer is an Apache Superset with two accounts beside its administrator's: User, who may see every data source,
// and Stranger, who may see none, both with Password.
type SupersetServer struct {
	*daemon
	URL string

	bearer, csrf, cookie string // the administrator's
}

// Stranger is an account on a SupersetServer.
const Stranger = "stranger"

// Superset starts an Apache Superset without content. With extra "CSRF=1" in its environment it takes no request that
// changes anything without a CSRF token.
func Superset(tb testing.TB, extra ...string) *SupersetServer {
	tb.Helper()
	link := installed(tb, "superset", "make superset")
	program, err := filepath.EvalSymlinks(link)
	check(tb, err)
	venv := filepath.Dir(filepath.Dir(program))
	s, dir := new(SupersetServer), newFolder(tb, nil)
	empty, err := os.ReadFile(filepath.Join(venv, "metadata.db"))
	check(tb, err)
	check(tb, os.WriteFile(filepath.Join(dir, "metadata.db"), empty, 0o600))
	s.daemon = serve(tb, nil, dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		s.URL = "http://127.0.0.1:" + port
		command := append([]string{"/usr/bin/env", "SUPERSET_HOME=" + dir}, extra...)
		return append(command, "SUPERSET_CONFIG_PATH="+filepath.Join(venv, "superset_config.py"),
				filepath.Join(venv, "bin", "gunicorn"), "--no-control-socket", "--workers=1", "--threads=8",
				"--bind=127.0.0.1:"+port, "superset.app:create_app()"),
			func(ctx context.Context) error { return get(ctx, s.URL+"/health") }
	})
	s.enter(tb)
	roles := map[string]float64{}
	for _, role := range s.Call(tb, http.MethodGet, "/api/v1/security/roles/", nil)["result"].([]any) {
		role := role.(map[string]any)
		roles[role["name"].(string)] = role["id"].(float64)
	}
	for user, role := range map[string]string{User: "Alpha", Stranger: "Gamma"} {
		s.Call(tb, http.MethodPost, "/api/v1/security/users/", map[string]any{
			"active": true, "username": user, "password": Password, "first_name": user, "last_name": user,
			"email": user + "@localhost", "roles": []any{roles[role]},
		})
	}
	return s
}

// enter logs the administrator in.
func (s *SupersetServer) enter(tb testing.TB) {
	tb.Helper()
	s.bearer, _ = s.Call(tb, http.MethodPost, "/api/v1/security/login", map[string]any{
		"username": supersetAdmin, "password": supersetAdmin, "provider": "db",
	})["access_token"].(string)
	s.csrf, _ = s.Call(tb, http.MethodGet, "/api/v1/security/csrf_token/", nil)["result"].(string)
}

// Call sends a request to the API as the administrator, and returns the answer.
func (s *SupersetServer) Call(tb testing.TB, method, path string, body any) map[string]any {
	tb.Helper()
	sent, err := json.Marshal(body)
	check(tb, err)
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(sent))
	check(tb, err)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json", "Authorization": "Bearer " + s.bearer,
		"X-CSRFToken": s.csrf, "Cookie": s.cookie, "Referer": s.URL,
	} {
		r.Header.Set(name, value)
	}
	if s.bearer == "" {
		r.Header.Del("Authorization")
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	check(tb, err)
	answer, err := io.ReadAll(response.Body)
	check(tb, err)
	check(tb, response.Body.Close())
	if response.StatusCode >= http.StatusMultipleChoices {
		tb.Fatalf("%s %s: %s: %s; Superset's output ends with\n%s", method, path, response.Status, answer, s.output(tb))
	}
	if cookie, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";"); cookie != "" && s.cookie == "" {
		s.cookie = cookie
	}
	var said map[string]any
	check(tb, json.Unmarshal(answer, &said))
	return said
}

// create adds something, and returns its id.
func (s *SupersetServer) create(tb testing.TB, path string, body map[string]any) int {
	tb.Helper()
	return int(s.Call(tb, http.MethodPost, path, body)["id"].(float64))
}

// NewDatabase makes a data source known by its SQLAlchemy URI, and returns its id. Engine is what its connections get.
func (s *SupersetServer) NewDatabase(tb testing.TB, name, uri string, engine map[string]any) int {
	tb.Helper()
	extra, err := json.Marshal(map[string]any{"engine_params": engine})
	check(tb, err)
	return s.create(tb, "/api/v1/database/", map[string]any{"database_name": name, "sqlalchemy_uri": uri, "extra": string(extra)})
}

// NewDataset makes a dataset of a query, and returns its id. Names are unique.
func (s *SupersetServer) NewDataset(tb testing.TB, database int, name, schema, query string) int {
	tb.Helper()
	return s.create(tb, "/api/v1/dataset/", map[string]any{"database": database, "table_name": name, "schema": schema, "sql": query})
}

// NewDashboard makes an empty dashboard that everybody may find, and returns its id.
func (s *SupersetServer) NewDashboard(tb testing.TB, title, slug string) int {
	tb.Helper()
	return s.create(tb, "/api/v1/dashboard/", map[string]any{"dashboard_title": title, "slug": slug, "published": true})
}

// NewChart puts a chart on a dashboard, and returns its id. Without a query it has none saved.
func (s *SupersetServer) NewChart(tb testing.TB, dashboard, dataset int, title, kind string, query map[string]any) int {
	tb.Helper()
	encode := func(v any) string {
		text, err := json.Marshal(v)
		check(tb, err)
		return string(text)
	}
	form := map[string]any{"viz_type": kind, "datasource": encode(dataset) + "__table"}
	chart := map[string]any{
		"slice_name": title, "viz_type": kind, "datasource_id": dataset, "datasource_type": "table",
		"params": encode(form), "dashboards": []int{dashboard},
	}
	if query != nil {
		chart["query_context"] = encode(map[string]any{
			"datasource": map[string]any{"id": dataset, "type": "table"}, "queries": []any{query}, "form_data": form,
			"force": false, "result_format": "json", "result_type": "full",
		})
	}
	return s.create(tb, "/api/v1/chart/", chart)
}
