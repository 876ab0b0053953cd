package sqldb

import (
	"context"
	"slices"

	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

// The roots of HotWax' facility types. What descends from neither is a warehouse.
func virtualRoots() []string { return []string{"VIRTUAL_FACILITY"} }
func storeRoots() []string   { return []string{"PHYSICAL_STORE", "RETAIL_STORE", "OUTLET_STORE"} }

// intentRoots are those of virtual facilities in which an order waits by intent, for goods that are not there yet. Its wait
// for a store or warehouse begins when it is released.
func intentRoots() []string { return []string{"PRE_ORDER", "BACKORDER"} }

// brokeringQueue is the facility of what nobody has routed yet. It is virtual whatever the table says.
const brokeringQueue = "_NA_"

// facilities are where orders can wait.
type facilities struct {
	virtual, store []string // types of facilities
	parkings       []string // virtual facilities
	// waiting are the facilities that an item can leave for another one of them and wait on as before: the virtual ones
	// without those of intentRoots.
	waiting []string
}

func (s *Source) facilities(ctx context.Context, r *sqlread.Reader) (found facilities, err error) {
	parents := map[string]string{}
	err = r.Query(ctx, "facility_types", nil, func(rec sqlread.Record) {
		parents[rec.Text("facility_type_id")] = rec.Text("parent_type_id")
	})
	if err != nil {
		return found, err
	}
	found.virtual, found.store = descendants(parents, virtualRoots()), descendants(parents, storeRoots())
	intent := descendants(parents, intentRoots())
	found.waiting = []string{"", brokeringQueue} // no facility is none to leave
	err = r.Query(ctx, "facilities_virtual", sqlread.Args{"virtual": found.virtual}, func(rec sqlread.Record) {
		id := rec.Text("facility_id")
		found.parkings = append(found.parkings, id)
		if !slices.Contains(intent, rec.Text("facility_type_id")) {
			found.waiting = append(found.waiting, id)
		}
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
