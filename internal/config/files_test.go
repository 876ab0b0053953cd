package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReplacedFile has a file that does not answer, and another one come to its place: that is read, though the read of the
// first has not ended.
func TestReplacedFile(t *testing.T) {
	const patience = 50 * time.Millisecond
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "file"), filepath.Join(dir, "kept")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(path, 0o600))
	must(os.Link(path, kept))
	var f files
	for range 3 {
		if _, err := f.read(path, patience); err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
			t.Errorf("error %v", err)
		}
	}
	stuck := f.begin(path, time.Hour, readAll)
	must(os.Remove(path))
	must(os.WriteFile(path, []byte("well"), 0o600))
	var content []byte
	var err error
	for begin := time.Now(); string(content) != "well" && time.Since(begin) < 10*time.Second; {
		content, err = f.read(path, patience)
	}
	if string(content) != "well" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	writer, err := os.OpenFile(kept, os.O_WRONLY, 0)
	must(err)
	must(writer.Close())
	<-stuck.done
	if content, err := f.read(path, 10*time.Second); string(content) != "well" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
}

// TestSilentFiles has files that do not answer: the load does not wait for one after the other.
func TestSilentFiles(t *testing.T) {
	dir := t.TempDir()
	l := Loader{files: files{reading: map[string]*reading{}}}
	for _, name := range []string{"a.yml", "b.yml", "c.yml"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		l.files.reading[path] = &reading{began: time.Now().Add(-filePatience), done: make(chan struct{})}
	}
	want := "read configuration: read " + dir + "/a.yml: no answer within 10s: name a file, or a folder with files *.yml, that the exporter can read"
	for _, paths := range [][]string{{dir}, {dir + "/a.yml", dir + "/b.yml"}, {dir, dir + "/c.yml"}} {
		if _, err := l.Load(paths...); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", paths, err, want)
		}
	}
}
