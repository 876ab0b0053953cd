package demo

import (
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/superset"
)

// browser looks at a client's dashboards as the exporter does.
type browser struct {
	*testing.T
	client config.Client
}

func newBrowsers(t *testing.T, d *Demo) []browser {
	t.Helper()
	cfg, err := config.Load(d.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	var all []browser
	for _, c := range cfg.Clients {
		all = append(all, browser{t, c})
	}
	return all
}

// look logs in and asks for everything once.
func (b browser) look(now time.Time) oms.ReportRun {
	b.Helper()
	reports, err := superset.NewPool(func() time.Time { return now }).Open(slog.New(slog.DiscardHandler), b.client)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := reports.Close(); err != nil {
			b.Error(err)
		}
	}()
	found, _ := reports.Latest(b.Context(), now) // the failures say the same
	return found
}

// sees returns the charts by their titles, and what fails with its reason.
func (b browser) sees(now time.Time) (charts map[string]oms.Chart, failing []string) {
	b.Helper()
	charts = map[string]oms.Chart{}
	for _, d := range b.look(now).Dashboards {
		if d.Failure != nil {
			failing = append(failing, d.Name+" "+string(d.Failure.Reason))
		}
		for _, c := range d.Charts {
			charts[c.Name] = c
			if c.Failure != nil {
				failing = append(failing, c.Name+" "+string(c.Failure.Reason))
			}
		}
	}
	slices.Sort(failing)
	return charts, failing
}

const pendingFiles = "SELECT count(*) FROM data_manager_log WHERE status_id IN ('SERVICE_PENDING', 'DmlsPending')"

// Charts show what the tables hold, for each client his own; for a minute they are answered from a cache.
func TestCharts(t *testing.T) {
	t.Parallel()
	d, observers := newTestDemo(t, 2, 24*time.Hour, 9)
	browsers := newBrowsers(t, d)
	observers[1].set(d, "dm-pending", true)
	for i, o := range observers {
		charts, failing := browsers[i].sees(o.now)
		if len(charts) != 10 || failing != nil {
			t.Fatalf("%s sees %d charts, of which %v fail", o.name, len(charts), failing)
		}
		for chart, want := range map[string]struct {
			source, metric, query string
		}{
			"Missing orders":          {"OMS", "", "SELECT count(*) FROM shopify_oms_order_recon"},
			"Created orders":          {"OMS", "orders", "SELECT count(*) FROM order_header WHERE status_id = 'ORDER_CREATED'"},
			"Orders of a day":         {"OMS", "orders", "SELECT count(*) FROM order_header WHERE entry_date > '" + o.ago(24*time.Hour) + "'"},
			"Pending files":           {"OMS", "", pendingFiles},
			"Unfulfilled orders":      {"OMS", "orders", "SELECT count(*) FROM order_header WHERE status_id = 'ORDER_APPROVED'"},
			"Inventory import errors": {"Solr", "", "SELECT count(*) FROM data_manager_log WHERE failed_record_count > 0"},
			"Failed jobs of a day":    {"Solr", "", "SELECT count(*) FROM job_sandbox WHERE status_id = 'SERVICE_FAILED' AND finish_date_time > '" + o.ago(24*time.Hour) + "'"},
		} {
			got, count := charts[chart], o.count(want.query)
			rows := count
			if want.metric != "" {
				rows = 1
				if got.Values[want.metric] != float64(count) || len(got.Values) != 1 {
					t.Errorf("%s: %s shows %v, want %d", o.name, chart, got.Values, count)
				}
			}
			if got.Rows != rows || got.DataSource != o.name+" "+want.source || !got.Read.Equal(o.now) {
				t.Errorf("%s: %s is %+v, want %d rows of %s, read at %s", o.name, chart, got, rows, want.source, o.now)
			}
		}
		if charts["Orders of a day"].Values["orders"] < 200 || charts["Unfillable orders"].Rows < 1 {
			t.Errorf("%s: nothing is to be seen: %+v", o.name, charts)
		}
	}

	o, waiting, read := observers[1], observers[1].count(pendingFiles), observers[1].now
	o.set(d, "dm-pending", false)
	for _, step := range []struct {
		by     time.Duration
		cached bool
	}{{0, true}, {59 * time.Second, true}, {time.Second, false}} {
		advance(t, d, observers, step.by)
		if !step.cached {
			waiting, read = o.count(pendingFiles), o.now
		}
		charts, _ := browsers[1].sees(o.now)
		if got := charts["Pending files"]; got.Rows != waiting || !got.Read.Equal(read) {
			t.Errorf("at %s: %d files read at %s, want %d at %s", o.now, got.Rows, got.Read, waiting, read)
		}
	}
}

// Each fault of Superset fails what it should, until it is over, and nothing of another client: what its cache has, once that
// runs out.
func TestSupersetFaults(t *testing.T) {
	t.Parallel()
	d, observers := newTestDemo(t, 2, 24*time.Hour, 10)
	browsers := newBrowsers(t, d)
	expect := func(when string, who int, want []string) {
		t.Helper()
		if _, failing := browsers[who].sees(observers[who].now); !slices.Equal(failing, want) {
			t.Errorf("%s, %s: %v fail, want %v", observers[who].name, when, failing, want)
		}
	}
	for fault, want := range map[string][]string{
		"superset-down":      {"krewe-fulfillment server_error", "krewe-inventory server_error", "krewe-order-sync server_error"},
		"chart-error":        {"Missing orders query"},
		"solr-token-expired": {"Failed jobs of a day data_source_auth", "Inventory import errors data_source_auth", "Shopify order import errors data_source_auth"},
	} {
		expect("before "+fault, 0, nil)
		observers[0].set(d, fault, true)
		if fault == "solr-token-expired" {
			expect(fault+", cached", 0, nil)
		}
		advance(t, d, observers, cacheTimeout)
		expect(fault, 0, want)
		expect(fault+" elsewhere", 1, nil)
		observers[0].set(d, fault, false)
		expect("after "+fault, 0, nil)
	}
}

// An account sees its own dashboards, and nobody sees any without its password or token.
func TestSupersetAccounts(t *testing.T) {
	d, observers := newTestDemo(t, 2, 24*time.Hour, 1)
	krewe := newBrowsers(t, d)[0]
	for what, test := range map[string]struct {
		change func(*config.Superset)
		want   string
	}{
		"another password": {func(s *config.Superset) { s.Account.Password = config.EnvSecret("guessed") }, "login"},
		"another user":     {func(s *config.Superset) { s.Account.Username = "admin" }, "login"},
		"another provider": {func(s *config.Superset) { s.Account.Provider = config.SupersetLDAP }, "login"},
		"another client":   {func(s *config.Superset) { s.Account.Username = "ucg" }, "not_found"},
	} {
		stranger := krewe
		test.change(&stranger.client.Superset)
		stranger.client.Superset.Dashboards = stranger.client.Superset.Dashboards[:1]
		if _, failing := stranger.sees(observers[0].now); !slices.Equal(failing, []string{"krewe-order-sync " + test.want}) {
			t.Errorf("%s: %v", what, failing)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, krewe.client.Superset.Account.URL+"/api/v1/dashboard/krewe-order-sync", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", response.Status)
	}
}
