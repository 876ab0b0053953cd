// Package config reads the exporter's configuration files into values that need no further checking.
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
	// Warnings say what works and is a risk: each names the file, the line, the client and the fix.
	Warnings []string
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
	// LastMile are the systems that orders must reach.
	LastMile []LastMileTarget
	// Holidays are dates such as 2026-12-25, in order, on which no source has a deadline.
	Holidays []string
	// Limits has what the client's entry says; rules/limits.yml has the others.
	Limits []Limit
	SFTP   []SFTP
	// Superset has no dashboards for a client without any.
	Superset Superset

	outside []*outside // the secrets, and other files, that the entry names
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
	Timezone *time.Location
	// ScheduleTimezone is the zone of the JVM in which Moqui reads the schedules of its jobs (default_time_zone), apart from the one
	// in which it writes (database_time_zone); nil where it is Timezone.
	ScheduleTimezone *time.Location
	// MaxConnections is DefaultMaxConnections where the configuration does not say.
	MaxConnections int
	// TLS is nil where the DSN says whether there is any.
	TLS *TLS
}

// Orders holds the settings of the order checks.
type Orders struct{ CreatedExclude CreatedExclude }

// CreatedExclude names the known waits of created orders that are nobody's fault: orders of a channel, and orders that
// still lack an attribute.
type CreatedExclude struct{ Channels, MissingAttributes []string }

// ResetSource names the data-manager configurations by which one source's reset-inventory files come, and their deadlines.
type ResetSource struct {
	Source    string
	ConfigIDs []string
	// ProcessBy is empty where rules/limits.yml has the deadlines.
	ProcessBy []TimeOfDay
	// Days are the weekdays that have deadlines, from Monday on; without any, all have.
	Days []time.Weekday
}

// SFTP is a location on an SFTP server into which files for the OMS are dropped.
type SFTP struct {
	// Location is unique within the client. Source is the reset-inventory source that it feeds.
	Location, Source string
	// Address is host:port.
	Address, Username string
	// Password, or PrivateKey with the Passphrase that it may need, or both. What is not configured is the zero Secret.
	Password, PrivateKey, Passphrase Secret
	// KnownHosts is no secret, but a file like theirs.
	KnownHosts Secret
	// Path is the inbox; Archive and Failed are below it unless they are absolute, and may be empty.
	Path, Archive, Failed string
	// Pattern of the files' names (path.Match); "*" unless configured.
	Pattern string
	// LegacyAlgorithms: weak algorithms of SSH may be used where the server has no others.
	LegacyAlgorithms bool
	// CheckFormat: waiting files are checked for what the reset-inventory import accepts.
	CheckFormat bool
}

// Superset says which dashboards of an Apache Superset show the client's reports.
type Superset struct {
	Account SupersetAccount
	// Dashboards are slugs, ids or titles.
	Dashboards []string
	// Interval is how often their charts are asked for data.
	Interval time.Duration
}

// SupersetAccount is a user of an Apache Superset: a Username with the Password, or a Token alone. What is not configured
// is the zero Secret.
type SupersetAccount struct {
	// URL is where the server's pages begin, without a slash at its end.
	URL string
	// Provider is where the server looks the password up.
	Provider SupersetProvider
	Username string
	Password Secret
	// Token is a bearer token.
	Token Secret
	// TLS is nil where the system's authorities vouch for a server with https.
	TLS *TLS
}

// SupersetProvider is where an Apache Superset looks passwords up.
type SupersetProvider string

// The providers that its API takes.
const (
	SupersetDB   SupersetProvider = "db"
	SupersetLDAP SupersetProvider = "ldap"
)

// Equal reports whether one login serves both, of which the other was loaded later. A secret that held something else then is a
// change.
func (a SupersetAccount) Equal(other SupersetAccount) bool {
	return a.URL == other.URL && a.Provider == other.Provider && a.Username == other.Username &&
		a.Password.equal(other.Password) && a.Token.equal(other.Token) && a.TLS.equal(other.TLS)
}

// Equal reports whether nothing about the running client has changed in the other, so that a reload may keep its pools and its
// history. A secret or a known_hosts file that held something else when the other was loaded is a change, and one that could
// not be read then is none. Nor is one of deadlines, days, holidays and limits: a running client takes what was loaded later.
func (c Client) Equal(other Client) bool {
	return c.Name == other.Name &&
		sameZone(c.Timezone, other.Timezone) &&
		maps.Equal(c.Labels, other.Labels) &&
		c.Database.equal(other.Database) &&
		slices.Equal(c.Orders.CreatedExclude.Channels, other.Orders.CreatedExclude.Channels) &&
		slices.Equal(c.Orders.CreatedExclude.MissingAttributes, other.Orders.CreatedExclude.MissingAttributes) &&
		slices.EqualFunc(c.ResetInventory, other.ResetInventory, func(a, b ResetSource) bool {
			return a.Source == b.Source && slices.Equal(a.ConfigIDs, b.ConfigIDs)
		}) &&
		slices.EqualFunc(c.LastMile, other.LastMile, LastMileTarget.equal) &&
		slices.EqualFunc(c.SFTP, other.SFTP, SFTP.equal) &&
		c.Superset.Account.Equal(other.Superset.Account) &&
		slices.Equal(c.Superset.Dashboards, other.Superset.Dashboards) &&
		c.Superset.Interval == other.Superset.Interval
}

func (d Database) equal(other Database) bool {
	return d.Driver == other.Driver &&
		d.DSN.equal(other.DSN) &&
		sameZone(d.Timezone, other.Timezone) &&
		sameZone(d.ScheduleTimezone, other.ScheduleTimezone) &&
		d.MaxConnections == other.MaxConnections &&
		d.TLS.equal(other.TLS)
}

func (s SFTP) equal(other SFTP) bool {
	if !s.Password.equal(other.Password) || !s.PrivateKey.equal(other.PrivateKey) ||
		!s.Passphrase.equal(other.Passphrase) || !s.KnownHosts.equal(other.KnownHosts) {
		return false
	}
	for _, s := range []*SFTP{&s, &other} {
		s.Password, s.PrivateKey, s.Passphrase, s.KnownHosts = Secret{}, Secret{}, Secret{}, Secret{}
	}
	return s == other
}

// sameZone compares by name: each load makes a Location of its own. A zone that is not set is UTC, as time reads it.
func sameZone(a, b *time.Location) bool { return (a == nil) == (b == nil) && a.String() == b.String() }
