package main

// states are the signs of oms:check_state (rules/check_state.yml). Each has a shape of its own: not everybody sees the colours.
func states() map[string]result {
	return map[string]result{
		"0": {Text: "✓", Color: "green", Index: 0}, "1": {Text: "!", Color: "orange", Index: 1}, "2": {Text: "✗", Color: "red", Index: 2},
		"3": {Text: "?", Color: "purple", Index: 3}, "4": {Text: "–", Color: "rgba(128, 128, 128, 0.2)", Index: 4},
	}
}

// statesInWords are the same signs with their words.
func statesInWords() map[string]result {
	words := states()
	for value, word := range map[string]string{"0": "ok", "1": "near", "2": "broken", "3": "unknown", "4": "not watched"} {
		sign := words[value]
		sign.Text += " " + word
		words[value] = sign
	}
	return words
}

const statesHelp = "✓ ok · ! near: over 80 % of its limit, or a first sign of a problem · ✗ broken: an alert fires · ? cannot be measured · – not watched for this client. "

// Values of rows about which nothing is known: the state, and of a number what is shown as "?".
const (
	isUnknown = "3"
	notKnown  = "NaN"
)

// missing are the orders that the reconciliation of a shop found missing: it runs once a day.
func missing(by string) string {
	return "max by (" + by + `) (last_over_time(oms_orders_missing{client=~"$client"}[1d]))`
}
