package demo

import (
	"errors"
	"net"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// serve serves a connection to its end.
func (s *sftpServer) serve(tcp net.Conn) {
	defer func() { _ = tcp.Close() }()
	config := s.admit(tcp)
	if config == nil {
		return
	}
	defer s.forget(tcp)
	_, channels, requests, err := ssh.NewServerConn(tcp, config)
	if err != nil { // a refused login, or another host key than was expected
		return
	}
	s.serving.Go(func() { ssh.DiscardRequests(requests) })
	for channel := range channels {
		if channel.ChannelType() != "session" {
			_ = channel.Reject(ssh.UnknownChannelType, "only sessions")
		} else if session, asked, err := channel.Accept(); err == nil {
			s.serving.Go(func() { s.session(session, asked) })
		}
	}
}

// admit notes a connection, unless the server is closed, and says how it is to be served.
func (s *sftpServer) admit(tcp net.Conn) *ssh.ServerConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.conns[tcp] = true
	config := &ssh.ServerConfig{PasswordCallback: s.login}
	key := s.keys[0]
	if s.changed {
		key = s.keys[1]
	}
	config.AddHostKey(key)
	return config
}

func (s *sftpServer) forget(tcp net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, tcp)
}

func (s *sftpServer) login(user ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	if user.User() != s.username || string(password) != s.password {
		return nil, errors.New("the username or the password is wrong")
	}
	return nil, nil
}

// session serves one session, which has to ask for SFTP.
func (s *sftpServer) session(session ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		var subsystem struct{ Name string }
		is := request.Type == "subsystem" && ssh.Unmarshal(request.Payload, &subsystem) == nil && subsystem.Name == "sftp"
		if request.WantReply {
			_ = request.Reply(is, nil)
		}
		if is {
			s.serving.Go(func() {
				_ = sftp.NewRequestServer(session, s.handlers).Serve() // it ends with the session
				_ = session.Close()
			})
		}
	}
}
