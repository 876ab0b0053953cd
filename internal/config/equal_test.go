package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// TestEqual changes every setting of a client that is loaded twice, one at a time.
func TestEqual(t *testing.T) {
	setEnv(t)
	fresh := func() config.Client {
		c, err := config.Load("testdata/good.yml")
		if err != nil {
			t.Fatal(err)
		}
		return c.Clients[0]
	}
	if !fresh().Equal(fresh()) {
		t.Error("a client does not equal itself")
	}
	changes := map[string]func(*config.Client){
		"Client.Name":               func(c *config.Client) { c.Name = "UCG" },
		"Client.Timezone":           func(c *config.Client) { c.Timezone = time.UTC },
		"Client.Labels":             func(c *config.Client) { c.Labels["region"] = "us" },
		"Database.Driver":           func(c *config.Client) { c.Database.Driver = config.Postgres },
		"Database.DSN":              func(c *config.Client) { c.Database.DSN = config.FileSecret("other.dsn") },
		"Database.Timezone":         func(c *config.Client) { c.Database.Timezone = time.UTC },
		"Database.ScheduleTimezone": func(c *config.Client) { c.Database.ScheduleTimezone = time.UTC },
		"Database.MaxConnections":   func(c *config.Client) { c.Database.MaxConnections++ },
		"Database.TLS":              func(c *config.Client) { c.Database.TLS = nil },
		"TLS.CA":                    func(c *config.Client) { c.Database.TLS.CA = config.Secret{} },
		"TLS.Cert":                  func(c *config.Client) { c.Database.TLS.Cert = config.FileSecret("other.pem") },
		"TLS.Key":                   func(c *config.Client) { c.Database.TLS.Key = config.FileSecret("other.key") },
		"TLS.ServerName":            func(c *config.Client) { c.Database.TLS.ServerName = "" },
		"CreatedExclude.Channels":   func(c *config.Client) { c.Orders.CreatedExclude.Channels = nil },
		"CreatedExclude.MissingAttributes": func(c *config.Client) {
			c.Orders.CreatedExclude.MissingAttributes = []string{"MUNICIPALITY"}
		},
		"ResetSource.Source":                 func(c *config.Client) { c.ResetInventory[1].Source = "erp" },
		"ResetSource.ConfigIDs":              func(c *config.Client) { c.ResetInventory[0].ConfigIDs[0] = "RESET" },
		"LastMileTarget.Target":              func(c *config.Client) { c.LastMile[0].Target = "erp" },
		"LastMileTarget.IdentificationTypes": func(c *config.Client) { c.LastMile[0].IdentificationTypes[0] = "ERP_ID" },
		"LastMileTarget.Attributes":          func(c *config.Client) { c.LastMile[1].Attributes = nil },
		"LastMileTarget.ExternalID":          func(c *config.Client) { c.LastMile[1].ExternalID = false },
		"LastMileTarget.Channels":            func(c *config.Client) { c.LastMile[0].Channels = nil },
		"LastMileTarget.Grace":               func(c *config.Client) { c.LastMile[0].Grace = time.Hour },

		"SFTP.Location":         func(c *config.Client) { c.SFTP[1].Location = "erp" },
		"SFTP.Source":           func(c *config.Client) { c.SFTP[1].Source = "wms" },
		"SFTP.Address":          func(c *config.Client) { c.SFTP[0].Address = "sftp.example.com:22" },
		"SFTP.Username":         func(c *config.Client) { c.SFTP[0].Username = "krewe" },
		"SFTP.Password":         func(c *config.Client) { c.SFTP[1].Password = config.EnvSecret("${KREWE_HOST}") },
		"SFTP.PrivateKey":       func(c *config.Client) { c.SFTP[0].PrivateKey = config.FileSecret("other.key") },
		"SFTP.Passphrase":       func(c *config.Client) { c.SFTP[0].Passphrase = config.Secret{} },
		"SFTP.KnownHosts":       func(c *config.Client) { c.SFTP[1].KnownHosts = config.FileLines("known_hosts") },
		"SFTP.Path":             func(c *config.Client) { c.SFTP[1].Path = "/" },
		"SFTP.Archive":          func(c *config.Client) { c.SFTP[1].Archive = "archive" },
		"SFTP.Failed":           func(c *config.Client) { c.SFTP[1].Failed = "failed" },
		"SFTP.Pattern":          func(c *config.Client) { c.SFTP[1].Pattern = "*.csv" },
		"SFTP.LegacyAlgorithms": func(c *config.Client) { c.SFTP[1].LegacyAlgorithms = true },
		"SFTP.CheckFormat":      func(c *config.Client) { c.SFTP[1].CheckFormat = true },

		"SupersetAccount.URL":      func(c *config.Client) { c.Superset.Account.URL = "https://superset.example.com" },
		"SupersetAccount.Provider": func(c *config.Client) { c.Superset.Account.Provider = config.SupersetDB },
		"SupersetAccount.Username": func(c *config.Client) { c.Superset.Account.Username = "krewe" },
		"SupersetAccount.Password": func(c *config.Client) { c.Superset.Account.Password = config.EnvSecret("${KREWE_HOST}") },
		"SupersetAccount.Token":    func(c *config.Client) { c.Superset.Account.Token = config.FileSecret("other.token") },
		"SupersetAccount.TLS":      func(c *config.Client) { c.Superset.Account.TLS = new(config.TLS) },
		"Superset.Dashboards":      func(c *config.Client) { c.Superset.Dashboards[0] = "ucg-order-sync" },
		"Superset.Interval":        func(c *config.Client) { c.Superset.Interval = time.Hour },
	}
	before := fresh()
	for name, change := range changes {
		c := fresh()
		change(&c)
		if c.Equal(before) || before.Equal(c) {
			t.Errorf("a change of %s is not seen", name)
		}
	}
	c := fresh()
	c.Database.DSN = config.Secret{}
	if c.Equal(before) || !c.Equal(c) {
		t.Error("the zero secret is not told apart")
	}
	// What a client in force takes as it was loaded later.
	taken := []string{
		"ResetSource.ProcessBy", "ResetSource.Days", "Client.Holidays",
		"Limit.Limit", "Limit.Stage", "Limit.Facility", "Limit.JobName", "Limit.Value",
	}
	c = fresh()
	c.ResetInventory[0].ProcessBy, c.ResetInventory[0].Days, c.Holidays, c.Limits = nil, nil, nil, nil
	if !c.Equal(before) || !before.Equal(c) {
		t.Error("deadlines, days, holidays or limits are taken for a change")
	}
	for _, name := range settings(reflect.TypeFor[config.Client]()) {
		if changes[name] == nil && !slices.Contains(taken, name) {
			t.Errorf("Equal is not tested with %s", name)
		}
	}
}

// settings names the fields of a type that can be set, and those of its own structs instead of them.
func settings(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		inner := f.Type
		if inner.Kind() == reflect.Slice || inner == reflect.TypeFor[*config.TLS]() {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[config.Secret]() {
			names = append(names, settings(inner)...)
		} else if f.IsExported() {
			names = append(names, t.Name()+"."+f.Name)
		}
	}
	return names
}

// TestFileHoldsSomethingElse rewrites each file that a configuration names between two loads: it may name another database
// now, or trust another server.
func TestFileHoldsSomethingElse(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func() []config.Client {
		t.Helper()
		c, err := config.Load(filepath.Join(dir, "oms_exporter.yml"))
		if err != nil {
			t.Fatal(err)
		}
		return c.Clients
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile("testdata/secrets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	one, oneKey, other := read("tls.cert"), read("tls.key"), read("tls.ca")
	files := map[string][2]string{
		"dsn":         {"exporter:secret@tcp(one:3306)/krewe", "exporter:secret@tcp(two:3306)/krewe"},
		"password":    {"hunter2", "hunter3"},
		"key":         {newKey(t), newKey(t)},
		"encrypted":   {encryptedKey(t), encryptedKey(t) + "a line below the key\n"},
		"known_hosts": {"one " + publicKey, "two " + publicKey},
		"superset":    {"hunter2", "hunter3"},
		"token":       {"hunter2", "hunter3"},
		"ca":          {one, other},
		"cert":        {one, one + "a line below the certificate\n"},
		"tls_key":     {oneKey, oneKey + "a line below the key\n"},
	}
	const location = "source: wms, address: host, known_hosts_file: known_hosts, path: /"
	write("oms_exporter.yml", "clients:\n  - {name: KREWE, timezone: UTC, database: {driver: mysql, dsn_file: dsn, timezone: UTC,\n"+
		"    tls: {ca_file: ca, cert_file: cert, key_file: tls_key}},\n"+
		"    reset_inventory: [{source: wms, config_ids: [A]}], sftp: [\n"+
		"    {location: a, username: a, "+location+", password_file: password},\n"+
		"    {location: b, username: b, "+location+", private_key_file: key},\n"+
		"    {location: c, username: c, "+location+", private_key_file: encrypted, passphrase_file: passphrase}],\n"+
		"    superset: {url: https://host, username: a, password_file: superset, dashboards: [a]}}\n"+
		"  - {name: UCG, timezone: UTC, database: {driver: sqlite, dsn: oms.db, timezone: UTC},\n"+
		"    superset: {url: https://host, token_file: token, dashboards: [a]}}\n")
	write("passphrase", "hunter2")
	for name, content := range files {
		write(name, content[0])
	}
	before := load()
	if !slices.EqualFunc(before, load(), config.Client.Equal) {
		t.Error("a client does not equal itself")
	}
	for name, content := range files {
		write(name, content[1])
		if slices.EqualFunc(before, load(), config.Client.Equal) {
			t.Errorf("another content of %s is not seen", name)
		}
		write(name, content[0])
	}
}
