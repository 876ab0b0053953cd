package history

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// StepTimeout bounds a statement of a backfill: scrapes wait for it.
	StepTimeout = 3 * time.Second
	leastWindow = time.Minute
	mostWindow  = 2 * time.Hour // of a busy OMS, some thousand rows, which are held until they are looked through
	// staleFor is how long facts may rest on rows that are lost while a new backfill does not get through.
	staleFor = time.Hour
)

// A backfill is how far the filling of a new history is.
type backfill struct {
	from, to time.Time     // what is left of the timestamps, as stored
	window   time.Duration // what one statement covers
	began    bool
	base     time.Time // when the newest timestamp was made at its beginning: what came late since then is read once more
}

// step reads the next window of the backfill. It says whether there is more.
func (h *History) step(ctx context.Context, src Reader, now time.Time) (more bool, err error) {
	if h.ids != nil {
		more, err = h.ids.step(ctx, src.(Sequence), h, now) //nolint:forcetypeassert // see read
		h.prune(now, true)
		return more, err
	}
	t := src.(Table) //nolint:forcetypeassert // see read
	b := &h.backfill
	if !b.began {
		if err := h.prime(ctx, t); err != nil {
			return false, err
		}
		if b.window, b.began = mostWindow, true; !h.newest.IsZero() {
			base := h.base(now)
			b.base = base
			b.from, b.to = h.floorOf(base.Add(-Remembered-Margin)), h.floorOf(base)
		}
		return true, nil
	}
	batch := map[string]*Row{}
	switch {
	case b.from.Before(b.to):
		next := b.from.Add(b.window)
		until := next
		if !next.Before(b.to) {
			until = walltime.Never // a timestamp in the future is in the last window
		}
		if err = t.Changes(ctx, b.from, until, h.through(batch, now)); err == nil {
			b.from = next
		}
		more = true
	case !h.paged:
		err, more = h.unstamped(ctx, t, batch), true
	default:
		err = t.LatestUnstamped(ctx, into(batch))
	}
	if err == nil { // else the window is read again, and what is settled must not come twice
		h.put(batch, now)
		h.prune(now, true)
	}
	return more, err
}

// pace makes the windows as long as the server can answer in time.
func (b *backfill) pace(took time.Duration, err error) {
	switch {
	case err != nil && took >= StepTimeout:
		b.window = max(b.window/2, leastWindow)
	case err == nil && took < StepTimeout/3:
		b.window = min(b.window*2, mostWindow)
	}
}
