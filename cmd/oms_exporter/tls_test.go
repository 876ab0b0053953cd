package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate of 127.0.0.1 and its key, and returns a pool that trusts it.
func writeCertificate(t *testing.T, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for file, content := range map[string][]byte{
		certFile: certPEM,
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes}),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

func TestTLSAndBasicAuth(t *testing.T) {
	dir := t.TempDir()
	pool := writeCertificate(t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	webConfig, file := filepath.Join(dir, "web.yml"), filepath.Join(dir, "oms_exporter.yml")
	const users = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n" +
		"basic_auth_users: {prometheus: $2a$04$fz8LgUGXesMB4GWiepXrCe3D1ZSPCV85myVwk2J2Qdz9YlPeQjnpK}\n" // open sesame
	if err := os.WriteFile(webConfig, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, file, sqliteClient(t, "KREWE"))
	p := start(t, "--config.file="+file, "--web.config.file="+webConfig)

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
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
