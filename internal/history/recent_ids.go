package history

import (
	"context"
	"maps"
	"slices"
)

// IDs is a table without an index on the times that count, whose ids are numbers in a column of text, taken from sequences.
type IDs interface {
	lasts
	// Page describes the ids of the length of from within [from, to], the SequencePage highest of them.
	Page(ctx context.Context, from, to string) (IDPage, error)
}

// An IDPage has the number of ids of a page, how many of their rows are recent, and its least and its greatest id, which are empty
// where there are none.
type IDPage struct {
	IDs, Recent     int
	Least, Greatest string
}

// A Span is the ids from the first to the last that are as long as these. It is empty if both are.
type Span struct{ First, Last string }

// RecentIDs are where the recent rows of a table are.
type RecentIDs struct {
	Spans []Span
	// More says that more ids than wanted may be recent. Those in Spans are the highest of some sequences.
	More bool
	// Strange is a recent row whose id belongs to no sequence, so that others of its kind go unnoticed; empty where none was seen.
	Strange string
}

const (
	// widestLook is the widest span in which the end of a sequence is looked for. Of a wider one a server might read all.
	widestLook = 10 * SequencePage
	// mostPages is of how many pages, with ids or without, the recent ones of a sequence are made.
	mostPages = 1000
)

// FindRecent reads the ids of each sequence from its end towards its beginning, until a page has no recent row or there are more than
// most ids.
func FindRecent(ctx context.Context, t IDs, most int) (found RecentIDs, err error) {
	ends, _, strange, err := endsOf(ctx, t, nil)
	if err != nil {
		return RecentIDs{}, err
	}
	if strange != "" {
		page, err := t.Page(ctx, strange, strange)
		if err != nil {
			return RecentIDs{}, err
		}
		if page.Recent > 0 {
			found.Strange = strange
		}
	}
	left := most
	for _, prefix := range slices.Sorted(maps.Keys(ends)) {
		w := &sequence{prefix: prefix, newest: ends[prefix]}
		if err := w.findEnd(ctx, t); err != nil {
			return RecentIDs{}, err
		}
		for top := w.newest; top > 0 && !found.More; {
			if top, err = w.recent(ctx, t, top, &left, &found); err != nil {
				return RecentIDs{}, err
			}
			found.More = left < 0
		}
	}
	return found, nil
}

// findEnd sets newest to the highest number. There may be more above it where ids of two lengths mix, see endsOf.
func (w *sequence) findEnd(ctx context.Context, t IDs) error {
	for size := int64(SequencePage); ; size = min(2*size, widestLook) {
		first := w.newest + 1
		page, err := t.Page(ctx, w.id(first), w.id(min(w.newest+size, ceilingOfLength(first))))
		if err != nil {
			return err
		}
		number, ok := w.number(page.Greatest)
		if !ok {
			return nil
		}
		w.newest = number
	}
}

// recent adds the recent ids of the length of top that are not above it, and returns where to go on: at a shorter length, or 0 where
// no more ids are recent.
func (w *sequence) recent(ctx context.Context, t IDs, top int64, left *int, found *RecentIDs) (int64, error) {
	floor := floorOfLength(top)
	span := Span{Last: w.id(top)}
	defer func() {
		if span.First != "" {
			found.Spans = append(found.Spans, span)
		}
	}()
	for range mostPages {
		if top < floor {
			return floor - 1, nil
		}
		first := max(floor, top-SequencePage+1) // no wider a span, as above
		page, err := t.Page(ctx, w.id(first), w.id(top))
		switch {
		case err != nil:
			return 0, err
		case page.IDs == 0:
			below, err := w.nextBelow(ctx, t, first)
			if err != nil {
				return 0, err
			}
			top = below - 1
			continue
		case page.Recent == 0:
			return 0, nil
		}
		if _, ok := w.number(page.Least); !ok { // it only looks like one of the sequence
			found.Strange = page.Least
			return 0, nil
		}
		span.First = page.Least
		if *left -= page.IDs; *left < 0 {
			return 0, nil
		}
		top = first - 1
	}
	*left = -1
	return 0, nil
}
