package sqldb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// skewFor is how long a measured clock skew holds while the stamps do not advance.
const skewFor = 15 * time.Minute

// Instance implements oms.Source.
func (s *Source) Instance(ctx context.Context, now time.Time) (oms.Instance, error) {
	facts := oms.Instance{Generation: oms.GenerationUnknown}
	err := s.read(ctx, s.instance, now, func(r *reader) error {
		facts.Generation, facts.Missing = r.schema.generation, r.schema.missing
		var stamp moment
		err := r.query(ctx, "newest_stamps", nil, func(rec record) {
			for i := range rec.values {
				if m := rec.moment(i); m.raw.After(stamp.raw) {
					stamp = m
				}
			}
		})
		if err == nil {
			facts.ClockSkew = s.skew.measure(stamp, now)
		}
		return err
	})
	return facts, err
}

// skew measures how far the database's stamps are from our clock, whenever they advance.
type skew struct {
	mu       sync.Mutex
	stamp    moment
	advanced time.Time
	value    time.Duration
}

func (k *skew) measure(stamp moment, now time.Time) *time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.stamp.isZero() && stamp.raw.After(k.stamp.raw) {
		k.advanced, k.value = now, stamp.at(now).Sub(now)
	}
	k.stamp = stamp
	if k.advanced.IsZero() || due(now, k.advanced, skewFor) {
		return nil
	}
	value := k.value
	return &value
}

// lookBackError says why there is no history yet.
type lookBackError struct {
	area, progress string
	failed         error
}

func (e lookBackError) Error() string {
	text := fmt.Sprintf("the first look back at the history of %s is not complete: %s", e.area, e.progress)
	if e.failed != nil {
		text += ", last attempt: " + e.failed.Error()
	}
	return text
}

func (e lookBackError) Is(target error) bool {
	return target == oms.ErrLookBack || errors.Is(e.failed, target)
}
