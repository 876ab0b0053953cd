package testserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// An Authority signs certificates, as that of a company does.
type Authority struct {
	File string // its own certificate
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority that nobody else knows.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{File: filepath.Join(tb.TempDir(), "ca.pem")}
	a.cert = &x509.Certificate{
		Subject: pkix.Name{CommonName: rand.Text()}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = a.sign(tb, a.cert, a.File)
	text, err := os.ReadFile(a.File)
	check(tb, err)
	block, _ := pem.Decode(text)
	a.cert, err = x509.ParseCertificate(block.Bytes)
	check(tb, err)
	return a
}

// Certificate writes a certificate for a name and hosts, and its key, into the folder of their owner, nil for oneself.
func (a *Authority) Certificate(tb testing.TB, dir string, owner *syscall.Credential, name string, hosts ...string) (cert, key string) {
	tb.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	der, err := x509.MarshalPKCS8PrivateKey(a.sign(tb, template, cert))
	check(tb, err)
	writePEM(tb, key, "PRIVATE KEY", der)
	if owner != nil {
		check(tb, os.Chown(key, int(owner.Uid), int(owner.Gid)))
	}
	return cert, key
}

// sign writes the certificate of a new key, and returns that. The authority signs its own before it has a key.
func (a *Authority) sign(tb testing.TB, template *x509.Certificate, file string) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(tb, err)
	signer := a.key
	if signer == nil {
		signer = key
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, signer)
	check(tb, err)
	writePEM(tb, file, "CERTIFICATE", der)
	check(tb, os.Chmod(file, 0o644)) // a server of another user's reads it
	return key
}

func writePEM(tb testing.TB, file, kind string, der []byte) {
	tb.Helper()
	check(tb, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// Pool returns a pool with the authority in it.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Client returns the settings of User, who has a certificate of the authority.
func (a *Authority) Client(tb testing.TB) *config.TLS {
	tb.Helper()
	cert, key := a.Certificate(tb, tb.TempDir(), nil, User)
	return &config.TLS{CA: config.FileSecret(a.File), Cert: config.FileSecret(cert), Key: config.FileSecret(key)}
}
