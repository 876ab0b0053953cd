package demo

import (
	"fmt"
	"strings"
	"time"
)

// profile is what makes one client differ from the next.
type profile struct {
	name, brand, region string
	// zone is the clock of the client's people and deadlines, serverZone that in which the OMS stores its times.
	zone, serverZone *time.Location
	stores           [2]string
	deadlines        []deadline
	// shopifyInventory: a second reset-inventory file comes from Shopify.
	shopifyInventory bool
	// exchanges: orders of channel LOOP_EXCH wait in created for the goods to come back.
	exchanges bool
	// fraudReview: an order stays created until it has the attribute SIGNIFYD_APPROVED.
	fraudReview bool
	// moqui: some files are read by Moqui instead of OFBiz, and it has jobs of its own.
	moqui bool
}

// deadline is a time of day by which the reset-inventory file must be processed. A file counts for it that was processed
// within the window before it. The file of the day arrives at its own time of day, which leaves room.
type deadline struct{ arrives, by, window time.Duration }

func profiles() ([]profile, error) {
	const h, m = time.Hour, time.Minute
	afternoon := []deadline{{arrives: 11*h + 30*m, by: 15 * h, window: 15 * h}}
	all := []struct {
		profile
		zone, serverZone string
	}{
		{profile{
			name: "KREWE", brand: "krewe", region: "us", stores: [2]string{"KREWE", "KREWE_OUTLET"},
			deadlines:        []deadline{{arrives: 9*h + 30*m, by: 13 * h, window: 13 * h}},
			shopifyInventory: true, exchanges: true,
		}, "America/Chicago", "America/New_York"},
		{profile{
			name: "UCG", brand: "frank-and-oak", region: "ca", stores: [2]string{"FRANK_AND_OAK", "UCG_OUTLET"},
			deadlines: afternoon, fraudReview: true, moqui: true,
		}, "America/New_York", "America/New_York"},
		{profile{
			name: "ADOC", brand: "adoc", region: "sv", stores: [2]string{"ADOC_SV", "PAR2_SV"}, deadlines: afternoon,
		}, "America/El_Salvador", "UTC"},
		{profile{
			name: "NEWERA", brand: "new-era", region: "us", stores: [2]string{"NEC_US", "NEC_OUTLET"},
			deadlines: []deadline{
				{arrives: 6 * h, by: 9 * h, window: 11 * h}, {arrives: 19 * h, by: 22 * h, window: 13 * h},
			},
		}, "America/New_York", "America/New_York"},
	}
	var out []profile
	for _, p := range all {
		var err error
		if p.profile.zone, err = time.LoadLocation(p.zone); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		if p.profile.serverZone, err = time.LoadLocation(p.serverZone); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		out = append(out, p.profile)
	}
	return out, nil
}

func (p profile) file() string { return p.account() + ".db" }

// account is the client's user of the SFTP server and of Superset.
func (p profile) account() string { return strings.ToLower(p.name) }

// today returns the given time of day on the day that is days after that of t, on the client's clock.
func (p profile) today(t time.Time, days int, clock time.Duration) time.Time {
	t = t.In(p.zone)
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, int(clock/time.Second), 0, p.zone)
}

// nextAt returns the next moment after t at which the client's clock shows the given time of day.
func (p profile) nextAt(t time.Time, clock time.Duration) time.Time {
	next := p.today(t, 0, clock)
	if !next.After(t) {
		next = p.today(t, 1, clock)
	}
	return next
}

// The virtual facilities between which orders move, and those of bricks.
const (
	brokeringQueue  = "_NA_"
	unfillable      = "UNFILLABLE_PARKING"
	preOrderParking = "PRE_ORDER_PARKING"
)

func physical() []string { return []string{"STORE_1", "STORE_2", "STORE_3", "WAREHOUSE_1"} }

// found writes what is there before anything happens: stores, shops and facilities.
func (c *client) found() {
	types := table{"facility_type", "facility_type_id, parent_type_id, description", 1}
	for _, parentAndChildren := range []string{
		" VIRTUAL_FACILITY PHYSICAL_STORE DISTRIBUTION_CENTER",
		"VIRTUAL_FACILITY NA PRE_ORDER BACKORDER CONFIGURATION GENERAL_OPERATIONS RELEASED_ORD",
		"PHYSICAL_STORE RETAIL_STORE OUTLET_STORE",
		"DISTRIBUTION_CENTER WAREHOUSE OUTLET_WAREHOUSE",
	} {
		parent, children, _ := strings.Cut(parentAndChildren, " ")
		for id := range strings.FieldsSeq(children) {
			c.put(&fixed{into: types, cells: []any{id, parent, strings.ToLower(id)}})
		}
	}
	facilities := table{"facility", "facility_id, facility_type_id, facility_name", 1}
	for _, typeAndFacilities := range []string{
		"NA _NA_ UNFILLABLE_PARKING UNF_HOLD_PARKING REJECTED_ITM_PARKING PICKUP_REJECTED",
		"PRE_ORDER PRE_ORDER_PARKING",
		"BACKORDER BACKORDER_PARKING",
		"GENERAL_OPERATIONS GENERAL_OPS_PARKING",
		"RELEASED_ORD RELEASED_ORD_PARKING",
		"RETAIL_STORE STORE_1 STORE_2",
		"OUTLET_STORE STORE_3",
		"WAREHOUSE WAREHOUSE_1",
	} {
		kind, ids, _ := strings.Cut(typeAndFacilities, " ")
		for id := range strings.FieldsSeq(ids) {
			c.put(&fixed{into: facilities, cells: []any{id, kind, strings.ToLower(strings.Trim(id, "_"))}})
		}
	}
	stores := table{"product_store", "product_store_id, store_name, default_time_zone_string", 1}
	shops := table{"shopify_shop", "shop_id, product_store_id, name, timezone, is_enabled", 1}
	for i, store := range c.stores {
		c.put(&fixed{into: stores, cells: []any{store, strings.ToLower(store), c.zone.String()}})
		c.put(&fixed{into: shops, cells: []any{shop(i), store, strings.ToLower(store), c.zone.String(), "Y"}})
	}
}

// shop is the id of the Shopify shop that feeds the client's product store of that number.
func shop(store int) string { return fmt.Sprintf("SHOP_%d", store+1) }
