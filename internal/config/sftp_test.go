package config_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// publicKey is some server's.
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

// newKey returns a private key.
func newKey(t testing.TB) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// encryptedKey returns a private key with the passphrase hunter2, whose derivation has one round only.
func encryptedKey(t testing.TB) string {
	t.Helper()
	key, err := os.ReadFile("testdata/secrets/sftp.key")
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// loadLocation loads a client with one location: the settings, and the files that they name.
func loadLocation(t testing.TB, settings string, files map[string]string) (config.SFTP, error) {
	t.Helper()
	dir := t.TempDir()
	const client = "clients: [{name: A, timezone: UTC, database: {driver: sqlite, dsn: /oms.db, timezone: UTC},\n" +
		"sftp: [{location: l, source: wms, username: u, known_hosts_file: known_hosts, path: /, %s}],\n" +
		"reset_inventory: [{source: wms, config_ids: [A]}]}]"
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("oms_exporter.yml", fmt.Sprintf(client, settings))
	write("known_hosts", "host "+publicKey+"\n")
	for name, text := range files {
		write(name, text)
	}
	c, err := config.Check(filepath.Join(dir, "oms_exporter.yml"))
	if err != nil {
		return config.SFTP{}, err
	}
	return c.Clients[0].SFTP[0], nil
}

func TestAddress(t *testing.T) {
	setEnv(t)
	for text, want := range map[string]string{
		"sftp.example.com":        "sftp.example.com:22",
		"sftp.example.com:2222":   "sftp.example.com:2222",
		"sftp_1":                  "sftp_1:22",
		"192.0.2.7":               "192.0.2.7:22",
		"192.0.2.7:22":            "192.0.2.7:22",
		"2001:db8::7":             "[2001:db8::7]:22",
		"[2001:db8::7]":           "[2001:db8::7]:22",
		"[2001:db8::7]:2222":      "[2001:db8::7]:2222",
		"sftp.example.com:":       "",
		":22":                     "",
		"sftp.example.com:0":      "",
		"sftp.example.com:65536":  "",
		"sftp.example.com:ssh":    "",
		"sftp.example.com:22:22":  "",
		"sftp.example.com/krewe":  "",
		"u:hunter2@sftp:22":       "",
		"two sftp.example.com:22": "",
	} {
		s, err := loadLocation(t, fmt.Sprintf(`password: "${KREWE_PASSWORD}", address: %q`, text), nil)
		if s.Address != want || (err == nil) != (want != "") || err != nil && !strings.Contains(err.Error(), "is not host:port: write ") {
			t.Errorf("%s: got %q, %v", text, s.Address, err)
		}
	}
}

// TestPrivateKeys has every form of key, with and without a passphrase, and what the message about it says.
func TestPrivateKeys(t *testing.T) {
	plain, encrypted := newKey(t), encryptedKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}
	//nolint:staticcheck // old keys are encrypted so, and still in use
	old, err := x509.EncryptPEMBlock(rand.Reader, pkcs1.Type, pkcs1.Bytes, []byte("hunter2"), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	rsaPlain, rsaEncrypted := string(pem.EncodeToMemory(pkcs1)), string(pem.EncodeToMemory(old))
	block, _ := pem.Decode([]byte(encrypted))
	block.Bytes = bytes.Replace(block.Bytes, []byte("aes256-ctr"), []byte("aes128-gcm"), 1)
	pkcs8 := string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("what it holds")}))
	const none = "\x00"
	for _, test := range []struct{ name, key, passphrase, want string }{
		{"plain", plain, none, ""},
		{"with CRLF", strings.ReplaceAll(plain, "\n", "\r\n"), none, ""},
		{"encrypted", encrypted, "hunter2\n", ""},
		{"RSA", rsaPlain, none, ""},
		{"encrypted RSA", rsaEncrypted, "hunter2", ""},
		{"encrypted, no passphrase", encrypted, none, "private_key_file is encrypted: write "},
		{"encrypted RSA, no passphrase", rsaEncrypted, none, "private_key_file is encrypted: write "},
		{"another passphrase", encrypted, "hunter3", "passphrase_file does not contain the passphrase of the private key: write "},
		{"RSA, another passphrase", rsaEncrypted, "hunter3", "passphrase_file does not contain the passphrase of the private key: write "},
		{"needless passphrase", plain, "hunter2", "passphrase_file is set, but the private key is not encrypted: remove "},
		{"RSA, needless passphrase", rsaPlain, "hunter2", "passphrase_file is set, but the private key is not encrypted: remove "},
		{"another cipher", string(pem.EncodeToMemory(block)), "hunter2", "private_key_file is encrypted in a way that the exporter cannot read: execute "},
		{"PKCS #8", pkcs8, "hunter2", "private_key_file is encrypted in a way that the exporter cannot read: execute "},
		{"a public key", publicKey, none, "private_key_file does not contain a private key: write "},
		{"half a key", plain[:200], none, "private_key_file does not contain a private key: write "},
		{"a public key with a passphrase", publicKey, "hunter2", "private_key_file does not contain a private key: write "},
	} {
		settings, files := "address: host, private_key_file: key", map[string]string{"key": test.key}
		if test.passphrase != none {
			settings += ", passphrase_file: passphrase"
			files["passphrase"] = test.passphrase
		}
		s, err := loadLocation(t, settings, files)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "":
			if key, err := s.PrivateKey.Read(); key != strings.TrimSpace(test.key) || err != nil {
				t.Errorf("%s: the key reads %q, %v", test.name, key, err)
			}
		case err == nil || strings.Count(err.Error(), "\n") > 0 || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

// TestKnownHosts has what ssh-keyscan and ssh-keygen -H write, and what is none of it, which must not be repeated. One line that
// can be read is enough.
func TestKnownHosts(t *testing.T) {
	setEnv(t)
	const hashed = "|1|mzy1BpdXOqDzJ1RWSjCJLDaBPFo=|zk0yUOqkBBy4RgVXUZPWuyLU2VY= " + publicKey
	const nothing = "known_hosts_file: no line of the file contains a host key: write "
	for content, want := range map[string]string{
		"# host:22 SSH-2.0-OpenSSH_9.2p1\nhost " + publicKey + "\n\n":  "",
		"[host]:2222,[192.0.2.7]:2222 " + publicKey + " a comment\r\n": "",
		hashed: "",
		"@cert-authority *.example.com " + publicKey + "\n@revoked * " + publicKey: "",
		"":                                   "known_hosts_file names an empty file: write ",
		"host " + publicKey + "\n" + canary:  "",
		canary + "\n@revoked * " + publicKey: "",
		"host ssh-rsa " + canary:             nothing,
		"@" + canary + " host " + publicKey:  nothing,
		"host " + canary + strings.TrimPrefix(publicKey, "ssh-ed2"): nothing,
		"host " + publicKey + strings.Repeat(canary, 10_000):        nothing,
	} {
		_, err := loadLocation(t, `password: "${KREWE_PASSWORD}", address: host`, map[string]string{"known_hosts": content})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary)) {
			t.Errorf("%.100s\ngives %v", content, err)
		}
	}
}

// TestOneAccount has two locations, of which the second has the settings of the first but for one.
func TestOneAccount(t *testing.T) {
	setEnv(t)
	key := encryptedKey(t)
	files := map[string]string{"key": key, "key2": key, "phrase": "hunter2", "phrase2": "hunter2", "password": "p", "known_hosts2": "host " + publicKey}
	const byKey, byPassword = "private_key_file: key, passphrase_file: phrase", "password: \"${KREWE_PASSWORD}\""
	for _, test := range []struct {
		first, second string
		good          bool
	}{
		{byKey, byKey, true},
		{byKey, "private_key_file: ./key, passphrase_file: phrase", true},
		{byKey, "private_key_file: key2, passphrase_file: phrase", false},
		{byKey, "private_key_file: key, passphrase_file: phrase2", false},
		{byKey, byPassword, false},
		{byKey, byKey + ", password_file: password", false},
		{byKey, byKey + ", legacy_algorithms: true", false},
		{byKey + ", legacy_algorithms: true", byKey + ", legacy_algorithms: true", true},
		{byPassword, byPassword + ", legacy_algorithms: false", true},
		{byPassword, byPassword, true},
		{byPassword, "password: \"${ADOC_PASSWORD}\"", false},
		{byPassword, "password_file: password", false},
		{byPassword, "password_file: password, username: other", true},
		{byPassword, "password_file: password, address: other", true},
		{byPassword, byPassword + ", known_hosts_file: known_hosts2", false},
	} {
		if !strings.Contains(test.second, "username") {
			test.second += ", username: u"
		}
		if !strings.Contains(test.second, "address") {
			test.second += ", address: \"host:22\""
		}
		if !strings.Contains(test.second, "known_hosts") {
			test.second += ", known_hosts_file: known_hosts"
		}
		_, err := loadLocation(t, "address: host, "+test.first+"},\n{location: second, source: wms, path: /, "+test.second, files)
		const want = "oms_exporter.yml:3: client A: the sftp location in line 2 has the same address and username"
		if test.good != (err == nil) || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s and %s: got %v", test.first, test.second, err)
		}
	}
}
