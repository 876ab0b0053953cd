package sqldb

import (
	"context"
	"slices"
	"time"
)

// placesEvery is how often facilities and their types are looked at: they hardly ever change.
const placesEvery = 5 * time.Minute

// The roots of HotWax' facility types. What descends from neither is a warehouse.
func virtualRoots() []string { return []string{"VIRTUAL_FACILITY"} }
func storeRoots() []string   { return []string{"PHYSICAL_STORE", "RETAIL_STORE", "OUTLET_STORE"} }

// places are where orders can wait, as of the last look. Until the next one, what has a new type is taken for a warehouse,
// and a new virtual facility is known only if an order is in it. Whoever has the connection for orders may use them.
type places struct {
	at             time.Time
	virtual, store []string // types of facilities
	parkings       []string // virtual facilities
}

// look looks again when it is time.
func (p *places) look(ctx context.Context, r *reader, now time.Time) error {
	if !due(now, p.at, placesEvery) {
		return nil
	}
	parents := map[string]string{}
	err := r.query(ctx, "facility_types", nil, func(rec record) { parents[rec.text(0)] = rec.text(1) })
	if err != nil {
		return err
	}
	found := places{at: now, virtual: descendants(parents, virtualRoots()), store: descendants(parents, storeRoots())}
	err = r.query(ctx, "facilities_virtual", args{"virtual": found.virtual}, func(rec record) {
		found.parkings = append(found.parkings, rec.text(0))
	})
	if err == nil {
		*p = found
	}
	return err
}

// descendants returns the facility types that are, or descend from, one of the roots.
func descendants(parents map[string]string, roots []string) []string {
	found := slices.Clone(roots)
	for t := range parents {
		for up, steps := t, 0; up != "" && steps <= len(parents); up, steps = parents[up], steps+1 {
			if slices.Contains(roots, up) && t != up {
				found = append(found, t)
				break
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
