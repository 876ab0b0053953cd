package sqldb

import (
	"database/sql"
	"math"
	"strconv"
	"strings"
	"time"
)

// A record is one row of an answer. Drivers differ in the types they deliver (a DECIMAL is a string here and a float
// there, a date a string or a time), so values are read by what is wanted of them. NULL reads as the zero value.
type record struct {
	values []any
	types  []string // the server's names of the columns' types
	zone   *time.Location
}

// text returns column i as text.
func (r record) text(i int) string {
	switch v := r.values[i].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// number returns column i as a count, and whether it is one: it may be NULL. Counters are DECIMAL(20,0) in OFBiz.
func (r record) number(i int) (n int, is bool) {
	if r.null(i) {
		return 0, false
	}
	f, err := strconv.ParseFloat(r.text(i), 64)
	if err != nil || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	return int(min(f, mostCounted)), true
}

// count returns column i, which the statement itself counts: 0 for a SUM over no rows.
func (r record) count(i int) int {
	n, _ := r.number(i)
	return n
}

// null says whether column i is NULL.
func (r record) null(i int) bool { return r.values[i] == nil }

// moment returns column i as a stored time. A date that is none reads as NULL: MySQL's 0000-00-00, the beginning of Unix
// time, which programs write for lack of a better one, whatever is before it, and the year 9999, which stands for "never".
func (r record) moment(i int) moment {
	t, ok := r.values[i].(time.Time)
	if !ok {
		if r.null(i) {
			return moment{}
		}
		var err error
		t, err = time.Parse(time.DateTime, strings.Replace(r.text(i), "T", " ", 1)) // also takes a fraction
		if err != nil {
			return moment{}
		}
	}
	if t.Year() <= 1970 || !t.Before(far) {
		return moment{}
	}
	if r.types[i] == "TIMESTAMPTZ" {
		return instant(t)
	}
	return wall(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), r.zone)
}

// mostCounted is more than anybody counts, and a float64 has no gaps below it.
const mostCounted = 1 << 53

// each calls fn for every row.
func each(rows *sql.Rows, zone *time.Location, fn func(record)) (int, error) {
	columns, err := rows.ColumnTypes()
	if err != nil {
		return 0, err
	}
	rec := record{values: make([]any, len(columns)), types: make([]string, len(columns)), zone: zone}
	into := make([]any, len(columns))
	for i, c := range columns {
		rec.types[i] = c.DatabaseTypeName()
		into[i] = &rec.values[i]
	}
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		fn(rec)
	}
	return n, rows.Err()
}
