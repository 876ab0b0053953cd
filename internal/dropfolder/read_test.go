package dropfolder

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// disk serves one file, which cannot be read from some byte on, or not be looked at once it is open.
type disk struct {
	content string
	broken  int64
	lost    bool
}

var errDisk = errors.New("the disk is broken")

func (d *disk) Fileread(*sftp.Request) (io.ReaderAt, error) { return d, nil }

func (d *disk) ReadAt(b []byte, offset int64) (int, error) {
	if offset+int64(len(b)) > d.broken {
		return 0, errDisk
	}
	return strings.NewReader(d.content).ReadAt(b, offset)
}

func (d *disk) Filelist(*sftp.Request) (sftp.ListerAt, error) { return d, nil }

// ListAt implements sftp.ListerAt.
func (d *disk) ListAt(entries []os.FileInfo, _ int64) (int, error) {
	if d.lost {
		return 0, errDisk
	}
	entries[0] = d
	return 1, nil
}

func (*disk) Name() string       { return "a.csv" }
func (d *disk) Size() int64      { return int64(len(d.content)) }
func (*disk) Mode() os.FileMode  { return 0o644 }
func (*disk) ModTime() time.Time { return start }
func (*disk) IsDir() bool        { return false }
func (*disk) Sys() any           { return nil }

// TestBrokenDisk has a file that can be read in part. It is not judged by that, and the error is told.
func TestBrokenDisk(t *testing.T) {
	long := header + strings.Repeat("F1,L1,sku,K-1,7,\n", 12<<10)
	size := int64(len(long))
	for name, test := range map[string]struct {
		disk disk
		size int64 // as it was listed
		fine bool  // there is no error
	}{
		"whole":            {disk{long, size, false}, size, true},
		"the begin":        {disk{long, 0, false}, size, false},
		"within the head":  {disk{long, maxHead / 2, false}, size, false},
		"the tail":         {disk{long, maxHead, false}, size, false},
		"the end":          {disk{long, size - 1, false}, size, false},
		"a small one":      {disk{small, 0, false}, int64(len(small)), false},
		"its state":        {disk{small, size, true}, int64(len(small)), false},
		"shorter than was": {disk{small, size, false}, int64(len(small)) + 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			server := sftp.NewRequestServer(far, sftp.Handlers{FileGet: &test.disk, FileList: &test.disk})
			served := make(chan error, 1)
			go func() { served <- server.Serve() }()
			client, err := newSession(near, near)
			must(t, err)
			defer func() { _, _ = near.Close(), <-served }()
			l := &location{config: config.SFTP{Location: "in", Path: "/in"}}
			v, judged, err := l.judge(t.Context(), &connection{sftp: client}, file{"a.csv", test.size, start.Unix()})
			if test.fine {
				must(t, err)
				if want := name == "whole"; judged != want || v.reason != good {
					t.Errorf("judged %t, %q", judged, v)
				}
				return
			}
			mention(t, err, `the file "/in/a.csv" cannot be read: `, errDisk.Error())
			if judged {
				t.Errorf("judged %q", v)
			}
		})
	}
}

// TestArchiveThrottle shows how often an archive is listed that takes long and changes all the time.
func TestArchiveThrottle(t *testing.T) {
	s := testserver.SSHD(t)
	folders(t, s, "in")
	c := s.Location("in", "in")
	c.Failed = ""
	f := open(t, c)
	see(t, f, 0)
	f.locations[0].archive.took = time.Second
	for i, step := range []struct{ at, age time.Duration }{
		{99 * time.Second, 99 * time.Second}, {100 * time.Second, 0}, // a hundred times as long as it took
		{30 * time.Second, 0}, // the clock was set back
	} {
		changed := start.Add(time.Duration(i+1) * time.Minute)
		must(t, os.Chtimes(filepath.Join(s.Root, "in", "archive"), changed, changed))
		found := see(t, f, step.at)[0]
		if found.Age != step.age {
			t.Errorf("at %s: the archive was listed %s ago, want %s", step.at, found.Age, step.age)
		}
		f.locations[0].archive.took = time.Second
	}
	// What cannot be seen any more is not shown as it was.
	must(t, os.Remove(filepath.Join(s.Root, "in", "archive")))
	found, err := look(t, f, 31*time.Second)
	mention(t, err, "the folder archive")
	expect(t, found, "in of in, age 0s; inbox 0 -..-\n")
}

// TestTrace shows what a look says of its requests.
func TestTrace(t *testing.T) {
	s := testserver.SSHD(t)
	folders(t, s, "in")
	put(t, s, "in/a.csv", stock, time.Hour)
	c := s.Location("in", "in")
	c.CheckFormat = true
	f := open(t, c)
	for i, want := range []string{
		"connect to " + s.Address + "; list inbox of in; list failed of in; list archive of in",
		"list inbox of in; list failed of in; check a file of in; list archive of in",
	} {
		var asked []string
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		found, err := f.Inspect(trace.With(ctx, func(what string, took time.Duration, _ int, err error) {
			if took <= 0 || err != nil {
				t.Errorf("%s: %s, %v", what, took, err)
			}
			asked = append(asked, what)
		}), start.Add(time.Duration(i)*10*time.Minute))
		must(t, err)
		if got := strings.Join(asked, "; "); got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
		if n := len(found[0].Invalid); n != len(oms.InvalidReasons()) { // each is counted, be it 0
			t.Errorf("%d reasons, want %d", n, len(oms.InvalidReasons()))
		}
	}
}
