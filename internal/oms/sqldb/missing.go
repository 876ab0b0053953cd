package sqldb

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	missingEvery = 10 * time.Minute
	missingAgain = 2 * time.Minute // after a failure
	// importMargin is how long an order may take to come from Shopify into the OMS; HotWax' reconciliation takes as much.
	importMargin = time.Hour
	// reconciledWithin is how long the answer of a daily run counts, which may come some hours late.
	reconciledWithin = 36 * time.Hour
	// reconciledOrders is how old the youngest order of a run may be. That of a day's run is two days old, and some hours,
	// when the next run comes; older ones are from a run that a person made about a time long past.
	reconciledOrders = 3 * 24 * time.Hour
)

// missing is the last answer about the orders that the OMS lacks. Whoever has the connection for orders may use it.
type missing struct {
	at    time.Time
	shops []oms.MissingOrders
	err   error
}

// missingOrders tells of the orders that Shopify has and the OMS lacks, from time to time.
func (r *reader) missingOrders(ctx context.Context, now time.Time, facts *oms.Orders) error {
	last := &r.source.missing
	if !r.can("orders_missing") {
		*last = missing{}
		return nil
	}
	every := missingEvery
	if last.err != nil {
		every = missingAgain
	}
	if due(now, last.at, every) {
		var shops []oms.MissingOrders
		named := args{"created_before": r.floor(now.Add(-importMargin))}
		err := r.query(ctx, "orders_missing", named, func(rec record) {
			run, youngest := rec.moment(1).at(now), rec.moment(2).at(now)
			if now.Sub(run) <= reconciledWithin && now.Sub(youngest) <= reconciledOrders {
				shops = append(shops, oms.MissingOrders{Shop: rec.text(0), Count: rec.count(3)})
			}
		})
		*last = missing{at: now, shops: shops, err: err}
	}
	if last.err != nil {
		return last.err
	}
	if facts.Missing = last.shops; facts.Missing != nil {
		facts.Age = max(facts.Age, now.Sub(last.at))
	}
	return nil
}
