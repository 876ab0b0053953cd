package demo

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// advance moves the demo and the observers' clocks.
func advance(t *testing.T, d *Demo, observers []*observer, by time.Duration) {
	t.Helper()
	for _, o := range observers {
		o.now = o.now.Add(by)
	}
	if err := d.Advance(t.Context(), observers[0].now); err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func expectHealthy(observers []*observer) {
	for _, o := range observers {
		o.Helper()
		if ails := o.ails(); ails != nil {
			o.Errorf("%s at %s is not healthy: %v", o.name, o.now, ails)
		}
	}
}

// A week with the start of daylight saving in it: no check finds anything at any hour.
func TestHealthyWeek(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	t.Parallel()
	const week = 7 * 24 * time.Hour
	d, observers := newTestDemo(t, 4, 48*time.Hour, 1)
	expectHealthy(observers)
	for hours := time.Duration(0); hours < week; hours += time.Hour {
		advance(t, d, observers, time.Hour)
		expectHealthy(observers)
	}
	// All that the exporter has to cope with is there.
	for what, query := range map[string]string{
		"a template":              "SELECT count(*) FROM job_sandbox WHERE status_id = 'SERVICE_DRAFT'",
		"an asynchronous call":    "SELECT count(*) FROM job_sandbox WHERE job_name GLOB '[0-9]*' AND system_job_enum_id IS NULL",
		"a failure":               "SELECT count(*) FROM job_sandbox WHERE status_id = 'SERVICE_FAILED' AND current_retry_count = 0",
		"a chain":                 "SELECT count(*) FROM job_sandbox a JOIN job_sandbox b ON b.previous_job_id = a.job_id AND b.parent_job_id = a.parent_job_id",
		"a second instance":       "SELECT count(DISTINCT run_by_instance_id) - 1 FROM job_sandbox WHERE run_by_instance_id IS NOT NULL",
		"a cancelled order":       "SELECT count(*) FROM order_header WHERE status_id = 'ORDER_CANCELLED'",
		"a pre-order":             "SELECT count(*) FROM order_item_ship_group WHERE facility_id = 'PRE_ORDER_PARKING'",
		"an unfillable order":     "SELECT count(*) FROM order_facility_change WHERE facility_id = 'UNFILLABLE_PARKING'",
		"a shipped order":         "SELECT count(*) FROM order_header WHERE status_id = 'ORDER_COMPLETED'",
		"an order of either kind": "SELECT count(DISTINCT product_store_id || sales_channel_enum_id) / 4 FROM order_header",
	} {
		for _, o := range observers {
			if o.count(query) < 1 {
				t.Errorf("%s has not got %s", o.name, what)
			}
		}
	}
	krewe, ucg := observers[0], observers[1]
	if n := krewe.count("SELECT count(*) FROM order_header WHERE status_id = 'ORDER_CREATED' AND sales_channel_enum_id = 'LOOP_EXCH'"); n < 1 {
		t.Error("no exchange waits at KREWE")
	}
	if n := ucg.count("SELECT count(*) FROM data_manager_log WHERE status_id = 'DmlsFinished' AND last_updated_tx_stamp IS NULL"); n < 1 {
		t.Error("Moqui has read no file at UCG")
	}
	for _, o := range observers {
		oldest := o.age("SELECT min(finish_date_time) FROM job_sandbox")
		if oldest < 4*24*time.Hour || oldest > 5*24*time.Hour+time.Hour {
			t.Errorf("%s: the oldest finished job is %s old: it should be purged after four days, once a day", o.name, oldest)
		}
		if n := o.count("SELECT count(*) FROM order_header WHERE entry_date > ?", o.ago(24*time.Hour)); n < 200 || n > 500 {
			t.Errorf("%s: %d orders a day", o.name, n)
		}
	}
}

// rows returns a digest of everything in a database and its drop folder.
func (o *observer) rows() string {
	digest := sha256.New()
	for _, name := range o.texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		columns := o.texts("SELECT 'quote(' || name || ')' FROM pragma_table_info('" + name + "')")
		for _, row := range o.texts("SELECT " + strings.Join(columns, " || ',' || ") + " FROM " + name + " ORDER BY 1") {
			fmt.Fprintln(digest, name, row) //nolint:errcheck // a digest takes everything
		}
	}
	for _, folder := range []string{inbox, archive} {
		for _, f := range o.drop.files(o.T, folder) {
			fmt.Fprintln(digest, f.Name(), f.ModTime().Unix(), o.drop.read(o.T, path.Join(folder, f.Name()))) //nolint:errcheck // likewise
		}
	}
	return fmt.Sprintf("%x", digest.Sum(nil))
}

// The same seed gives the same rows, however far the clock is moved at once; another seed gives others.
func TestSameSeedSameRows(t *testing.T) {
	t.Parallel()
	var digests []string
	for _, test := range []struct {
		seed uint64
		step time.Duration
	}{{7, 5 * time.Minute}, {7, 3 * time.Hour}, {8, 3 * time.Hour}} {
		d, observers := newTestDemo(t, 1, 3*time.Hour, test.seed)
		for range 3 * time.Hour / test.step {
			advance(t, d, observers, test.step)
		}
		digests = append(digests, observers[0].rows())
	}
	if digests[0] != digests[1] {
		t.Error("small steps and large ones give different rows")
	}
	if digests[1] == digests[2] {
		t.Error("another seed gives the same rows")
	}
}

func TestConfigFile(t *testing.T) {
	d, _ := newTestDemo(t, 4, 0, 1)
	cfg, err := config.Load(d.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cfg.Clients {
		dsn, err := c.Database.DSN.Read()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(c.Name, " ", c.Timezone, " ", c.Database.Timezone, " ", c.Database.Driver, " ",
			strings.TrimPrefix(dsn, filepath.Dir(d.ConfigFile())), " ", c.Labels, " ", c.Orders.CreatedExclude, " ", c.ResetInventory))
		if s := c.SFTP[0]; s.Source != "wms" || s.Username != strings.ToLower(c.Name) || !s.CheckFormat || s.Archive == "" || s.Failed == "" {
			t.Errorf("%s has the drop folder %+v", c.Name, s)
		}
		account := strings.ToLower(c.Name)
		if s := c.Superset; s.Account.Username != account || !slices.Equal(s.Dashboards, []string{account + "-order-sync", account + "-inventory", account + "-fulfillment"}) {
			t.Errorf("%s has the Superset %+v", c.Name, s)
		}
	}
	for _, name := range []string{"sftp_password", "known_hosts", "superset_password", "oms_exporter.yml", "krewe.db"} {
		if file, err := os.Stat(filepath.Join(filepath.Dir(d.ConfigFile()), name)); err != nil || file.Mode() != 0o600 {
			t.Errorf("%s: %v %v", name, file, err)
		}
	}
	want := []string{
		"KREWE America/Chicago America/New_York sqlite /krewe.db map[brand:krewe region:us] {[LOOP_EXCH] []} " +
			"[{wms [RESET_INVENTORY] [] []} {shopify [SYNC_SHOPIFY_INV] [] []}]",
		"UCG America/New_York America/New_York sqlite /ucg.db map[brand:frank-and-oak region:ca] {[] [SIGNIFYD_APPROVED]} " +
			"[{wms [RESET_INVENTORY] [] []}]",
		"ADOC America/El_Salvador UTC sqlite /adoc.db map[brand:adoc region:sv] {[] []} [{wms [RESET_INVENTORY] [] []}]",
		"NEWERA America/New_York America/New_York sqlite /newera.db map[brand:new-era region:us] {[] []} " +
			"[{wms [RESET_INVENTORY] [09:00 22:00] []}]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNewKeepsWhatIsThere(t *testing.T) {
	d, _ := newTestDemo(t, 1, 0, 1)
	_, err := New(t.Context(), slog.New(slog.DiscardHandler), filepath.Dir(d.ConfigFile()), noon(), 1)
	if err == nil || !strings.Contains(err.Error(), "krewe.db: file exists") {
		t.Errorf("got error %v, want one that names the file that exists", err)
	}
}
