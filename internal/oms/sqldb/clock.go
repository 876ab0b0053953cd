package sqldb

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	skewFor   = 15 * time.Minute // how long a measured clock skew holds while the timestamps do not advance
	clockFits = 5 * time.Minute  // a timestamp that close to now shows that clock and zone fit
	// A server is taken to have another clock after so many looks at which it began something, off by the same within sameSkew. A
	// row that a person put back into work is one.
	serverLooks    = 3
	sameSkew       = 2 * time.Minute
	serverKnownFor = 24 * time.Hour
)

// A clock tells a wrong clock or zone from a database to which nobody writes, by the newest timestamp of all areas:
//   - it is within minutes of now: clock and zone fit, which is known at the first look;
//   - it is ahead of now: they do not, which is known at the first look too;
//   - it is behind: nothing may have been written, or the zone is wrong, or the replica lags. As soon as it advances, what it is
//     behind by then is the skew, because the row has just been written.
//
// An application server whose clock is behind those of others does not advance the newest timestamp. It shows in what it gives as the
// start of jobs that were not there at the look before.
type clock struct {
	client config.Client

	mu       sync.Mutex
	stamps   map[string]areaStamp
	moved    time.Time // our clock when the newest timestamp of all last changed
	measured time.Time // our clock when the skew was, and zero before
	skew     time.Duration
	servers  map[string]serverClock
}

// An areaStamp is the newest timestamp of an area, and our clock when it was last looked for.
type areaStamp struct {
	newest walltime.Moment
	seen   time.Time
}

// A serverClock is how far a server's clock is off.
type serverClock struct {
	skew  time.Duration
	at    time.Time     // our clock when that was last seen, and zero before
	odd   time.Duration // what else it may be
	looks int           // at which it was that
}

func newClock(client config.Client) clock {
	return clock{client: client, stamps: map[string]areaStamp{}, servers: map[string]serverClock{}}
}

// observe notes the newest timestamp of an area, if it has any.
func (k *clock) observe(area string, stamp walltime.Moment, now time.Time) {
	if stamp.IsZero() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before, newest := k.stamps[area].newest, k.newest()
	k.stamps[area] = areaStamp{stamp, now}
	if k.newest() != newest {
		k.moved = now
	}
	skew, later := k.newest().At(now).Sub(now), k.newest().Earliest().After(newest.Earliest())
	switch known := !k.measured.IsZero() && k.skew.Abs() <= clockFits; {
	case later && !before.IsZero(), skew.Abs() <= clockFits && (later || !known):
		if !known && skew.Abs() <= clockFits {
			clear(k.servers) // what was wrong was put right
		}
		k.measured, k.skew = now, skew
	}
}

// begun notes what servers gave as the start of what they began since the look before.
func (k *clock) begun(f *firstReadings) {
	gap := f.look.Sub(f.before)
	if f.before.IsZero() || gap < 0 || gap > clockFits {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for server, start := range f.begun {
		is, skew := k.servers[server], start.Sub(f.look)
		switch {
		case skew.Abs() <= clockFits:
			is = serverClock{skew: skew, at: f.look}
		case is.looks > 0 && (skew-is.odd).Abs() <= sameSkew+gap:
			is.looks++
		default:
			is.odd, is.looks = skew, 1
		}
		if is.looks >= serverLooks {
			is.skew, is.at = skew, f.look
			if f.look.Sub(k.moved) > clockFits { // the newest timestamp stands still meanwhile: it is not this server alone
				k.measured, k.skew = f.look, skew
			}
		}
		k.servers[server] = is
	}
}

// newest is the newest timestamp of all areas.
func (k *clock) newest() (newest walltime.Moment) {
	for _, a := range k.stamps {
		if newest.IsZero() || a.newest.Earliest().After(newest.Earliest()) {
			newest = a.newest
		}
	}
	return newest
}

// forget leaves out an area whose table is gone.
func (k *clock) forget(area string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.stamps, area)
}

// seen reports whether all areas were read lately. If not, it is unknown whether anything was written.
func (k *clock) seen(now time.Time) bool {
	for _, a := range k.stamps {
		if walltime.Due(now, a.seen, clockFits) {
			return false
		}
	}
	return true
}

// read compares the newest timestamp with now.
func (k *clock) read(now time.Time) oms.Clock {
	k.mu.Lock()
	defer k.mu.Unlock()
	newest := k.newest()
	if newest.IsZero() {
		return oms.Clock{}
	}
	c := oms.Clock{Instances: map[string]time.Duration{}}
	for server, s := range k.servers {
		switch {
		case s.at.IsZero():
		case walltime.Due(now, s.at, serverKnownFor):
			delete(k.servers, server)
		default:
			c.Instances[server] = s.skew
		}
	}
	skew := k.skew
	ahead := newest.At(now).Sub(now)
	still := max(-ahead, 0)
	switch {
	case ahead > clockFits:
		skew, still = ahead, now.Sub(k.moved)
		c.Skew = &skew
	case k.measured.IsZero():
	case !walltime.Due(now, k.measured, skewFor):
		c.Skew = &skew
	}
	if ahead <= clockFits && skew.Abs() > clockFits {
		still += skew
	}
	if k.seen(now) {
		still = max(still, 0)
		c.Stillness = &still
	}
	if c.Zoned = newest.HasZone(); c.Skew != nil && !c.Zoned {
		c.Fitting = fittingZones(k.client.Database.Timezone, k.client.Timezone, skew, now)
	}
	return c
}

// fittingZones says which zones explain that timestamps which are read in the zone are that far from now: by their offset, and some of
// their names, the client's own first. It is empty where clocks explain it, or a replica that lags.
func fittingZones(zone, client *time.Location, skew time.Duration, now time.Time) string {
	const quarter, mostOff, mostNames = 15 * time.Minute, 3 * time.Minute, 4
	shift := skew.Round(quarter)
	_, offset := now.In(zone).Zone()
	fitting := time.Duration(offset)*time.Second + shift
	if shift == 0 || (skew-shift).Abs() > mostOff || fitting < -12*time.Hour || fitting > 14*time.Hour {
		return ""
	}
	var names []string
	for _, name := range append([]string{client.String()}, walltime.WellKnownZones()...) {
		candidate, err := time.LoadLocation(name)
		if err != nil {
			continue
		}
		if _, is := now.In(candidate).Zone(); time.Duration(is)*time.Second == fitting && len(names) < mostNames && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	sign, abs := "+", fitting.Abs()
	if fitting < 0 {
		sign = "-"
	}
	text := fmt.Sprintf("UTC%s%02d:%02d", sign, int(abs.Hours()), int(abs.Minutes())%60)
	if len(names) > 0 {
		text += " (" + strings.Join(names, ", ") + ")"
	}
	return text
}
