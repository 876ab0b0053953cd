package demo

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// A week of uploads: each comes in time, bears a name of its own that the exporter looks for, and is imported soon.
func TestUploads(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out long simulations")
	}
	t.Parallel()
	d, observers := newTestDemo(t, 4, 6*24*time.Hour, 2)
	waited := make([]time.Duration, len(observers))
	for range 24 * 12 {
		advance(t, d, observers, 5*time.Minute)
		for i, o := range observers {
			if good, _ := o.drop.inbox(t); good > 0 {
				waited[i] += 5 * time.Minute
			}
		}
	}
	for i, o := range observers {
		archived := o.drop.files(t, archive)
		want := 4 * len(o.deadlines)
		if len(archived) < want || len(archived) > want+1 {
			t.Errorf("%s has %d files in its archive, want those of four days: %d", o.name, len(archived), want)
		}
		for _, f := range archived {
			if match, err := path.Match(uploadPattern, f.Name()); err != nil || !match {
				t.Errorf("%s has a file %s: %v", o.name, f.Name(), err)
			}
			logged := o.count("SELECT count(*) FROM data_manager_log WHERE remote_file_path = ?", path.Join(o.drop.path, f.Name()))
			if logged != 1 {
				t.Errorf("%s: %s was imported %d times", o.name, f.Name(), logged)
			}
		}
		if at := o.drop.path; o.count("SELECT count(*) FROM data_manager_config WHERE import_path = ?", at) != 1 {
			t.Errorf("%s: nothing is imported from %s", o.name, at)
		}
		if most := 50 * time.Minute * time.Duration(len(o.deadlines)); waited[i] > most {
			t.Errorf("%s: in a day, files waited for %s", o.name, waited[i])
		}
	}
}

// The server lets the right user in, and lets him read.
func TestSFTPServer(t *testing.T) {
	d, observers := newTestDemo(t, 1, 24*time.Hour, 1)
	at := location(t, d)
	if _, err := dial(t.Context(), at, "guessed"); err == nil {
		t.Error("any password will do")
	}
	other := at
	other.Username = "root"
	password, err := at.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t.Context(), other, password); err == nil {
		t.Error("any user will do")
	}
	v := observers[0].drop
	first := path.Join(v.path, archive, v.files(t, archive)[0].Name())
	for what, refused := range map[string]error{
		"remove":          v.Remove(first),
		"rename":          v.Rename(first, first+"x"),
		"make a folder":   v.Mkdir(path.Join(v.path, "new")),
		"remove a folder": v.RemoveDirectory(path.Join(v.path, archive)),
		"truncate":        v.Truncate(first, 0),
		"write":           func() error { _, err := v.Create(first); return err }(),
	} {
		if !errors.Is(refused, fs.ErrPermission) {
			t.Errorf("%s: got %v", what, refused)
		}
	}
	for _, gone := range []string{"/elsewhere", path.Join(v.path, "elsewhere"), first + "/x"} {
		if _, err := v.ReadDir(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", gone, err)
		}
	}
	if _, err := v.ReadDir(first); err == nil {
		t.Error("a file is listed like a folder")
	}
	if _, err := v.Open(v.path); err == nil {
		t.Error("a folder is opened like a file")
	}
}

func location(t *testing.T, d *Demo) config.SFTP {
	t.Helper()
	cfg, err := config.Load(d.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Clients[0].SFTP[0]
}

// A silent server answers nobody, and afterwards everybody.
func TestSFTPHung(t *testing.T) {
	d, observers := newTestDemo(t, 1, 0, 1)
	o := observers[0]
	o.set(d, "sftp-hung", true)
	listed := make(chan error, 1)
	go func() {
		_, err := o.drop.ReadDir(o.drop.path)
		listed <- err
	}()
	late, err := new(net.Dialer).DialContext(t.Context(), "tcp", location(t, d).Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Close() }() // it was only read
	greeted := func(within time.Duration) error {
		if err := late.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		_, err := late.Read(make([]byte, 1))
		return err
	}
	if err := greeted(300 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who comes gets an answer: %v", err)
	}
	select {
	case err := <-listed:
		t.Errorf("who is there gets an answer: %v", err)
	default:
	}
	o.set(d, "sftp-hung", false)
	if err := errors.Join(greeted(time.Minute), <-listed); err != nil {
		t.Errorf("the server does not answer again: %v", err)
	}
	o.set(d, "sftp-hung", true) // Close does not wait for what is silent
}

// When the server has another host key nobody stays, and nobody who knows the old one comes back.
func TestSFTPHostKeyChanged(t *testing.T) {
	d, observers := newTestDemo(t, 1, 0, 1)
	o := observers[0]
	o.set(d, "sftp-hostkey-changed", true)
	if _, err := o.drop.ReadDir(o.drop.path); err == nil {
		t.Error("a connection stays")
	}
	at := location(t, d)
	password, err := at.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	var differs *knownhosts.KeyError
	if _, err := dial(t.Context(), at, password); !errors.As(err, &differs) || len(differs.Want) != 1 {
		t.Errorf("got error %v, want one that tells of another key", err)
	}
	o.set(d, "sftp-hostkey-changed", false)
	newVisitor(t, at).inbox(t)
}
