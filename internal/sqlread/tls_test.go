package sqlread

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// secureServers take connections with TLS and a client certificate only.
func secureServers() map[string]func(testing.TB, *testserver.Authority) *testserver.Server {
	return map[string]func(testing.TB, *testserver.Authority) *testserver.Server{
		"mariadb": testserver.SecureMariaDB, "mysql": testserver.SecureMySQL, "postgres": testserver.SecurePostgres,
	}
}

// TestTLS connects to servers that require TLS and a client certificate, and to which nobody else should connect.
func TestTLS(t *testing.T) {
	authority, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	for kind, start := range secureServers() {
		t.Run(kind, func(t *testing.T) {
			server := start(t, authority)
			of := server.Database(t, "secured", "America/New_York")
			for name, c := range map[string]struct {
				change func(*config.TLS)
				want   func(error) bool // nil: the connection must work
			}{
				"everything fits":      {func(*config.TLS) {}, nil},
				"the name is given":    {func(c *config.TLS) { c.ServerName = testserver.SecureHost }, nil},
				"unknown authority":    {func(c *config.TLS) { c.CA = config.FileSecret(other.File) }, is[x509.UnknownAuthorityError]},
				"system's authorities": {func(c *config.TLS) { c.CA = config.Secret{} }, is[x509.UnknownAuthorityError]},
				"another name":         {func(c *config.TLS) { c.ServerName = "db.example.com" }, is[x509.HostnameError]},
				"no certificate":       {func(c *config.TLS) { c.Cert, c.Key = config.Secret{}, config.Secret{} }, refused},
				"certificate of another authority": {func(c *config.TLS) {
					theirs := other.Client(t)
					c.Cert, c.Key = theirs.Cert, theirs.Key
				}, certificateRefused},
				"no authority in the file": {func(c *config.TLS) { c.CA = c.Key }, says("tls.ca_file does not contain a certificate")},
				"no such file":             {func(c *config.TLS) { c.Key = config.FileSecret("/none.key") }, says("tls.key_file: read secret: open /none.key")},
			} {
				t.Run(name, func(t *testing.T) {
					of := of
					of.Config.TLS = authority.Client(t)
					c.change(of.Config.TLS)
					err := readOnce(t, openTwoTables(t, testLogger(t), of))
					if c.want == nil && err != nil || c.want != nil && (err == nil || !c.want(err)) {
						t.Error(err)
					}
					if err != nil && !strings.Contains(err.Error(), "client KREWE") {
						t.Errorf("%v does not name the client", err)
					}
				})
			}
			t.Run("without TLS", func(t *testing.T) {
				if err := readOnce(t, openTwoTables(t, testLogger(t), of)); err == nil {
					t.Error("the server takes plain text")
				}
			})
			t.Run("files change", func(t *testing.T) { filesChange(t, of, authority, other) })
			t.Run("DSN changes", func(t *testing.T) { dsnChanges(t, of, authority, other) })
			if of.Config.Driver == config.Postgres {
				t.Run("several hosts", func(t *testing.T) { severalHosts(t, of, authority) })
			}
			t.Run("cancel", func(t *testing.T) {
				of := of
				of.Config.TLS = authority.Client(t)
				cancelOnServer(t, server, openTwoTables(t, testLogger(t), of))
			})
		})
	}
}

// readOnce makes a new connection.
func readOnce(t *testing.T, db *DB) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return db.Read(ctx, NewLane("jobs"), time.Now(), func(ctx context.Context, r *Reader) error {
		_, err := count(ctx, r)
		return err
	})
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func says(words string) func(error) bool {
	return func(err error) bool { return strings.Contains(err.Error(), words) }
}

// certificateRefused reports whether the server does not accept the client's certificate. Its words may be lost.
func certificateRefused(err error) bool {
	return says("does not accept the exporter's side of TLS")(err) || says("check cert_file and key_file in database.tls")(err)
}

// refused reports whether the server has refused the account.
func refused(err error) bool {
	my, isMySQL := errors.AsType[*mysql.MySQLError](err)
	pg, isPostgres := errors.AsType[*pgconn.PgError](err)
	return isMySQL && my.Number == 1045 || isPostgres && pg.Code == "28000"
}

// filesChange renews one file after the other: each is used from the next connection on.
func filesChange(t *testing.T, of testserver.Database, authority, other *testserver.Authority) {
	dir := t.TempDir()
	put := func(name, from string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) config.Secret { return config.FileSecret(filepath.Join(dir, name)) }
	of.Config.TLS = &config.TLS{CA: path("ca"), Cert: path("cert"), Key: path("key")}
	cert, key := other.Certificate(t, t.TempDir(), nil, testserver.User)
	put("ca", other.File)
	put("cert", cert)
	put("key", key)
	db := openTwoTables(t, testLogger(t), of)
	if err := readOnce(t, db); !is[x509.UnknownAuthorityError](err) {
		t.Fatal(err)
	}
	put("ca", authority.File)
	if err := readOnce(t, db); err == nil || is[x509.UnknownAuthorityError](err) {
		t.Fatalf("the new authority is not used: %v", err)
	}
	cert, key = authority.Certificate(t, t.TempDir(), nil, "somebody")
	put("cert", cert)
	put("key", key)
	if err := readOnce(t, db); of.Config.Driver == config.Postgres && (err == nil || !says("refuses the login")(err)) {
		t.Fatalf("somebody else's certificate is taken: %v", err)
	}
	cert, key = authority.Certificate(t, t.TempDir(), nil, testserver.User)
	put("cert", cert)
	put("key", key)
	if err := readOnce(t, db); err != nil { // which does not wait after a refusal
		t.Fatal(err)
	}
	put("ca", other.File)
	db.pool.SetMaxIdleConns(-1) // closes what is pooled
	if err := readOnce(t, db); !is[x509.UnknownAuthorityError](err) {
		t.Errorf("the old authority is still used: %v", err)
	}
}

// dsnChanges has the DSN, or the environment, ask for less after it was checked: nobody else is trusted for that.
func dsnChanges(t *testing.T, of testserver.Database, authority, other *testserver.Authority) {
	dsn, err := of.Config.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSSLMODE", "disable")
	t.Setenv("PGSSLCERTMODE", "disable")
	for _, parameters := range []string{"", "?tls=skip-verify", "?tls=false", "?sslmode=prefer", "?sslmode=disable", "?allowFallbackToPlaintext=true"} {
		if mysqlOnly := strings.HasPrefix(parameters, "?tls") || strings.HasPrefix(parameters, "?allow"); parameters != "" &&
			mysqlOnly != (of.Config.Driver == config.MySQL) {
			continue
		}
		t.Setenv("DSN", dsn+parameters)
		of.Config.DSN = config.EnvSecret("${DSN}")
		of.Config.TLS = authority.Client(t)
		if err := readOnce(t, openTwoTables(t, testLogger(t), of)); err != nil {
			t.Errorf("%q: %v", parameters, err)
		}
		of.Config.TLS.CA = config.FileSecret(other.File)
		if err := readOnce(t, openTwoTables(t, testLogger(t), of)); !is[x509.UnknownAuthorityError](err) {
			t.Errorf("%q: %v", parameters, err)
		}
	}
}

// severalHosts has a DSN with two hosts, the first of which does not answer.
func severalHosts(t *testing.T, of testserver.Database, authority *testserver.Authority) {
	dsn, err := of.Config.DSN.Read()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DSN", strings.Replace(dsn, "@", "@127.0.0.1:1,", 1))
	of.Config.DSN, of.Config.TLS = config.EnvSecret("${DSN}"), authority.Client(t)
	if err := readOnce(t, openTwoTables(t, testLogger(t), of)); err != nil {
		t.Error(err)
	}
	of.Config.TLS.ServerName = "db.example.com"
	if err := readOnce(t, openTwoTables(t, testLogger(t), of)); !is[x509.HostnameError](err) {
		t.Error(err)
	}
}

// TestNoTLS asks a server without TLS, or with a certificate that nobody knows: the exporter does not go on without, though
// the DSN would.
func TestNoTLS(t *testing.T) {
	onServers(t, "plain", func(t *testing.T, _ *testserver.Server, db *DB, of testserver.Database) {
		if err := readOnce(t, db); err != nil {
			t.Fatal(err)
		}
		dsn, err := of.Config.DSN.Read()
		if err != nil {
			t.Fatal(err)
		}
		mode := map[config.Driver]string{config.MySQL: "?tls=preferred", config.Postgres: "?sslmode=prefer"}
		t.Setenv("DSN", strings.TrimSuffix(dsn, "?sslmode=disable")+mode[of.Config.Driver])
		of.Config.DSN, of.Config.TLS = config.EnvSecret("${DSN}"), new(config.TLS)
		if err := readOnce(t, openTwoTables(t, testLogger(t), of)); err == nil || !strings.Contains(strings.ToLower(err.Error()), "tls") {
			t.Error(err)
		}
	})
}
