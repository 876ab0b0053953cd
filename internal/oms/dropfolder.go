package oms

import (
	"context"
	"time"
)

// DropFolders looks into the remote folders into which files for one client's OMS are dropped. It is safe for concurrent
// use, only ever reads, and gives up when its context ends, which must have a deadline.
type DropFolders interface {
	// Inspect reports for each configured location, in the order of the configuration, what could be seen of it; the error
	// names every location that could not be seen, or only in part.
	Inspect(ctx context.Context, now time.Time) ([]DropLocation, error)
	// Close ends what is under way and closes the connections.
	Close() error
}

// DropLocation is what was seen of one configured location.
type DropLocation struct {
	Location, Source string
	// Folders has those that are configured and could be listed.
	Folders []DropFolder
	// Checked says that files were checked: a format is configured, and the inbox was seen. Else Invalid is empty.
	Checked bool
	// Invalid counts the files waiting in the inbox that the import would refuse, by every reason, as far as they could be
	// read and have stood still from one look to the next.
	Invalid map[InvalidReason]int
	// Refused is that one of them which was modified last, or nil when there is none.
	Refused *RefusedFile
	// Age is how long ago the oldest part of this was seen.
	Age time.Duration
	// Err says why the location could not be seen, or only in part; the error of Inspect has it too.
	Err error
}

// RefusedFile is a file that the import would refuse. Its texts are bounded, and control characters in them are escaped.
type RefusedFile struct {
	Name   string
	Reason InvalidReason
	// Begin is the first line of text, where a header is expected and something else was found: else it is empty.
	Begin string
}

// DropFolder is what lies in a folder.
type DropFolder struct {
	Folder Folder
	// Files is how many match the pattern, in the archive of those that came within a window: it grows without end.
	Files int
	// Older is how many more files of the archive are older than that window.
	Older int
	// Unmatched is how many files there are that the pattern leaves out, hidden ones apart.
	Unmatched int
	// Examples are the names of the first few of these.
	Examples []string
	// Oldest and Newest are by when the files came: the later of the time of the last modification, which an upload may keep from
	// elsewhere, and of when a look first showed the file as it is. What the first look shows came when it was modified.
	Oldest, Newest time.Time
	// Truncated: the folder has more entries than are read, so there may be more files, older and newer ones.
	Truncated bool
}

// Folder says what it means that a file lies there (domain: the root holds what is not consumed).
type Folder string

// The folders of a location.
const (
	FolderInbox   Folder = "inbox"
	FolderArchive Folder = "archive"
	FolderFailed  Folder = "failed"
)

// InvalidReason says why the import would refuse a file.
type InvalidReason string

// The reasons.
const (
	InvalidEmpty    InvalidReason = "empty"    // nothing in it, or no row below the header
	InvalidNotCSV   InvalidReason = "not_csv"  // a spreadsheet, an archive, or no table at all
	InvalidHeader   InvalidReason = "header"   // a facility, a product or a quantity has no column
	InvalidEncoding InvalidReason = "encoding" // neither UTF-8 nor plain text of another kind
	InvalidPartial  InvalidReason = "partial"  // the last line is cut off, or rows have too few or too many cells
)

// InvalidReasons lists every reason.
func InvalidReasons() []InvalidReason {
	return []InvalidReason{InvalidEmpty, InvalidNotCSV, InvalidHeader, InvalidEncoding, InvalidPartial}
}

// Misfit says whether the pattern of the location matches nothing where files lie.
func (l DropLocation) Misfit() bool {
	matched, unmatched := 0, 0
	for _, f := range l.Folders {
		if matched += f.Files + f.Older; f.Folder != FolderFailed {
			unmatched += f.Unmatched
		}
	}
	return matched == 0 && unmatched > 0
}
