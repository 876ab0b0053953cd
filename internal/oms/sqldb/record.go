package sqldb

import (
	"database/sql"
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
	}
	return ""
}

// number returns column i as a whole number. Counters are DECIMAL(20,0) in OFBiz.
func (r record) number(i int) int {
	switch v := r.values[i].(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	}
	f, _ := strconv.ParseFloat(r.text(i), 64) // whatever is not a number is as good as NULL
	return int(f)
}

// null says whether column i is NULL.
func (r record) null(i int) bool { return r.values[i] == nil }

// moment returns column i as a stored time. A date that is none, such as MySQL's 0000-00-00, reads as NULL.
func (r record) moment(i int) moment {
	if t, ok := r.values[i].(time.Time); ok {
		if r.types[i] == "TIMESTAMPTZ" {
			return instant(t)
		}
		return wall(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), r.zone)
	}
	t, err := time.Parse(time.DateTime, strings.Replace(r.text(i), "T", " ", 1)) // also takes a fraction
	if err != nil {
		return moment{}
	}
	return wall(t, r.zone)
}

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
