package dropfolder

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
		"malformed": {"nonsense", []string{" has none for it (what cannot be read apart: line 1)", "ssh-keyscan -p "}},
	} {
		t.Run(name, func(t *testing.T) {
			l := inboxOf(s, "in", "")
			l.KnownHosts = config.FileLines(filepath.Join(t.TempDir(), "known_hosts"))
			must(t, os.WriteFile(l.KnownHosts.Path(), []byte(c.content), 0o600))
			_, err := look(t, open(t, l), 0)
			if c.want == nil {
				must(t, err)
			} else {
				mention(t, err, append(c.want, "client KREWE: location in: ", l.KnownHosts.Path())...)
			}
		})
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	for path, want := range map[string]string{
		"/nowhere":  "open /nowhere: no such file or directory",
		"/dev/zero": "read /dev/zero: more than 16 MiB",
		fifo:        "read " + fifo + ": no answer within 2s",
	} {
		t.Run(path, func(t *testing.T) {
			l := inboxOf(s, "in", "")
			l.KnownHosts = config.FileLines(path)
			_, err := look(t, open(t, l), 0)
			mention(t, err, "client KREWE: location in: known_hosts file: read secret: "+want)
		})
	}
	writer, err := os.OpenFile(fifo, os.O_WRONLY, 0) // which ends the read
	must(t, err)
	must(t, writer.Close())
}

// TestRefusedLogin shows that an account is not locked by many attempts, and that another password is tried at once.
func TestRefusedLogin(t *testing.T) {
	var tries atomic.Int64
	l := testserver.ScriptedSSH(t, &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if tries.Add(1); string(password) != "right" {
			return nil, errors.New("refused")
		}
		return nil, nil
	}}, new(scripted).serve)
	f := open(t, l)
	for i, step := range []struct {
		after    time.Duration
		password string
		tries    int64
		next     string // in the error; empty where the login is accepted
	}{
		{0, "wrong", 1, "08:00:10"},
		{9 * time.Second, "wrong", 1, "08:00:10"},
		{10 * time.Second, "wrong", 2, "08:00:30"},
		{11 * time.Second, "wrong too", 3, "08:00:21"}, // another secret begins again
		{12 * time.Second, "wrong too", 3, "08:00:21"},
		{13 * time.Second, "right", 4, ""},
	} {
		must(t, os.WriteFile(l.Password.Path(), []byte(step.password), 0o600))
		_, err := look(t, f, step.after)
		refused := err != nil && strings.Contains(err.Error(), "refuses the login of user "+testserver.User)
		if tries.Load() != step.tries || refused != (step.next != "") || refused && !strings.HasSuffix(err.Error(), "; the next attempt is at "+step.next+" UTC") {
			t.Errorf("step %d: %d attempts, want %d: %v", i, tries.Load(), step.tries, err)
		}
	}
}

func TestMask(t *testing.T) {
	err := redact(config.EnvSecret(testserver.Password), fmt.Errorf("the server says %s: %w", testserver.Password, io.EOF))
	mention(t, err, "the server says <secret>")
	if !errors.Is(err, io.EOF) {
		t.Errorf("error %v does not wrap the cause", err)
	}
}

// withPassword gives a location the password, in the place of the key or beside it.
func withPassword(tb testing.TB, l config.SFTP, too bool) config.SFTP {
	tb.Helper()
	l.Password = secret(tb, testserver.Password)
	if !too {
		l.PrivateKey = config.Secret{}
	}
	return l
}

// TestMethods logs in by whatever a server takes, and says what is missing where it wants more.
func TestMethods(t *testing.T) {
	key := func(l config.SFTP) config.SFTP { return l }
	password := func(l config.SFTP) config.SFTP { return withPassword(t, l, false) }
	both := func(l config.SFTP) config.SFTP { return withPassword(t, l, true) }
	wrong := func(l config.SFTP) config.SFTP {
		l.Password, l.PrivateKey = secret(t, "wrong"), config.Secret{}
		return l
	}
	type way struct {
		name string
		with func(config.SFTP) config.SFTP
		want string
	}
	for settings, ways := range map[string][]way{
		testserver.PAM: {
			{"password", password, ""}, {"both", both, ""}, {"key", key, ""},
			{"wrong", wrong, "it takes publickey, keyboard-interactive; it refuses keyboard-interactive; it asks \"Password:\""},
		},
		testserver.PAM + "AuthenticationMethods keyboard-interactive\n": {
			{"password", password, ""}, {"both", both, ""},
			{"key", key, " accepts only keyboard-interactive from user exporter, but the configuration has only a private key: write password_file"},
		},
		testserver.PAM + "AuthenticationMethods publickey,keyboard-interactive\n": {
			{"both", both, ""},
			{"key", key, " accepts publickey of user exporter and also requires keyboard-interactive, but the configuration has only a private key: write password_file"},
		},
		"AuthenticationMethods publickey,password\n": {
			{"both", both, ""},
			{"key", key, " accepts publickey of user exporter and also requires password, but the configuration has only a private key: write password_file"},
			{"password", password, " accepts only publickey from user exporter, but the configuration has only a password: write private_key_file"},
		},
		"PubkeyAuthentication no\nKbdInteractiveAuthentication no\n": {
			{"both", both, ""},
			{"key", key, " accepts only password from user exporter, but the configuration has only a private key: write password_file"},
			{"wrong", wrong, " refuses the login of user exporter, check the username and the password or key: it takes password; it refuses password"},
		},
		"AuthenticationMethods hostbased\nHostbasedAuthentication yes\n": {
			{"both", both, " accepts only hostbased from user exporter, but the configuration has only a private key and a password: ask the server's owner"},
		},
	} {
		s := testserver.SSHD(t, settings)
		for _, way := range ways {
			t.Run(strings.ReplaceAll(settings, "\n", "; ")+way.name, func(t *testing.T) {
				_, err := look(t, open(t, way.with(inboxOf(s, "in", ""))), 0)
				if way.want == "" {
					must(t, err)
				} else {
					mention(t, err, "location in: "+s.Address, way.want)
				}
			})
		}
	}
}

// TestKeys logs in with keys of each kind, and with a certificate that lies beside one.
func TestKeys(t *testing.T) {
	const onlyCertified = "AuthorizedKeysFile none\nTrustedUserCAKeys DIR/authority.pub\n"
	s, certified := testserver.SSHD(t), testserver.SSHD(t, onlyCertified)
	old := testserver.ScriptedSSH(t, &ssh.ServerConfig{ // OpenSSH's says that it takes newer ones too, whatever its configuration says
		PublicKeyAuthAlgorithms: []string{ssh.KeyAlgoRSA},
		PublicKeyCallback:       func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil },
	}, new(scripted).serve)
	_, first, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	second, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	third, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	_, fourth, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	authority, err := ssh.NewSignerFromKey(fourth)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(filepath.Dir(certified.Key), "authority.pub"), ssh.MarshalAuthorizedKey(authority.PublicKey()), 0o644))
	for _, key := range []crypto.Signer{first, second, third} {
		public, err := ssh.NewPublicKey(key.Public())
		must(t, err)
		file, err := os.OpenFile(s.Key+".pub", os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = file.Write(ssh.MarshalAuthorizedKey(public))
		must(t, errors.Join(err, file.Close()))
		block, err := ssh.MarshalPrivateKey(key, "")
		must(t, err)
		path := filepath.Join(t.TempDir(), "key")
		must(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
		by := func(server *testserver.SSHServer) config.SFTP {
			l := inboxOf(server, "in", "")
			l.PrivateKey = config.FileSecret(path)
			return l
		}
		t.Run(public.Type(), func(t *testing.T) {
			see(t, open(t, by(s)), 0)
			_, err := look(t, open(t, by(certified)), 0)
			mention(t, err, "it takes publickey, password", "it refuses publickey")

			must(t, os.WriteFile(path+"-cert.pub", []byte("nonsense"), 0o600))
			see(t, open(t, by(s)), 0)
			_, err = look(t, open(t, by(certified)), 0)
			mention(t, err, "it refuses publickey", "the certificate beside the private key is not used: ssh: no key found")

			certificate := &ssh.Certificate{
				Key: public, CertType: ssh.UserCert, ValidPrincipals: []string{testserver.User}, ValidBefore: ssh.CertTimeInfinity,
			}
			must(t, certificate.SignCert(rand.Reader, authority))
			must(t, os.WriteFile(path+"-cert.pub", ssh.MarshalAuthorizedKey(certificate), 0o600))
			see(t, open(t, by(s)), 0)
			see(t, open(t, by(certified)), 0)

			if public.Type() == ssh.KeyAlgoRSA { // the server takes SHA-1 only
				l := old
				l.Password, l.PrivateKey = config.Secret{}, config.FileSecret(path)
				_, err := look(t, open(t, l), 0)
				mention(t, err, "signatures by RSA keys", "write legacy_algorithms: true")
				l.LegacyAlgorithms = true
				see(t, open(t, l), 0)
			}
		})
	}
}

// TestLegacy has servers that offer old algorithms only. They are used where the location allows it.
func TestLegacy(t *testing.T) {
	for what, settings := range map[string]string{
		"key exchange":            "KexAlgorithms diffie-hellman-group14-sha1\n",
		"old key exchange":        "KexAlgorithms diffie-hellman-group1-sha1\n",
		"host key":                "HostKey DIR/host_rsa\nHostKeyAlgorithms ssh-rsa\n",
		"client to server cipher": "Ciphers aes128-cbc\n",
		"client to server MAC":    "Ciphers aes128-ctr\nMACs hmac-sha1-96\n",
	} {
		t.Run(what, func(t *testing.T) {
			l := inboxOf(testserver.SSHD(t, settings), "in", "")
			_, err := look(t, open(t, l), 0)
			mention(t, err, "location in: "+l.Address+" offers for "+strings.TrimPrefix(what, "old ")+" only old algorithms (",
				"write legacy_algorithms: true")
			l.LegacyAlgorithms = true
			see(t, open(t, l), 0)
		})
	}
	l := inboxOf(testserver.SSHD(t, "Ciphers aes256-cbc\n"), "in", "")
	l.LegacyAlgorithms = true
	_, err := look(t, open(t, l), 0)
	mention(t, err, "offers for client to server cipher only aes256-cbc, none of which the exporter knows")
}

func TestLoginToProFTPD(t *testing.T) {
	s := testserver.ProFTPD(t)
	key := inboxOf(s, "in", "")
	see(t, open(t, key), 0)
	see(t, open(t, withPassword(t, key, false)), 0)
	wrong := withPassword(t, key, false)
	wrong.Password = secret(t, "wrong")
	_, err := look(t, open(t, wrong), 0)
	mention(t, err, s.Address+" refuses the login of user exporter, ", "it takes publickey, password; it refuses password")
}
