package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
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

// decodeOrder reads order_columns.
func decodeOrder(rec record) row {
	return row{
		id: rec.text(0), common: unique.Make(traits{name: rec.text(1) + channelSeparator + rec.text(2), outcome: "entered"}),
		created: rec.moment(3), stamp: rec.moment(4),
	}
}

// keepOrders keeps the newest entry of each channel, and what is young enough to be read again, so that it is counted
// once only.
func keepOrders(rows map[string]row, base, floor time.Time, k *kept) {
	for id, r := range rows {
		if r.created.hi().Before(floor) {
			delete(rows, id)
		} else if first(r.stamp, r.created).hi().After(base.Add(-held)) {
			k.rows[id] = true
		}
	}
	k.latest(rows, func(r row) string { return r.traits().name }, func(r row) moment { return r.created })
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

// imports counts the orders seen entering. The count belongs to this process, as counters do.
type imports struct {
	mu     sync.Mutex
	primed bool
	seen   map[string]bool // the ids held that are counted already
	counts map[oms.Channel]uint64
}

// count adds the rows not seen before and tells of every channel.
func (c *imports) count(h *history, now time.Time) []oms.Import {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := map[oms.Channel]time.Time{}
	seen := map[string]bool{}
	for id, r := range h.rows {
		channel := channelOf(r.traits().name)
		// An open order without a stamp is read again and again, also when it is not held any more.
		if c.primed && !c.seen[id] && first(r.stamp, r.created).hi().After(h.base(now).Add(-held)) {
			c.counts[channel]++
		}
		seen[id] = true
		if entered := r.created.at(now); !entered.Before(now.Add(-remembered)) {
			last[channel] = newest(last[channel], entered)
		}
	}
	c.seen, c.primed = seen, true
	facts := []oms.Import{}
	for channel, entered := range last {
		facts = append(facts, oms.Import{Channel: channel, Last: entered, Seen: c.counts[channel]})
	}
	return facts
}
