package demo

import (
	"container/heap"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"
)

// client is the simulated OMS of one client: its clock, its events to come, its world, its database, its SFTP server and
// its reports.
type client struct {
	profile
	db     *sql.DB
	insert map[string]*sql.Stmt // by table
	random *rand.Rand

	now       time.Time
	events    events
	sequence  uint64 // of events and of ids
	unwritten []row
	purge     time.Time // finished jobs from before are to be removed

	orders []*order // those that entered lately
	jobs   []*job
	runs   []*run // those that started lately
	due    []*run // those that wait for a scheduler that is down
	feeds  []*feed

	moquiServer moqui // of a client that has one

	uploads []*upload
	shown   atomic.Pointer[shown]
	server  *sftpServer
	reports *reports

	on   map[string]bool // the faults
	hung atomic.Bool     // the fault db-hung, which is asked for while the clock moves
	// What the faults must fix when they are switched off.
	heldOrders map[string][]*order
	heldRuns   map[string][]*run
	flakes     int   // runs of the flaky job
	misdated   []row // written by the wrong zone, in that order
	heldFile   *file
	heldUpload *upload
	flaky      int // files of flakyConfig that ended
}

// newClient sets a client's world going at the given moment. It has no database yet.
func newClient(p profile, now time.Time, seed uint64) *client {
	c := &client{
		profile:    p,
		insert:     map[string]*sql.Stmt{},
		random:     rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // the same seed must give the same rows
		now:        now,
		sequence:   10000,
		on:         map[string]bool{},
		heldOrders: map[string][]*order{},
		heldRuns:   map[string][]*run{},
	}
	c.found()
	c.openChannels()
	c.scheduleJobs()
	c.openFeeds()
	if p.moqui {
		c.openMoqui(seed)
	}
	return c
}

// advance lets everything happen that is due until now, and writes what has changed.
func (c *client) advance(ctx context.Context, now time.Time) error {
	for len(c.events) > 0 && !c.events[0].at.After(now) {
		e := heap.Pop(&c.events).(event)
		c.now = e.at
		e.happen()
	}
	if now.After(c.now) {
		c.now = now
	}
	return c.flush(ctx)
}

// close closes the database and the SFTP server, of which neither may be open.
func (c *client) close() error {
	var errs []error
	if c.server != nil {
		errs = append(errs, c.server.close())
	}
	if c.db != nil {
		errs = append(errs, c.db.Close())
	}
	return errors.Join(errs...)
}

// put has a row written at the next flush, with timestamps of this moment. One that came to be earlier says so itself.
func (c *client) put(r row) {
	m := r.meta()
	if m.created.IsZero() {
		m.created = c.now
	}
	m.updated = c.now
	if !m.unwritten {
		m.unwritten = true
		c.unwritten = append(c.unwritten, r)
	}
}

// id returns a new primary key.
func (c *client) id() string {
	c.sequence++
	return strconv.FormatUint(c.sequence, 10)
}

// between returns a random duration of whole seconds, as the OMS stores no smaller ones.
func (c *client) between(shortest, longest time.Duration) time.Duration {
	return shortest + time.Duration(c.random.Int64N(int64((longest-shortest)/time.Second)+1))*time.Second
}

func (c *client) chance(probability float64) bool { return c.random.Float64() < probability }

// after has something happen in a while.
func (c *client) after(d time.Duration, happen func()) {
	c.sequence++
	heap.Push(&c.events, event{at: c.now.Add(d), sequence: c.sequence, happen: happen})
}

// event is something that will happen. Those of one second happen in the order in which they were planned.
type event struct {
	at       time.Time
	sequence uint64
	happen   func()
}

// events is a heap of events, the next one first.
type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	if c := e[i].at.Compare(e[j].at); c != 0 {
		return c < 0
	}
	return e[i].sequence < e[j].sequence
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}
