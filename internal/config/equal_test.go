package config_test

import (
	"os"
	"path/filepath"
	"reflect"
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
		"Name":           func(c *config.Client) { c.Name = "UCG" },
		"Timezone":       func(c *config.Client) { c.Timezone = time.UTC },
		"Labels":         func(c *config.Client) { c.Labels["region"] = "us" },
		"Driver":         func(c *config.Client) { c.Database.Driver = config.Postgres },
		"DSN":            func(c *config.Client) { c.Database.DSN = config.FileSecret("other.dsn") },
		"MaxConnections": func(c *config.Client) { c.Database.MaxConnections++ },
		"Channels":       func(c *config.Client) { c.Orders.CreatedExclude.Channels = nil },
		"MissingAttributes": func(c *config.Client) {
			c.Orders.CreatedExclude.MissingAttributes = []string{"MUNICIPALITY"}
		},
		"Source":    func(c *config.Client) { c.ResetInventory[1].Source = "erp" },
		"ConfigIDs": func(c *config.Client) { c.ResetInventory[0].ConfigIDs[0] = "RESET" },
	}
	for name, change := range changes {
		c := fresh()
		change(&c)
		if c.Equal(fresh()) || fresh().Equal(c) {
			t.Errorf("a change of %s is not seen", name)
		}
	}
	c := fresh()
	c.Database.Timezone = time.UTC
	if c.Equal(fresh()) {
		t.Error("a change of the database's zone is not seen")
	}
	c.Database.DSN, c.Name = config.Secret{}, "KREWE"
	if c.Equal(fresh()) || !c.Equal(c) {
		t.Error("the zero secret is not told apart")
	}
	for _, name := range settings(reflect.TypeFor[config.Client]()) {
		if changes[name] == nil {
			t.Errorf("Equal is not tested with %s", name)
		}
	}
}

// settings names the fields of a type, and those of its own structs instead of them.
func settings(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[config.Secret]() {
			names = append(names, settings(inner)...)
		} else {
			names = append(names, f.Name)
		}
	}
	return names
}

// TestSecretHoldsSomethingElse rewrites a secret file between two loads: it may name another database now.
func TestSecretHoldsSomethingElse(t *testing.T) {
	dir := t.TempDir()
	file, dsn := filepath.Join(dir, "oms_exporter.yml"), filepath.Join(dir, "dsn")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "clients:\n  - {name: KREWE, timezone: UTC, database: {driver: mysql, dsn_file: dsn, timezone: UTC}}\n")
	load := func(host string) config.Client {
		write(dsn, "exporter:secret@tcp("+host+":3306)/krewe")
		c, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		return c.Clients[0]
	}
	before := load("one")
	if !before.Equal(load("one")) {
		t.Error("a client does not equal itself")
	}
	if before.Equal(load("two")) {
		t.Error("another host is not seen")
	}
}
