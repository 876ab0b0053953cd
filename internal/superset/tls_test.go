package superset

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// secured puts a proxy before a Superset, to which only clients of the authority may speak.
func secured(t *testing.T, a *testserver.Authority, target string) *httptest.Server {
	t.Helper()
	to, err := url.Parse(target)
	must(t, err)
	cert, key := a.Certificate(t, t.TempDir(), nil, "server", "127.0.0.1", testserver.SecureHost)
	pair, err := tls.LoadX509KeyPair(cert, key)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	transport := new(http.Transport)
	proxy.Transport = transport
	server := httptest.NewUnstartedServer(proxy)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Pool()}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refusals are expected
	server.StartTLS()
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(server.Close)
	return server
}

// securely is by with the certificate of the authority.
func securely(t *testing.T, a *testserver.Authority, url string) config.SupersetAccount {
	t.Helper()
	account := by(t, url, testserver.User)
	account.TLS = a.Client(t)
	return account
}

func TestTLS(t *testing.T) {
	authority, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	server := secured(t, authority, newFake(t, nil).URL)
	for name, c := range map[string]struct {
		change func(*config.TLS)
		want   string
	}{
		"everything fits":   {func(*config.TLS) {}, ""},
		"the name is given": {func(c *config.TLS) { c.ServerName = testserver.SecureHost }, ""},
		"unknown authority": {func(c *config.TLS) { c.CA = config.FileSecret(other.File) },
			"unreachable: %s has a certificate of an unknown authority: write the path of a file with its authority as superset.tls.ca_file"},
		"another name": {func(c *config.TLS) { c.ServerName = "superset.example.com" },
			"unreachable: %s has a certificate for another name (x509: certificate is valid for db.internal, not superset.example.com): "},
		"no certificate": {func(c *config.TLS) { c.Cert, c.Key = config.Secret{}, config.Secret{} }, "check cert_file and key_file in superset.tls"},
		"certificate of another authority": {func(c *config.TLS) {
			theirs := other.Client(t)
			c.Cert, c.Key = theirs.Cert, theirs.Key
		}, "check cert_file and key_file in superset.tls"},
		"no such file": {func(c *config.TLS) { c.CA = config.FileSecret("/none.pem") },
			"unreachable: %s cannot be reached: tls.ca_file: read secret: open /none.pem: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			account := securely(t, authority, server.URL)
			c.change(account.TLS)
			_, err := look(t, open(t, NewPool(time.Now), account, "d"), 0)
			want := strings.ReplaceAll(c.want, "%s", server.URL)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// TestTLSFilesChange renews one file after the other: each is used from the next connection on.
func TestTLSFilesChange(t *testing.T) {
	authority, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	server := secured(t, authority, newFake(t, nil).URL)
	dir := t.TempDir()
	put := func(name, from string) config.Secret {
		text, err := os.ReadFile(from)
		must(t, err)
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, text, 0o600))
		return config.FileSecret(path)
	}
	cert, key := other.Certificate(t, t.TempDir(), nil, testserver.User)
	account := by(t, server.URL, testserver.User)
	account.TLS = &config.TLS{CA: put("ca", other.File), Cert: put("cert", cert), Key: put("key", key)}
	now := start
	r := open(t, NewPool(func() time.Time { return now }), account, "d")
	expect := func(want string) {
		t.Helper()
		_, err := look(t, r, now.Sub(start))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
		now = now.Add(5 * time.Minute)
	}
	expect("unknown authority")
	put("ca", authority.File)
	expect("check cert_file and key_file in superset.tls")
	cert, key = authority.Certificate(t, t.TempDir(), nil, testserver.User)
	put("cert", cert)
	put("key", key)
	expect("")
	put("ca", other.File)
	expect("") // on the connections that there are
	r.account.http.CloseIdleConnections()
	expect("unknown authority")
}

// testTLS asks a real Superset behind a proxy with TLS.
func testTLS(t *testing.T, s *testserver.SupersetServer) {
	authority := testserver.NewAuthority(t)
	server := secured(t, authority, s.URL)
	if _, err := look(t, open(t, NewPool(time.Now), securely(t, authority, server.URL), "small"), 0); err != nil {
		t.Error(err)
	}
}
