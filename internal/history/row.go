package history

import (
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// A Row is a job run, a file or an order, as far as its history matters. It is small, because many are held.
type Row struct {
	ID         string
	Attrs      unique.Handle[Attributes]
	Records    Records // of files
	supersedes bool    // it made others of a group superfluous

	Created, Start, End walltime.Moment
	Stamp               walltime.Moment // zero in rows that Moqui wrote
}

// Attributes are what many rows have in common, of which one is held for all of them.
type Attributes struct {
	Name string // the job's stable name, the file's configuration, the order's channel
	// outcome is empty while it has not ended; open is then the status of a job.
	Outcome, Open  string
	Pool, Instance string // of jobs
	Child          bool   // of files: repeats a crashed one
	Manual         bool   // of Moqui's runs: a person or a program began it, not the scheduler
	Cancelled      bool   // of jobs: a person called it off
	Recurring      bool   // of jobs: the row itself says that the job recurs
	Single         bool   // of jobs: it is one call or a further try, and no part of a rhythm
}

// Attributes are those of the row, or none where there is no row.
func (r *Row) Attributes() Attributes {
	if r == nil || r.Attrs == (unique.Handle[Attributes]{}) {
		return Attributes{}
	}
	return r.Attrs.Value()
}

// brief is what is still known of rows that only count.
func (t Attributes) brief() unique.Handle[Attributes] {
	return unique.Make(Attributes{Name: t.Name, Outcome: t.Outcome})
}

// Ended is true if the row describes an end.
func (t Attributes) Ended() bool { return t.Outcome != "" }

// same says whether the facts that others rest on are those of o.
func (r *Row) same(o *Row) bool {
	t, u := r.Attributes(), o.Attributes()
	return t.Name == u.Name && t.Outcome == u.Outcome && t.Pool == u.Pool && t.Instance == u.Instance &&
		t.Child == u.Child && t.Cancelled == u.Cancelled && r.Created.Equal(o.Created) && r.Start.Equal(o.Start) && r.End.Equal(o.End)
}

// continues says whether o is what becomes of the open row r without a person's hand: it starts, and it ends.
func (r *Row) continues(o *Row) bool {
	t, u := r.Attributes(), o.Attributes()
	return !t.Ended() && t.Name == u.Name && t.Pool == u.Pool && (t.Instance == "" || t.Instance == u.Instance) &&
		t.Child == u.Child && r.Created.Equal(o.Created) && (r.Start.IsZero() || r.Start.Equal(o.Start))
}

// Records are the numbers of a file's records.
type Records struct{ Total, Failed Number }

// A Number is 1 more than what the OMS says, and 0 where it does not say: without a pointer, because many are held.
type Number int64

// Noted is the number n, or none.
func Noted(n int, is bool) Number {
	if !is {
		return 0
	}
	return Number(n) + 1
}

// Fact is what is said, or nil.
func (n Number) Fact() *int {
	if n == 0 {
		return nil
	}
	return new(int(n - 1))
}

// Count is what is said, or 0.
func (n Number) Count() int { return int(max(n-1, 0)) }
