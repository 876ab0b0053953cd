package testserver_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// session logs in and opens an SFTP session, which ends with the returned function.
func session(t *testing.T, s *testserver.SSHServer, auth ssh.AuthMethod) (client *sftp.Client, hangUp func()) {
	t.Helper()
	client, hangUp, err := logIn(t.Context(), s, auth)
	if err != nil {
		t.Fatal(err)
	}
	return client, hangUp
}

func logIn(ctx context.Context, s *testserver.SSHServer, auth ssh.AuthMethod) (*sftp.Client, func(), error) {
	known, err := knownhosts.New(s.KnownHosts)
	if err != nil {
		return nil, nil, err
	}
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, nil, err
	}
	conn, channels, requests, err := ssh.NewClientConn(tcp, s.Address, &ssh.ClientConfig{
		User: testserver.User, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: known,
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	})
	if err != nil {
		return nil, nil, err
	}
	secure := ssh.NewClient(conn, channels, requests)
	client, err := sftp.NewClient(secure)
	return client, func() { _ = secure.Close() }, err
}

func key(t *testing.T, s *testserver.SSHServer) ssh.AuthMethod {
	t.Helper()
	content, err := os.ReadFile(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(content)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.PublicKeys(signer)
}

func TestSSHD(t *testing.T) {
	t.Parallel()
	s := testserver.SSHD(t)
	for name, auth := range map[string]ssh.AuthMethod{"key": key(t, s), "password": ssh.Password(testserver.Password)} {
		t.Run(name, func(t *testing.T) {
			before := s.Logins(t)
			client, hangUp := session(t, s, auth)
			defer hangUp()
			if _, err := client.ReadDir(s.Root); err != nil {
				t.Error(err)
			}
			if got := s.Logins(t) - before; got != 1 {
				t.Errorf("%d logins, want 1", got)
			}
		})
	}
	t.Run("the password counts", func(t *testing.T) {
		if _, _, err := logIn(t.Context(), s, ssh.Password("wrong")); err == nil || !strings.Contains(err.Error(), "authenticate") {
			t.Errorf("a wrong password gives %v", err)
		}
	})
	t.Run("the server tells what it is asked for", func(t *testing.T) {
		client, hangUp := session(t, s, key(t, s))
		defer hangUp()
		if _, err := client.Stat(s.Root); err != nil {
			t.Error(err)
		}
		if err := client.Remove(filepath.Join(s.Root, "gone")); err == nil {
			t.Error("a file that is not there is removed")
		}
		if got, want := s.Requests(t), []string{"stat", "remove", "rmdir"}; len(got) < 3 || !slices.Equal(got[len(got)-3:], want) {
			t.Errorf("requests %q, want %q at their end", got, want)
		}
	})
	t.Run("a frozen server is silent", func(t *testing.T) {
		client, hangUp := session(t, s, key(t, s))
		defer hangUp()
		s.Freeze(t)
		answered := make(chan error, 1)
		go func() {
			_, err := client.Stat(s.Root)
			answered <- err
		}()
		select {
		case err := <-answered:
			t.Errorf("the frozen server answers %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		s.Thaw()
		if err := <-answered; err != nil {
			t.Errorf("after the thaw: %v", err)
		}
	})
	t.Run("a restart ends the sessions", func(t *testing.T) {
		client, hangUp := session(t, s, key(t, s))
		defer hangUp()
		s.Stop(t)
		if _, err := client.Stat(s.Root); err == nil {
			t.Error("the session goes on")
		}
		if _, _, err := logIn(t.Context(), s, key(t, s)); err == nil {
			t.Error("the stopped server answers")
		}
		s.Start(t)
		_, hangUp = session(t, s, key(t, s))
		hangUp()
	})
	t.Run("nothing outlives the test process", func(t *testing.T) { killVictim(t, "sshd") })
}
