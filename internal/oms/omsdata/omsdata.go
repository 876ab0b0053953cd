// Package omsdata makes the data of a large client's OMS, for the databases that tests look at and "make bench" measures.
// The exporter itself never writes anything.
package omsdata

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// A World is what is in a database: all of it follows from these values. What is open, and how much enters and runs a day,
// does not depend on the length of the past. A large client has 5 million orders, of 3 years, and a month of all else.
type World struct {
	Anchor time.Time     // when the data end
	Orders int           // how many there are; the open ones are among the last 33 000
	Span   time.Duration // for how long there are jobs, files and messages
}

// A table is one to be filled. The tables that no statement of the exporter reads stay empty.
type table struct {
	name, columns string
	rows          func(put)
}

// put writes a row. An empty field is NULL.
type put func(fields ...string)

const stampColumns = "last_updated_stamp, last_updated_tx_stamp, created_stamp, created_tx_stamp"

// tables lists the largest first.
func (w World) tables() []table {
	return append(w.orderTables(), append(w.jobTables(), append(w.fileTables(), w.moquiTables()...)...)...)
}

// at is the time so long before the end of the data.
func (w World) at(ago time.Duration) string { return stamp(w.Anchor.Add(-ago)) }

func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) }

// id returns ids of one length, so that their order as text is that of their making.
func id(i int) string { return strconv.Itoa(10_000_000 + i) }

// dice returns the same number below n for the same i and kind of question.
func dice(kind, i, n int) int {
	pcg := rand.NewPCG(uint64(kind), uint64(i))
	return int(pcg.Uint64() % uint64(n))
}
