package dropfolder

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// secret puts a secret into a file.
func secret(tb testing.TB, content string) config.Secret {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "secret")
	must(tb, os.WriteFile(path, []byte(content), 0o600))
	return config.FileSecret(path)
}

func TestLogin(t *testing.T) {
	s := testserver.SSHD(t)
	content, err := os.ReadFile(s.Key)
	must(t, err)
	key, err := ssh.ParseRawPrivateKey(content)
	must(t, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(testserver.Password))
	must(t, err)
	encrypted := secret(t, string(pem.EncodeToMemory(block)))
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	block, err = ssh.MarshalPrivateKey(stranger, "")
	must(t, err)
	refused := s.Address + " refuses the login of user exporter, check the username and the password or key"
	for name, c := range map[string]struct {
		change func(*config.SFTP)
		want   string
	}{
		"key":           {func(*config.SFTP) {}, ""},
		"encrypted key": {func(l *config.SFTP) { l.PrivateKey, l.Passphrase = encrypted, secret(t, testserver.Password) }, ""},
		"password":      {func(l *config.SFTP) { l.PrivateKey, l.Password = config.Secret{}, secret(t, testserver.Password) }, ""},
		"wrong key":     {func(l *config.SFTP) { l.PrivateKey = secret(t, string(pem.EncodeToMemory(block))) }, refused},
		"wrong password": {func(l *config.SFTP) {
			l.PrivateKey, l.Password = config.Secret{}, secret(t, "not "+testserver.Password)
		}, refused},
		"wrong passphrase": {func(l *config.SFTP) { l.PrivateKey, l.Passphrase = encrypted, secret(t, "wrong") },
			"private key: x509: decryption password incorrect"},
		"quoted password": {func(l *config.SFTP) {
			l.PrivateKey, l.Password, l.Path = config.Secret{}, secret(t, testserver.Password), "/"+testserver.Password
		}, `the folder inbox "/<secret>" does not exist`},
		"no passphrase":    {func(l *config.SFTP) { l.PrivateKey = encrypted }, "it is encrypted, and no passphrase is configured"},
		"no key":           {func(l *config.SFTP) { l.PrivateKey = secret(t, testserver.Password) }, "private key: ssh: no key found"},
		"missing password": {func(l *config.SFTP) { l.PrivateKey = config.Secret{} }, "password: the secret is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			l := inboxOf(s, "in", "")
			c.change(&l)
			found, err := look(t, open(t, l), 0)
			if c.want == "" {
				must(t, err)
				expect(t, found, "in of in, age 0s; inbox 0 -..-\n")
				return
			}
			mention(t, err, "client KREWE: location in: ", c.want)
			expect(t, found, "in of in, age 0s\n")
		})
	}
}

func TestKnownHosts(t *testing.T) {
	s := testserver.SSHD(t)
	content, err := os.ReadFile(s.KnownHosts)
	must(t, err)
	line := string(content)
	_, _, right, _, _, err := ssh.ParseKnownHosts(content)
	must(t, err)
	public, _, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	wrong, err := ssh.NewPublicKey(public)
	must(t, err)
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		// The server has an ECDSA key too, which the library would rather be offered.
		"known":     {line, nil},
		"hashed":    {knownhosts.HashHostname(knownhosts.Normalize(s.Address)) + line[strings.Index(line, " "):], nil},
		"missing":   {"# nothing\n", []string{s.Address + " offers the host key ecdsa-sha2-nistp256 SHA256:", " has none for it"}},
		"elsewhere": {"another.example.com" + line[strings.Index(line, " "):], []string{" has none for it"}},
		"differs": {"\n" + knownhosts.Line([]string{s.Address}, wrong), []string{
			"offers the host key ssh-ed25519 " + ssh.FingerprintSHA256(right), ssh.FingerprintSHA256(wrong) + " in line 2",
		}},
		"revoked":   {line + "@revoked * " + line[strings.Index(line, "ssh-"):], []string{ssh.FingerprintSHA256(right), "rules out"}},
		"authority": {s.Authority, nil},
		"stranger":  {"@cert-authority " + line, []string{"offers the host key ssh-ed25519-cert-v01@openssh.com SHA256:", "rules out"}},
		"malformed": {"nonsense", []string{"known_hosts:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := inboxOf(s, "in", "")
			l.KnownHostsFile = filepath.Join(t.TempDir(), "known_hosts")
			must(t, os.WriteFile(l.KnownHostsFile, []byte(c.content), 0o600))
			_, err := look(t, open(t, l), 0)
			if c.want == nil {
				must(t, err)
			} else {
				mention(t, err, append(c.want, "client KREWE: location in: ", l.KnownHostsFile)...)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		l := inboxOf(s, "in", "")
		l.KnownHostsFile = "/nowhere"
		_, err := look(t, open(t, l), 0)
		mention(t, err, "known_hosts file: open /nowhere")
	})
}

func TestMask(t *testing.T) {
	err := mask(config.EnvSecret(testserver.Password), fmt.Errorf("the server says %s: %w", testserver.Password, io.EOF))
	mention(t, err, "the server says <secret>")
	if !errors.Is(err, io.EOF) {
		t.Errorf("error %v does not wrap the cause", err)
	}
}
