package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestTLSAndBasicAuth(t *testing.T) {
	dir := t.TempDir()
	authority := testserver.NewAuthority(t)
	cert, key := authority.Certificate(t, dir, nil, "exporter", "127.0.0.1")
	webConfig, file := filepath.Join(dir, "web.yml"), filepath.Join(dir, "oms_exporter.yml")
	users := fmt.Sprintf("tls_server_config: {cert_file: %q, key_file: %q}\n", cert, key) +
		"basic_auth_users: {prometheus: $2a$04$fz8LgUGXesMB4GWiepXrCe3D1ZSPCV85myVwk2J2Qdz9YlPeQjnpK}\n" // open sesame
	if err := os.WriteFile(webConfig, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, file, sqliteClient(t, "KREWE"))
	p := start(t, "--config.file="+file, "--web.config.file="+webConfig)

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool()}}}
	defer client.CloseIdleConnections()
	for password, want := range map[string]int{"": 401, "guess": 401, "open sesame": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.address+"/sd", nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			r.SetBasicAuth("prometheus", password)
		}
		status, body := fetch(t, client, r)
		if status != want {
			t.Errorf("password %q: status %d, want %d", password, status, want)
		}
		if want == 200 && !strings.Contains(body, `"__scheme__":"https"`) {
			t.Errorf("service discovery does not tell of TLS: %s", body)
		}
	}
}

// TestWarningsInTheLog has a file with risks loaded at the start, and again.
func TestWarningsInTheLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, file, mysqlClient(t, "KREWE", "db.example.com"))
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	const warning = `level=warn .*msg="the configuration has a risk" warning="\S+oms_exporter.yml:4: client (KREWE): database.dsn sends the data`
	p.stderr.await(t, warning, 1)
	p.ask(t, "POST", "/-/reload")
	p.stderr.await(t, warning, 2)
}
