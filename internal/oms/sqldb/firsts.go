package sqldb

import (
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
	// firstsEvery is how often approvals and unfillable orders are looked for: reports are about days.
	firstsEvery = 5 * time.Minute
	// A timestamp is the start of its transaction, so rows come late. They are looked for firstsOverlap behind the newest one each time,
	// and history.Reread behind it every lateEvery.
	firstsOverlap = 15 * time.Minute
	lateEvery     = time.Hour
	// firstsWindow is what one statement covers at most, after a failure that lasted.
	firstsWindow = 4 * time.Hour
)

// A historyOfOrders is for the template reached: by which rows of which table an order reaches something.
type historyOfOrders struct {
	tableByID
	Reached string
}

// approvals are the rows by which an order is approved as a whole.
func approvals(table string) historyOfOrders {
	return historyOfOrders{
		tableByID{table, "order_status", "order_status_id", "status_datetime"},
		"COALESCE(status_id, '') = 'ORDER_APPROVED' AND (order_item_seq_id IS NULL OR order_item_seq_id = '_NA_')",
	}
}

// unfillables are the rows that bring an item of an order to a parking for what no facility can fulfill (domain: HotWax' seed data).
func unfillables(table string) historyOfOrders {
	return historyOfOrders{
		tableByID{table, "order_facility_change", "order_facility_change_id", "change_datetime"},
		"COALESCE(facility_id, '') IN (" + quoted([]string{"UNFILLABLE_PARKING", "UNF_HOLD_PARKING"}) + ")",
	}
}

// firsts finds the orders that reach something for the first time, each once, by a history of orders. What was there at the first look
// did not come. Only who has the lane of the orders may use it.
type firsts struct {
	statement, text string

	tried      time.Time // our clock at the last look
	known      bool      // whether it succeeded
	at, lateAt time.Time // our clock at the last look that succeeded, and at the last for what came late
	readTo     time.Time // up to which timestamp all is read
	behind     bool      // whether more is to be read at once
	// seen has when the orders that are still read again reached it.
	seen map[string]time.Time
}

// A first is an order that reached something for the first time.
type first struct{ entered, reached time.Time }

// look returns the orders that reached it since the last look.
func (f *firsts) look(ctx context.Context, r *sqlread.Reader, now time.Time, zone *time.Location, named sqlread.Args) (came []first, err error) {
	if text := r.Text(f.statement); text != f.text { // a column has come or gone
		*f = firsts{statement: f.statement, text: text}
	}
	if f.text == "" || (!f.behind || !f.known) && !walltime.Due(now, f.tried, firstsEvery) {
		return nil, nil
	}
	f.tried, f.known = now, false
	begins := f.seen == nil
	newest, unstamped, err := f.newest(ctx, r, now)
	if err != nil {
		return nil, err
	}
	readTo, until := newest.Earliest(), walltime.Never
	base := walltime.Earlier(readTo, f.readTo)
	behind := readTo.Sub(base) > firstsWindow
	if behind {
		readTo = base.Add(firstsWindow)
		until = newest.Floor(readTo, zone)
	}
	late := begins || walltime.Due(now, f.lateAt, lateEvery)
	overlap, last := firstsOverlap, f.at
	if late {
		overlap = history.Reread
	}
	if begins {
		last = now
	}
	if base.IsZero() { // nothing has a timestamp
		base = now
	}
	named["from"], named["to"] = r.Stored(newest.Floor(base.Add(-overlap), zone)), r.Stored(until)
	named["entered_since"] = r.Time(last.Add(-firstsWindow))
	var ids history.RecentIDs
	if unstamped {
		if ids, err = history.FindRecent(ctx, idTable{r, f.statement, named["entered_since"]}, mostRecent); err != nil {
			return nil, err
		}
	}
	nameSpans(named, ids.Spans)
	found := map[string]time.Time{}
	err = r.Query(ctx, f.statement, named, func(rec sqlread.Record) {
		id, reached := rec.Text("order_id"), rec.Moment("reached")
		if _, twice := found[id]; twice || !f.seen[id].IsZero() {
			return
		}
		found[id] = walltime.FirstSet(rec.Moment("written"), reached).Latest()
		if !begins {
			came = append(came, first{rec.Moment("entered").At(now), reached.At(now)})
		}
	})
	if err != nil {
		return nil, err
	}
	f.known = true
	if f.at, f.readTo, f.behind = now, readTo, behind; late && !behind {
		f.lateAt = now
	}
	read := walltime.Earlier(now, readTo).Add(-history.Reread - firstsWindow)
	maps.DeleteFunc(f.seen, func(_ string, at time.Time) bool { return at.Before(read) })
	if begins {
		f.seen = found
	}
	maps.Copy(f.seen, found)
	return came, nil
}

// newest returns the newest timestamp, where there are any, and whether there are rows without one. One in the future must not hide what
// comes after it; a server's clock may be somewhat ahead.
func (f *firsts) newest(ctx context.Context, r *sqlread.Reader, now time.Time) (newest walltime.Moment, unstamped bool, err error) {
	statement := f.statement + "_newest"
	if !r.Has(statement) { // Moqui made the table
		return newest, true, nil
	}
	before := sqlread.Args{"to": r.Time(now.Add(firstsOverlap))}
	err = r.Query(ctx, statement, before, func(rec sqlread.Record) {
		if rec.Count("unstamped") > 0 {
			unstamped = true
			return
		}
		newest = rec.Moment("newest")
	})
	return newest, unstamped, err
}

// reachedOrders counts the approvals and the unfillable orders since the first look at each. What is not counted yet is no older answer:
// it is counted with the next look.
func (s *Source) reachedOrders(ctx context.Context, r *sqlread.Reader, now time.Time, facts *oms.Orders) {
	a := s.orders
	for _, o := range s.cameTo(ctx, r, now, &a.approved) {
		if !o.entered.IsZero() {
			a.approvals.Add(o.reached.Sub(o.entered))
		}
	}
	if a.approved.known {
		facts.Approvals = &oms.Approvals{Count: a.approvals.Count, Within: slices.Clone(a.approvals.Within), Total: a.approvals.Total}
	}
	a.unfillables += uint64(len(s.cameTo(ctx, r, now, &a.unfillable)))
	if a.unfillable.known {
		facts.Unfillable = new(a.unfillables)
	}
}

// cameTo looks, and logs what goes wrong: what only reports are made of must not make the other facts about orders fail.
func (s *Source) cameTo(ctx context.Context, r *sqlread.Reader, now time.Time, f *firsts) []first {
	came, err := f.look(ctx, r, now, s.client.Database.Timezone, s.exclusions())
	if err != nil {
		s.logger.Warn("orders are not counted", "statement", f.statement, "err", s.db.Describe(ctx, err))
	}
	return came
}
