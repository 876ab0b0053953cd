package testserver

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// ProFTPD starts ProFTPD's server of SSH, which has nothing in common with OpenSSH's, with the same account and without any
// rights on the machine. Its requests have verbs in capital letters.
func ProFTPD(tb testing.TB) *SSHServer {
	tb.Helper()
	const remedy = "apt-get install proftpd-core proftpd-mod-crypto"
	proftpd := installed(tb, "proftpd", remedy, "/usr/sbin")
	module := installed(tb, "mod_sftp.so", remedy, "/usr/lib/proftpd")
	owner := unprivileged(tb, "nobody")
	s := &SSHServer{owner: owner, dir: newFolder(tb, owner), greeting: "SSH-2.0-mod_sftp", login: " authenticated via "}
	s.Root, s.Key, s.KnownHosts = s.path("root"), s.path("key"), s.path("known_hosts")
	check(tb, os.Mkdir(s.Root, 0o755))
	_, login, err := ed25519.GenerateKey(rand.Reader)
	check(tb, err)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	check(tb, err)
	s.write(tb, "authorized", rfc4716(s.writeKey(tb, "key", login)))
	host := s.writeKey(tb, "host", key)
	uid, gid := s.ids()
	me, err := user.LookupId(strconv.Itoa(uid))
	check(tb, err)
	ours, err := user.LookupGroupId(strconv.Itoa(gid))
	check(tb, err)
	s.write(tb, "passwd", fmt.Sprintf("%s:%s:%d:%d::%s:/bin/sh\n", User, passwordHash, uid, gid, s.dir))
	s.write(tb, "group", fmt.Sprintf("%s:x:%d:\n", User, gid))
	s.daemon = serve(tb, owner, s.dir, syscall.SIGTERM, func(port string) ([]string, func(context.Context) error) {
		s.Address = net.JoinHostPort("127.0.0.1", port)
		settings := strings.NewReplacer("PORT", port, "DIR", s.dir, "OWNER", me.Username, "GROUP", ours.Name, "MODULES", strings.TrimSuffix(module, "/mod_sftp.so"))
		s.write(tb, "proftpd.conf", settings.Replace(proftpdConfig))
		s.command = []string{proftpd, "--nodaemon", "--config", s.path("proftpd.conf")}
		return s.command, s.greets
	})
	tb.Cleanup(func() { s.Stop(tb) })
	s.write(tb, "known_hosts", knownhosts.Line([]string{s.Address}, host)+"\n")
	return s
}

const proftpdConfig = `ServerType standalone
DefaultAddress 127.0.0.1
Port PORT
UseIPv6 off
User OWNER
Group GROUP
ModulePath MODULES
LoadModule mod_sftp.c
AuthOrder mod_auth_file.c
AuthUserFile DIR/passwd
AuthGroupFile DIR/group
RequireValidShell off
PidFile DIR/pid
ScoreboardFile DIR/scoreboard
ControlsEngine off
DelayTable none
WtmpLog off
TransferLog none
SystemLog none
SFTPEngine on
SFTPLog DIR/logins
LogFormat request "debug1: request 0: %m %F"
ExtendedLog DIR/requests ALL request
SFTPHostKey DIR/host
SFTPAuthorizedUserKeys file:DIR/authorized
`

// rfc4716 returns a public key in the form that ProFTPD reads.
func rfc4716(key ssh.PublicKey) string {
	const width = 70
	var text strings.Builder
	text.WriteString("---- BEGIN SSH2 PUBLIC KEY ----\n")
	for rest := base64.StdEncoding.EncodeToString(key.Marshal()); rest != ""; {
		line := rest[:min(width, len(rest))]
		rest = rest[len(line):]
		text.WriteString(line + "\n")
	}
	text.WriteString("---- END SSH2 PUBLIC KEY ----\n")
	return text.String()
}
