package main

import (
	"fmt"
	"strconv"
)

// States in the order of what is to be done about them: the greatest counts.
const (
	unwatched = iota - 1
	well
	unknown
	look
	bad
)

// states are the signs for them. Each has a shape of its own: not everybody sees the colours.
func states() map[string]result {
	signs := map[string]result{}
	for i, sign := range []result{
		{Text: "–", Color: "rgba(128, 128, 128, 0.2)"}, {Text: "✓", Color: "green"}, {Text: "?", Color: "purple"},
		{Text: "!", Color: "orange"}, {Text: "✗", Color: "red"},
	} {
		sign.Index = i
		signs[strconv.Itoa(i+unwatched)] = sign
	}
	return signs
}

const statesHelp = "✓ well · ! beyond 80 % of its limit, or needs a look · ✗ beyond its limit, as the alerts judge · ? cannot be measured · – not watched at this client. Beside the sign stands the greatest value; the sign judges each by its own limit."

// byLimit judges ages by their share of a limit, to which the labels belong: well, look or bad.
func byLimit(age, labels, limit string) string {
	of := share(age, labels, limit)
	return fmt.Sprintf("(%s > bool 1)\n+ 2 * (%s > bool 0.8)", of, of)
}

func share(age, labels, limit string) string {
	return fmt.Sprintf("max by (client) (%s / on (%s) group_left () %s)", age, labels, limit)
}

// firing is a state where one of the alerts fires, and absent elsewhere: of what is judged in more than one way.
func firing(state int, alerts string) string {
	return fmt.Sprintf(`%d + 0 * count by (client) (ALERTS{alertname=~"%s", alertstate="firing"})`, state, alerts)
}

// missing are the orders that the reconciliation of a shop found missing: it runs once a day.
func missing(by string) string {
	return "max by (" + by + `) (last_over_time(oms_orders_missing{client=~"$client"}[1d]))`
}

// due is the time to the next deadline of a reset-inventory file that has no file yet, by client, source and deadline, or
// less than 0: for how long one has been missed. Deadlines and files are those of rules/limits.yml, or of the client's entry, and
// rules/reset_inventory.yml. Where the next deadline has its file, the one after it is taken for a day later: on days with a change of
// the clocks that is an hour off, and before days off it is too soon.
const due = `-oms:reset_inventory_missed_seconds
or
oms:reset_inventory_until_deadline_seconds
+ 86400 * (
  oms:reset_inventory_until_deadline_seconds + on (client, source) group_left () oms:reset_inventory_age_seconds
  <= bool on (client, source, deadline) oms:reset_inventory_next_window_seconds
)`

// watched picks the selected clients from an expression by client and perhaps more, also those of which no more is known
// than that they were watched within a day.
func watched(expr string) string {
	return "(\n" + expr + "\n)\n* on (client) group_left () oms:client{client=~\"$client\"}"
}
