package sqldb

import (
	"context"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	skewFor   = 15 * time.Minute // how long a measured clock skew holds while the stamps do not advance
	skewAhead = 5 * time.Minute  // a stamp further in the future shows a wrong clock or zone
)

// Instance implements oms.Source. While what is known of the catalogue is young, it only shows that the server answers. The
// clock is that of the stamps which the other areas have read so far, so that no table which they read can hold it up.
func (s *Source) Instance(ctx context.Context, now time.Time) (oms.Instance, error) {
	sch, _, again := s.known(now)
	var err error
	if again || len(sch.tables) == 0 {
		err = s.read(ctx, s.instance, now, func(_ context.Context, r *reader) error {
			sch = r.schema
			return nil
		})
	} else {
		err = s.ping(ctx, s.instance)
	}
	if err != nil {
		return oms.Instance{Generation: oms.GenerationUnknown}, err
	}
	return oms.Instance{Generation: sch.generation, Missing: sch.missing, ClockSkew: s.skew.value(now)}, nil
}

// skew measures how far the database's stamps are from our clock, whenever they advance.
type skew struct {
	mu       sync.Mutex
	stamps   map[string]moment // the newest of each area
	advanced time.Time
	measured time.Duration
}

// see notes the newest stamp of an area.
func (k *skew) see(area string, stamp moment, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.stamps[area]
	k.stamps[area] = stamp
	if !before.isZero() && stamp.lo().After(before.lo()) && !k.newest().After(stamp.lo()) {
		k.advanced, k.measured = now, stamp.at(now).Sub(now)
	}
}

// newest is the newest stamp of all areas.
func (k *skew) newest() time.Time {
	var t time.Time
	for _, stamp := range k.stamps {
		t = newest(t, stamp.lo())
	}
	return t
}

// value returns the skew, or nil while the stamps do not advance. One that lies ahead needs no advance to be wrong.
func (k *skew) value(now time.Time) *time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	value := k.measured
	if ahead := k.newest().Sub(now); ahead > skewAhead {
		value = ahead
	} else if k.advanced.IsZero() || due(now, k.advanced, skewFor) {
		return nil
	}
	return &value
}
