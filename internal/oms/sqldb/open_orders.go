package sqldb

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// fewOrders are looked at with each scrape. More of them are a burden to the database, and where thousands are open,
	// most wait for days.
	fewOrders = 1000
	openEvery = 10 * time.Minute
)

// orderStates are the open states of a sales order; orders_open lists the same.
func orderStates() map[string]oms.OrderStatus {
	return map[string]oms.OrderStatus{
		"ORDER_CREATED": oms.OrderCreated, "ORDER_AUTHORIZED": oms.OrderAuthorized, "ORDER_PROCESSING": oms.OrderProcessing,
		"ORDER_HOLD": oms.OrderHeld, "ORDER_APPROVED": oms.OrderApproved, "ORDER_SENT": oms.OrderSent,
	}
}

// openOrders are all the open orders and where they wait, as of the last look. Whoever has the connection for orders may use
// them.
type openOrders struct {
	at    time.Time // zero when there was none, or it failed
	count int

	open                []oms.OpenOrders
	unfulfilled, parked []oms.WaitingOrders
}

// openOrders looks at the open orders or, where they are many, tells of the last look, if that is not long ago. It returns
// those that Moqui wrote without a stamp; only a look finds them.
func (r *reader) openOrders(ctx context.Context, now time.Time, facts *oms.Orders) (unstamped map[string]*row, err error) {
	last := &r.source.open
	if last.count <= fewOrders || due(now, last.at, openEvery) {
		next := openOrders{at: now}
		if unstamped, err = r.lookAtOrders(ctx, now, &next); err != nil {
			next.at = time.Time{}
		}
		*last = next
	}
	facts.Open, facts.Unfulfilled, facts.Parked = last.open, last.unfulfilled, last.parked
	if err == nil {
		facts.Age = now.Sub(last.at)
		facts.Unfulfilled, facts.Parked = later(last.unfulfilled, facts.Age), later(last.parked, facts.Age)
	}
	return unstamped, err
}

// later keeps the waits as long as they were when they were looked at, so long ago: an order that has left since must not
// come to be late.
func later(waits []oms.WaitingOrders, ago time.Duration) []oms.WaitingOrders {
	waits = slices.Clone(waits)
	for i := range waits {
		if oldest := &waits[i].Oldest; !oldest.IsZero() {
			*oldest = oldest.Add(ago)
		}
	}
	return waits
}

// lookAtOrders fills in what it comes to.
func (r *reader) lookAtOrders(ctx context.Context, now time.Time, found *openOrders) (map[string]*row, error) {
	states, open, stampless := orderStates(), []oms.OpenOrders{}, 0
	err := r.query(ctx, "orders_open", nil, func(rec record) {
		open = append(open, oms.OpenOrders{
			Channel: oms.Channel{ProductStore: rec.text(1), Channel: rec.text(2)},
			Status:  states[rec.text(0)], Count: rec.count(3),
		})
		found.count += rec.count(3)
		stampless += rec.count(4)
	})
	if err != nil {
		return nil, err
	}
	found.open = open
	if err := r.waitingOrders(ctx, now, found); err != nil {
		return nil, err
	}
	unstamped := map[string]*row{}
	if stampless > 0 {
		since := args{"entered_since": r.time(now.Add(-remembered))}
		err = r.query(ctx, "orders_unstamped", since, into(unstamped, decodeOrder))
	}
	return unstamped, err
}

// waitingOrders finds where approved and parked orders wait.
func (r *reader) waitingOrders(ctx context.Context, now time.Time, found *openOrders) error {
	if !r.can("orders_waiting") || !r.can("facility_types") {
		return nil
	}
	places, err := r.places(ctx)
	if err != nil {
		return err
	}
	stages, parked := []oms.WaitingOrders{}, map[string]oms.WaitingOrders{}
	for _, parking := range places.parkings {
		parked[parking] = oms.WaitingOrders{Place: parking}
	}
	err = r.query(ctx, "orders_waiting", args{"virtual": places.virtual, "store": places.store}, func(rec record) {
		waiting := oms.WaitingOrders{Place: rec.text(1), Count: rec.count(2), Oldest: rec.moment(3).at(now)}
		if rec.text(0) == "stage" {
			stages = append(stages, waiting)
		} else {
			parked[waiting.Place] = waiting
		}
	})
	if err != nil {
		return err
	}
	found.unfulfilled, found.parked = stages, []oms.WaitingOrders{}
	for _, parking := range slices.Sorted(maps.Keys(parked)) {
		found.parked = append(found.parked, parked[parking])
	}
	return nil
}
