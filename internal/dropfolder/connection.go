package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

const (
	// maxNames and maxListing are how many entries of a folder are read, and how many bytes their listing may have.
	maxNames   = 200_000
	maxListing = 64 << 20
	// maxHead and maxTail are how many bytes of a file are read, from its begin and from its end.
	maxHead = 64 << 10
	maxTail = 4 << 10
)

// connection is an SFTP session on a server. Its requests know no deadline: what ends them is the end of the TCP connection
// below, see bindContext.
type connection struct {
	conn  net.Conn
	ssh   *ssh.Client
	sftp  *session
	lost  chan struct{} // closed when the connection has ended, and then
	cause error         // says why
}

// dial connects, checks the server's host key and logs in.
func dial(ctx context.Context, c config.SFTP, hosts *knownHosts) (*connection, error) {
	login, err := newLogin(c)
	if err != nil {
		return nil, err
	}
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached, check the address and the firewalls: %w", c.Address, err)
	}
	conn := &connection{conn: tcp, lost: make(chan struct{})}
	defer conn.bindContext(ctx)()
	if err := conn.open(c, login, hosts); err != nil {
		return nil, err
	}
	return conn, nil
}

// open opens the SSH connection and in it the SFTP session. On an error the wire is closed.
func (c *connection) open(location config.SFTP, login *login, hosts *knownHosts) error {
	client := clientConfig(location, hosts)
	client.Auth, client.AuthCallback = login.methods, login.next
	secure, channels, requests, err := ssh.NewClientConn(newGreeted(c.conn), location.Address, client)
	if err != nil {
		return handshakeError(location, login, err)
	}
	c.ssh = ssh.NewClient(secure, channels, requests)
	go func() {
		c.cause = c.ssh.Wait()
		close(c.lost)
	}()
	if c.sftp, err = startSFTP(c.ssh); err != nil {
		c.close()
		return fmt.Errorf("%s accepts the login of user %s, but does not offer SFTP: %w", location.Address, location.Username, c.why(err))
	}
	return nil
}

// startSFTP starts the server's SFTP in a session of SSH, which ends with the connection.
func startSFTP(client *ssh.Client) (*session, error) {
	s, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	w, writeErr := s.StdinPipe()
	r, readErr := s.StdoutPipe()
	words, wordsErr := s.StderrPipe()
	if err := errors.Join(writeErr, readErr, wordsErr); err != nil {
		return nil, err
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, words) }() // else the server waits for somebody to read them
	return newSession(r, w)
}

// bindContext has whatever goes over the connection fail when the context ends before the returned function is called.
func (c *connection) bindContext(ctx context.Context) (release func()) {
	deadline, _ := ctx.Deadline()
	_ = c.conn.SetDeadline(deadline) // fails only when it is closed, which the next request finds out
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) { // else the connection's own deadline says what is wrong
			_ = c.conn.Close()
		}
	})
	return func() {
		stop()
		_ = c.conn.SetDeadline(time.Time{})
	}
}

// isLost reports whether nothing more can be asked.
func (c *connection) isLost() bool {
	select {
	case <-c.lost:
		return true
	default:
		return c.sftp.broken != nil
	}
}

// close closes the connection below, so that nothing waits for the server.
func (c *connection) close() {
	_ = c.conn.Close()
	<-c.lost
}

// why returns what ended the connection where a request fails with it, else the error.
func (c *connection) why(err error) error {
	if c.sftp != nil && c.sftp.broken == nil {
		return err
	}
	c.close()
	switch {
	case errors.Is(c.cause, os.ErrDeadlineExceeded):
		return fmt.Errorf("the server does not answer in time: %w", c.cause)
	case errors.Is(c.cause, net.ErrClosed), errors.Is(c.cause, io.EOF): // which the error says better
		return err
	}
	return fmt.Errorf("the connection is lost: %w", c.cause)
}

// list calls fn for the entries of a folder, and returns their number. It is truncated to what the constants allow, and to half
// the time that is left: the other locations have to be seen too.
func (c *connection) list(ctx context.Context, folder string, fn func(entry)) (names int, truncated bool, err error) {
	deadline, _ := ctx.Deadline()
	enough := time.Now().Add(time.Until(deadline) / 2)
	handle, err := c.sftp.openFolder(folder)
	if err != nil {
		return 0, false, c.why(err)
	}
	for size := 0; !truncated; {
		read, err := c.sftp.readFolder(handle, func(e entry) {
			if names == maxNames {
				truncated = true
				return
			}
			names++
			fn(e)
		})
		if errors.Is(err, errEnd) {
			break
		}
		if err != nil {
			if c.sftp.broken == nil {
				_ = c.sftp.close(handle) // a server has few of them; what matters is why it could not be read
			}
			return names, false, c.why(err)
		}
		if size += read; size > maxListing || !time.Now().Before(enough) {
			truncated = true
		}
	}
	if err := c.sftp.close(handle); err != nil && c.sftp.broken != nil {
		return names, false, c.why(err)
	}
	return names, truncated, nil
}

// folders names the first folders within a folder. It is not complete where there may be more.
func (c *connection) folders(at string) (names []string, complete bool, err error) {
	const maxReads = 100
	handle, err := c.sftp.openFolder(at)
	if err != nil {
		return nil, false, c.why(err)
	}
	for reads := 0; err == nil && reads < maxReads && len(names) < maxExamples; reads++ {
		_, err = c.sftp.readFolder(handle, func(e entry) {
			if e.folder && !strings.HasPrefix(e.name, ".") && len(names) < maxExamples {
				names = append(names, e.name)
			}
		})
	}
	if complete = errors.Is(err, errEnd); complete {
		err = nil
	}
	if closeErr := c.sftp.close(handle); closeErr != nil && c.sftp.broken != nil {
		err = closeErr
	}
	if err != nil {
		return nil, false, c.why(err)
	}
	return names, complete, nil
}

// stat describes what a path leads to.
func (c *connection) stat(path string) (entry, error) {
	e, err := c.sftp.stat(path)
	if err != nil {
		err = c.why(err)
	}
	return e, err
}

// read returns the begin and the end of a file, and what the file is after that.
func (c *connection) read(path string, size int64) (head, tail []byte, after entry, err error) {
	defer func() {
		if err != nil {
			err = c.why(err)
		}
	}()
	handle, err := c.sftp.openFile(path)
	if err != nil {
		return nil, nil, entry{}, err
	}
	defer func() { err = errors.Join(err, c.sftp.close(handle)) }()
	head = make([]byte, min(size, maxHead))
	if err = c.sftp.readAt(handle, head, 0); err != nil {
		return nil, nil, entry{}, err
	}
	start := max(0, size-maxTail)
	if size <= maxHead {
		tail = head[start:]
	} else {
		tail = make([]byte, maxTail)
		if err = c.sftp.readAt(handle, tail, start); err != nil {
			return nil, nil, entry{}, err
		}
	}
	after, err = c.sftp.fstat(handle)
	return head, tail, after, err
}
