package quartz

import (
	"fmt"
	"strconv"
	"strings"
)

// A field is one of the seven of an expression.
type field struct {
	name        string
	first, last int
	words       string // names of the values, three letters each
	signs       string // which of ? L W # are allowed
}

// Where the fields stand in an expression.
const (
	atSeconds = iota
	atMinutes
	atHours
	atDays
	atMonths
	atWeekdays
	atYears
)

func allFields() [7]field {
	return [7]field{
		{name: "seconds", last: 59},
		{name: "minutes", last: 59},
		{name: "hours", last: 23},
		{name: "days of the month", first: 1, last: 31, signs: "?LW"},
		{name: "months", first: 1, last: 12, words: "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
		{name: "days of the week", first: 1, last: 7, words: "SUNMONTUEWEDTHUFRISAT", signs: "?L#"},
		{name: "years", first: firstYear, last: lastYear},
	}
}

// An item is one part of the list of a field.
type item struct {
	kind kind
	// from and to are the ends of a range. A single value, and the day of 6L, 15W and 6#3, is both ends. L, L-3 and LW have 0.
	from, to, step int
	stepped        bool // the expression has a step
	n              int  // the number after # or L-, else 0
}

type kind int

const (
	span        kind = iota // a value, a range or *, with or without a step
	toLast                  // 5-L
	question                // ?
	last                    // L, 6L, L-3
	weekday                 // 15W
	lastWeekday             // LW
	nth                     // 6#3
)

// A reader reads the text of a field. It keeps the first error and continues, with 0 for what it could not read.
type reader struct {
	field
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// items reads the list of a field, in upper case. It splits a text in the same order as cron-utils, and ignores the same
// parts: Moqui reads 1-5- as 1-5 and 1W5 as 15W.
func (f field) items(text string) ([]item, error) {
	r := &reader{field: f}
	if strings.HasSuffix(text, ",") {
		r.fail("a comma at the end")
	}
	if day, isLast := strings.CutSuffix(text, "L"); isLast && wordIn(r.words, day) != 0 {
		text = strconv.Itoa(wordIn(r.words, day)) + "L" // cron-utils knows MONL only as the whole field
	}
	var items []item
	for part := range strings.SplitSeq(text, ",") {
		items = append(items, r.item(part))
	}
	return items, r.err
}

func (r *reader) item(text string) item {
	switch {
	case strings.Contains(text, "-"):
		ends := split(text, "-")
		if len(ends) != 2 {
			r.fail("%q is not a range", text)
			return item{}
		}
		if ends[0] == "L" {
			it := r.sign(last, "L")
			it.n = r.value(ends[1])
			return it
		}
		return r.between(ends[0], ends[1])
	case strings.Contains(text, "/"):
		parts := split(text, "/")
		if len(parts) != 2 {
			r.fail("%q does not have one step", text)
			return item{}
		}
		it := item{from: r.first, to: r.last, step: r.step(parts[1], ""), stepped: true}
		if parts[0] != "*" && parts[0] != "" {
			it.from = r.value(parts[0])
		}
		return it
	default:
		return r.single(text)
	}
}

// between reads a range. cron-utils ignores a second step.
func (r *reader) between(from, to string) item {
	it := item{from: r.value(from), step: 1}
	if strings.Contains(to, "/") {
		parts := append(split(to, "/"), "", "")
		to, it.stepped = parts[0], true
		it.step = r.step(parts[1], r.words)
	}
	if to == "L" {
		it.kind = r.sign(toLast, "L").kind
		return it
	}
	it.to = r.value(to)
	if r.first == firstYear && it.from > it.to {
		r.fail("%d is after %d", it.from, it.to)
	}
	return it
}

// single reads a part that is not a range and has no step.
func (r *reader) single(text string) item {
	switch {
	case text == "*":
		return item{from: r.first, to: r.last, step: 1}
	case text == "?":
		return r.sign(question, "?")
	case strings.Contains(text, "#"):
		parts := append(split(text, "#"), "", "")
		it := r.on(nth, "#", parts[0])
		it.n = r.value(parts[1])
		return it
	case text != "" && strings.ReplaceAll(text, "LW", "") == "":
		return r.sign(lastWeekday, "W")
	case text == "L":
		return r.sign(last, "L")
	case strings.Contains(text, "LW"):
		r.fail("%q is not LW", text)
		return item{}
	case hasAfterDigit(text, 'L'):
		return r.on(last, "L", strings.ReplaceAll(text, "L", ""))
	case hasAfterDigit(text, 'W'):
		return r.on(weekday, "W", strings.ReplaceAll(text, "W", ""))
	default:
		return r.on(span, "", text)
	}
}

// on reads a single value, with a sign or without.
func (r *reader) on(k kind, sign, text string) item {
	it := r.sign(k, sign)
	it.from = r.value(text)
	it.to = it.from
	return it
}

func hasAfterDigit(text string, letter byte) bool {
	for i := 1; i < len(text); i++ {
		if text[i] == letter && '0' <= text[i-1] && text[i-1] <= '9' {
			return true
		}
	}
	return false
}

// sign returns an item of that kind, which is for fields that know the sign.
func (r *reader) sign(k kind, sign string) item {
	if !strings.Contains(r.signs, sign) {
		r.fail("%s is not allowed here", sign)
	}
	return item{kind: k, step: 1}
}

// value reads a number or a word that the field allows.
func (r *reader) value(text string) int {
	v := r.number(text, r.words)
	if v < r.first || v > r.last {
		r.fail("%q is not between %d and %d", text, r.first, r.last)
	}
	return v
}

// step reads a step. cron-utils allows one of the size of the field, but not one beyond the last value: */60 is refused.
func (r *reader) step(text, words string) int {
	v, most := r.number(text, words), min(r.last-r.first+1, r.last)
	if v < 1 || v > most {
		r.fail("the step %q is not between 1 and %d", text, most)
	}
	return v
}

func (r *reader) number(text, words string) int {
	if v := wordIn(words, text); v != 0 {
		return v
	}
	v, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		r.fail("%q is not a number", text)
	}
	return int(v)
}

// wordIn returns which of the words text is, counted from 1; 0 if it is none of them.
func wordIn(words, text string) int {
	if at := strings.Index(words, text); len(text) == 3 && at >= 0 && at%3 == 0 {
		return at/3 + 1
	}
	return 0
}

// valuesOf returns the values of a field up to end, bit n for n. Of a descending range cron-utils takes the first value only;
// in a list none, and with a step none if the first value is the end.
func valuesOf(items []item, end int) uint64 {
	var values uint64
	for _, it := range items {
		switch {
		case it.from <= it.to:
			for v := it.from; v <= min(it.to, end); v += it.step {
				values |= 1 << v
			}
		case len(items) == 1 && (it.from < end || it.from == end && !it.stepped):
			values |= 1 << it.from
		}
	}
	return values
}
