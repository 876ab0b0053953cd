package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// channelSeparator joins the two parts of a channel into the name of an order's history.
const channelSeparator = "\x00"

func channelOf(name string) oms.Channel {
	store, channel, _ := strings.Cut(name, channelSeparator)
	return oms.Channel{ProductStore: store, Channel: channel}
}

// held is how long an order is held, so that it is counted once only: longer than anything is read again.
const held = 2 * reread

// decodeOrder reads order_columns. The end of an order is when it came.
func decodeOrder(rec record) row {
	r := row{
		id: rec.text(0), common: unique.Make(traits{name: rec.text(1) + channelSeparator + rec.text(2), outcome: "entered"}),
		created: rec.moment(3), stamp: rec.moment(4),
	}
	r.end = first(r.stamp, r.created)
	return r
}

// keepOrders keeps the newest entry of each channel, and holds what is young enough to be read again, so that it is counted
// once only, also where its date of entry is long past or none.
func keepOrders(rows map[string]*row, base, floor time.Time, k *kept) {
	k.counted = base.Add(-held)
	maps.DeleteFunc(rows, func(_ string, r *row) bool { return r.created.hi().Before(floor) && !k.counts(r.end) })
	k.latest(rows, func(r *row) group { return group{"entered", r.traits().name} }, func(r *row) moment { return r.created })
}

func newOrderHistory() *history {
	h := newHistory("orders", decodeOrder, keepOrders)
	h.fresh = held
	return h
}

// Orders implements oms.Source.
func (s *Source) Orders(ctx context.Context, now time.Time) (oms.Orders, error) {
	var facts oms.Orders
	err := s.read(ctx, s.orders, now, func(ctx context.Context, r *reader) error {
		if has, err := r.need(s.orders, "order_header"); !has {
			return err
		}
		lacking := r.createdOrders(ctx, now, &facts)
		if lacking != nil && !errors.As(lacking, new(lackError)) {
			return lacking
		}
		unstamped, err := r.openOrders(ctx, now, &facts)
		if err != nil {
			return err
		}
		h, err := s.advance(ctx, s.orders, r, now, nil, unstamped)
		if h != nil {
			facts.Imports = s.imports.count(h, now)
		}
		if err == nil || errors.Is(err, oms.ErrLookBack) {
			err = errors.Join(err, r.missingOrders(ctx, now, &facts))
		}
		return errors.Join(lacking, err)
	})
	return facts, err
}

// createdOrders tells the excluded orders from those that wait for no known reason.
func (r *reader) createdOrders(ctx context.Context, now time.Time, facts *oms.Orders) error {
	exclude := r.source.client.Orders.CreatedExclude
	if len(exclude.MissingAttributes) > 0 {
		if err := r.schema.need("order_attribute"); err != nil {
			return fmt.Errorf("orders.created_exclude.missing_attributes: %w", err)
		}
	}
	excluded, created := map[string]int{}, []oms.CreatedOrders{}
	named := args{"channels": exclude.Channels}
	for _, c := range exclude.Channels {
		excluded["channel "+c] = 0
	}
	for i, attribute := range exclude.MissingAttributes {
		named["attribute_"+strconv.Itoa(i)] = attribute
		excluded["missing attribute "+attribute] = 0
	}
	ages := oms.CreatedAges()
	for i, age := range ages {
		named["entered_before_"+strconv.Itoa(i)] = r.floor(now.Add(-age))
	}
	err := r.query(ctx, "orders_created", named, func(rec record) {
		channel := oms.Channel{ProductStore: rec.text(0), Channel: rec.text(1)}
		switch why := rec.text(2); why {
		case "":
			waiting := oms.CreatedOrders{Channel: channel, Oldest: rec.moment(4).at(now)}
			for i := range ages {
				waiting.OlderThan = append(waiting.OlderThan, rec.count(5+i))
			}
			created = append(created, waiting)
		case "channel":
			excluded["channel "+channel.Channel] += rec.count(3)
		default:
			i, _ := strconv.Atoi(why) // the statement's own number
			excluded["missing attribute "+exclude.MissingAttributes[i]] += rec.count(3)
		}
	})
	if err == nil {
		facts.Excluded, facts.Created = excluded, created
	}
	return err
}

// imports counts the orders seen entering. The count belongs to this process, as counters do. Whoever has the connection for
// orders may use it.
type imports struct {
	of     *history // from which the last count is
	counts map[unique.Handle[traits]]uint64
}

// count adds what came, and tells of every channel. What was there at first, or when it was looked back again, did not come.
func (c *imports) count(h *history, now time.Time) []oms.Import {
	if c.of != nil && c.of != h { // the look back was made anew: what is in it, and not in the old one, came meanwhile
		clear(h.arrived)
		for _, r := range h.rows {
			if !c.of.holds(r.id) && h.isFresh(r.end, now) {
				h.arrived[r.common]++
			}
		}
		for _, e := range h.counted.entries {
			if !c.of.holds(h.counted.id(e)) && h.isFresh(h.counted.end(e), now) {
				h.arrived[h.counted.kinds[e.kind].common]++
			}
		}
		c.add(c.of.arrived)
	}
	if c.of != nil {
		c.add(h.arrived)
	}
	clear(h.arrived)
	c.of = h
	last := map[unique.Handle[traits]]time.Time{}
	for _, r := range h.rows {
		if entered := r.created.at(now); !entered.Before(now.Add(-remembered)) {
			last[r.common] = newest(last[r.common], entered)
		}
	}
	facts := make([]oms.Import, 0, len(last))
	for common, entered := range last {
		facts = append(facts, oms.Import{Channel: channelOf(common.Value().name), Last: entered, Seen: c.counts[common]})
	}
	return facts
}

func (c *imports) add(arrived map[unique.Handle[traits]]uint64) {
	for channel, n := range arrived {
		c.counts[channel] += n
	}
}
