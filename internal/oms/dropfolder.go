package oms

import (
	"context"
	"time"
)

// DropFolders looks into the remote folders into which files for one client's OMS are dropped. It is safe for concurrent
// use, only ever reads, and gives up when its context ends, which must have a deadline.
type DropFolders interface {
	// Look tells of each configured location, in the order of the configuration, what could be seen of it; the error
	// names every location that could not be seen, or only in part.
	Look(ctx context.Context, now time.Time) ([]DropLocation, error)
	// Close ends what is under way and closes the connections.
	Close() error
}

// DropLocation is what was seen of one configured location.
type DropLocation struct {
	Location, Source string
	// Folders has those that are configured and could be listed.
	Folders []DropFolder
	// Invalid counts the files waiting in the inbox that the import would refuse, by every reason, as far as they could be
	// read and have stood still from one look to the next. It is nil where no format is configured, or the inbox was not seen.
	Invalid map[InvalidReason]int
	// Age is how long ago the oldest part of this was seen.
	Age time.Duration
}

// DropFolder is what lies in a folder, of the files that match the pattern.
type DropFolder struct {
	Folder Folder
	// Files is their number, in the archive of those newer than a window: it grows without end.
	Files int
	// Oldest and Newest are by the time of the last modification that the server tells.
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
