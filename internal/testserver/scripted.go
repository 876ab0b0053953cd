package testserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// ScriptedSSH starts a server of SSH in this process, for what no real one does, and returns a location on it. It logs users in
// as the configuration says, everybody where that says nothing, and serves the subsystem SFTP by serve.
func ScriptedSSH(tb testing.TB, server *ssh.ServerConfig, serve func(io.ReadWriter)) config.SFTP {
	tb.Helper()
	if server.PasswordCallback == nil && server.KeyboardInteractiveCallback == nil && server.PublicKeyCallback == nil {
		server.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil }
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	check(tb, err)
	host, err := ssh.NewSignerFromKey(key)
	check(tb, err)
	server.AddHostKey(host)
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	check(tb, err)
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			tcp, err := listener.Accept()
			if err != nil {
				return
			}
			go serveSSH(tcp, server, serve)
		}
	}()
	dir := tb.TempDir()
	password := filepath.Join(dir, "password")
	check(tb, os.WriteFile(password, []byte(Password), 0o600))
	l := config.SFTP{
		Location: "odd", Source: "odd", Address: listener.Addr().String(), Username: User, Path: "/in", Pattern: "*",
		Password: config.FileSecret(password), KnownHosts: config.FileLines(filepath.Join(dir, "known_hosts")),
	}
	check(tb, os.WriteFile(l.KnownHosts.Path(), []byte(knownhosts.Line([]string{l.Address}, host.PublicKey())), 0o600))
	return l
}

func serveSSH(tcp net.Conn, server *ssh.ServerConfig, serve func(io.ReadWriter)) {
	defer func() { _ = tcp.Close() }()
	conn, channels, requests, err := ssh.NewServerConn(tcp, server)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, asked, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for request := range asked {
				_ = request.Reply(request.Type == "subsystem", nil)
			}
		}()
		serve(channel)
	}
}
