package sqldb

import (
	"context"
	"slices"
)

// The roots of HotWax' facility types. What descends from neither is a warehouse.
func virtualRoots() []string { return []string{"VIRTUAL_FACILITY"} }
func storeRoots() []string   { return []string{"PHYSICAL_STORE", "RETAIL_STORE", "OUTLET_STORE"} }

// places are where orders can wait.
type places struct {
	virtual, store []string // types of facilities
	parkings       []string // virtual facilities
}

func (r *reader) places(ctx context.Context) (found places, err error) {
	parents := map[string]string{}
	err = r.query(ctx, "facility_types", nil, func(rec record) { parents[rec.text(0)] = rec.text(1) })
	if err != nil {
		return found, err
	}
	found.virtual, found.store = descendants(parents, virtualRoots()), descendants(parents, storeRoots())
	err = r.query(ctx, "facilities_virtual", args{"virtual": found.virtual}, func(rec record) {
		found.parkings = append(found.parkings, rec.text(0))
	})
	return found, err
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
