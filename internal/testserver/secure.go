package testserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// SecureHost is the name in the certificates of the servers below, beside 127.0.0.1.
const SecureHost = "db.internal"

// SecureMariaDB is MariaDB for connections with TLS only, and for a User with a certificate of the authority.
func SecureMariaDB(tb testing.TB, a *Authority) *Server {
	tb.Helper()
	return requireX509(tb, mariaDB(tb, "", temporary, a.mySQL(tb)...))
}

// SecureMySQL is SecureMariaDB for MySQL proper.
func SecureMySQL(tb testing.TB, a *Authority) *Server {
	tb.Helper()
	return requireX509(tb, mySQL(tb, temporary, a.mySQL(tb)...))
}

func (a *Authority) mySQL(tb testing.TB) (options []string) {
	tb.Helper()
	ca, cert, key := a.forServer(tb, "mysql")
	return []string{"--require-secure-transport", "--ssl-ca=" + ca, "--ssl-cert=" + cert, "--ssl-key=" + key}
}

func requireX509(tb testing.TB, s *Server) *Server {
	tb.Helper()
	s.exec(tb, s.maintenance, "ALTER USER "+User+" REQUIRE X509")
	return s
}

// SecurePostgres is SecureMariaDB for PostgreSQL, where the certificate must also be for User.
func SecurePostgres(tb testing.TB, a *Authority) *Server {
	tb.Helper()
	ca, cert, key := a.forServer(tb, "postgres")
	hba := filepath.Join(filepath.Dir(ca), "pg_hba.conf")
	check(tb, os.WriteFile(hba, []byte("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n"), 0o644))
	s := postgres(tb, "", temporary, "ssl=on", "ssl_ca_file="+ca, "ssl_cert_file="+cert, "ssl_key_file="+key, "hba_file="+hba)
	plain := s.userDSN
	s.userDSN = func(name string) string { return strings.TrimSuffix(plain(name), "?sslmode=disable") }
	return s
}

// forServer writes what a server run by the named user needs.
func (a *Authority) forServer(tb testing.TB, user string) (ca, cert, key string) {
	tb.Helper()
	owner := unprivileged(tb, user)
	dir := newFolder(tb, owner)
	text, err := os.ReadFile(a.File)
	check(tb, err)
	ca = filepath.Join(dir, "ca.pem")
	check(tb, os.WriteFile(ca, text, 0o644))
	cert, key = a.Certificate(tb, dir, owner, "server", "127.0.0.1", SecureHost)
	return ca, cert, key
}
