package demo

import (
	"fmt"
	"strings"
	"time"
)

// A row is one row of a table. It may be changed until the end of its life; put has it written.
type row interface {
	table() table
	// values are those of the table's columns. An empty string or zero time becomes NULL.
	values() []any
	meta() *stamps
}

// table names a table and the columns that the demo fills, apart from the timestamps. The first keys columns are its key.
type table struct {
	name, columns string
	keys          int
}

// moqui says that Moqui made the table, with one timestamp.
func (t table) moqui() bool {
	return strings.HasPrefix(t.name, "service_job") || t.name == "system_message"
}

// stamps are the columns of timestamps that say when OFBiz wrote a row. Moqui fills only last_updated_stamp.
type stamps struct {
	created, updated time.Time
	moqui            bool
	unwritten        bool // changed since it was last written
}

func (s *stamps) meta() *stamps { return s }

// values are those of the timestamps in such a table.
func (s *stamps) values(in table) []any {
	if in.moqui() {
		return []any{s.updated}
	}
	if s.moqui {
		return []any{s.updated, nil, nil, nil}
	}
	return []any{s.updated, s.updated, s.created, s.created}
}

const stampColumns = "last_updated_stamp, last_updated_tx_stamp, created_stamp, created_tx_stamp"

// upsert is the statement that writes a row, be it new or not.
func (t table) upsert() string {
	all := t.columns + ", " + stampColumns
	if t.moqui() {
		all = t.columns + ", last_updated_stamp"
	}
	columns := strings.Split(all, ", ")
	var updates []string
	for _, column := range columns[t.keys:] {
		updates = append(updates, column+" = excluded."+column)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s) ON CONFLICT (%s) DO UPDATE SET %s", t.name, all,
		strings.Repeat(", ?", len(columns)-1), strings.Join(columns[:t.keys], ", "), strings.Join(updates, ", "))
}

// fixed is a row whose values are not needed again.
type fixed struct {
	stamps
	into  table
	cells []any
}

func (f *fixed) table() table  { return f.into }
func (f *fixed) values() []any { return f.cells }

// stored is a value as the OMS stores it: times as wall time in the zone of its server, nothing as NULL.
func stored(value any, zone *time.Location) any {
	switch v := value.(type) {
	case string:
		if v == "" {
			return nil
		}
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return v.In(zone).Format(time.DateTime)
	}
	return value
}
