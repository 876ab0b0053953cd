package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// filePatience is how long the configuration file may take to be read: it may be a pipe from a program.
	filePatience = 10 * time.Second
	// secretPatience is the same of a file that a client's entry names. The other clients wait for it at the start.
	secretPatience = 2 * time.Second
	// maxFileSize is more than any of these files holds.
	maxFileSize = 16 << 20
)

// files reads files that may never answer: a network drive that hangs, a pipe into which nobody writes. Such a read cannot be
// ended and holds a thread, so there is at most one of each file, and those who want it meanwhile share it, unless another file
// has taken its place. The zero value is ready to use.
type files struct {
	mu      sync.Mutex
	reading map[string]*reading // by path
}

// reading is a read that is under way.
type reading struct {
	began   time.Time
	file    fs.FileInfo // which file is read, once that is known
	done    chan struct{}
	content []byte
	err     error
}

// read returns what the file holds, or an error when the read that is under way has taken longer than patience.
func (f *files) read(path string, patience time.Duration) ([]byte, error) {
	return f.wait(path, patience, readAll)
}

// list is read for the names in a folder, which are sorted.
func (f *files) list(path string, patience time.Duration) ([]string, error) {
	names, err := f.wait(path+string(filepath.Separator), patience, readNames)
	return strings.FieldsFunc(string(names), func(c rune) bool { return c == 0 }), err
}

// wait returns what get does, or an error when that has taken longer than patience.
func (f *files) wait(path string, patience time.Duration, get func(path string) ([]byte, error)) ([]byte, error) {
	r := f.begin(path, patience, get)
	timer := time.NewTimer(patience - time.Since(r.began))
	defer timer.Stop()
	select {
	case <-r.done:
		return r.content, r.err
	case <-timer.C:
		return nil, unanswered(path, patience)
	}
}

func unanswered(path string, patience time.Duration) error {
	return &os.PathError{Op: "read", Path: path, Err: silence(patience)}
}

// silence is how long a file was waited for.
type silence time.Duration

func (s silence) Error() string { return "no answer within " + time.Duration(s).String() }

// silent reports whether a file did not answer: others beside it may not either.
func silent(err error) bool {
	_, ok := errors.AsType[silence](err)
	return ok
}

// begin returns the read that is under way, or begins one. Where one has been under way for too long, it begins with a look
// whether the file is still the same.
func (f *files) begin(path string, patience time.Duration, get func(path string) ([]byte, error)) *reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	stuck := f.reading[path]
	if stuck != nil && (stuck.file == nil || time.Since(stuck.began) < patience) {
		return stuck
	}
	r := &reading{began: time.Now(), done: make(chan struct{})}
	if f.reading == nil {
		f.reading = map[string]*reading{}
	}
	f.reading[path] = r
	go func() {
		file, err := os.Stat(path)
		same := err == nil && stuck != nil && os.SameFile(file, stuck.file)
		if same {
			r.err = unanswered(path, patience)
		} else {
			f.mu.Lock()
			r.file = file
			f.mu.Unlock()
			r.content, r.err = get(path) // which also says why there is no such file
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		close(r.done)
		if f.reading[path] != r {
			return
		}
		delete(f.reading, path)
		if same && !stuck.ended() {
			f.reading[path] = stuck
		}
	}()
	return r
}

func (r *reading) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// readNames returns the names in a folder, with a 0 behind each: no name has one.
func readNames(path string) ([]byte, error) {
	entries, err := os.ReadDir(path)
	var names []byte
	for _, entry := range entries {
		names = append(append(names, entry.Name()...), 0)
	}
	return names, err
}

// readAll reads a file, unless it is larger than any can be: a device has no end.
func readAll(path string) (content []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	content, err = io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err == nil && len(content) > maxFileSize {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("more than %d MiB", maxFileSize>>20)}
	}
	return content, err
}
