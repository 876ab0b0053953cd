package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// lastMileEvery is how often it is looked whether orders arrive: they take hours.
const lastMileEvery = 10 * time.Minute

// lastMileAgain is when a read that failed is repeated: its statements are the most expensive ones, so not with the next scrape.
const lastMileAgain = time.Minute

const (
	// mostRecent is how many orders, and how many fulfillments, of the last days are looked at, the newest; of those without a timestamp
	// as many.
	mostRecent = 50_000
	// mostSpans is in how many spans of ids rows without a timestamp are looked for: one for each prefix, and another one where the ids
	// have become longer within the last days.
	mostSpans = 16
)

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
	orders, err := found.recent(ctx, r, now, "orders")
	if err != nil {
		return err
	}
	if err := s.duplicates(ctx, r, orders, &found.facts); err != nil {
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
		if err := s.unsynced(ctx, r, now, orders, target, &found.facts); err != nil {
			return err
		}
	}
	return nil
}

// recent returns the parameters of the statements about the orders or the fulfillments of the last days, and notes which are not
// looked at.
func (a *lastMileArea) recent(ctx context.Context, r *sqlread.Reader, now time.Time, rows string) (sqlread.Args, error) {
	since := now.Add(-oms.LastMileDays)
	named := sqlread.Args{"from": r.Time(since), "entered_since": r.Time(since)}
	var more, unstamped bool
	if bound := rows + "_bound"; r.Has(bound) {
		err := r.Query(ctx, bound, named, func(rec sqlread.Record) {
			more = more || rec.Text("kind") == "more"
			unstamped = unstamped || rec.Text("kind") == "unstamped"
		})
		if err != nil {
			return nil, err
		}
	} else {
		unstamped = true // Moqui made the table
	}
	var ids history.RecentIDs
	if unstamped {
		var err error
		if ids, err = history.FindRecent(ctx, idTable{r, rows, named["entered_since"]}, mostRecent); err != nil {
			return nil, err
		}
	}
	partial := func(format string, args ...any) {
		a.facts.Partial = append(a.facts.Partial, fmt.Sprintf(format, args...))
	}
	if more || ids.More {
		partial("more than %d %s of the last %d days: only the newest are measured", mostRecent, rows, oms.LastMileDays/(24*time.Hour))
	}
	if len(ids.Spans) > mostSpans {
		partial("the ids of %s of the last days have more than %d prefixes: without a timestamp, only those of the first are measured", rows, mostSpans)
	}
	if ids.Strange != "" {
		partial("the ids of %s like %q do not end in a number: those without a timestamp are not measured", rows, ids.Strange)
	}
	nameSpans(named, ids.Spans)
	return named, nil
}

// nameSpans sets the parameters of the template in_spans.
func nameSpans(named sqlread.Args, spans []history.Span) {
	for i := range mostSpans {
		var span history.Span
		if i < len(spans) {
			span = spans[i]
		}
		named[fmt.Sprint("span_from_", i)], named[fmt.Sprint("span_to_", i)] = span.First, span.Last
		named[fmt.Sprint("span_length_", i)] = len(span.First)
	}
}

// idTable reads the ids of orders, of fulfillments, or of their history.
type idTable struct {
	*sqlread.Reader
	rows  string
	since any // from when on they are recent
}

func (t idTable) Last(ctx context.Context, from, to string) (id string, err error) {
	err = t.Query(ctx, t.rows+"_last_id", sqlread.Args{"from": from, "to": to}, func(rec sqlread.Record) { id = rec.Text("id") })
	return id, err
}

func (t idTable) Page(ctx context.Context, from, to string) (page history.IDPage, err error) {
	span := sqlread.Args{"from": from, "to": to, "length": len(from), "entered_since": t.since}
	err = t.Query(ctx, t.rows+"_page_of_ids", span, func(rec sqlread.Record) {
		page = history.IDPage{IDs: rec.Count("ids"), Recent: rec.Count("recent"), Least: rec.Text("least"), Greatest: rec.Text("greatest")}
	})
	return page, err
}

// channelOfOrder reads the channel of a group of orders.
func (s *Source) channelOfOrder(rec sqlread.Record) oms.Channel {
	return channelOf(s.lastMile.channels.channel(rec.Text("product_store_id"), rec.Text("sales_channel_enum_id")))
}

// unsynced counts the orders that have not reached a target.
func (s *Source) unsynced(ctx context.Context, r *sqlread.Reader, now time.Time, orders sqlread.Args, target config.LastMileTarget, facts *oms.LastMile) error {
	named := maps.Clone(orders)
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
func (s *Source) duplicates(ctx context.Context, r *sqlread.Reader, orders sqlread.Args, facts *oms.LastMile) error {
	counts := map[oms.Channel]int{}
	for _, statement := range []string{"orders_duplicate", "orders_renamed"} {
		if !r.Has(statement) {
			continue
		}
		err := r.Query(ctx, statement, orders, func(rec sqlread.Record) {
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
	named, err := s.lastMile.recent(ctx, r, now, "fulfillments")
	if err != nil {
		return err
	}
	named["created_before"] = r.Floor(now.Add(-oms.ConfirmedWithin))
	return r.Query(ctx, "fulfillments_unconfirmed", named, func(rec sqlread.Record) { facts.Unconfirmed = new(rec.Count("orders")) })
}
