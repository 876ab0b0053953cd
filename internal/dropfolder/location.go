package dropfolder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// archiveEvery is how often the archive is listed when nothing seems to have changed in it. When something has, a listing
	// may take one part in archiveShare of the time. archiveWindow says which of its files count.
	archiveEvery  = 5 * time.Minute
	archiveShare  = 100
	archiveWindow = 48 * time.Hour
	// maxLinks is how many symbolic links of a folder are followed: each costs a request.
	maxLinks = 100
)

// location is a configured location, and what is kept of it from one look to the next.
type location struct {
	config  config.SFTP
	archive archive
	inbox   inbox
}

// archive is what was last seen of it.
type archive struct {
	seen     oms.DropFolder
	listed   time.Time
	modified time.Time // the folder itself, before that
	took     time.Duration
}

// sight is what a look shows of a location, and why it does not show all.
type sight struct {
	found oms.DropLocation
	err   error
}

// file is one that matches the pattern.
type file struct {
	name string
	size int64
	// modified has whole seconds. It is zero where the server does not say.
	modified time.Time
}

// nothing is what is seen where there is no connection.
func (l *location) nothing() oms.DropLocation {
	return oms.DropLocation{Location: l.config.Location, Source: l.config.Source}
}

// look looks at the folders. The archive, which may take long, comes last.
func (l *location) look(ctx context.Context, c *connection, now time.Time) sight {
	found := l.nothing()
	waiting, seen, inboxErr := l.list(ctx, c, oms.FolderInbox, l.config.Path)
	if inboxErr == nil {
		found.Folders = append(found.Folders, seen)
	}
	_, seen, failedErr := l.list(ctx, c, oms.FolderFailed, l.config.Failed)
	if failedErr == nil && l.config.Failed != "" {
		found.Folders = append(found.Folders, seen)
	}
	var checkErr error
	if inboxErr == nil && l.config.CheckFormat {
		found.Invalid, checkErr = l.check(ctx, c, waiting)
	}
	archiveErr := l.lookArchive(ctx, c, now)
	if archiveErr == nil && l.config.Archive != "" {
		found.Folders = append(found.Folders, l.archive.seen)
		found.Age = now.Sub(l.archive.listed)
	}
	return sight{found, errors.Join(inboxErr, failedErr, checkErr, archiveErr)}
}

// lookArchive lists the archive when a file came or went, which the time of the folder itself tells: it has many files and
// little news. Some servers do not keep that time, and it has whole seconds: it is listed every few minutes all the same.
func (l *location) lookArchive(ctx context.Context, c *connection, now time.Time) error {
	if l.config.Archive == "" {
		return nil
	}
	last := l.archive
	l.archive = archive{}
	at := l.resolve(oms.FolderArchive, l.config.Archive)
	folder, err := c.sftp.Stat(at)
	if err != nil {
		return pathError(l.config, "the folder archive", at, err)
	}
	age := now.Sub(last.listed)
	changed := !folder.ModTime().Equal(last.modified) && age >= archiveShare*last.took
	if 0 <= age && age < archiveEvery && !changed {
		l.archive = last
		return nil
	}
	start := time.Now()
	files, seen, err := l.list(ctx, c, oms.FolderArchive, l.config.Archive)
	if err != nil {
		return err
	}
	files = after(files, now.Add(-archiveWindow))
	l.archive = archive{summary(oms.FolderArchive, files, seen.Truncated), now, folder.ModTime(), time.Since(start)}
	return nil
}

// list lists a folder, which is below the inbox unless its path is absolute.
func (l *location) list(ctx context.Context, c *connection, folder oms.Folder, at string) ([]file, oms.DropFolder, error) {
	if at == "" {
		return nil, oms.DropFolder{}, nil
	}
	at = l.resolve(folder, at)
	start := time.Now()
	entries, truncated, err := c.list(ctx, at)
	oms.TraceFrom(ctx)("list "+string(folder)+" of "+l.config.Location, time.Since(start), len(entries), mask(l.config.Password, err))
	if err != nil {
		return nil, oms.DropFolder{}, pathError(l.config, "the folder "+string(folder), at, err)
	}
	files, skipped := l.files(c, at, entries)
	return files, summary(folder, files, truncated || skipped), nil
}

func (l *location) resolve(folder oms.Folder, at string) string {
	if folder == oms.FolderInbox || path.IsAbs(at) {
		return at
	}
	return path.Join(l.config.Path, at)
}

// files returns the entries that are files, or lead to one, and match the pattern. It says whether links were left out.
func (l *location) files(c *connection, folder string, entries []os.FileInfo) (files []file, skipped bool) {
	links := 0
	for _, entry := range entries {
		name := entry.Name()
		if match, err := path.Match(l.config.Pattern, name); err != nil || !match {
			continue
		}
		if entry.Mode()&fs.ModeSymlink != 0 {
			if links++; links > maxLinks {
				skipped = true
				continue
			}
			target, err := c.sftp.Stat(path.Join(folder, name))
			if err != nil { // it leads nowhere
				continue
			}
			entry = target
		}
		if entry.Mode().IsRegular() {
			files = append(files, file{name, entry.Size(), modified(entry)})
		}
	}
	return files, skipped
}

func modified(entry os.FileInfo) time.Time {
	if t := entry.ModTime(); t.Unix() != 0 {
		return t
	}
	return time.Time{}
}

func after(files []file, limit time.Time) []file {
	var younger []file
	for _, f := range files {
		if f.modified.After(limit) {
			younger = append(younger, f)
		}
	}
	return younger
}

func summary(folder oms.Folder, files []file, truncated bool) oms.DropFolder {
	seen := oms.DropFolder{Folder: folder, Files: len(files), Truncated: truncated}
	for _, f := range files {
		if f.modified.IsZero() {
			continue
		}
		if seen.Oldest.IsZero() || f.modified.Before(seen.Oldest) {
			seen.Oldest = f.modified
		}
		if f.modified.After(seen.Newest) {
			seen.Newest = f.modified
		}
	}
	return seen
}
