// Package oms says in plain types what an order management system (OMS) knows about its orders, jobs and files. It
// knows neither SQL nor Prometheus: a Source produces these facts, package collector turns them into metrics.
//
// What is not known is distinguished from what is none in one way: a pointer is nil, a List is not Known. A zero time.Time means "there
// is none". Names and ids are as the OMS writes them; an empty one is NULL there.
package oms

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrIncomplete is wrapped by an error that only says that something is still to be read for the first time: the history of
// a Source, or the charts of Reports. The facts returned with it are good, apart from those that are documented to need more.
var ErrIncomplete = errors.New("the answer is not complete yet")

// A List is a list that may not be known, which its zero value is not. One that is known may well be empty.
type List[T any] struct {
	Known bool
	All   []T
}

// Known is the list of all that there is.
func Known[T any](all []T) List[T] { return List[T]{true, all} }

// A Source measures one client's OMS. "Now" is always the caller's clock, never that of the database.
//
// Each method may return facts and an error at once: the facts are then those that could be had all the same. What could
// not be had is not known, without an error where this OMS version does not have it. The methods are safe for concurrent
// use and give up when their context ends, which must have a deadline: it becomes the time limit that the server is given.
type Source interface {
	// Instance connects if need be, and tells what kind of OMS was found.
	Instance(ctx context.Context, now time.Time) (Instance, error)
	// Clock compares the timestamps that the other methods have read so far with now. It asks the database nothing.
	Clock(now time.Time) Clock
	// Orders measures the guide's order checks. Imports needs the history.
	Orders(ctx context.Context, now time.Time) (Orders, error)
	// LastMile measures whether orders reach the systems behind the OMS, and each of them once. It does not need the history.
	LastMile(ctx context.Context, now time.Time) (LastMile, error)
	// Attributes has the names of the attributes that approved orders have; not known where there are no attributes. It looks
	// at some orders only.
	Attributes(ctx context.Context, now time.Time) (List[string], error)
	// Survey has what only the command discover asks for. It does not need the history.
	Survey(ctx context.Context, now time.Time) (Survey, error)
	// LastFiles has the files of a configuration of the data manager that set or changed something, at most the last 500 that came,
	// by when they were processed.
	LastFiles(ctx context.Context, now time.Time, config string) ([]time.Time, error)
	// Jobs measures the guide's job checks. History needs the history.
	Jobs(ctx context.Context, now time.Time) (Jobs, error)
	// DataManager measures the guide's data-manager checks. History needs the history.
	DataManager(ctx context.Context, now time.Time) (DataManager, error)
	// ResetInventory describes each configured source's files, in the order of the configuration. It needs the history.
	ResetInventory(ctx context.Context, now time.Time) (ResetInventory, error)
	// SystemMessages counts the integration messages that are not finished. Without an error, not known
	// says that this OMS has none: stock OFBiz lacks the table. Several of the facts may have the same labels; their counts add up.
	SystemMessages(ctx context.Context, now time.Time) (List[OpenMessages], error)
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

// Instance is what a look at the schema shows.
type Instance struct {
	Generation Generation
	Missing    []Column
}

// Lacking is what is missing and should be there: an OMS with one generation of services lacks the tables of the other.
func (i Instance) Lacking() []Column {
	return slices.DeleteFunc(slices.Clone(i.Missing), func(c Column) bool {
		moqui := strings.HasPrefix(c.Table, "service_job") || c.Table == "system_message"
		return c.Column == "" && (i.Generation == GenerationOFBiz && moqui ||
			i.Generation == GenerationMoqui && !moqui && c.Table != "order_header")
	})
}

// Clock is how the database's timestamps, read in its configured zone, compare with now. Nothing of it is known before the first
// timestamp has been read.
type Clock struct {
	// Skew is how far they are ahead of now; below 0, behind. It is nil while nothing shows it: a database to which nobody writes
	// does not have a wrong clock.
	Skew *time.Duration
	// Stillness is how long ago anything was last written, whatever the skew.
	Stillness *time.Duration
	// Fitting names the zones in which the OMS may really write. It is empty while the configured zone fits, and where no zone
	// explains the skew.
	Fitting string
	// Zoned: the newest timestamp has a zone of its own, so that the configured one does not matter for it.
	Zoned bool
	// Instances has the skew of each application server that lately began a job.
	Instances map[string]time.Duration
}

// Column names something of the schema that this OMS version does not have. Column is empty where the whole table is missing.
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
	// Open and Created are not known where there are no orders, only jobs or files.
	Open    List[OpenOrders]
	Created List[CreatedOrders]
	// Excluded counts created orders set aside by the configured exclusions, by reason. Every configured reason is there.
	Excluded map[string]int
	// Unfulfilled is not known where the tables it needs are missing. Stages without an order are left out.
	Unfulfilled List[WaitingOrders]
	// Parked has every virtual facility, also those without an order; none where the tables it needs are missing.
	Parked []WaitingOrders
	// Imports has every channel by which an order entered within the history; none until the backfill is complete.
	Imports []Import
	// Approvals and Unfillable count since the first look at them; nil before it, and where the OMS does not keep what they need.
	Approvals *Approvals
	// Unfillable counts the orders that entered a parking for what no facility can fulfill for the first time, whatever the routing
	// retries, without excluded orders.
	Unfillable *uint64
	// Missing has every shop that was lately reconciled with Shopify; of all others nothing is known.
	Missing []MissingOrders
	// Merged is how many groups of open orders are counted in others, because a client has no more than some thousand channels.
	// Those beyond are one, whose store and channel are Other.
	Merged int
	// Age says how old the oldest part of the answer is: Missing, or Open, Unfulfilled and Parked where these are many.
	Age time.Duration
}

// Other stands for all names beyond those that are counted separately.
const Other = "other"

// OrderStatus is an open state of a sales order.
type OrderStatus string

// The open states, in the order of their life cycle (OFBiz: ORDER_CREATED, ORDER_PROCESSING …; held is ORDER_HOLD). A status
// that is unknown is other: it may be open. Of those no more than 10 000 orders are counted.
const (
	OrderCreated    OrderStatus = "created"
	OrderAuthorized OrderStatus = "authorized"
	OrderProcessing OrderStatus = "processing"
	OrderHeld       OrderStatus = "held"
	OrderApproved   OrderStatus = "approved"
	OrderSent       OrderStatus = "sent"
	OrderOther      OrderStatus = "other"
)

// OrderStatuses lists every open state.
func OrderStatuses() []OrderStatus {
	return []OrderStatus{OrderCreated, OrderAuthorized, OrderProcessing, OrderHeld, OrderApproved, OrderSent, OrderOther}
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

// CreatedOrders describes the sales orders of one channel that are still created, exclusions apart.
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
	// Oldest is since when the item waits that waits longest: since it last left a store, a warehouse or a parking for goods
	// that are not there yet, else since the order's approval, else since its entry. A routing that takes it back to the
	// queue and gives up again does not end its wait. Zero where there is none or the OMS does not say.
	Oldest time.Time
	// OldestApproved is when the order was approved that was so longest ago, whatever places its items have been to since;
	// for one that is not approved, when it entered.
	OldestApproved time.Time
	// Recent counts the orders whose wait began within the last hour: they came there, and were not in the queue or another
	// virtual facility before.
	Recent int
}

// Import describes the orders that entered the OMS by one channel.
type Import struct {
	Channel
	// Last is the newest entry.
	Last time.Time
	// Seen counts the orders that entered since the backfill was complete. It only grows.
	Seen uint64
	// Recent counts those that entered within RecentOrders, whenever the backfill was complete.
	Recent int
}

// RecentOrders is the window in which Import.Recent counts.
const RecentOrders = 24 * time.Hour

// Approvals are the sales orders that were approved for the first time, without excluded orders and those whose entry is not known. It
// only grows.
type Approvals struct {
	Count uint64
	// Within has, for each of ApprovalTimes, how many were approved within that time since their entry (entry_date); Total is the
	// time of all.
	Within []uint64
	Total  time.Duration
}

// Add counts an order that was approved so long after its entry.
func (a *Approvals) Add(took time.Duration) {
	took = max(took, 0) // clocks differ
	a.Count++
	a.Total += took
	for i, within := range ApprovalTimes() {
		if took <= within {
			a.Within[i]++
		}
	}
}

// ApprovalTimes are the times within which approved orders are counted; 3 h is the guide's limit.
func ApprovalTimes() []time.Duration {
	return []time.Duration{
		5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
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

// LongWait is how long a run must be due, and not begun, to be told of by itself.
const LongWait = 15 * time.Minute

// JobGeneration says which services run a job: the fix depends on it.
type JobGeneration string

// The generations of jobs: rows of job_sandbox, and runs of service_job.
const (
	JobOfOFBiz JobGeneration = "ofbiz"
	JobOfMoqui JobGeneration = "moqui"
)

// Jobs holds the facts about the job schedulers of both generations. OFBiz' rows in SERVICE_DRAFT are templates and never
// count. A row without a status counts as pending: OFBiz runs it.
type Jobs struct {
	// Pending are OFBiz' rows that wait for their time, of a recurring job the next one, and Moqui's scheduled jobs that
	// are not in progress.
	Pending, Queued, Running int
	// Partial is set where one of two generations could not be read: then those counts are not known.
	Partial bool
	// Runs are the runs in progress now; not known where there are no jobs, and then nothing else is known of them either.
	Runs List[Run]
	// Waits are the runs that are due for longer than LongWait and have not begun, the longest 500 of OFBiz'.
	Waits []Wait
	Pools []Pool
	// Claims says by instance since when the first run waits that it claimed and has not begun. An instance that has
	// claimed nothing may be missing.
	Claims map[string]time.Time
	// Scheduled are the names of the jobs of which anything is open: pending, queued or running, or an active schedule that
	// Moqui takes. A row that OFBiz never starts is none: pending without a time, or queued although it began or was cancelled.
	Scheduled map[string]bool
	// Unreadable are Moqui's active jobs whose schedule Moqui refuses, so that it never runs them.
	Unreadable []string
	// Locks has every known instance, and _NA_, which stands for all of them. It is empty where the table is missing.
	Locks map[string]bool
	// History is nil until the backfill is complete.
	History *JobHistory
}

// Run is a job run in progress.
type Run struct {
	// JobName is the stable name (see JobName), JobID the row to edit, Instance the server that runs it. A lock of Moqui
	// that is held beyond its run is like a run, with the id of that run.
	JobName, JobID, Instance string
	Generation               JobGeneration
	// Start is zero where the OMS does not say when it was.
	Start time.Time
}

// Wait is a run that is due and has not begun.
type Wait struct {
	// JobName is the stable name (see JobName), JobID the row to edit; empty where Moqui has not made one yet. Instance is
	// the server that claimed it, if any.
	JobName, JobID, Pool, Instance string
	Generation                     JobGeneration
	// Since is when it was due or, if that is later, when its row came to be as it is: nobody waits longer than that.
	Since time.Time
}

// Pool is an OFBiz thread pool by which jobs are scheduled, or Moqui's scheduler, whose name is moqui.
type Pool struct {
	Name string
	// OldestDue is since when the longest-waiting run is due that has not begun, whether a server claimed it or not.
	OldestDue time.Time
	// LastStart is the newest start; it needs the history where none is running.
	LastStart time.Time
}

// JobHistory describes the runs that ended within the last 7 days.
type JobHistory struct {
	Jobs []JobRuns
	// Activity is the last activity by instance id.
	Activity map[string]time.Time
	// Age says how old the oldest part of the answer is.
	Age time.Duration
}

// RecentRuns is the window in which JobRuns.Recent counts.
const RecentRuns = 24 * time.Hour

// JobRuns sums up the runs of one job.
type JobRuns struct {
	JobName string
	// Failures counts the failed and crashed runs since the last finished one; FirstFailure is when the first of them
	// ended. Both generations make a row for each run of a recurring job, so rows are counted. Moqui does not write that
	// a run crashed; then it ended when it began. A row that a person set to an end by hand has none, and is no failure.
	Failures     int
	FirstFailure time.Time
	// LastFailed is the last of them; nil where there is none.
	LastFailed *FailedRun
	// LastSuccess is when the last finished run ended, and LastDuration how long it took; nil where that is not known.
	LastSuccess  time.Time
	LastDuration *time.Duration
	// Recent counts the runs that ended within RecentRuns, RecentFailures those of them that failed or crashed.
	Recent, RecentFailures int
	// UsualInterval is the median gap between the last starts; nil where there are fewer than five, or two of a job whose rows say that
	// it recurs. Further tries and single asynchronous calls of OFBiz, and runs that Moqui's scheduler did not begin, are left out.
	UsualInterval *time.Duration
	// UsualDuration is how long 95 % of the last 20 successes took at most, of the last 7 days; nil where there are fewer than ten.
	UsualDuration *time.Duration
	// Expected is when a job of OFBiz should begin next by that rhythm. It is zero where there is none: of a job that does
	// not recur, and of one that a person called off.
	Expected time.Time
	// Unclear is set if too little is known to say that a job without an open row will not run again: of one that recurs, that nobody called
	// off and that did not fail, just the last start.
	Unclear bool
}

// FailedRun is a run that failed.
type FailedRun struct {
	JobID      string
	Generation JobGeneration
	// DataManagerLog is the log of the file that it was to import; empty where the OMS does not say.
	DataManagerLog string
}

// DataManager holds the facts about import and export files (data_manager_log).
type DataManager struct {
	// Open is not known where there is no data manager.
	Open List[OpenFiles]
	// Configs has every configuration, as of at most 5 minutes ago; not known where they cannot be read.
	Configs List[FileConfig]
	// ConfigsLeft is how many there are beyond some thousand, which are left out.
	ConfigsLeft int
	// Merged is how many groups of open files are counted in others, because a client has no more than some thousand
	// configurations. Those beyond are one, Other.
	Merged int
	// History is nil until the backfill is complete.
	History *FileHistory
}

// FileConfig is a configuration of the data manager (data_manager_config). One that is not Enabled takes no files: its execution mode
// says so.
type FileConfig struct {
	Config  string
	Enabled bool
}

// FileStatus is the state of a file that is waiting or in progress.
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

// FileHistory describes the files that ended within the last 7 days.
type FileHistory struct {
	Configs []FileRuns
	// RefusalsUnknown is set where this OMS version does not count refused records. Then RecentFailedRecords means nothing,
	// and no file is known to have finished with errors.
	RefusalsUnknown bool
	// Age says how old the oldest part of the answer is.
	Age time.Duration
}

// FileRuns sums up the ended files of one configuration.
type FileRuns struct {
	Config string
	// LastSuccess is when a file last finished, with or without refused records; LastFailure when one failed or crashed. A
	// reset-inventory file of which every record was refused has failed.
	LastSuccess, LastFailure time.Time
	// Recent counts the files that ended within RecentFiles, RecentFailedRecords the records refused in them.
	Recent              map[FileOutcome]int
	RecentFailedRecords int
}

// ResetInventory holds the facts about the reset-inventory files of every configured source.
type ResetInventory struct {
	// Sources is empty until the backfill is complete.
	Sources []ResetSource
	// Age says how old the oldest part of the answer is.
	Age time.Duration
}

// ResetSource describes one source's reset-inventory files.
type ResetSource struct {
	Source string
	// Configs has each configuration by which the files come, and whether it is one that the data manager has and that is
	// enabled; it is nil where the configurations cannot be read.
	Configs map[string]ResetConfig
	// LastProcessed is when a file last finished that set stock: one without records did not, nor did one of which every
	// record was refused, which has failed. LastReceived is when one last reached the data manager. Child logs, which repeat a
	// crashed file, do not count as received.
	LastProcessed, LastReceived time.Time
	// LastRecords are the records of the file that ended last, however it did.
	LastRecords Records
	// Running counts the files in progress, RunningSince is the start of the one that is longest in progress; zero where the OMS
	// does not say.
	Running      int
	RunningSince time.Time
	// Files are the last files that set stock, by when they were processed: of each configuration at most 500, of the last 90 days.
	Files []ProcessedFile
}

// ProcessedFile is a reset-inventory file that set stock.
type ProcessedFile struct {
	Config    string
	Processed time.Time
	// Records is how many it had, refused ones included; nil where the OMS does not say.
	Records *int
}

// ResetConfig says whether the data manager knows a configuration, and whether it takes files of it.
type ResetConfig struct{ Known, Enabled bool }

// Records counts the records of a file; nil where the OMS does not say.
type Records struct{ Total, Failed *int }

type scrapeKey struct{}

// WithScrape returns a context that marks everything asked with it as one scrape: what two questions need is then read
// once, and their answers fit together.
func WithScrape(ctx context.Context) context.Context {
	return context.WithValue(ctx, scrapeKey{}, new(byte))
}

// ScrapeFrom returns what is the same for all questions of a scrape and differs from every other; nil outside of scrapes.
func ScrapeFrom(ctx context.Context) any { return ctx.Value(scrapeKey{}) }

// JobName is the name under which a job keeps its history. HotWax schedules a job again under another row and chain id,
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
	if IsCall(name) {
		return service
	}
	return name
}

// IsCall says of a job's name that it is all digits: OFBiz names a persisted asynchronous call by the clock.
func IsCall(name string) bool { return strings.Trim(name, "0123456789") == "" }
