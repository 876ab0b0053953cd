package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

const (
	// maxListing is how many bytes of a folder's listing are read: some 200 000 files.
	maxListing = 32 << 20
	// maxHead and maxTail are how many bytes of a file are read, from its begin and from its end.
	maxHead = 64 << 10
	maxTail = 4 << 10
)

// connection is an SFTP session. The library's own requests know no deadline: what ends them is the end of the TCP connection
// below, see under.
type connection struct {
	wire    *wire
	ssh     *ssh.Client
	sftp    *sftp.Client
	listing int64 // maxListing
	lost    chan struct{}
}

// dial connects, checks the server's host key and logs in.
func dial(ctx context.Context, c config.SFTP) (*connection, error) {
	auth, err := login(c)
	if err != nil {
		return nil, err
	}
	hosts, err := readKnownHosts(c.KnownHostsFile)
	if err != nil {
		return nil, err
	}
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached, check the address and the firewalls: %w", c.Address, err)
	}
	conn := &connection{wire: &wire{Conn: tcp}, listing: maxListing, lost: make(chan struct{})}
	defer conn.under(ctx)()
	if err := conn.open(c, &ssh.ClientConfig{
		User: c.Username, Auth: []ssh.AuthMethod{auth},
		HostKeyCallback: hosts.check, HostKeyAlgorithms: hosts.algorithms(c.Address, tcp.RemoteAddr()),
	}); err != nil {
		return nil, err
	}
	return conn, nil
}

// open opens the SSH connection and in it the SFTP session. On an error the wire is closed.
func (c *connection) open(location config.SFTP, client *ssh.ClientConfig) error {
	secure, channels, requests, err := ssh.NewClientConn(c.wire, location.Address, client)
	if err != nil {
		return handshakeError(location, err)
	}
	c.ssh = ssh.NewClient(secure, channels, requests)
	// A server may answer with less than it was asked for, which the library's concurrent reads take for the end of the file.
	c.sftp, err = sftp.NewClient(c.ssh, sftp.UseConcurrentReads(false))
	if err != nil {
		_ = c.wire.Close()
		_ = c.ssh.Wait() // it ends with the wire
		return fmt.Errorf("%s lets user %s in, but not use SFTP: %w", location.Address, location.Username, err)
	}
	go func() {
		_ = c.ssh.Wait() // why it ended says the request that was under way
		close(c.lost)
	}()
	return nil
}

// under has whatever goes over the connection fail when the context ends before the returned function is called.
func (c *connection) under(ctx context.Context) (release func()) {
	deadline, _ := ctx.Deadline()
	_ = c.wire.SetDeadline(deadline) // fails only when it is closed, which the next request finds out
	stop := context.AfterFunc(ctx, func() { _ = c.wire.Close() })
	return func() {
		stop()
		_ = c.wire.SetDeadline(time.Time{})
	}
}

func (c *connection) isLost() bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}

// close closes the connection below first, so that nothing waits for the server.
func (c *connection) close() {
	_ = c.wire.Close()
	_ = c.sftp.Close()
	<-c.lost
}

// list returns the entries of a folder. It is truncated to what fits into the constant, and into half the time that is left:
// the other locations have to be seen too.
func (c *connection) list(ctx context.Context, folder string) (entries []os.FileInfo, truncated bool, err error) {
	deadline, _ := ctx.Deadline()
	half, stop := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer stop()
	c.wire.meter(c.listing, stop)
	entries, err = c.sftp.ReadDirContext(half, folder)
	if err == nil || half.Err() == nil || ctx.Err() != nil || c.isLost() {
		return entries, false, err
	}
	if len(entries) == 0 { // the folder that was being opened would stay open
		_ = c.wire.Close()
		<-c.lost
		return nil, false, fmt.Errorf("the server does not answer in time: %w", half.Err())
	}
	return entries, true, nil // the server is slow, not silent: it has answered that the folder is closed
}

// read returns the begin and the end of a file, and what the file is after that.
func (c *connection) read(path string, size int64) (head, tail []byte, after os.FileInfo, err error) {
	f, err := c.sftp.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if head, err = readAt(f, 0, min(size, maxHead)); err != nil {
		return nil, nil, nil, err
	}
	start := max(0, size-maxTail)
	if size <= maxHead {
		tail = head[start:]
	} else if tail, err = readAt(f, start, maxTail); err != nil {
		return nil, nil, nil, err
	}
	after, err = f.Stat()
	return head, tail, after, err
}

// errShrunk: the file is shorter than it was a moment ago.
var errShrunk = errors.New("the file shrinks")

func readAt(f io.ReaderAt, offset, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := f.ReadAt(b, offset); errors.Is(err, io.EOF) {
		return nil, errShrunk
	} else if err != nil {
		return nil, err
	}
	return b, nil
}

// wire is the TCP connection. It counts what is read.
type wire struct {
	net.Conn
	left atomic.Int64
	stop atomic.Pointer[context.CancelFunc]
}

// meter calls stop when n more bytes have been read.
func (w *wire) meter(n int64, stop context.CancelFunc) {
	w.stop.Store(&stop)
	w.left.Store(n)
}

// Read implements io.Reader.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if left := w.left.Add(-int64(n)); left < 0 {
		if stop := w.stop.Swap(nil); stop != nil {
			(*stop)()
		}
	}
	return n, err
}
