package sqldb

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
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

// missing is the last answer about the orders that the OMS lacks.
type missing struct {
	at      time.Time
	shops   []oms.MissingOrders
	refused atomic.Bool // the server refused the question
}

// missingOrders counts the orders that Shopify has and the OMS does not, from time to time. Where the server refuses the question
// itself, as it does of a column that cannot be compared, they are not known, and Instance tells that the table is as good as
// missing: the other facts about orders do not depend on it. So they do not wait for it either, where somebody locks the table: it has
// half of the time that is left.
func (s *Source) missingOrders(ctx context.Context, r *sqlread.Reader, now time.Time, facts *oms.Orders) error {
	last := &s.orders.missing
	if !r.Has("orders_missing") {
		last.at, last.shops = time.Time{}, nil
		last.refused.Store(false)
		return nil
	}
	if deadline, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	every := missingEvery
	if last.refused.Load() {
		every = missingAgain
	}
	if walltime.Due(now, last.at, every) {
		var shops []oms.MissingOrders
		named := sqlread.Args{"created_before": r.Floor(now.Add(-importMargin))}
		err := r.Query(ctx, "orders_missing", named, func(rec sqlread.Record) {
			run, youngest := rec.Moment("reconciled").At(now), rec.Moment("youngest").At(now)
			if now.Sub(run) <= reconciledWithin && now.Sub(youngest) <= reconciledOrders {
				shops = append(shops, oms.MissingOrders{Shop: rec.Text("shop"), Count: rec.Count("orders")})
			}
		})
		refused := sqlread.StatementRefused(err)
		switch {
		case refused:
			if !last.refused.Load() {
				s.logger.Warn("orders that are missing in the OMS cannot be counted", "err", s.db.Describe(ctx, err))
			}
			shops = nil
		case err != nil:
			return err
		}
		last.refused.Store(refused)
		last.at, last.shops = now, shops
	}
	if facts.Missing = last.shops; facts.Missing != nil {
		facts.Age = max(facts.Age, now.Sub(last.at))
	}
	return nil
}
