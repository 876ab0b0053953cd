package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestSupersetPages has the answers of the demo's Superset to what it knows and does not know.
func TestSupersetPages(t *testing.T) {
	d, observers := newTestDemo(t, 1, time.Hour, 1)
	account := newBrowsers(t, d)[0].client.Superset.Account
	password, err := account.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(page, bearer, body string) string {
		t.Helper()
		method, at, _ := strings.Cut(page, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, account.URL+at, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
		response, err := new(http.Transport).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(response.StatusCode, " ", response.Header.Get("Content-Type"), " ", strings.TrimSpace(string(text)))
	}
	const jsonType = " application/json; charset=utf-8 "
	login := func(user, provider string) string {
		return ask("POST /api/v1/security/login", "", fmt.Sprintf(`{"username":%q,"password":%q,"provider":%q}`, user, password, provider))
	}
	token := observers[0].token(d)
	for name, test := range map[string]struct{ got, want string }{
		"login":            {login("krewe", "db"), "200" + jsonType + `{"access_token":"` + token + `"}`},
		"nobody":           {login("nobody", "db"), "401" + jsonType + `{"message":"Not authorized"}`},
		"ldap":             {login("krewe", "ldap"), "401" + jsonType + `{"message":"Not authorized"}`},
		"no JSON":          {ask("POST /api/v1/security/login", "", `{"username":"krewe"`), "401" + jsonType + `{"message":"Not authorized"}`},
		"no token":         {ask("GET /api/v1/chart/1", "guessed", ""), "401" + jsonType + `{"msg":"Missing Authorization Header"}`},
		"the first board":  {ask("GET /api/v1/dashboard/krewe-order-sync", token, ""), "200" + jsonType + `{"result":{"dashboard_title":"KREWE Order Sync","id":1,"json_metadata":null,"position_json":null,"slug":"krewe-order-sync"}}`},
		"the last board":   {ask("GET /api/v1/dashboard/krewe-fulfillment", token, ""), "200" + jsonType + `{"result":{"dashboard_title":"KREWE Fulfillment","id":3,"json_metadata":null,"position_json":null,"slug":"krewe-fulfillment"}}`},
		"no board":         {ask("GET /api/v1/dashboard/order-sync", token, ""), "404" + jsonType + `{"message":"Not found"}`},
		"charts":           {ask("GET /api/v1/dashboard/3/charts", token, ""), "200" + jsonType + `{"result":[{"form_data":{"datasource":"1__table","viz_type":"big_number_total"},"id":8,"slice_name":"Unfulfilled orders"},{"form_data":{"datasource":"1__table","viz_type":"table"},"id":9,"slice_name":"Unfillable orders"},{"form_data":{"datasource":"2__table","viz_type":"table"},"id":10,"slice_name":"Failed jobs of a day"}]}`},
		"charts of none":   {ask("GET /api/v1/dashboard/4/charts", token, ""), "404" + jsonType + `{"message":"Not found"}`},
		"datasets":         {ask("GET /api/v1/dashboard/1/datasets", token, ""), "200" + jsonType + `{"result":[{"database":{"name":"KREWE OMS"},"uid":"1__table"},{"database":{"name":"KREWE Solr"},"uid":"2__table"}]}`},
		"a big number":     {ask("GET /api/v1/chart/8", token, ""), "200" + jsonType + `{"result":{"id":8,"query_context":"{\"datasource\":{\"id\":1,\"type\":\"table\"},\"queries\":[{\"columns\":[],\"filters\":[],\"metrics\":[{\"expressionType\":\"SQL\",\"label\":\"orders\",\"sqlExpression\":\"count(*)\"}]}]}","slice_name":"Unfulfilled orders"}}`},
		"a table":          {ask("GET /api/v1/chart/10", token, ""), "200" + jsonType + `{"result":{"id":10,"query_context":"{\"datasource\":{\"id\":2,\"type\":\"table\"},\"queries\":[{\"columns\":[\"job_id\",\"job_name\",\"finish_date_time\",\"job_result\"],\"filters\":[],\"metrics\":[]}]}","slice_name":"Failed jobs of a day"}}`},
		"no chart":         {ask("GET /api/v1/chart/11", token, ""), "404" + jsonType + `{"message":"Not found"}`},
		"data of none":     {ask("POST /api/v1/chart/data", token, `{"form_data":{"slice_id":11}}`), "404" + jsonType + `{"message":"Not found"}`},
		"data of nonsense": {ask("POST /api/v1/chart/data", token, `{`), "400" + jsonType + `{"message":"Error: request is incorrect: unexpected EOF"}`},
		"data":             {ask("POST /api/v1/chart/data", token, `{"form_data":{"slice_id":9}}`), "200" + jsonType + `{"result":[{"cached_dttm":null,"data":[],"is_cached":false,"rowcount":0,"status":"success"}]}`},
		"data again":       {ask("POST /api/v1/chart/data", token, `{"form_data":{"slice_id":9}}`), "200" + jsonType + `{"result":[{"cached_dttm":"2026-03-04T12:00:00","data":[],"is_cached":true,"rowcount":0,"status":"success"}]}`},
	} {
		if test.got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, test.got, test.want)
		}
	}
	observers[0].set(d, "superset-down", true)
	const away = "503 text/plain; charset=utf-8 no server is available to handle this request"
	if in, page := login("krewe", "db"), ask("GET /api/v1/chart/1", token, ""); in != away || page != away {
		t.Errorf("while it is down: %s and %s", in, page)
	}
}

// token is what the client's account at Superset has to show.
func (o *observer) token(d *Demo) string {
	o.Helper()
	c, err := d.client(o.name)
	if err != nil {
		o.Fatal(err)
	}
	return c.reports.token
}

// TestSFTPSessions asks the SFTP server for what is no SFTP.
func TestSFTPSessions(t *testing.T) {
	d, observers := newTestDemo(t, 1, 24*time.Hour, 1)
	at := location(t, d)
	password, err := at.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := new(net.Dialer).DialContext(t.Context(), "tcp", at.Address)
	if err != nil {
		t.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(tcp, at.Address, &ssh.ClientConfig{
		User: at.Username, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	defer func() { _ = client.Close() }() // the server may have closed it
	if _, _, err := client.OpenChannel("direct-tcpip", nil); err == nil || !strings.Contains(err.Error(), "only sessions") {
		t.Errorf("a tunnel: %v", err)
	}
	if ok, _, err := client.SendRequest("tcpip-forward", true, nil); ok || err != nil {
		t.Errorf("a tunnel back: %t, %v", ok, err)
	}
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for name, refused := range map[string]error{
		"a command": session.Start("id"), "another subsystem": session.RequestSubsystem("netconf"),
	} {
		if refused == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := session.RequestSubsystem("sftp"); err != nil {
		t.Errorf("SFTP is refused: %v", err)
	}

	v := observers[0].drop
	listed := map[string]fs.FileInfo{}
	for _, folder := range []string{path.Dir(v.path), v.path, path.Join(v.path, archive)} {
		entries, err := v.ReadDir(folder)
		if err != nil && folder != path.Dir(v.path) {
			t.Fatal(err)
		}
		for _, e := range entries {
			listed[path.Join(folder, e.Name())] = e
		}
	}
	for _, folder := range []string{archive, refused} {
		if e := listed[path.Join(v.path, folder)]; e == nil || !e.IsDir() || e.Mode().Perm() != 0o555 {
			t.Errorf("the folder %s is %v", folder, e)
		}
	}
	files := 0
	for at, e := range listed {
		if e.IsDir() {
			continue
		}
		files++
		state, err := v.Stat(at)
		if err != nil || state.Size() != e.Size() || !state.ModTime().Equal(e.ModTime()) || e.Mode() != 0o444 || int(e.Size()) != len(v.read(t, strings.TrimPrefix(at, v.path))) {
			t.Errorf("%s: %v, %v, %v", at, e, state, err)
		}
	}
	if files == 0 {
		t.Error("no file is there")
	}
}

// TestFolderTimes shows that the time of the folders moves with each change of what is in them, and only then.
func TestFolderTimes(t *testing.T) {
	d, observers := newTestDemo(t, 1, 24*time.Hour, 1)
	o := observers[0]
	changed := func() time.Time {
		state, err := o.drop.Stat(o.drop.path)
		if err != nil {
			t.Fatal(err)
		}
		return state.ModTime()
	}
	last := changed()
	if !last.Equal(o.now) {
		t.Errorf("at first %s, want %s", last, o.now)
	}
	advance(t, d, observers, time.Minute)
	if now := changed(); !now.Equal(last) {
		t.Errorf("without a change %s, before %s", now, last)
	}
	last = o.now
	for i, on := range []bool{true, false, true} { // within one second of the clock
		o.set(d, "file-invalid", on)
		if now := changed(); !now.Equal(last.Add(time.Duration(i) * time.Second)) {
			t.Errorf("change %d: %s, want %d s after %s", i, now, i, last)
		}
	}
	if err := d.Advance(t.Context(), o.now.Add(-time.Hour)); err != nil { // the clock does not go back
		t.Fatal(err)
	}
	advance(t, d, observers, 0)
	o.expectFaults("after the clock was set back", "file-invalid")
}

// TestFaultLog shows that a fault is logged when it is switched, and not when it is so already.
func TestFaultLog(t *testing.T) {
	d, observers := newTestDemo(t, 1, 0, 1)
	var log bytes.Buffer
	d.logger = slog.New(slog.NewTextHandler(&log, nil))
	for _, on := range []bool{false, true, true, false} {
		observers[0].set(d, "db-hung", on)
	}
	for on, want := range map[bool]int{true: 1, false: 1} {
		if n := strings.Count(log.String(), fmt.Sprintf(`msg="fault switched" client=KREWE fault=db-hung on=%t`, on)); n != want {
			t.Errorf("switched to %t %d times: %s", on, n, &log)
		}
	}
	if err := d.Hang(t.Context(), "ACME"); err != nil {
		t.Errorf("an unknown client hangs: %v", err)
	}
}

// TestRerun shows that what a fault of the jobs left behind is run once more, with success, when it is over.
func TestRerun(t *testing.T) {
	d, observers := newTestDemo(t, 1, 24*time.Hour, 1)
	o := observers[0]
	for fault, want := range map[string]struct {
		status string
		runs   int
	}{"job-stuck": {failed, 1}, "instance-died": {crashed, 4}} {
		before := o.now
		advance(t, d, observers, time.Second)
		o.set(d, fault, true)
		o.set(d, fault, false)
		if n := o.count(`SELECT count(*) FROM job_sandbox r JOIN job_sandbox n ON n.previous_job_id = r.job_id WHERE r.status_id = ?
			AND n.status_id = 'SERVICE_FINISHED' AND n.job_name = r.job_name AND n.run_by_instance_id = r.run_by_instance_id
			AND n.finish_date_time = ? AND r.last_updated_tx_stamp > ?`, want.status, o.ago(0), o.ago(o.now.Sub(before))); n != want.runs {
			t.Errorf("%s: %d runs are repeated, want %d", fault, n, want.runs)
		}
	}
}

// TestNewFails has a folder in which a part of the demo cannot be made. Nothing stays open of the rest.
func TestNewFails(t *testing.T) {
	all, err := profiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "oms_exporter.yml", "krewe.db"} {
		dir := t.TempDir()
		at := filepath.Join(dir, name)
		if name == "" {
			at = filepath.Join(dir, "none", "such")
			dir = at
		} else if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := newDemo(t.Context(), slog.New(slog.DiscardHandler), dir, all[:1], noon(), 1, 0); err == nil || !strings.Contains(err.Error(), at) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
