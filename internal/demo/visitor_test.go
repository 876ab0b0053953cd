package demo

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// visitor looks into a drop folder.
type visitor struct {
	*sftp.Client
	tcp  net.Conn
	path string
}

// newVisitor logs in as the configuration says.
func newVisitor(t *testing.T, at config.SFTP) *visitor {
	t.Helper()
	password, err := at.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	v, err := dial(t.Context(), at, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.tcp.Close() }) // the server may have closed it
	return v
}

func dial(ctx context.Context, at config.SFTP, password string) (*visitor, error) {
	hosts, err := knownhosts.New(at.KnownHosts.Path())
	if err != nil {
		return nil, err
	}
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", at.Address)
	if err != nil {
		return nil, err
	}
	conn, channels, requests, err := ssh.NewClientConn(tcp, at.Address, &ssh.ClientConfig{
		User: at.Username, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: hosts,
	})
	if err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	client, err := sftp.NewClient(ssh.NewClient(conn, channels, requests))
	return &visitor{client, tcp, at.Path}, err
}

// inbox counts the waiting files that are, and are not, a table of inventory.
func (v *visitor) inbox(t *testing.T) (good, bad int) {
	t.Helper()
	for _, f := range v.files(t, "") {
		if strings.HasPrefix(v.read(t, f.Name()), "externalFacilityId,idType,idValue,availableQty\n") {
			good++
		} else {
			bad++
		}
	}
	return good, bad
}

// newest returns when the newest file in a folder was written.
func (v *visitor) newest(t *testing.T, folder string) time.Time {
	t.Helper()
	var newest time.Time
	for _, f := range v.files(t, folder) {
		if f.ModTime().After(newest) {
			newest = f.ModTime()
		}
	}
	return newest
}

func (v *visitor) files(t *testing.T, folder string) []fs.FileInfo {
	t.Helper()
	entries, err := v.ReadDir(path.Join(v.path, folder))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(entries, fs.FileInfo.IsDir)
}

func (v *visitor) read(t *testing.T, name string) string {
	t.Helper()
	f, err := v.Open(path.Join(v.path, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var text strings.Builder
	if _, err := f.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
