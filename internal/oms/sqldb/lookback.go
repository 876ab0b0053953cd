package sqldb

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	// sliceTimeout bounds a statement of a look back: scrapes wait for it.
	sliceTimeout = 3 * time.Second
	leastSlice   = time.Minute
	mostSlice    = 2 * time.Hour // of a busy OMS, some thousand rows, which are held until they are looked through
	// staleFor is how long facts may rest on rows that are lost while a new look back does not get through.
	staleFor = time.Hour
)

// A lookBack is how far the filling of a new history is.
type lookBack struct {
	from, to time.Time     // what is left of the stamps, as stored
	slice    time.Duration // what one statement covers
	began    bool
	base     time.Time // when the newest stamp was made at its beginning: what came late since then is read once more
}

// fill reads the next slice of the look back. It says whether there is more.
func (h *history) fill(ctx context.Context, r *reader, now time.Time) (more bool, err error) {
	if h.ids != nil {
		more, err = h.ids.fill(ctx, r, h, now)
		h.prune(now)
		return more, err
	}
	b := &h.back
	if !b.began {
		if err := h.prime(ctx, r); err != nil {
			return false, err
		}
		if b.slice, b.began = mostSlice, true; !h.newest.isZero() {
			base := h.base(now)
			b.base = base
			b.from, b.to = h.floorOf(r, base.Add(-remembered-spare)), h.floorOf(r, base)
		}
		return true, nil
	}
	batch := map[string]*row{}
	switch {
	case b.from.Before(b.to):
		next := b.from.Add(b.slice)
		until := next
		if !next.Before(b.to) {
			until = far // a stamp in the future is in the last slice
		}
		if err = h.changes(ctx, r, b.from, until, batch); err == nil {
			b.from = next
		}
		more = true
	case !h.paged:
		err, more = h.unstamped(ctx, r, batch), true
	default:
		err = h.latestUnstamped(ctx, r, batch)
	}
	h.put(batch, now)
	h.prune(now)
	return more, err
}

// pace makes the slices as long as the server can answer in time.
func (b *lookBack) pace(took time.Duration, err error) {
	switch {
	case err != nil && took >= sliceTimeout:
		b.slice = max(b.slice/2, leastSlice)
	case err == nil && took < sliceTimeout/3:
		b.slice = min(b.slice*2, mostSlice)
	}
}

// advance returns the area's history, brought up to date. Until the look back is complete it returns nil and an error
// that wraps oms.ErrLookBack, and sees to it that the look back goes on.
func (s *Source) advance(ctx context.Context, a *area, r *reader, now time.Time, open, extra map[string]*row) (*history, error) {
	a.mu.Lock()
	h := a.history
	a.mu.Unlock()
	if h == nil {
		return nil, s.lookBack(a, now)
	}
	if err := h.refresh(ctx, r, now, open, extra); err != nil {
		return nil, err
	}
	s.skew.see(a.name, h.newest, now)
	if lost := !h.stale.IsZero(); lost || due(now, h.completed, renewEvery) {
		// Until the new look back is complete, the facts are those of before the loss.
		if err := s.lookBack(a, now); lost && now.Sub(h.stale) > staleFor {
			return h, err
		}
	}
	return h, nil
}

// lookBack starts filling a new history in the background, or goes on with it after a failure, and says how far it is.
func (s *Source) lookBack(a *area, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		a.next, a.progress, a.failed = a.newHistory(), "it begins", nil
	}
	if !a.running && s.begin() {
		a.running = true
		go func() {
			defer s.background.Done()
			s.fill(a, now)
		}()
	}
	return lookBackError{area: a.name, progress: a.progress, failed: a.failed}
}

// fill reads slice by slice, each with the area's connection for itself, so that scrapes come in between. After a
// failure it goes on at the next scrape.
func (s *Source) fill(a *area, now time.Time) {
	begin := time.Now()
	for h, more := a.next, true; more; {
		err := s.fillOnce(a, h, now.Add(time.Since(begin)), &more)

		a.mu.Lock()
		a.failed = err
		if left := h.back.to.Sub(h.back.from); left > 0 {
			a.progress = fmt.Sprintf("%d days to go", int((left+24*time.Hour-1)/(24*time.Hour)))
		}
		if a.running = err == nil && more; err == nil && !more {
			a.history, a.next, h.completed = h, nil, now
			s.skew.see(a.name, h.newest, now)
		}
		a.mu.Unlock()
		if err != nil {
			if s.closing.Err() == nil {
				s.logger.Warn("the look back goes on at the next scrape", "area", a.name, "err", err)
			}
			return
		}
	}
}

func (s *Source) fillOnce(a *area, h *history, now time.Time, more *bool) (err error) {
	if err := a.acquire(s.closing); err != nil {
		return err
	}
	defer a.release()
	start := time.Now()
	defer func() { h.back.pace(time.Since(start), err) }()
	ctx, cancel := context.WithTimeout(s.closing, sliceTimeout)
	defer cancel()
	return s.readHeld(ctx, now, func(ctx context.Context, r *reader) (err error) {
		defer func() {
			if p := recover(); p != nil { // nobody else stands between this goroutine and the end of the process
				s.logger.Error("panic", "area", a.name, "err", fmt.Sprintf("%v\n%s", p, debug.Stack()))
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		if text := r.text(h.table + "_by_id"); text != h.text { // it begins, or must begin again
			*h = *a.newHistory()
			h.text = text
		}
		*more, err = h.fill(ctx, r, now)
		return err
	})
}
