package discover_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/discover"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

var update = flag.Bool("update", false, "write the golden files")

// noon is now: a Wednesday, 12:00 in New York and 11:00 in El Salvador.
var noon = time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)

const ofbizOnly = "DROP TABLE service_job; DROP TABLE service_job_run; DROP TABLE service_job_run_lock; DROP TABLE system_message;"

// A newClient is one that somebody is about to watch: what is in its systems.
type newClient struct {
	name string
	zone string // in which its OMS writes
	rows string
	// folders are what lies where on the SFTP server.
	folders    map[string][]oms.DropFolder
	dashboards []oms.SeenDashboard
}

// clients are three that have nothing in common but the tables: on OFBiz alone; with Moqui, in whose database no zone is named; and
// one for which the example in docs/configuration.md fits nowhere.
func clients() []newClient {
	weekly := func(at time.Time) bool { return at.Weekday() != time.Sunday }
	workdays := func(at time.Time) bool { return weekly(at) && at.Weekday() != time.Saturday }
	return []newClient{
		{
			name: "KREWE", zone: "America/New_York",
			rows: ofbizOnly + `
				INSERT INTO product_store (product_store_id, default_time_zone_string) VALUES ('KREWE', 'America/New_York'), ('OUTLET', 'America/New_York'), ('LA', 'America/Los_Angeles');
				INSERT INTO data_manager_config (config_id, execution_mode_id, import_service_name, import_path) VALUES
				  ('RESET_INVENTORY', 'DMC_QUEUE', 'resetInventoryByIdentification', '/home/krewe/hotwax/inventory'), ('MDM_INV_VARIANCE', 'DMC_QUEUE', 'updateInventoryByIdentification', NULL),
				  ('IMP_INVOICES', 'DMC_QUEUE', 'importInvoices', NULL);
				INSERT INTO job_sandbox (job_id, job_name, pool_id, status_id, start_date_time, last_updated_tx_stamp) VALUES ('J1', 'Import orders', 'pool', 'SERVICE_RUNNING', '2026-11-18 11:59:40', '2026-11-18 11:59:40');
				INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp) VALUES
				  ('O1', 'SALES_ORDER', 'ORDER_CREATED', 'KREWE', 'WEB_SALES_CHANNEL', '2026-11-18 11:50:00', '2026-11-18 11:50:00'),
				  ('O2', 'SALES_ORDER', 'ORDER_CREATED', 'KREWE', 'LOOP_EXCH', '2026-11-15 12:00:00', '2026-11-15 12:00:00'),
				  ('O3', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'LOOP_EXCH', '2026-11-18 09:30:00', '2026-11-18 09:30:00'),
				  ('O4', 'SALES_ORDER', 'ORDER_APPROVED', 'KREWE', 'POS_SALES_CHANNEL', '2026-11-18 10:00:00', '2026-11-18 10:00:00'),
				  ('O5', 'SALES_ORDER', 'ORDER_CREATED', 'KREWE', NULL, '2026-11-18 11:55:00', '2026-11-18 11:55:00');
				INSERT INTO order_attribute (order_id, attr_name) VALUES ('O4', 'SIGNIFYD_APPROVED');` +
				files("RESET_INVENTORY", "SERVICE_FINISHED", 24, weekly, 12*60+5, 36) +
				files("MDM_INV_VARIANCE", "SERVICE_FINISHED", 5, weekly, 3*60, 5),
			folders: map[string][]oms.DropFolder{"/home/krewe/hotwax/inventory": {
				{Folder: oms.FolderInbox}, {Folder: oms.FolderArchive, Unmatched: 2, Examples: []string{"20261116-InventoryItemExport.csv", "20261117-InventoryItemExport.csv"}},
			}},
			dashboards: []oms.SeenDashboard{{Name: "krewe-order-sync", Title: "KREWE Order Sync"}, {Name: "12", Title: "Jobs: all clients"}, {Name: "13", Title: "Krewe\nInventory #1"}},
		},
		{
			name: "ADOC", zone: "America/El_Salvador",
			rows: `
				INSERT INTO data_manager_config (config_id, execution_mode_id, import_service_name, import_path, file_name_pattern) VALUES
				  ('RESET_SHOPIFY_INV', 'DMC_QUEUE', 'co.hotwax.oms.InventoryServices.reset#Inventory', NULL, NULL), ('SYNC_SHOPIFY_INV', 'DMC_DISABLED', 'syncShopifyInventory', NULL, NULL),
				  ('RESET_INVENTORY', 'DMC_QUEUE', 'resetInventoryByIdentification', 'retailpro/out', 'STOCK_*.csv'), ('SYNC_SHOPIFY_ORDER', 'DMC_QUEUE', 'sync#Order', NULL, NULL);
				INSERT INTO service_job_run (job_run_id, job_name, has_error, start_time, end_time, last_updated_stamp) VALUES ('M100', 'import_Orders', 'N', '2026-11-18 10:59:30', '2026-11-18 10:59:40', '2026-11-18 10:59:40');
				INSERT INTO service_job (job_name, cron_expression, paused) VALUES ('import_Orders', '0 0/15 * * * ?', 'N');
				INSERT INTO service_job_run_lock (job_name, job_run_id, last_run_time) VALUES ('import_Orders', NULL, '2026-11-18 10:59:30');` +
				files("RESET_SHOPIFY_INV", "DmlsFinished", 16, func(time.Time) bool { return true }, 20*60+10, 25) +
				files("RESET_SHOPIFY_INV", "DmlsFinished", 16, func(time.Time) bool { return true }, 6*60+40, 15) +
				files("RESET_INVENTORY", "SERVICE_FINISHED", 3, func(time.Time) bool { return true }, 5*60, 1),
			folders:    map[string][]oms.DropFolder{"/retailpro/out": {{Folder: oms.FolderInbox, Files: 1}, {Folder: oms.FolderFailed}}},
			dashboards: []oms.SeenDashboard{{Name: "sv-integrations", Title: "Integrations"}},
		},
		{
			name: "NEWERA", zone: "America/New_York",
			rows: ofbizOnly + `
				INSERT INTO product_store (product_store_id, default_time_zone_string) VALUES ('NEC', 'America/Chicago'), ('OLD', 'no zone');
				INSERT INTO data_manager_config (config_id, execution_mode_id, description, import_service_name, import_path, file_name_pattern) VALUES
				  ('RESET_INVENTORY', 'DMC_QUEUE', NULL, 'resetInventoryByIdentification', '/home/nec/old', NULL),
				  ('WH_FEED: 1', 'DMC_QUEUE', 'Warehouse #1', 'resetInventoryByIdentification', '/home/nec/stock', 'InventoryItemExport*.csv'),
				  ('NEC_STOCK', 'DMC_QUEUE', 'Reset of the inventory', NULL, NULL, NULL), ('DC_STOCK', 'DMC_QUEUE', 'Nightly reset inventory', NULL, NULL, NULL);
				INSERT INTO job_sandbox (job_id, job_name, pool_id, status_id, run_time, recurrence_time_zone, start_date_time, last_updated_tx_stamp) VALUES
				  ('J1', 'Import orders', 'pool', 'SERVICE_PENDING', '2026-11-18 12:05:00', 'America/New_York', NULL, '2026-11-18 11:58:00');` +
				files("RESET_INVENTORY", "SERVICE_FINISHED", 90, func(at time.Time) bool { return at.Before(noon.AddDate(0, 0, -80)) }, 60, 1) +
				files("WH_FEED: 1", "SERVICE_FINISHED", 40, workdays, 23*60+40, 50),
			folders:    map[string][]oms.DropFolder{"/stock": {{Folder: oms.FolderInbox, Unmatched: 3, Examples: []string{"nec_stock.2026-11-17.csv", "nec_stock.2026-11-18.csv", "nec_stock.2026-11-19.csv"}}}},
			dashboards: []oms.SeenDashboard{},
		},
	}
}

// files are rows of files that ended well: one on each of those days, at some minute of the day and up to so many later.
func files(config, status string, days int, on func(time.Time) bool, minute, spread int) string {
	var rows strings.Builder
	for ago := days; ago > 0; ago-- {
		day := noon.AddDate(0, 0, -ago).Truncate(24 * time.Hour)
		if !on(day) {
			continue
		}
		end := day.Add(time.Duration(minute+ago*7%spread) * time.Minute)
		stamp := "'" + end.Format(time.DateTime) + "'"
		if strings.HasPrefix(status, "Dmls") { // Moqui writes none
			stamp = "NULL"
		}
		fmt.Fprintf(&rows, "INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, total_record_count, failed_record_count, last_updated_stamp, last_updated_tx_stamp) "+
			"VALUES ('%s_%d_%d', '%s', '%s', '%s', '%s', '%s', 100, 1, '%[7]s', %[9]s);\n", config[:4], minute, days-ago, config, status,
			end.Add(-20*time.Minute).Format(time.DateTime), end.Format(time.DateTime), end.Format(time.DateTime), stamp)
	}
	return rows.String()
}

// discovers prints the entry of a client, whose account is that of the grants. Wherever the database is, the entry says the same.
func (c newClient) discovers(t *testing.T, db config.Database) (entry string, err error) {
	t.Helper()
	to := discover.Connections{
		Name: c.name, Driver: "mysql", DSNFile: "/etc/oms_exporter/" + strings.ToLower(c.name) + ".dsn",
		SFTP: discover.SFTP{
			Address: "sftp.example.com:22", Username: "monitor", PasswordFile: "/etc/oms_exporter/sftp", KnownHostsFile: "/etc/oms_exporter/known_hosts",
		},
		Superset: discover.Superset{URL: "https://tathya.example.com", Username: "monitor", PasswordFile: "/etc/oms_exporter/tathya"},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
	defer cancel()
	return discover.Entry(ctx, to, config.Client{Name: c.name, SFTP: []config.SFTP{{}}}, discover.Sources{
		Now: func() time.Time { return noon },
		OMS: func(zone *time.Location) (oms.Source, error) {
			db := db
			db.Timezone = zone
			return sqldb.Open(slog.New(slog.DiscardHandler), config.Client{Name: c.name, Timezone: zone, Database: db})
		},
		DropFolders: func(_ context.Context, locations []config.SFTP) (seen []oms.DropLocation, err error) {
			for _, l := range locations {
				found := oms.DropLocation{Location: l.Location, Source: l.Source, Folders: c.folders[l.Path]}
				if found.Folders == nil {
					found.Err = fmt.Errorf("client %s: location %s: the folder inbox %q does not exist", c.name, l.Location, l.Path)
				}
				seen, err = append(seen, found), errors.Join(err, found.Err)
			}
			return seen, err
		},
		Dashboards: func(context.Context) ([]oms.SeenDashboard, error) { return c.dashboards, nil },
	}, func(string) {})
}

// zoneComment differs on PostgreSQL, whose timestamps have a zone.
var zoneComment = regexp.MustCompile(`(?m)^.*newest timestamp.*\n(?: *timezone: .*\n)?`)

// TestEntry has the entries of three new clients, on each kind of server, with the grants of the exporter.
func TestEntry(t *testing.T) {
	engines := testserver.Engines()
	if testing.Short() {
		engines = engines[:1] // SQLite, which is no server
	}
	for _, engine := range engines {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			database := engine.Start(t)
			for _, c := range clients() {
				t.Run(c.name, func(t *testing.T) {
					db := database(t, "discover_"+strings.ToLower(c.name), c.zone)
					testserver.Execute(t, db.Admin, c.rows)
					entry, err := c.discovers(t, db.Config)
					if err != nil {
						t.Fatal(err)
					}
					golden := path.Join("testdata", "discover_"+strings.ToLower(c.name)+".yml")
					if *update && engine.Driver == config.SQLite {
						if err := os.WriteFile(golden, []byte(entry), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					content, err := os.ReadFile(golden)
					if err != nil {
						t.Fatal(err)
					}
					valid(t, entry)
					want := string(content)
					if engine.Driver == config.Postgres {
						if c.name != "ADOC" && !strings.Contains(entry, "The newest timestamp has a zone of its own") {
							t.Errorf("the zone is taken from timestamps that have one\n%s", entry)
						}
						entry, want = zoneComment.ReplaceAllString(entry, ""), zoneComment.ReplaceAllString(want, "")
					}
					if entry != want {
						t.Errorf("got\n%s\nwant\n%s", entry, want)
					}
				})
			}
		})
	}
}

// valid takes an entry as the configuration file that it will be in. The files with secrets are those of another machine.
func valid(t *testing.T, entry string) {
	t.Helper()
	file := path.Join(t.TempDir(), "oms_exporter.yml")
	if err := os.WriteFile(file, []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file); err != nil {
		t.Errorf("%v in\n%s", err, entry)
	}
}

// TestRefused takes rights from the account: the entry says what is missing, and who is not let in gets none.
func TestRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out servers")
	}
	for _, engine := range testserver.Engines()[1:] { // SQLite has no accounts
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			c := clients()[0]
			db := engine.Start(t)(t, "discover_refused", c.zone)
			testserver.Execute(t, db.Admin, c.rows)
			for _, right := range []string{
				"SELECT (default_time_zone_string) ON product_store", "SELECT (import_path) ON data_manager_config", "SELECT (external_id) ON order_header",
				"SELECT (recurrence_time_zone) ON job_sandbox",
			} {
				testserver.Execute(t, db.Admin, "REVOKE "+right+" FROM "+testserver.User)
			}
			entry, err := c.discovers(t, db.Config)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				"#   order_header.external_id: not there, or not granted: GRANT SELECT (external_id) ON order_header, as in deploy/database/mysql.sql\n",
				"#   product_store.default_time_zone_string: not there, or not granted: GRANT SELECT (default_time_zone_string) ON product_store, as",
				"#   data_manager_config.import_path: not there, or not granted: GRANT", "#   job_sandbox.recurrence_time_zone: not there, or not granted: GRANT",
				"#   SFTP: no import_path of a configuration in use is known",
				"config_ids: [RESET_INVENTORY]",
			} {
				if !strings.Contains(entry, want) {
					t.Errorf("%q is not in\n%s", want, entry)
				}
			}
			valid(t, entry)
			if strings.Contains(entry, testserver.Password) {
				t.Errorf("the password shows in\n%s", entry)
			}
			dsn, err := db.Config.DSN.Read()
			if err != nil {
				t.Fatal(err)
			}
			db.Config.DSN = config.EnvSecret(strings.Replace(dsn, testserver.User, "somebody", 1))
			if entry, err := c.discovers(t, db.Config); err == nil || entry != "" || !strings.Contains(err.Error(), "somebody") || strings.Contains(err.Error(), testserver.Password) {
				t.Errorf("error %v, entry %q", err, entry)
			}
		})
	}
}
