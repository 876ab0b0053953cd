package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// lastMileEvery is how often it is looked whether orders arrive: they take hours.
const lastMileEvery = 10 * time.Minute

// lastMileAgain is when a read that failed is repeated: its statements are the most expensive ones, so not with the next scrape.
const lastMileAgain = time.Minute

// lastMileArea is what was found at the last read. Only who has its lane may use it.
type lastMileArea struct {
	lane     sqlread.Lane
	channels *names

	tried time.Time // of the last read; zero when there was none
	err   error     // why it failed
	facts oms.LastMile
	// lacking is what this OMS version does not have to measure a target.
	lacking error
}

func newLastMileArea() *lastMileArea {
	return &lastMileArea{lane: sqlread.NewLane("the last mile"), channels: newNames(channelName(oms.Other, oms.Other))}
}

// LastMile implements oms.Source.
func (s *Source) LastMile(ctx context.Context, now time.Time) (oms.LastMile, error) {
	a := s.lastMile
	var facts oms.LastMile
	err := s.db.Read(ctx, a.lane, now, func(ctx context.Context, r *sqlread.Reader) error {
		every := lastMileEvery
		if a.err != nil {
			every = lastMileAgain
		}
		if walltime.Due(now, a.tried, every) {
			a.tried, a.facts, a.lacking = now, oms.LastMile{}, nil
			a.err = s.readLastMile(ctx, r, now)
		}
		facts = a.facts
		facts.Unsynced = slices.Clone(facts.Unsynced)
		if a.err == nil {
			facts.Age = now.Sub(a.tried)
		}
		for i, o := range facts.Unsynced {
			if !o.Oldest.IsZero() { // it may have arrived since the read, and must not become late
				facts.Unsynced[i].Oldest = o.Oldest.Add(facts.Age)
			}
		}
		return errors.Join(a.err, a.lacking)
	})
	return facts, err
}

// readLastMile fills in what it reaches.
func (s *Source) readLastMile(ctx context.Context, r *sqlread.Reader, now time.Time) error {
	if has, err := s.requireTable(r, "order_header"); !has {
		return err
	}
	found := s.lastMile
	if err := s.duplicates(ctx, r, now, &found.facts); err != nil {
		return err
	}
	if err := s.unconfirmed(ctx, r, now, &found.facts); err != nil {
		return err
	}
	for _, target := range s.client.LastMile {
		if err := lacksTarget(r, target); err != nil {
			found.lacking = errors.Join(found.lacking, fmt.Errorf("last_mile target %s: %w", target.Target, err))
			continue
		}
		if err := s.unsynced(ctx, r, now, target, &found.facts); err != nil {
			return err
		}
	}
	return nil
}

// lastDays are the parameters of what is driven by the last days.
func lastDays(r *sqlread.Reader, now time.Time) sqlread.Args {
	since := now.Add(-oms.LastMileDays)
	return sqlread.Args{"from": r.Time(since), "entered_since": r.Time(since)}
}

// channelOfOrder reads the channel of a group of orders.
func (s *Source) channelOfOrder(rec sqlread.Record) oms.Channel {
	return channelOf(s.lastMile.channels.channel(rec.Text("product_store_id"), rec.Text("sales_channel_enum_id")))
}

// unsynced counts the orders that have not reached a target.
func (s *Source) unsynced(ctx context.Context, r *sqlread.Reader, now time.Time, target config.LastMileTarget, facts *oms.LastMile) error {
	named := lastDays(r, now)
	named["now"], named["approved_before"] = r.Time(now), r.Floor(now.Add(-target.Grace))
	named["types"], named["attributes"], named["external_id"] = target.IdentificationTypes, target.Attributes, "N"
	if target.ExternalID {
		named["external_id"] = "Y"
	}
	var found []oms.UnsyncedOrders
	known := map[oms.Channel]int{} // where each is among them
	err := r.Query(ctx, "orders_unsynced", named, func(rec sqlread.Record) {
		if len(target.Channels) > 0 && !slices.Contains(target.Channels, rec.Text("sales_channel_enum_id")) {
			return
		}
		channel := s.channelOfOrder(rec)
		i, ok := known[channel]
		if !ok {
			i = len(found)
			known[channel] = i
			found = append(found, oms.UnsyncedOrders{Target: target.Target, Channel: channel})
		}
		if count := rec.Count("unsynced"); count > 0 { // else the first is within its grace
			found[i].Count += count
			found[i].Oldest = walltime.Earlier(found[i].Oldest, rec.Moment("oldest").At(now))
		}
	})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		found = []oms.UnsyncedOrders{{Target: target.Target}}
	}
	facts.Unsynced = append(facts.Unsynced, found...)
	return nil
}

// lacksTarget returns an error where this OMS version does not record whether an order has reached a target.
func lacksTarget(r *sqlread.Reader, target config.LastMileTarget) error {
	needs := []string{"order_status"}
	if len(target.IdentificationTypes) > 0 {
		needs = append(needs, "order_identification")
	}
	if len(target.Attributes) > 0 {
		needs = append(needs, "order_attribute")
	}
	for _, table := range needs {
		if err := r.Schema.MissingTable(table); err != nil {
			return err
		}
	}
	if target.ExternalID && !r.Schema.Column("order_header", "external_id") {
		return sqlread.MissingColumn("order_header", "external_id")
	}
	return nil
}

// duplicates counts the orders that are there more than once: by external id and by name, as far as this OMS version has them.
func (s *Source) duplicates(ctx context.Context, r *sqlread.Reader, now time.Time, facts *oms.LastMile) error {
	counts := map[oms.Channel]int{}
	for _, statement := range []string{"orders_duplicate", "orders_renamed"} {
		if !r.Has(statement) {
			continue
		}
		err := r.Query(ctx, statement, lastDays(r, now), func(rec sqlread.Record) {
			counts[s.channelOfOrder(rec)] += rec.Count("duplicate")
		})
		if err != nil {
			return err
		}
		facts.Duplicate.Known = true
	}
	for channel, n := range counts {
		facts.Duplicate.All = append(facts.Duplicate.All, oms.DuplicateOrders{Channel: channel, Count: n})
	}
	return nil
}

// unconfirmed counts the orders whose fulfillments the shop does not confirm.
func (s *Source) unconfirmed(ctx context.Context, r *sqlread.Reader, now time.Time, facts *oms.LastMile) error {
	if !r.Has("fulfillments_unconfirmed") {
		return nil
	}
	named := lastDays(r, now)
	named["created_before"] = r.Floor(now.Add(-oms.ConfirmedWithin))
	return r.Query(ctx, "fulfillments_unconfirmed", named, func(rec sqlread.Record) { facts.Unconfirmed = new(rec.Count("orders")) })
}
