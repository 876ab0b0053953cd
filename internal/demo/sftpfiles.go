package demo

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
)

// files are the uploads that a client shows last, for reading only, in their folders below root.
type files struct {
	root  string
	shown *atomic.Pointer[shown]
}

// find returns what is at a path: a file, or a folder with what is in it, files and folders.
func (f files) find(at string) (entry, []entry, error) {
	shown := f.shown.Load()
	folder := func(at string) entry { return entry{name: path.Base(at), folder: true, modified: shown.changed} }
	var within []entry
	found := false
	for _, name := range []string{inbox, archive, refused} {
		own := path.Join(f.root, name)
		found = found || own == at
		if path.Dir(own) == at {
			within = append(within, folder(own))
		}
	}
	for _, u := range shown.uploads {
		file := entry{name: u.name, content: u.content, modified: u.modified}
		switch own := path.Join(f.root, u.folder); at {
		case own:
			within = append(within, file)
		case path.Join(own, u.name):
			return file, nil, nil
		}
	}
	if !found {
		return entry{}, nil, os.ErrNotExist
	}
	return folder(at), within, nil
}

// Filelist implements sftp.FileLister.
func (f files) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	found, within, err := f.find(r.Filepath)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Method != "List":
		return listing{found}, nil
	case !found.folder:
		return nil, sftp.ErrSSHFxFailure
	}
	return listing(within), nil
}

// Fileread implements sftp.FileReader.
func (f files) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	found, _, err := f.find(r.Filepath)
	if err == nil && found.folder {
		err = sftp.ErrSSHFxFailure
	}
	return strings.NewReader(found.content), err
}

// Filewrite implements sftp.FileWriter.
func (files) Filewrite(*sftp.Request) (io.WriterAt, error) { return nil, sftp.ErrSSHFxPermissionDenied }

// Filecmd implements sftp.FileCmder.
func (files) Filecmd(*sftp.Request) error { return sftp.ErrSSHFxPermissionDenied }

// listing is a folder's entries.
type listing []entry

// ListAt implements sftp.ListerAt.
func (l listing) ListAt(into []os.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := 0
	for _, e := range l[offset:min(offset+int64(len(into)), int64(len(l)))] {
		into[n] = e
		n++
	}
	return n, nil
}

// entry is a file or folder. It implements os.FileInfo.
type entry struct {
	name, content string
	modified      time.Time
	folder        bool
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return int64(len(e.content)) }
func (e entry) ModTime() time.Time { return e.modified }
func (e entry) IsDir() bool        { return e.folder }
func (entry) Sys() any             { return nil }

// Mode lets everybody read.
func (e entry) Mode() fs.FileMode {
	if e.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
