// Package oms says in plain types what an order management system (OMS) knows about its orders, jobs and files. It
// knows neither SQL nor Prometheus: a Source produces these facts, package collector turns them into metrics.
//
// A zero time.Time means "there is none". Names and ids are as the OMS writes them; an empty one is NULL there.
package oms

import (
	"context"
	"errors"
	"time"
)

// ErrLookBack is wrapped by the error of a Source whose first look back at the history is not complete yet, and of Reports
// whose first run is under way. The facts returned with it are good, apart from those that are documented to need them.
var ErrLookBack = errors.New("the first look back at the history is not complete")

// A Source measures one client's OMS. "Now" is always the caller's clock, never that of the database.
//
// Each method may return facts and an error at once: the facts are then those that could be had all the same. What could
// not be had is nil, without an error where this vintage of the OMS does not have it. The methods are safe for concurrent
// use and give up when their context ends, which must have a deadline: it becomes the time limit that the server is given.
type Source interface {
	// Instance connects if need be, and tells what kind of OMS was found.
	Instance(ctx context.Context, now time.Time) (Instance, error)
	// Orders measures the guide's order checks. Imports needs the history.
	Orders(ctx context.Context, now time.Time) (Orders, error)
	// Jobs measures the guide's job checks. History needs the history.
	Jobs(ctx context.Context, now time.Time) (Jobs, error)
	// DataManager measures the guide's data-manager checks. History needs the history.
	DataManager(ctx context.Context, now time.Time) (DataManager, error)
	// ResetInventory tells of each configured source's files, in the order of the configuration. It needs the history.
	ResetInventory(ctx context.Context, now time.Time) (ResetInventory, error)
	// SystemMessages counts the integration messages that have not come to their end. Without an error, nil says that
	// this OMS has none: stock OFBiz lacks the table. Several of the facts may have the same labels; their counts add up.
	SystemMessages(ctx context.Context, now time.Time) ([]OpenMessages, error)
	// Close ends running statements and closes the connections.
	Close() error
}

// Generation names the services that write into an OMS database (domain: OFBiz' job_sandbox, Moqui's service_job_run).
type Generation string

// The generations. An instance that was never reached is unknown.
const (
	GenerationUnknown Generation = "unknown"
	GenerationOFBiz   Generation = "ofbiz"
	GenerationMoqui   Generation = "moqui"
	GenerationBoth    Generation = "both"
)

// Instance is what a look at the schema and at the newest stamps shows.
type Instance struct {
	Generation Generation
	Missing    []Column
	// ClockSkew is the newest stamp in the database, read in its configured zone, minus now. It is nil while the stamps
	// do not advance: an idle OMS is not a wrong clock.
	ClockSkew *time.Duration
}

// Column names something of the schema that this vintage lacks. Column is empty where the whole table is missing.
type Column struct{ Table, Column string }

// String is table.column, or the table alone.
func (c Column) String() string {
	if c.Column == "" {
		return c.Table
	}
	return c.Table + "." + c.Column
}

// Channel is where an order comes from: the label set of the order metrics.
type Channel struct{ ProductStore, Channel string }

// Orders holds the facts about open sales orders.
type Orders struct {
	// Open and Created are nil where there are no orders, only jobs or files.
	Open    []OpenOrders
	Created []CreatedOrders
	// Excluded counts created orders set aside by the configured exclusions, by reason. Every configured reason is there.
	Excluded map[string]int
	// Unfulfilled is nil where the tables it needs are missing. Stages without an order are left out.
	Unfulfilled []WaitingOrders
	// Parked has every virtual facility, also those without an order; nil where the tables it needs are missing.
	Parked []WaitingOrders
	// Imports has every channel by which an order entered within the history; nil until the look back is complete.
	Imports []Import
	// Missing has every shop that was lately reconciled with Shopify; of all others nothing is known.
	Missing []MissingOrders
	// Age says how old the oldest part of the answer is: Missing, or Open, Unfulfilled and Parked where these are many.
	Age time.Duration
}

// OrderStatus is an open state of a sales order.
type OrderStatus string

// The open states, in the order of their life cycle (OFBiz: ORDER_CREATED, ORDER_PROCESSING …; held is ORDER_HOLD).
const (
	OrderCreated    OrderStatus = "created"
	OrderAuthorized OrderStatus = "authorized"
	OrderProcessing OrderStatus = "processing"
	OrderHeld       OrderStatus = "held"
	OrderApproved   OrderStatus = "approved"
	OrderSent       OrderStatus = "sent"
)

// OrderStatuses lists every open state.
func OrderStatuses() []OrderStatus {
	return []OrderStatus{OrderCreated, OrderAuthorized, OrderProcessing, OrderHeld, OrderApproved, OrderSent}
}

// OpenOrders counts the open sales orders of one status and channel.
type OpenOrders struct {
	Channel
	Status OrderStatus
	Count  int
}

// CreatedAges are the ages beyond which created orders are counted; 3 h is the guide's limit.
func CreatedAges() []time.Duration {
	return []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}
}

// CreatedOrders tells of the sales orders of one channel that are still created, exclusions apart.
type CreatedOrders struct {
	Channel
	// Oldest is when the oldest of them entered the OMS (entry_date); zero where the OMS does not say.
	Oldest time.Time
	// OlderThan has, for each of CreatedAges, how many entered longer ago.
	OlderThan []int
}

// Stage says where an approved order waits to be fulfilled.
type Stage string

// The stages: waiting to be routed (facility _NA_), in another virtual facility, in a store, in a warehouse.
const (
	StageBrokeringQueue Stage = "brokering_queue"
	StageParking        Stage = "parking"
	StageStore          Stage = "store"
	StageWarehouse      Stage = "warehouse"
)

// Stages lists every stage.
func Stages() []Stage {
	return []Stage{StageBrokeringQueue, StageParking, StageStore, StageWarehouse}
}

// WaitingOrders counts the orders with open items at one place: a Stage or a virtual facility.
type WaitingOrders struct {
	Place string
	Count int
	// Oldest is when the item that waits longest came there: its latest facility change, else the order's approval,
	// else its entry; zero where there is none or the OMS does not say.
	Oldest time.Time
}

// Import tells of the orders that entered the OMS by one channel.
type Import struct {
	Channel
	// Last is the newest entry.
	Last time.Time
	// Seen counts the orders that entered since the look back was complete. It only grows.
	Seen uint64
}

// MissingOrders counts the orders that Shopify has and the OMS lacks, as far as the last reconciliation tells
// (HotWax' generate#OrderReconciliationReport, once a day as a rule, about the orders of the day before). It leaves out
// POS orders and those cancelled in Shopify. Orders younger than an hour do not count, as the import may be on its way, nor
// do those of which it does not say when they were made.
//
// The reconciliation leaves the orders of its last run in a table, until the next. An order that is imported meanwhile
// does not count any more. A shop is known if its run was at most 36 h ago and told of orders of the last 3 days: an old
// table says nothing, and neither does an empty one. Of more than 50 000 orders the count is the least there are.
type MissingOrders struct {
	// Shop is the shop's id or, where the run was told of none, the id of the remote system.
	Shop  string
	Count int
}

// Jobs holds the facts about the job schedulers of both generations. OFBiz' rows in SERVICE_DRAFT are templates and never
// count.
type Jobs struct {
	// Pending are OFBiz' rows that wait for their time, of a recurring job the next one, and Moqui's scheduled jobs that
	// are not in work.
	Pending, Queued, Running int
	// Partial is set where one of two generations could not be read: then those counts are not known.
	Partial bool
	// Runs are the runs in work now; nil where there are no jobs, and then nothing else is known of them either.
	Runs  []Run
	Pools []Pool
	// Locks has every known instance, and _NA_, which stands for all of them. Nil where the table is missing.
	Locks map[string]bool
	// History is nil until the look back is complete.
	History *JobHistory
}

// Run is a job run in work.
type Run struct {
	// JobName is the stable name (see JobName), JobID the row to mend, Instance the server that runs it. A lock of Moqui
	// that is held beyond its run is like a run, with the id of that run.
	JobName, JobID, Instance string
	// Start is zero where the OMS does not say when it was.
	Start time.Time
}

// Pool is an OFBiz thread pool by which jobs are scheduled, or Moqui's scheduler, whose name is moqui.
type Pool struct {
	Name string
	// OldestDue is since when the longest-waiting job is due that the poller should have taken.
	OldestDue time.Time
	// LastStart is the newest start; it needs the history where none is running.
	LastStart time.Time
}

// JobHistory tells of the runs that ended within the last 7 days.
type JobHistory struct {
	Jobs []JobRuns
	// Activity is the newest sign of life by instance id.
	Activity map[string]time.Time
	// Age says how old the oldest part of the answer is.
	Age time.Duration
}

// JobRuns sums up the ended runs of one job.
type JobRuns struct {
	JobName string
	// Failures counts the failed and crashed runs since the last finished one; FirstFailure is when the first of them
	// ended. Both generations make a row for each run of a recurring job, so rows are counted. Moqui does not write that
	// a run crashed; then it ended when it began.
	Failures     int
	FirstFailure time.Time
	// LastSuccess is when the last finished run ended, and LastDuration how long it took; nil where that is not known.
	LastSuccess  time.Time
	LastDuration *time.Duration
}

// DataManager holds the facts about import and export files (data_manager_log).
type DataManager struct {
	// Open is nil where there is no data manager.
	Open []OpenFiles
	// History is nil until the look back is complete.
	History *FileHistory
}

// FileStatus is the state of a file that is waiting or in work.
type FileStatus string

// The open states, normalised from OFBiz' SERVICE_* and Moqui's Dmls* vocabularies. A status of neither is other.
const (
	FilePending FileStatus = "pending"
	FileQueued  FileStatus = "queued"
	FileRunning FileStatus = "running"
	FileOther   FileStatus = "other"
)

// FileStatuses lists every open state.
func FileStatuses() []FileStatus {
	return []FileStatus{FilePending, FileQueued, FileRunning, FileOther}
}

// OpenFiles counts the files of one configuration in one open state.
type OpenFiles struct {
	Config string
	Status FileStatus
	Count  int
	// Oldest is since when the oldest of them runs or, unless it runs, since when it is there; zero where there is none or
	// the OMS does not say.
	Oldest time.Time
}

// FileOutcome is how a file ended.
type FileOutcome string

// The outcomes. A finished file may have refused records: "finished" alone is not "good".
const (
	FileFinished           FileOutcome = "finished"
	FileFinishedWithErrors FileOutcome = "finished_with_errors"
	FileFailed             FileOutcome = "failed"
	FileCrashed            FileOutcome = "crashed"
	FileCancelled          FileOutcome = "cancelled"
)

// FileOutcomes lists every outcome.
func FileOutcomes() []FileOutcome {
	return []FileOutcome{FileFinished, FileFinishedWithErrors, FileFailed, FileCrashed, FileCancelled}
}

// RecentFiles is the window in which FileRuns.Recent counts.
const RecentFiles = 24 * time.Hour

// FileHistory tells of the files that ended within the last 7 days.
type FileHistory struct {
	Configs []FileRuns
	// RefusalsUnknown is set where this vintage does not count refused records. Then RecentFailedRecords means nothing,
	// and no file is known to have finished with errors.
	RefusalsUnknown bool
	// Age says how old the oldest part of the answer is.
	Age time.Duration
}

// FileRuns sums up the ended files of one configuration.
type FileRuns struct {
	Config string
	// LastSuccess is when a file last finished, with or without refused records; LastFailure when one failed or crashed.
	LastSuccess, LastFailure time.Time
	// Recent counts the files that ended within RecentFiles, RecentFailedRecords the records refused in them.
	Recent              map[FileOutcome]int
	RecentFailedRecords int
}

// ResetInventory holds the facts about the reset-inventory files of every configured source.
type ResetInventory struct {
	// Sources is nil until the look back is complete.
	Sources []ResetSource
	// Age says how old the oldest part of the answer is.
	Age time.Duration
}

// ResetSource tells of one source's reset-inventory files.
type ResetSource struct {
	Source string
	// LastProcessed is when a file last finished, LastReceived when one last reached the data manager. Child logs, which
	// repeat a crashed file, do not count as received.
	LastProcessed, LastReceived time.Time
	// LastRecords are the records of the file that ended last, however it did.
	LastRecords Records
	// Running counts the files in work, RunningSince is the start of the one that is longest in work; zero where the OMS
	// does not say.
	Running      int
	RunningSince time.Time
}

// Records counts the records of a file; nil where the OMS does not say.
type Records struct{ Total, Failed *int }

// A Trace is told of every statement of a run: the answer to "why is this red?".
type Trace func(statement string, took time.Duration, rows int, err error)

type traceKey struct{}

// WithTrace returns a context whose runs report to trace.
func WithTrace(ctx context.Context, trace Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, trace)
}

// TraceFrom returns the context's trace, or one that does nothing.
func TraceFrom(ctx context.Context) Trace {
	if t, ok := ctx.Value(traceKey{}).(Trace); ok {
		return t
	}
	return func(string, time.Duration, int, error) {}
}

type scrapeKey struct{}

// WithScrape returns a context that marks everything asked with it as one scrape: what two questions need is then read
// once, and their answers fit together.
func WithScrape(ctx context.Context) context.Context {
	return context.WithValue(ctx, scrapeKey{}, new(byte))
}

// ScrapeFrom returns what is the same for all questions of a scrape and differs from every other; nil outside of scrapes.
func ScrapeFrom(ctx context.Context) any { return ctx.Value(scrapeKey{}) }

// JobName is the name under which a job keeps its history. HotWax schedules a job anew under another row and chain id,
// but its enum id, store and shop stay. Without an enum id it is the job's own name, unless that is all digits: OFBiz
// names a persisted asynchronous call by the clock, so there the service is the name.
func JobName(enum, store, shop, name, service string) string {
	if enum != "" {
		for _, part := range []string{store, shop} {
			if part != "" {
				enum += "/" + part
			}
		}
		return enum
	}
	for _, r := range name {
		if r < '0' || r > '9' {
			return name
		}
	}
	return service
}
