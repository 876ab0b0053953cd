// Package config reads the exporter's configuration file into values that need no further checking.
package config

import (
	"maps"
	"slices"
	"time"
)

// Config is a valid configuration.
type Config struct {
	// TimeoutOffset is how long before Prometheus gives up a scrape is answered.
	TimeoutOffset time.Duration
	// Clients has at least one entry; names are unique.
	Clients []Client
}

// Client is one OMS instance.
type Client struct {
	Name string
	// Timezone is the clock on which the client's deadlines are read.
	Timezone *time.Location
	// Labels appear on oms_client_info only.
	Labels         map[string]string
	Database       Database
	Orders         Orders
	ResetInventory []ResetSource
}

// Driver is a kind of database server.
type Driver string

// The drivers. MySQL stands for MariaDB too.
const (
	MySQL    Driver = "mysql"
	Postgres Driver = "postgres"
	SQLite   Driver = "sqlite"
)

// Database says where a client's OMS database is.
type Database struct {
	Driver Driver
	DSN    Secret
	// Timezone is the zone in which the OMS writes its zone-less DATETIMEs.
	Timezone       *time.Location
	MaxConnections int
}

// Orders holds the settings of the order checks.
type Orders struct{ CreatedExclude CreatedExclude }

// CreatedExclude names the known waits of created orders that are nobody's fault: orders of a channel, and orders that
// still lack an attribute.
type CreatedExclude struct{ Channels, MissingAttributes []string }

// ResetSource names the data-manager configurations by which one source's reset-inventory files come.
type ResetSource struct {
	Source    string
	ConfigIDs []string
}

// Equal reports whether nothing about the client has changed, so that a reload may keep its pools and its history. A
// secret that held something else when the other was loaded is a change: it may name another database.
func (c Client) Equal(other Client) bool {
	return c.Name == other.Name &&
		sameZone(c.Timezone, other.Timezone) &&
		maps.Equal(c.Labels, other.Labels) &&
		c.Database.equal(other.Database) &&
		slices.Equal(c.Orders.CreatedExclude.Channels, other.Orders.CreatedExclude.Channels) &&
		slices.Equal(c.Orders.CreatedExclude.MissingAttributes, other.Orders.CreatedExclude.MissingAttributes) &&
		slices.EqualFunc(c.ResetInventory, other.ResetInventory, func(a, b ResetSource) bool {
			return a.Source == b.Source && slices.Equal(a.ConfigIDs, b.ConfigIDs)
		})
}

func (d Database) equal(other Database) bool {
	return d.Driver == other.Driver &&
		d.DSN.equal(other.DSN) &&
		sameZone(d.Timezone, other.Timezone) &&
		d.MaxConnections == other.MaxConnections
}

// sameZone compares by name: each load makes a Location of its own. A zone that is not set is UTC, as time reads it.
func sameZone(a, b *time.Location) bool { return a.String() == b.String() }
