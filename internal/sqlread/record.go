package sqlread

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// A Record is one row of an answer. Drivers differ in the types they deliver (a DECIMAL is a string here and a float
// there, a date a string or a time), so values are read by what is wanted of them. NULL reads as the zero value, and so does
// a column that the statement does not return, which makes Query fail.
type Record struct {
	*answer
	values []any
}

// An answer is what the rows of one answer have in common.
type answer struct {
	index   map[string]int // of the columns
	types   []string       // the server's names of the columns' types
	zone    *time.Location
	unknown string // a column that was asked for, and that there is not
}

// NewRecord returns a row as a driver returns it, with the names of its columns and the server's names of their types.
func NewRecord(zone *time.Location, columns, types []string, values []any) Record {
	index := map[string]int{}
	for i, name := range columns {
		index[name] = i
	}
	return Record{&answer{index: index, types: types, zone: zone}, values}
}

// find returns the index of a column.
func (r Record) find(column string) (i int, ok bool) {
	if i, ok = r.index[column]; !ok {
		r.unknown = column
	}
	return i, ok
}

func (r Record) value(column string) any {
	if i, ok := r.find(column); ok {
		return r.values[i]
	}
	return nil
}

// mostText is more than the names and ids of an OMS have.
const mostText = 1024

// Text returns a column as text. Of a text that no OMS would have in a name or an id it returns the beginning, with a digest of all of it,
// so that two such texts stay two.
func (r Record) Text(column string) string {
	text := textOf(r.value(column))
	if len(text) <= mostText {
		return text
	}
	digest := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%s… (%x)", strings.ToValidUTF8(text[:mostText], ""), digest[:8])
}

func textOf(value any) string {
	switch v := value.(type) {
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

// Number returns a column as a count, and whether it is one: it may be NULL. Counters are DECIMAL(20,0) in OFBiz.
func (r Record) Number(column string) (n int, is bool) {
	value := r.value(column)
	if value == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(textOf(value), 64)
	if err != nil || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	return int(min(f, mostCounted)), true
}

// Count returns a column which the statement itself counts: 0 for a SUM over no rows.
func (r Record) Count(column string) int {
	n, _ := r.Number(column)
	return n
}

// Null says whether a column is NULL.
func (r Record) Null(column string) bool { return r.value(column) == nil }

// Moment returns a column as a stored time. A date that is none reads as NULL: MySQL's 0000-00-00, the beginning of Unix
// time, which programs write for lack of a better one, whatever is before it, and the year 9999, which stands for "never".
func (r Record) Moment(column string) walltime.Moment {
	i, ok := r.find(column)
	if !ok || r.values[i] == nil {
		return walltime.Moment{}
	}
	t, ok := r.values[i].(time.Time)
	if !ok {
		var err error
		t, err = time.Parse(time.DateTime, strings.Replace(textOf(r.values[i]), "T", " ", 1)) // also takes a fraction
		if err != nil {
			return walltime.Moment{}
		}
	}
	if t.Year() <= 1970 || !t.Before(walltime.Never) {
		return walltime.Moment{}
	}
	if r.types[i] == "TIMESTAMPTZ" {
		return walltime.Instant(t)
	}
	return walltime.Wall(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), r.zone)
}

// mostCounted is more than anybody counts, and a float64 has no gaps below it.
const mostCounted = 1 << 53

// each calls fn for every row of an answer to the statement.
func (st *statement) each(rows *sql.Rows, zone *time.Location, fn func(Record)) (int, error) {
	columns, err := rows.ColumnTypes()
	if err != nil {
		return 0, err
	}
	if len(columns) != len(st.columns) {
		return 0, fmt.Errorf("%d columns, but the catalogue names %d", len(columns), len(st.columns))
	}
	rec := Record{&answer{index: st.index, types: make([]string, len(columns)), zone: zone}, make([]any, len(columns))}
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
		if fn(rec); rec.unknown != "" {
			return n, fmt.Errorf("there is no column %s", rec.unknown)
		}
	}
	return n, rows.Err()
}
