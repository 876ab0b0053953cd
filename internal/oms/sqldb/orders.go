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

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// channelName joins the two parts of a channel into the name of an order's history. Each may hold any byte, so the length of
// the first comes before both.
func channelName(store, channel string) string {
	return strconv.Itoa(len(store)) + ":" + store + channel
}

// channelOf is the channel of which channelName made the name.
func channelOf(name string) oms.Channel {
	length, both, _ := strings.Cut(name, ":")
	n, _ := strconv.Atoi(length)
	return oms.Channel{ProductStore: both[:n], Channel: both[n:]}
}

// orderRetention is how long an order counts, so that all recent ones are counted, and each once only.
const orderRetention = oms.RecentOrders + recentMargin

// decodeOrder reads order_columns. The end of an order is when it came.
func (n *names) decodeOrder(rec sqlread.Record) history.Row {
	r := history.Row{
		ID: rec.Text("order_id"), Attrs: unique.Make(history.Attributes{
			Name: n.channel(rec.Text("product_store_id"), rec.Text("sales_channel_enum_id")), Outcome: "entered",
		}),
		Created: rec.Moment("entered"), Stamp: rec.Moment("created_tx_stamp"),
	}
	r.End = walltime.FirstSet(r.Stamp, r.Created)
	return r
}

// keepOrders keeps the newest entry of each channel, and holds what is recent, also where its date of entry is long past or
// none: nothing that is still read again is counted twice.
func keepOrders(rows map[string]*history.Row, base, floor time.Time, k *history.Retained) {
	k.CountSince(base.Add(-orderRetention))
	maps.DeleteFunc(rows, func(_ string, r *history.Row) bool { return r.Created.Latest().Before(floor) && !k.Counts(r.End) })
	k.Latest(rows, func(r *history.Row) history.Group { return history.Group{Kind: "entered", Name: r.Attributes().Name} }, func(r *history.Row) walltime.Moment { return r.Created })
}

// ordersArea is what is known of orders.
type ordersArea struct {
	*area
	channels *names
	unknown  unknownStatuses
	open     openOrders
	missing  missing
	imports  imports

	approved, unfillable firsts
	approvals            oms.Approvals
	unfillables          uint64
}

func newOrdersArea(s *Source) *ordersArea {
	newHistory := func() *history.History {
		return history.NewCounting(s.client.Database.Timezone, keepOrders)
	}
	statements := stampedStatements{
		newest: "orders_newest", changes: "orders_changes", byID: "orders_by_id", unstampedNewest: "orders_unstamped_newest",
	}
	channels := newNames()
	return &ordersArea{
		channels: channels,
		area:     newArea(s, "orders", sqlread.NewLane("orders"), newHistory, stamped(statements, channels.decodeOrder, nil)),
		imports:  imports{counts: map[unique.Handle[history.Attributes]]uint64{}},
		approved: firsts{statement: "orders_approved"}, unfillable: firsts{statement: "orders_unfillable"},
		approvals: oms.Approvals{Within: make([]uint64, len(oms.ApprovalTimes()))},
	}
}

// Orders implements oms.Source.
func (s *Source) Orders(ctx context.Context, now time.Time) (oms.Orders, error) {
	var facts oms.Orders
	err := s.db.Read(ctx, s.orders.lane, now, func(ctx context.Context, r *sqlread.Reader) error {
		if has, err := s.orders.requireTable(r, "order_header"); !has {
			return err
		}
		lacking := s.createdOrders(ctx, r, now, &facts)
		if lacking != nil && !errors.As(lacking, new(sqlread.MissingError)) {
			return lacking
		}
		unstamped, err := s.openOrders(ctx, r, now, &facts)
		if err != nil {
			return err
		}
		h, err := s.orders.advance(ctx, r, now, nil, unstamped)
		if h != nil {
			facts.Imports = s.orders.imports.count(h, now)
		}
		if err == nil || errors.Is(err, oms.ErrIncomplete) {
			s.reachedOrders(ctx, r, now, &facts)
			err = errors.Join(err, s.missingOrders(ctx, r, now, &facts))
		}
		return errors.Join(lacking, err)
	})
	return facts, err
}

// createdOrders tells the excluded orders from those that wait for no known reason.
func (s *Source) createdOrders(ctx context.Context, r *sqlread.Reader, now time.Time, facts *oms.Orders) error {
	exclude := s.client.Orders.CreatedExclude
	if len(exclude.MissingAttributes) > 0 {
		if err := r.Schema.MissingTable("order_attribute"); err != nil {
			return fmt.Errorf("orders.created_exclude.missing_attributes: %w", err)
		}
	}
	excluded, created := map[string]int{}, []oms.CreatedOrders{}
	known := map[oms.Channel]int{} // where each is among them
	named := s.exclusions()
	for _, c := range exclude.Channels {
		excluded["channel "+c] = 0
	}
	for _, attribute := range exclude.MissingAttributes {
		excluded["missing attribute "+attribute] = 0
	}
	ages := oms.CreatedAges()
	older := make([]string, len(ages)) // columns
	for i, age := range ages {
		older[i] = "older_than_" + strconv.Itoa(i)
		named["entered_before_"+strconv.Itoa(i)] = r.Floor(now.Add(-age))
	}
	err := r.Query(ctx, "orders_created", named, func(rec sqlread.Record) {
		switch why := rec.Text("exclusion"); why {
		case "":
			channel := channelOf(s.orders.channels.channel(rec.Text("product_store_id"), rec.Text("sales_channel_enum_id")))
			i, ok := known[channel]
			if !ok {
				i = len(created)
				known[channel] = i
				created = append(created, oms.CreatedOrders{Channel: channel, OlderThan: make([]int, len(older))})
			}
			created[i].Oldest = walltime.Earlier(created[i].Oldest, rec.Moment("oldest").At(now))
			for j, column := range older {
				created[i].OlderThan[j] += rec.Count(column)
			}
		case "channel":
			excluded["channel "+rec.Text("sales_channel_enum_id")] += rec.Count("orders")
		default:
			i, _ := strconv.Atoi(why) // the statement's own number
			excluded["missing attribute "+exclude.MissingAttributes[i]] += rec.Count("orders")
		}
	})
	if err == nil {
		facts.Excluded, facts.Created = excluded, oms.Known(created)
	}
	return err
}

// exclusions are the parameters of the part of that name.
func (s *Source) exclusions() sqlread.Args {
	exclude := s.client.Orders.CreatedExclude
	named := sqlread.Args{"channels": exclude.Channels}
	for i, attribute := range exclude.MissingAttributes {
		named["attribute_"+strconv.Itoa(i)] = attribute
	}
	return named
}

// Attributes implements oms.Source.
func (s *Source) Attributes(ctx context.Context, now time.Time) (oms.List[string], error) {
	var names oms.List[string]
	err := s.db.Read(ctx, s.orders.lane, now, func(ctx context.Context, r *sqlread.Reader) error {
		if !r.Has("orders_attributes") {
			return nil
		}
		var all []string
		err := r.Query(ctx, "orders_attributes", nil, func(rec sqlread.Record) { all = append(all, rec.Text("attr_name")) })
		if err == nil {
			names = oms.Known(all)
		}
		return err
	})
	return names, err
}

// imports counts the orders seen entering. The count belongs to this process, as counters do.
type imports struct {
	of     *history.History // from which the last count is
	counts map[unique.Handle[history.Attributes]]uint64
}

// count adds the orders that came, and lists every channel. What was there at first, or at another backfill, did not come.
func (c *imports) count(h *history.History, now time.Time) []oms.Import {
	for channel, n := range h.Arrivals(c.of, now) {
		c.counts[channel] += n
	}
	c.of = h
	since, last := now.Add(-oms.RecentOrders), map[unique.Handle[history.Attributes]]time.Time{}
	recent := map[unique.Handle[history.Attributes]]int{}
	for channel, came := range h.CountedSince(since, now) {
		recent[channel] = came.Rows
	}
	for _, r := range h.Rows() {
		if !r.End.At(now).Before(since) {
			recent[r.Attrs]++
		}
		if entered := r.Created.At(now); remembered(entered, now) {
			last[r.Attrs] = walltime.Later(last[r.Attrs], entered)
		}
	}
	facts := make([]oms.Import, 0, len(last))
	for common, entered := range last {
		facts = append(facts, oms.Import{
			Channel: channelOf(common.Value().Name), Last: entered, Seen: c.counts[common], Recent: recent[common],
		})
	}
	return facts
}
