package oms

import "time"

const (
	// LastMileDays is how long ago an order, or a fulfillment, may have entered the OMS to be looked at. What entered before is not
	// counted, whether it arrived or not.
	LastMileDays = 7 * 24 * time.Hour
	// ConfirmedWithin is how long the shop may take to confirm a fulfillment.
	ConfirmedWithin = 4 * time.Hour
)

// LastMile holds the facts about what leaves the OMS for other systems. Of more than 50 000 orders or fulfillments the newest are looked at,
// and of those that Moqui wrote as many.
type LastMile struct {
	// Unsynced has every configured target, with each channel by which an order entered that goes there; a target of none has
	// one without a name.
	Unsynced []UnsyncedOrders
	// Duplicate has every channel by which an order entered. It is not known where there are no orders.
	Duplicate List[DuplicateOrders]
	// Unconfirmed counts the orders with a fulfillment that the shop has not confirmed ConfirmedWithin its entry
	// (order_fulfillment_history.external_fulfillment_id is _NA_); nil where the OMS does not keep them.
	Unconfirmed *int
	// Partial says in words which orders and fulfillments are not looked at. Where there are such, what is counted is the least there is.
	Partial []string
	// Age says how old the answer is.
	Age time.Duration
}

// UnsyncedOrders counts the approved, sent and completed sales orders of one channel that have not reached a target within its
// grace.
type UnsyncedOrders struct {
	Target string
	Channel
	Count int
	// Oldest is when the first of them was approved or, where the OMS does not say, entered; zero where there is none.
	Oldest time.Time
}

// DuplicateOrders counts the sales orders of one channel that are in the OMS already: another one of the same product store has the
// same external id and entered before, or entered within LastMileDays with the same name and another external id. Cancelled and
// rejected orders do not count.
type DuplicateOrders struct {
	Channel
	Count int
}
