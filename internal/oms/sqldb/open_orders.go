package sqldb

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/history"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

const (
	// fewOrders are looked at with each scrape. More of them are a burden to the database, and where thousands are open,
	// most wait for days.
	fewOrders = 1000
	openEvery = 10 * time.Minute
)

// recentlyParked is how long ago an order came to a parking recently.
const recentlyParked = time.Hour

// orderStates are the open states of a sales order.
func orderStates() map[string]oms.OrderStatus {
	return map[string]oms.OrderStatus{
		"ORDER_CREATED": oms.OrderCreated, "ORDER_AUTHORIZED": oms.OrderAuthorized, "ORDER_PROCESSING": oms.OrderProcessing,
		"ORDER_HOLD": oms.OrderHeld, "ORDER_APPROVED": oms.OrderApproved, "ORDER_SENT": oms.OrderSent,
	}
}

// knownOrder reports whether a status of orders is known to be open or final. All others are unknown.
func knownOrder(status string) bool {
	return orderStates()[status] != "" ||
		slices.Contains([]string{"ORDER_COMPLETED", "ORDER_REJECTED", "ORDER_CANCELLED", "ORDER_EXPIRED"}, status)
}

// openOrders are all the open orders and where they wait, as of the last look.
type openOrders struct {
	at    time.Time // zero when there was none, or it failed
	count int

	open        oms.List[oms.OpenOrders]
	merged      int
	unfulfilled oms.List[oms.WaitingOrders]
	parked      []oms.WaitingOrders
}

// openOrders reads the open orders or, where they are many, returns the result of the last read, if that is not long ago. It returns
// those that Moqui wrote without a timestamp; only a read finds them.
func (s *Source) openOrders(ctx context.Context, r *sqlread.Reader, now time.Time, facts *oms.Orders) (unstamped map[string]*history.Row, err error) {
	last := &s.orders.open
	if last.count <= fewOrders || walltime.Due(now, last.at, openEvery) {
		next := openOrders{at: now}
		if unstamped, err = s.lookAtOrders(ctx, r, now, &next); err != nil {
			next.at = time.Time{}
		}
		*last = next
	}
	facts.Merged = last.merged
	facts.Open, facts.Unfulfilled, facts.Parked = last.open, last.unfulfilled, last.parked
	if err == nil {
		facts.Age = now.Sub(last.at)
		facts.Unfulfilled.All, facts.Parked = later(last.unfulfilled.All, facts.Age), later(last.parked, facts.Age)
	}
	return unstamped, err
}

// later keeps the waits as long as they were when they were looked at, so long ago: an order that has left since must not
// come to be late.
func later(waits []oms.WaitingOrders, ago time.Duration) []oms.WaitingOrders {
	waits = slices.Clone(waits)
	for i := range waits {
		for _, oldest := range []*time.Time{&waits[i].Oldest, &waits[i].OldestApproved} {
			if !oldest.IsZero() {
				*oldest = oldest.Add(ago)
			}
		}
	}
	return waits
}

// lookAtOrders fills in what it comes to.
func (s *Source) lookAtOrders(ctx context.Context, r *sqlread.Reader, now time.Time, found *openOrders) (map[string]*history.Row, error) {
	unknown, err := s.orders.unknown.refresh(ctx, r, now, "orders_statuses", knownOrder)
	if err != nil {
		return nil, err
	}
	states, open, stampless := orderStates(), []oms.OpenOrders{}, 0
	known := map[oms.OpenOrders]int{} // where each is among them
	s.orders.channels.merged = 0
	err = r.Query(ctx, "orders_open", sqlread.Args{"unknown": unknown}, func(rec sqlread.Record) {
		group := oms.OpenOrders{
			Channel: channelOf(s.orders.channels.channel(rec.Text("product_store_id"), rec.Text("sales_channel_enum_id"))),
			Status:  cmp.Or(states[rec.Text("status_id")], oms.OrderOther),
		}
		i, ok := known[group]
		if !ok {
			i = len(open)
			known[group] = i
			open = append(open, group)
		}
		open[i].Count += rec.Count("orders")
		found.count += rec.Count("orders")
		stampless += rec.Count("unstamped")
	})
	if err != nil {
		return nil, err
	}
	found.open, found.merged = oms.Known(open), s.orders.channels.merged
	if err := s.waitingOrders(ctx, r, now, found); err != nil {
		return nil, err
	}
	unstamped := map[string]*history.Row{}
	if stampless > 0 {
		since := sqlread.Args{"entered_since": r.Time(now.Add(-history.Remembered))}
		err = r.Query(ctx, "orders_unstamped", since, decodeInto(unstamped, s.orders.channels.decodeOrder))
	}
	return unstamped, err
}

// waitingOrders finds where approved and parked orders wait.
func (s *Source) waitingOrders(ctx context.Context, r *sqlread.Reader, now time.Time, found *openOrders) error {
	if !r.Has("orders_waiting") || !r.Has("facility_types") {
		return nil
	}
	places, err := s.facilities(ctx, r)
	if err != nil {
		return err
	}
	stages, parked := []oms.WaitingOrders{}, map[string]oms.WaitingOrders{}
	for _, parking := range places.parkings {
		parked[parking] = oms.WaitingOrders{Place: parking}
	}
	named := sqlread.Args{
		"virtual": places.virtual, "store": places.store, "waiting": places.waiting, "recent": r.Time(now.Add(-recentlyParked)),
	}
	err = r.Query(ctx, "orders_waiting", named, func(rec sqlread.Record) {
		waiting := oms.WaitingOrders{
			Place: rec.Text("place"), Count: rec.Count("orders"), Recent: rec.Count("recent"),
			Oldest: rec.Moment("oldest").At(now), OldestApproved: rec.Moment("oldest_approved").At(now),
		}
		if rec.Text("kind") == "stage" {
			stages = append(stages, waiting)
		} else {
			parked[waiting.Place] = waiting
		}
	})
	if err != nil {
		return err
	}
	found.unfulfilled, found.parked = oms.Known(stages), []oms.WaitingOrders{}
	for _, parking := range slices.Sorted(maps.Keys(parked)) {
		found.parked = append(found.parked, parked[parking])
	}
	return nil
}
