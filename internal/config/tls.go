package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"
)

// TLS says how the exporter verifies a server, and by which certificate it shows who it is. The files are read again for
// each connection, so that they can be renewed without a restart.
type TLS struct {
	// CA holds the authorities that are trusted; without it they are the system's.
	CA Secret
	// Cert and Key are a client certificate and its private key: both or neither.
	Cert, Key Secret
	// ServerName is the name that the server's certificate must have; without it that is the host of the connection.
	ServerName string
}

// Client returns the settings for connections to a host. They read the files at each handshake.
func (t *TLS) Client(host string) *tls.Config {
	name := cmp.Or(t.ServerName, host)
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         name,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies: only there can the authorities be the current ones
		VerifyConnection: func(s tls.ConnectionState) error {
			roots, err := t.authorities()
			if err != nil {
				return err
			}
			return verify(s.PeerCertificates, name, roots)
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.certificate() },
	}
}

// verify does what crypto/tls does when it is not told to skip it.
func verify(certificates []*x509.Certificate, name string, roots *x509.CertPool) error {
	if name == "" {
		return errors.New("tls.server_name is missing: write the name that the server's certificate must have")
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, c := range certificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := certificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: certificates, Err: err}
	}
	return nil
}

// A tlsError says what is wrong with the content of a file. Its text begins with the key and ends with the fix.
type tlsError struct{ key, text string }

func (f *tlsError) Error() string { return "tls." + f.key + " " + f.text }

// authorities returns those that are trusted, nil for the system's.
func (t *TLS) authorities() (*x509.CertPool, error) {
	if !t.CA.set() {
		return nil, nil //nolint:nilnil // as x509 has it
	}
	text, err := t.CA.Read()
	if err != nil {
		return nil, named("tls.ca_file", err)
	}
	return authoritiesIn(text)
}

func authoritiesIn(text string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, &tlsError{"ca_file", "does not contain a certificate: write the path of a PEM file with the authorities that are trusted"}
	}
	return pool, nil
}

// named adds the setting to an error of reading its file, unless that names it already.
func named(setting string, err error) error {
	if _, is := errors.AsType[formError](err); is {
		return err
	}
	return fmt.Errorf("%s: %w", setting, err)
}

// certificate returns the client's certificate, an empty one where none is configured.
func (t *TLS) certificate() (*tls.Certificate, error) {
	if !t.Cert.set() {
		return new(tls.Certificate), nil
	}
	cert, err := t.Cert.Read()
	if err != nil {
		return nil, named("tls.cert_file", err)
	}
	key, err := t.Key.Read()
	if err != nil {
		return nil, named("tls.key_file", err)
	}
	return pairOf(cert, key)
}

func pairOf(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return nil, pairFault([]byte(cert), []byte(key))
	}
	return &pair, nil
}

// pairFault says why a certificate and a key are no pair, without anything of what they hold.
func pairFault(cert, key []byte) error {
	leaf, private := block(cert, "CERTIFICATE"), block(key, "PRIVATE KEY")
	if leaf != nil {
		if _, err := x509.ParseCertificate(leaf.Bytes); err != nil {
			leaf = nil
		}
	}
	switch {
	case leaf == nil:
		return &tlsError{"cert_file", "does not contain a certificate: write the path of a PEM file with the client certificate and its intermediates"}
	case private == nil:
		return &tlsError{"key_file", "does not contain a private key: write the path of a PEM file with the key of the client certificate"}
	case strings.HasPrefix(private.Type, "ENCRYPTED") || private.Headers["DEK-Info"] != "":
		return &tlsError{"key_file", "is encrypted: write the path of a private key without a passphrase"}
	}
	return &tlsError{"key_file", "does not contain the private key of the certificate in cert_file: write the path of the key that belongs to it"}
}

// block returns the first block of a kind, or nil.
func block(text []byte, kind string) *pem.Block {
	for {
		found, rest := pem.Decode(text)
		if found == nil || strings.HasSuffix(found.Type, kind) {
			return found
		}
		text = rest
	}
}

// equal reports whether both mean the same, and the files held the same.
func (t *TLS) equal(other *TLS) bool {
	if t == nil || other == nil {
		return t == other
	}
	return t.CA.equal(other.CA) && t.Cert.equal(other.Cert) && t.Key.equal(other.Key) && t.ServerName == other.ServerName
}

// tls reads the settings at path. They are there even where the key has no value: TLS without further settings.
func (r *reader) tls(n *yaml.Node, path string) *TLS {
	const nameHint = "the host name or IP address in the server's certificate, such as db.example.com"
	t, nodes := new(TLS), map[string]*yaml.Node{}
	keep := func(key string) field { return field{read: func(n *yaml.Node) { nodes[key] = n }} }
	r.fields(n, path, map[string]field{
		"ca_file":     keep("ca_file"),
		"cert_file":   keep("cert_file"),
		"key_file":    keep("key_file"),
		"server_name": {read: func(n *yaml.Node) { r.checked(n, &t.ServerName, path+".server_name", nameHint, hostFault) }},
	})
	// file reads the file of a key, whose content is its client's trouble: connections fail by it until it is renewed.
	file := func(key, holds string, held Secret, load func(text string) error, also ...Secret) Secret {
		return r.outside(nodes[key].Line, path+"."+key, holds, held, func(text string) string {
			if fault, is := errors.AsType[*tlsError](load(text)); is && fault.key == key {
				return " " + fault.text
			}
			return "" // what is wrong is another file's fault
		}, also...)
	}
	if n := nodes["ca_file"]; n != nil {
		const holds = "the certificates of the authorities that are trusted"
		if held, ok := r.heldBy(n, path+".ca_file", holds); ok {
			t.CA = file("ca_file", holds, held, func(text string) error { _, err := authoritiesIn(text); return err })
		}
	}
	switch certNode, keyNode := nodes["cert_file"], nodes["key_file"]; {
	case certNode != nil && keyNode != nil:
		const certHolds, keyHolds = "the client certificate", "the private key of the client certificate"
		cert, certNamed := r.heldBy(certNode, path+".cert_file", certHolds)
		key, keyNamed := r.heldBy(keyNode, path+".key_file", keyHolds)
		if !certNamed || !keyNamed {
			break
		}
		t.Cert = file("cert_file", certHolds, cert, func(text string) error {
			private, err := key.Read()
			if err == nil {
				_, err = pairOf(text, private)
			}
			return err
		}, key)
		t.Key = file("key_file", keyHolds, key, func(text string) error {
			leaf, err := cert.Read()
			if err == nil {
				_, err = pairOf(leaf, text)
			}
			return err
		}, cert)
		r.warnExposed(keyNode.Line, path+".key_file", key)
	case certNode != nil:
		r.fail(certNode.Line, "%s.cert_file is set without key_file: write the path of its private key as key_file", path)
	case keyNode != nil:
		r.fail(keyNode.Line, "%s.key_file is set without cert_file: write the path of its certificate as cert_file", path)
	}
	return t
}

func hostFault(text string) string {
	if _, err := netip.ParseAddr(text); err != nil && !hostName.MatchString(text) {
		return " is not a host name"
	}
	return ""
}

// local reports whether what is sent to a host stays on this machine. A host may be the path of a Unix socket.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || host == "" || strings.HasPrefix(host, "/") || strings.EqualFold(host, "localhost")
}
