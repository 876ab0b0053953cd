package testserver

import (
	"bytes"
	"context"
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
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// passwordHash is Password as crypt(3) has it (openssl passwd -6).
const passwordHash = `$6$testserver$aiVQ/8QG1X5iDHlV1b8FOAsuManuR1C8AaCAQFQA7MDkbte5HGuAQBk2oEdwM6d.d6WeyNBPZJ7/O1DSv3gN3/`

// SSHServer is a server of SSH, OpenSSH's or another, with one account, User, who may log in with Password or with Key, and use SFTP.
// The account is the server's alone: the machine's accounts are neither used nor changed.
type SSHServer struct {
	*daemon
	// Address is host:port.
	Address string
	// Root is a folder that User may read, and not write into when the tests run as root.
	Root string
	// Key is the file of User's private key.
	Key string
	// KnownHosts is a file that has one of the server's two host keys, and Authority its line for who has certified that key.
	KnownHosts, Authority string

	owner    *syscall.Credential
	dir      string
	command  []string
	greeting string // the begin of what it says first
	login    string // what it logs of one
}

// PAM are settings by which the server asks for Password by keyboard-interactive, and takes it in no other way.
const PAM = "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n"

// SSHD starts OpenSSH's server, without any rights on the machine. Settings are lines of sshd_config that prevail over those by
// which it lets User log in with Password or Key. DIR/host_rsa is one more host key, for who wants it.
func SSHD(tb testing.TB, settings ...string) *SSHServer {
	tb.Helper()
	own := strings.Join(settings, "")
	const remedy = "apt-get install openssh-server openssh-sftp-server libnss-wrapper"
	sshd := installed(tb, "sshd", remedy, "/usr/sbin")
	sftp := installed(tb, "sftp-server", remedy, "/usr/lib/openssh")
	accounts := installed(tb, "libnss_wrapper.so", remedy, "/usr/lib", "/usr/lib/*")
	owner := unprivileged(tb, "nobody")
	s := &SSHServer{owner: owner, dir: newFolder(tb, owner), greeting: "SSH-2.0-OpenSSH", login: "\nAccepted "}
	s.Root, s.Key, s.KnownHosts = s.path("root"), s.path("key"), s.path("known_hosts")
	check(tb, os.Mkdir(s.Root, 0o755))
	host, authority := s.prepare(tb)
	preload := accounts
	if strings.Contains(own, "UsePAM yes") {
		preload += ":" + s.preparePAM(tb)
	}
	if strings.Contains(own, "host_rsa") {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		check(tb, err)
		host = s.writeKey(tb, "host_rsa", key)
	}
	s.daemon = serve(tb, owner, s.dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		s.Address = net.JoinHostPort("127.0.0.1", port)
		s.write(tb, "sshd_config", strings.NewReplacer("PORT", port, "DIR", s.dir, "SFTP", sftp).Replace(own+sshdConfig))
		s.command = []string{
			"/usr/bin/env", "LD_PRELOAD=" + preload, "PAM_WRAPPER=1", "PAM_WRAPPER_SERVICE_DIR=" + s.path("pam"), "NSS_WRAPPER_PASSWD=" + s.path("passwd"),
			"NSS_WRAPPER_SHADOW=" + s.path("shadow"), "NSS_WRAPPER_GROUP=" + s.path("group"),
			sshd, "-D", "-e", "-f", s.path("sshd_config"),
		}
		return s.command, s.greets
	})
	tb.Cleanup(func() { s.Stop(tb) })
	s.write(tb, "known_hosts", knownhosts.Line([]string{s.Address}, host)+"\n")
	s.Authority = "@cert-authority " + knownhosts.Line([]string{s.Address}, authority) + "\n"
	return s
}

// sshdConfig has the server log what it is asked for. The user's shell starts the subsystem.
const sshdConfig = `ListenAddress 127.0.0.1:PORT
HostKey DIR/host_ecdsa
HostKey DIR/host_ed25519
HostCertificate DIR/host_ed25519-cert.pub
AuthorizedKeysFile DIR/key.pub
UsePAM no
StrictModes no
PidFile none
Subsystem sftp exec SFTP -e -l DEBUG3 2>>DIR/requests
`

// prepare writes the keys and the account, and returns one of the host keys and the key that certifies it.
func (s *SSHServer) prepare(tb testing.TB) (host, authority ssh.PublicKey) {
	tb.Helper()
	_, user, err := ed25519.GenerateKey(rand.Reader)
	check(tb, err)
	_, first, err := ed25519.GenerateKey(rand.Reader)
	check(tb, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(tb, err)
	s.write(tb, "key.pub", string(ssh.MarshalAuthorizedKey(s.writeKey(tb, "key", user))))
	s.writeKey(tb, "host_ecdsa", other)

	uid, gid := s.ids()
	s.write(tb, "passwd", fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", User, uid, gid, s.dir))
	s.write(tb, "shadow", fmt.Sprintf("%s:%s:19000:0:99999:7:::\n", User, passwordHash))
	s.write(tb, "group", fmt.Sprintf("%s:x:%d:\n", User, gid))
	host = s.writeKey(tb, "host_ed25519", first)
	return host, s.certify(tb, "host_ed25519-cert.pub", host)
}

// ids are those of who runs the server.
func (s *SSHServer) ids() (uid, gid int) {
	if s.owner != nil {
		return int(s.owner.Uid), int(s.owner.Gid)
	}
	return os.Getuid(), os.Getgid()
}

// preparePAM writes the service by which PAM knows the account, and returns the library that has sshd use it: PAM's own
// configuration is root's.
func (s *SSHServer) preparePAM(tb testing.TB) (library string) {
	tb.Helper()
	const folders, remedy = "/usr/lib/*", "apt-get install libpam-wrapper"
	library = installed(tb, "libpam_wrapper.so", remedy, "/usr/lib", folders)
	matrix := installed(tb, "pam_matrix.so", remedy, "/usr/lib/pam_wrapper", folders+"/pam_wrapper")
	check(tb, os.Mkdir(s.path("pam"), 0o755))
	s.write(tb, "passdb", User+":"+Password+":sshd\n")
	var service strings.Builder
	for _, kind := range []string{"auth", "account", "password", "session"} {
		fmt.Fprintf(&service, "%s required %s passdb=%s\n", kind, matrix, s.path("passdb"))
	}
	s.write(tb, "pam/sshd", service.String())
	return library
}

// certify writes a certificate for a host key, and returns the key that has signed it.
func (s *SSHServer) certify(tb testing.TB, name string, host ssh.PublicKey) ssh.PublicKey {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	check(tb, err)
	authority, err := ssh.NewSignerFromKey(key)
	check(tb, err)
	certificate := &ssh.Certificate{
		Key: host, CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity,
	}
	check(tb, certificate.SignCert(rand.Reader, authority))
	s.write(tb, name, string(ssh.MarshalAuthorizedKey(certificate)))
	return authority.PublicKey()
}

// Location returns a location below Root, read with Key, as a client's configuration has it.
func (s *SSHServer) Location(name, folder string) config.SFTP {
	return config.SFTP{
		Location: name, Source: name, Address: s.Address, Username: User,
		PrivateKey: config.FileSecret(s.Key), KnownHosts: config.FileLines(s.KnownHosts),
		Path: filepath.Join(s.Root, folder), Archive: "archive", Failed: "failed", Pattern: "*",
	}
}

// Logins counts the logins since the server was started.
func (s *SSHServer) Logins(tb testing.TB) int {
	tb.Helper()
	log, err := os.ReadFile(s.log)
	check(tb, err)
	own, err := os.ReadFile(s.path("logins"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	return bytes.Count(append(log, own...), []byte(s.login))
}

// request matches the log of a request. What is sent is the answer.
var request = regexp.MustCompile(`(?m)^debug\d: request \d+: (.*?)\r?$`)

// Requests returns what the server has been asked for over SFTP, as it logs it: a verb, and more.
func (s *SSHServer) Requests(tb testing.TB) []string {
	tb.Helper()
	log, err := os.ReadFile(s.path("requests"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	var requests []string
	for _, match := range request.FindAllSubmatch(log, -1) {
		if what := string(match[1]); !strings.HasPrefix(what, "sent ") {
			requests = append(requests, what)
		}
	}
	return requests
}

// Stop ends the server and its sessions.
func (s *SSHServer) Stop(tb testing.TB) {
	tb.Helper()
	s.Thaw()
	var sessions []int
	_ = each(s.process.Pid, func(pid int) error { sessions = append(sessions, pid); return nil }) // some may end meanwhile
	s.end(tb, syscall.SIGTERM)
	for _, pid := range sessions[1:] {
		_ = syscall.Kill(pid, syscall.SIGKILL) // most have gone with their connection
	}
}

// Start starts the server again, where it was.
func (s *SSHServer) Start(tb testing.TB) {
	tb.Helper()
	s.daemon = start(tb, s.owner, s.dir, s.command)
	ctx, cancel := context.WithTimeout(s.life, patience)
	defer cancel()
	if err := poll(ctx, func() error { return s.greets(ctx) }); err != nil {
		tb.Fatalf("sshd does not start again: %v; its output ends with\n%s", err, s.output(tb))
	}
}

// greets looks whether the server says that it is one.
func (s *SSHServer) greets(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	greeting := make([]byte, len(s.greeting))
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return err
	}
	if string(greeting) != s.greeting {
		return fmt.Errorf("it says %q", greeting)
	}
	return nil
}

func (s *SSHServer) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a file of the server's.
func (s *SSHServer) write(tb testing.TB, name, content string) {
	tb.Helper()
	check(tb, os.WriteFile(s.path(name), []byte(content), 0o600))
	if s.owner != nil {
		check(tb, os.Chown(s.path(name), int(s.owner.Uid), int(s.owner.Gid)))
	}
}

// writeKey writes a private key and returns the public one.
func (s *SSHServer) writeKey(tb testing.TB, name string, key crypto.Signer) ssh.PublicKey {
	tb.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	check(tb, err)
	s.write(tb, name, string(pem.EncodeToMemory(block)))
	public, err := ssh.NewPublicKey(key.Public())
	check(tb, err)
	return public
}
