package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

const (
	// archiveEvery is how often the archive is listed when nothing seems to have changed in it. When something has, a listing
	// may take one part in archiveShare of the time. archiveWindow says which of its files count.
	archiveEvery  = 5 * time.Minute
	archiveShare  = 100
	archiveWindow = 48 * time.Hour
	// maxLinks is how many symbolic links of a folder are followed: each costs a request.
	maxLinks = 100
	// maxExamples is how many names of other entries are listed as examples.
	maxExamples = 5
)

// location is a configured location, and what is kept of it from one look to the next.
type location struct {
	config  config.SFTP
	seed    maphash.Seed
	archive archive
	judged  verdicts                // of the inbox
	came    map[oms.Folder]arrivals // as of the last listing of each
}

// fileID stands for a file as it was listed: there may be hundreds of thousands, so their names are not kept. Nobody can choose
// two files that have the same, because the seed is not known.
type fileID uint64

func (l *location) identify(f file) fileID { return fileID(maphash.Comparable(l.seed, f)) }

// arrivals say when the files of a folder came, in Unix nanoseconds, 0 where that is not known; nil before its first listing.
type arrivals map[fileID]int64

// archive is what was last seen of it.
type archive struct {
	seen     oms.DropFolder
	listed   time.Time
	modified int64 // the folder itself, before that
	took     time.Duration
}

// observation is what a look shows of a location, and why it does not show all.
type observation struct {
	found oms.DropLocation
	err   error
}

// file is one that matches the pattern.
type file struct {
	name           string
	size, modified int64 // as an entry has them
}

// listing is what comes of a folder while it is listed.
type listing struct {
	*location
	now           time.Time
	before, after arrivals
	seen          oms.DropFolder
	visit         func(id fileID, f file, known bool)
}

// add counts a file in. Uploads can keep the time of their source (put -p, rsync, WinSCP), and it may be days ago: what was not
// there at the last listing, or was another file, came now at the earliest. No file came later than now, whatever its time says.
func (l *listing) add(f file) {
	id := l.identify(f)
	at, known := l.before[id]
	if !known {
		at = min(f.modified*int64(time.Second), l.now.UnixNano())
		if l.before != nil {
			at = l.now.UnixNano()
		}
	}
	l.after[id] = at
	if l.visit != nil {
		l.visit(id, f, known)
	}
	if l.seen.Folder == oms.FolderArchive && at <= l.now.Add(-archiveWindow).UnixNano() {
		l.seen.Older++
		return
	}
	l.seen.Files++
	if at == 0 {
		return
	}
	came := time.Unix(0, at)
	if l.seen.Oldest.IsZero() || came.Before(l.seen.Oldest) {
		l.seen.Oldest = came
	}
	if came.After(l.seen.Newest) {
		l.seen.Newest = came
	}
}

// nothing is what is seen where there is no connection.
func (l *location) nothing() oms.DropLocation {
	return oms.DropLocation{Location: l.config.Location, Source: l.config.Source}
}

// look looks at the folders. The archive, which may take long, comes last.
func (l *location) look(ctx context.Context, c *connection, now time.Time) observation {
	found := l.nothing()
	waiting := &inbox{before: l.judged, after: verdicts{}}
	seen, inboxErr := l.list(ctx, c, oms.FolderInbox, l.config.Path, now, waiting.add)
	if inboxErr == nil {
		found.Folders = append(found.Folders, seen)
	}
	if errors.Is(inboxErr, fs.ErrNotExist) && !path.IsAbs(l.config.Failed) && !path.IsAbs(l.config.Archive) {
		return observation{found, inboxErr} // without it, those within it are not there either
	}
	seen, failedErr := l.list(ctx, c, oms.FolderFailed, l.config.Failed, now, nil)
	if failedErr == nil && l.config.Failed != "" {
		found.Folders = append(found.Folders, seen)
	}
	var checkErr error
	if inboxErr == nil && l.config.CheckFormat {
		found.Checked = true
		found.Invalid, found.Refused, checkErr = l.check(ctx, c, waiting)
	}
	archiveErr := l.lookArchive(ctx, c, now)
	if archiveErr == nil && l.config.Archive != "" {
		found.Folders = append(found.Folders, l.archive.seen)
		found.Age = now.Sub(l.archive.listed)
	}
	return observation{found, errors.Join(inboxErr, failedErr, checkErr, archiveErr)}
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
	folder, err := c.stat(at)
	if err != nil {
		return l.folderError(c, oms.FolderArchive, at, err)
	}
	age := now.Sub(last.listed)
	changed := folder.modified != last.modified && age >= archiveShare*last.took
	if 0 <= age && age < archiveEvery && !changed {
		l.archive = last
		return nil
	}
	start := time.Now()
	seen, err := l.list(ctx, c, oms.FolderArchive, l.config.Archive, now, nil)
	if err != nil {
		return err
	}
	l.archive = archive{seen, now, folder.modified, time.Since(start)}
	return nil
}

// list lists a folder, which is below the inbox unless its path is absolute. Of the entries that are files, or lead to one, and
// match the pattern it calls visit, unless that is nil.
func (l *location) list(
	ctx context.Context, c *connection, folder oms.Folder, at string, now time.Time, visit func(id fileID, f file, known bool),
) (oms.DropFolder, error) {
	if at == "" {
		return oms.DropFolder{}, nil
	}
	at = l.resolve(folder, at)
	start := time.Now()
	found := &listing{
		location: l, now: now, visit: visit, before: l.came[folder], after: make(arrivals, len(l.came[folder])),
		seen: oms.DropFolder{Folder: folder},
	}
	var links []string
	skipped := false
	names, truncated, err := c.list(ctx, at, func(e entry) {
		match, err := path.Match(l.config.Pattern, e.name)
		switch {
		case err != nil || !match || e.name == "":
			if e.regular && !strings.HasPrefix(e.name, ".") {
				found.seen.Unmatched++
				if len(found.seen.Examples) < maxExamples {
					found.seen.Examples = append(found.seen.Examples, e.name)
				}
			}
		case e.link && len(links) == maxLinks:
			skipped = true
		case e.link:
			links = append(links, e.name)
		case e.regular:
			found.add(file{e.name, e.size, e.modified})
		}
	})
	for _, name := range links {
		target, statErr := c.stat(path.Join(at, name))
		switch {
		case c.isLost():
			err = errors.Join(err, statErr)
		case statErr == nil && target.regular: // else it leads nowhere
			found.add(file{name, target.size, target.modified})
		}
	}
	trace.From(ctx)("list "+string(folder)+" of "+l.config.Location, time.Since(start), names, redact(l.config.Password, err))
	if err != nil {
		return oms.DropFolder{}, l.folderError(c, folder, at, err)
	}
	if l.came == nil {
		l.came = map[oms.Folder]arrivals{}
	}
	l.came[folder] = found.after
	found.seen.Truncated = truncated || skipped
	return found.seen, nil
}

// folderError says what to do about a folder that cannot be seen. Of one that does not exist it names the folders that are there
// in its place.
func (l *location) folderError(c *connection, folder oms.Folder, at string, err error) error {
	err = pathError(l.config, "the folder "+string(folder), at, err)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for at != "/" && !c.isLost() {
		at = path.Dir(at)
		names, complete, listErr := c.folders(at)
		switch {
		case errors.Is(listErr, fs.ErrNotExist):
			continue
		case listErr != nil || len(names) == 0 && !complete:
			return err
		case len(names) == 0:
			return fmt.Errorf("%w; in %q there is no folder", err, at)
		}
		return fmt.Errorf("%w; in %q there are the folders %s", err, at, config.Brief(strings.Join(names, ", "), maxWords))
	}
	return err
}

func (l *location) resolve(folder oms.Folder, at string) string {
	if folder == oms.FolderInbox || path.IsAbs(at) {
		return at
	}
	return path.Join(l.config.Path, at)
}
