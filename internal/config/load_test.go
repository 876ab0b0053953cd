package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need no zones of the machine's

	"github.com/oms-exporter/oms_exporter/internal/config"
)

var update = flag.Bool("update", false, "write the messages expected of testdata/bad")

// setEnv sets the variables that the testdata names, and no others of theirs.
func setEnv(t testing.TB) {
	for _, name := range []string{"KREWE_PASSWORD", "KREWE_HOST", "ADOC_PASSWORD"} {
		t.Setenv(name, "hunter2")
	}
	t.Setenv("KREWE_NOT_SET", "")
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestGood(t *testing.T) {
	setEnv(t)
	got, err := config.Load("testdata/good.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Client{{
		Name:     "KREWE",
		Timezone: zone(t, "America/Chicago"),
		Labels:   map[string]string{"brand": "krewe", "region": "us_south"},
		Database: config.Database{
			Driver:         config.MySQL,
			DSN:            config.FileSecret("testdata/secrets/krewe.dsn"),
			Timezone:       zone(t, "America/New_York"),
			MaxConnections: 6,
			TLS: &config.TLS{
				CA: config.FileSecret("testdata/secrets/tls.ca"), Cert: config.FileSecret("testdata/secrets/tls.cert"),
				Key: config.FileSecret("testdata/secrets/tls.key"), ServerName: "db.internal",
			},
		},
		Orders: config.Orders{CreatedExclude: config.CreatedExclude{
			Channels: []string{"LOOP_EXCH"}, MissingAttributes: []string{"SIGNIFYD_APPROVED"},
		}},
		ResetInventory: []config.ResetSource{
			{
				Source: "wms", ConfigIDs: []string{"RESET_INVENTORY"},
				ProcessBy: []config.TimeOfDay{config.TimeOfDay(22 * time.Hour), config.TimeOfDay(9*time.Hour + 5*time.Minute)},
				Days:      []time.Weekday{time.Monday, time.Friday, time.Sunday},
			},
			{Source: "shopify", ConfigIDs: []string{"SYNC_SHOPIFY_INV", "SYNC_INV_SHPF_MLTTHD", "RESET_SHOPIFY_INVENTORY"}},
		},
		LastMile: []config.LastMileTarget{
			{
				Target: "netsuite", IdentificationTypes: []string{"NETSUITE_ORDER_ID"},
				Channels: []string{"WEB_SALES_CHANNEL", "POS_SALES_CHANNEL"}, Grace: 6 * time.Hour,
			},
			{Target: "wms", Attributes: []string{"WMS_EXPORTED"}, ExternalID: true, Grace: 4 * time.Hour},
		},
		Holidays: []string{"2026-11-26", "2026-12-24", "2026-12-25", "2026-12-31", "2028-02-29"},
		Limits: []config.Limit{
			{Limit: "created_age_seconds", Value: 14400},
			{Limit: "job_running_seconds", JobName: "JOB_IMP_INV", Value: 5400},
			{Limit: "job_running_seconds", Value: 5400},
			{Limit: "unfulfilled_age_seconds", Stage: "store", Value: 864000},
			{Limit: "parked_per_hour", Facility: "UNFILLABLE_PARKING", Value: 0.5},
		},
		SFTP: []config.SFTP{{
			Location: "reset-inventory", Source: "wms", Address: "sftp.example.com:2222", Username: "monitor",
			PrivateKey: config.FileSecret("testdata/secrets/sftp.key"),
			Passphrase: config.FileSecret("testdata/secrets/sftp.passphrase"),
			KnownHosts: config.FileLines("testdata/secrets/known_hosts"),
			Path:       "/home/krewe/hotwax/inventory", Archive: "archive", Failed: "/home/krewe/hotwax/failed",
			Pattern: "*InventoryItemExport*.csv", CheckFormat: true,
		}, {
			Location: "shopify", Source: "shopify", Address: "192.0.2.7:22", Username: "monitor",
			Password:   config.EnvSecret("${KREWE_PASSWORD}"),
			KnownHosts: config.FileLines("testdata/secrets/known_hosts"),
			Path:       "/shopify", Pattern: "*",
		}},
		Superset: config.Superset{
			Account: config.SupersetAccount{
				URL: "https://tathya.example.com", Provider: config.SupersetLDAP,
				Username: "monitor", Password: config.EnvSecret("${KREWE_PASSWORD}"),
				TLS: &config.TLS{CA: config.FileSecret("testdata/secrets/tls.ca")},
			},
			Dashboards: []string{"krewe-order-sync", "KREWE Fulfillment", "12"}, Interval: 10 * time.Minute,
		},
	}, {
		Name:     "ADOC-GT",
		Timezone: zone(t, "America/Guatemala"),
		Database: config.Database{
			Driver:           config.Postgres,
			DSN:              config.EnvSecret("postgres://monitor:${ADOC_PASSWORD}@db.example.com:5432/adoc_gt"),
			Timezone:         time.UTC,
			ScheduleTimezone: zone(t, "America/Guatemala"),
			MaxConnections:   config.DefaultMaxConnections,
			TLS:              new(config.TLS),
		},
		Superset: config.Superset{
			Account: config.SupersetAccount{
				URL: "http://127.0.0.1:8088/tathya", Token: config.FileSecret("testdata/secrets/superset.token"),
			},
			Dashboards: []string{"adoc-integrations"}, Interval: 5 * time.Minute,
		},
	}, {
		Name:     "demo.local",
		Timezone: zone(t, "Asia/Kolkata"),
		Database: config.Database{
			Driver:         config.SQLite,
			DSN:            config.EnvSecret("testdata/demo/oms.db?mode=ro"),
			Timezone:       zone(t, "Asia/Kolkata"),
			MaxConnections: config.DefaultMaxConnections,
		},
	}}
	if got.TimeoutOffset != 750*time.Millisecond {
		t.Errorf("timeout offset is %v", got.TimeoutOffset)
	}
	if len(got.Clients) != len(want) {
		t.Fatalf("%d clients, want %d", len(got.Clients), len(want))
	}
	for i := range want {
		if !got.Clients[i].Equal(want[i]) {
			t.Errorf("got  %+v\nwant %+v", got.Clients[i], want[i])
		}
	}
}

// load writes a file into a directory of its own and checks it.
func load(t testing.TB, content string) (*config.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "krewe.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Check(path)
}

func TestDefaults(t *testing.T) {
	const minimal = "clients: [{name: A, timezone: UTC, database: {driver: sqlite, dsn: /oms.db, timezone: UTC}}]"
	c, err := load(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	if c.TimeoutOffset != 500*time.Millisecond || c.Clients[0].Database.MaxConnections != config.DefaultMaxConnections {
		t.Errorf("got %+v", c)
	}
}

func TestAbsentFile(t *testing.T) {
	if _, err := config.Load("testdata/absent.yml"); !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), "testdata/absent.yml") {
		t.Errorf("got %v", err)
	}
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files: %v", pattern, err)
	}
	return files
}

var messages = regexp.MustCompile(`\A(?:testdata/bad/\w+\.yml:[1-9]\d*: .+: .+\n)+\z`)

// TestBad loads every file of testdata/bad and compares the whole message with the one beside it.
func TestBad(t *testing.T) {
	setEnv(t)
	files := glob(t, "testdata/bad/*.yml")
	for _, file := range files {
		base := strings.TrimSuffix(file, ".yml")
		t.Run(filepath.Base(base), func(t *testing.T) {
			_, err := config.Check(file)
			if err == nil {
				t.Fatal("was taken")
			}
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(base+".err", []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(base + ".err")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if !messages.MatchString(got) {
				t.Errorf("a line without file, line or hint:\n%s", got)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a password in\n%s", got)
			}
		})
	}
	if expected := glob(t, "testdata/bad/*.err"); len(expected) != len(files) {
		t.Errorf("%d messages are expected of %d files", len(expected), len(files))
	}
}
