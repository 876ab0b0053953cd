package demo

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// worldFaults are the faults that show in the tables or in the drop folder: all but those of servers.
func worldFaults() []string {
	var names []string
	for _, f := range Faults() {
		if !slices.Contains([]string{
			timezoneWrong, replicaStopped, "db-hung", "sftp-hung", "sftp-hostkey-changed", "superset-down", "chart-error", "solr-token-expired",
		}, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// expectFaults says that the tables and the drop folder show these faults and no other.
func (o *observer) expectFaults(when string, want ...string) {
	o.Helper()
	if got := o.faults(); !slices.Equal(got, want) {
		o.Errorf("%s at %s, %s: there is %v, want %v", o.name, o.now, when, got, want)
	}
}

func (o *observer) set(d *Demo, fault string, on bool) {
	o.Helper()
	if err := d.SetFault(o.Context(), o.name, fault, on); err != nil {
		o.Fatal(err)
	}
}

// Whatever the hour, a fault shows at once, alone, and is gone at once. The deadline faults are tried at every hour,
// the others in turn.
func TestFaultsShowAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	t.Parallel()
	const hours = 26
	d, observers := newTestDemo(t, 4, 24*time.Hour, 3)
	names := worldFaults()
	next := 0
	for range hours {
		for _, o := range observers {
			o.expectFaults("before any")
			for _, fault := range []string{names[next%len(names)], fileMissing, fileLate, fileStuck, fileFailed} {
				o.set(d, fault, true)
				o.expectFaults("at once", fault)
				o.set(d, fault, false)
				o.expectFaults("mended " + fault)
			}
			next++
		}
		advance(t, d, observers, 61*time.Minute)
	}
}

// A fault stays until it is switched off, and nothing is left of it afterwards.
func TestFaultsLast(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	t.Parallel()
	const clients, hours = 4, 14
	d, observers := newTestDemo(t, clients, 24*time.Hour, 4)
	for faults := range slices.Chunk(worldFaults(), clients) {
		for i, fault := range faults {
			observers[i].set(d, fault, true)
			observers[i].set(d, fault, true)
		}
		for range hours {
			advance(t, d, observers, time.Hour)
			for i, fault := range faults {
				observers[i].expectFaults("after a while", fault)
			}
		}
		for i, fault := range faults {
			observers[i].set(d, fault, false)
			observers[i].expectFaults("mended " + fault)
		}
		advance(t, d, observers, time.Hour)
		for _, o := range observers {
			o.expectFaults("an hour later")
		}
	}
}

// Whoever reads only changes must see a fault: every row that it touches bears the present as its stamp, and none goes.
func TestFaultsAreChanges(t *testing.T) {
	t.Parallel()
	d, observers := newTestDemo(t, 1, 24*time.Hour, 5)
	o := observers[0]
	advance(t, d, observers, time.Minute)
	count := func(table, where string) int { return o.count("SELECT count(*) FROM " + table + " WHERE " + where) }
	tables := []string{"order_header", "order_item", "order_status", "order_facility_change", "job_sandbox", "data_manager_log", "data_manager_config"}
	for _, fault := range worldFaults() {
		before := map[string]int{}
		for _, table := range tables {
			before[table] = count(table, "true")
		}
		advance(t, d, observers, time.Second)
		fresh := "last_updated_tx_stamp = '" + o.ago(0) + "'"
		o.set(d, fault, true)
		touched := 0
		for _, table := range tables {
			touched += count(table, fresh)
			if count(table, "true") < before[table] {
				t.Errorf("%s removed rows of %s", fault, table)
			}
		}
		if touched == 0 && fault != "file-invalid" {
			t.Errorf("%s touched nothing", fault)
		}
		o.set(d, fault, false)
	}
}

// One fault after another, without a pause: the next one does not bring back the last.
func TestFaultsInTurn(t *testing.T) {
	t.Parallel()
	d, observers := newTestDemo(t, 1, 24*time.Hour, 6)
	o := observers[0]
	names := worldFaults()
	for range 2 {
		for _, fault := range names {
			o.set(d, fault, true)
			o.expectFaults("at once", fault)
			o.set(d, fault, false)
			o.expectFaults("mended " + fault)
		}
		advance(t, d, observers, time.Minute)
	}
}

func TestUnknownFault(t *testing.T) {
	d, _ := newTestDemo(t, 2, 0, 1)
	for _, test := range []struct{ client, fault, want string }{
		{"ACME", "job-stuck", `unknown client "ACME": use one of KREWE, UCG`},
		{"UCG", "coffee", `unknown fault "coffee": use one of order-stuck, order-unfulfilled, unfillable, retry-storm, erp-stopped, import-stalled, ` +
			`job-stuck, instance-died, job-failing, job-claimed, job-flaky, schedule-lost, scheduler-down, file-missing, file-late, ` +
			`file-stuck-on-sftp, file-backdated, file-invalid, file-failed, file-empty, config-wrong, dm-pending, dm-failed, files-flaky, ` +
			`timezone-wrong, replica-stopped, db-hung, sftp-hung, sftp-hostkey-changed, superset-down, chart-error, solr-token-expired`},
	} {
		if err := d.SetFault(t.Context(), test.client, test.fault, true); err == nil || err.Error() != test.want {
			t.Errorf("%s %s: got %v, want %s", test.client, test.fault, err, test.want)
		}
	}
}

// The faults of the servers that write show in the newest stamp only, and leave nothing behind.
func TestWritingFaults(t *testing.T) {
	t.Parallel()
	d, observers := newTestDemo(t, 2, 24*time.Hour, 7)
	const stamp = "SELECT max(last_updated_tx_stamp) FROM job_sandbox"
	newest := func(o *observer) time.Duration { return o.age(stamp) }
	for _, o := range observers {
		o.set(d, timezoneWrong, true)
		if got, want := o.texts(stamp), o.ago(-5*time.Hour); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: the newest stamp is %s with a wrong zone, want %s", o.name, got, want)
		}
	}
	advance(t, d, observers, 2*time.Hour)
	for _, o := range observers {
		o.set(d, timezoneWrong, false)
		if age := newest(o); age != 0 {
			t.Errorf("%s: the newest stamp is %s old with the right zone", o.name, age)
		}
		o.expectFaults("with the right zone")
		o.set(d, replicaStopped, true)
	}
	advance(t, d, observers, 2*time.Hour)
	for _, o := range observers {
		if age := newest(o); age != 2*time.Hour {
			t.Errorf("%s: the newest stamp is %s old on a stopped replica", o.name, age)
		}
		o.set(d, replicaStopped, false)
		if age := newest(o); age > 5*time.Minute {
			t.Errorf("%s: the newest stamp is %s old on a replica that has caught up", o.name, age)
		}
		o.expectFaults("on a replica that has caught up")
	}
}

func TestHang(t *testing.T) {
	d, _ := newTestDemo(t, 2, 0, 1)
	if err := d.SetFault(t.Context(), "KREWE", "db-hung", true); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, other := range []string{"UCG", "ACME"} {
			if err := d.Hang(ctx, other); err != nil {
				t.Errorf("%s is hung too: %v", other, err)
			}
		}
		start := time.Now()
		err := d.Hang(ctx, "KREWE")
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "KREWE: the database does not answer") {
			t.Errorf("got error %v", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
	if err := d.SetFault(t.Context(), "KREWE", "db-hung", false); err != nil {
		t.Fatal(err)
	}
	if err := d.Hang(t.Context(), "KREWE"); err != nil {
		t.Errorf("after the fault: %v", err)
	}
}

func TestFaultHandler(t *testing.T) {
	d, observers := newTestDemo(t, 1, 24*time.Hour, 1)
	server := httptest.NewServer(d.FaultHandler())
	defer server.Close()
	ask := func(method string, params url.Values) (int, string) {
		t.Helper()
		status, body, err := testserver.Fetch(t.Context(), method, server.URL+"/demo/fault?"+params.Encode())
		if err != nil {
			t.Fatal(err)
		}
		return status, body
	}
	params := func(client, name, on string) url.Values {
		return url.Values{"client": {client}, "name": {name}, "on": {on}}
	}
	for _, test := range []struct {
		method string
		params url.Values
		code   int
		body   string
	}{
		{"POST", params("KREWE", "order-stuck", "true"), 200, "KREWE: order-stuck is on\n"},
		{"POST", params("KREWE", "order-stuck", "maybe"), 400, `on="maybe": write on=true or on=false`},
		{"POST", params("ACME", "order-stuck", "true"), 400, "use one of KREWE"},
		{"POST", params("KREWE", "coffee", "true"), 400, "use one of order-stuck, "},
		{"DELETE", nil, 405, "use POST to inject or clear a fault, GET to list the faults"},
		{"GET", nil, 200, "  order-stuck          on   an order has been in status created for more than 3 hours\n  order-unfulfilled    off "},
	} {
		if code, body := ask(test.method, test.params); code != test.code || !strings.Contains(body, test.body) {
			t.Errorf("%s %s: got %d %q, want %d %q", test.method, test.params, code, body, test.code, test.body)
		}
	}
	observers[0].expectFaults("by HTTP", "order-stuck")
	if code, body := ask("POST", params("KREWE", "order-stuck", "false")); code != 200 || body != "KREWE: order-stuck is off\n" {
		t.Errorf("got %d %q", code, body)
	}
	observers[0].expectFaults("by HTTP")
}
