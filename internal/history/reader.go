package history

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// A Reader is a table as a history reads it: a Table or a Sequence.
type Reader interface {
	// Version differs where the table's columns do.
	Version() string
	// ByID calls put for the rows with these ids that there are.
	ByID(ctx context.Context, ids []string, put func(*Row)) error
}

// A Table has a timestamp in each row, by which its changes are found, apart from rows that Moqui wrote.
type Table interface {
	Reader
	// Newest returns the newest timestamp before walltime.Never, and none where there are no timestamps.
	Newest(ctx context.Context) (walltime.Moment, error)
	// Changes calls put for the rows stamped in [from, to), both as stored, in the order of their timestamps.
	Changes(ctx context.Context, from, to time.Time, put func(*Row)) error
	// Unstamped calls put for the next Page rows without a timestamp, in the order of their ids, from the one behind after on. It
	// need not if LatestUnstamped finds all that matter.
	Unstamped(ctx context.Context, after string, put func(*Row)) error
	// LatestUnstamped calls put for the rows without a timestamp that have the highest ids, and for whatever else is looked for as
	// often.
	LatestUnstamped(ctx context.Context, put func(*Row)) error
}

// A Sequence has no timestamps with an index, but ids that are numbers in a column of text, taken from a sequence.
type Sequence interface {
	Reader
	// Between calls put for the rows with ids of the length of from within [from, to], the SequencePage highest of them.
	Between(ctx context.Context, from, to string, put func(*Row)) error
	lasts
	// Locked returns ids that are known to be in use, such as those to which locks point.
	Locked(ctx context.Context) (map[string]bool, error)
}

// lasts finds ids in a column of text.
type lasts interface {
	// Last returns the highest id as text within [from, to), or none.
	Last(ctx context.Context, from, to string) (string, error)
}
