package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// sftpServer lets one user read a client's uploads. It can fall silent, and come back with another host key.
type sftpServer struct {
	username, password string
	handlers           sftp.Handlers
	keys               [2]ssh.Signer // the second one is nobody's to expect
	listener           net.Listener
	serving            sync.WaitGroup

	mu      sync.Mutex
	changed bool // the second key is in use
	closed  bool
	conns   map[net.Conn]bool
	answers chan struct{} // closed unless the server is silent
}

// newSFTPServer listens on a port of this machine.
func newSFTPServer(ctx context.Context, username, password string, show files) (*sftpServer, error) {
	s := &sftpServer{
		username: username, password: password,
		handlers: sftp.Handlers{FileGet: show, FilePut: show, FileCmd: show, FileList: show},
		conns:    map[net.Conn]bool{}, answers: make(chan struct{}),
	}
	close(s.answers)
	for i := range s.keys {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err == nil {
			s.keys[i], err = ssh.NewSignerFromKey(key)
		}
		if err != nil {
			return nil, fmt.Errorf("make a host key: %w", err)
		}
	}
	var err error
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the SFTP server: %w", err)
	}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *sftpServer) address() string { return s.listener.Addr().String() }

// close ends every connection, and returns when nothing of them is left.
func (s *sftpServer) close() error {
	err := s.listener.Close()
	s.hang(false)
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cut()
	s.serving.Wait()
	return err
}

// hang makes the server silent, or lets it answer all that it was asked meanwhile. Who connects to a silent one waits.
func (s *sftpServer) hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.answers:
		if on {
			s.answers = make(chan struct{})
		}
	default:
		if !on {
			close(s.answers)
		}
	}
}

// await returns when the server is not silent.
func (s *sftpServer) await() {
	s.mu.Lock()
	answers := s.answers
	s.mu.Unlock()
	<-answers
}

// changeKey starts the server again, with the second host key or with the first one.
func (s *sftpServer) changeKey(on bool) {
	s.mu.Lock()
	s.changed = on
	s.mu.Unlock()
	s.cut()
}

func (s *sftpServer) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close() // its server notices
	}
}

func (s *sftpServer) accept() {
	for {
		tcp, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the client has gone already
		}
		s.await()
		s.serving.Go(func() { s.serve(&awaiting{tcp, s}) })
	}
}

// awaiting is a connection of a server that may be silent.
type awaiting struct {
	net.Conn
	server *sftpServer
}

func (c *awaiting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.server.await()
	return n, err
}

func (c *awaiting) Write(b []byte) (int, error) {
	c.server.await()
	return c.Conn.Write(b)
}
