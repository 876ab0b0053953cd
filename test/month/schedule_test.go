package month

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/demo"
)

// With these faults a server does not answer any more.
const (
	databaseHangs = "db-hung"
	sftpHangs     = "sftp-hung"
)

const (
	// unseen is for how long SFTP must not be seen before it is told, which is also how long the exporter waits at most
	// before it tries to connect again.
	unseen = 5 * time.Minute
	// onItsWay is for how long a file that was fetched may be, before it counts as lost.
	onItsWay = 5 * time.Minute
	// settled is for how long the tickets about jobs wait, 5 minutes or two steps, and a step for the exporter's history, which is read
	// beside the scrapes.
	settled = 3 * step
	// everyPass is how often the exporter reads the data manager's configurations.
	everyPass = 5 * time.Minute
	// still is for how long nothing may be written.
	still = 30 * time.Minute
	// everyTen is how often it is looked whether orders have arrived.
	everyTen = 10 * time.Minute
	// betweenRuns is the interval of the reports.
	betweenRuns = 5 * time.Minute
)

// An effect is what a fault must and may make fire.
type effect struct {
	alerts []string // all of them, and all the time but for the one that passes
	passes string   // tells of a change rather than of a state
	may    []string
	// shows and ends are how much longer than usual it may take until the alerts fire, and are over.
	shows, ends time.Duration
	// quiet: no reset-inventory file may come meanwhile, as that would change what is the matter.
	quiet bool
}

// effects are those of every fault of the demo.
func effects() map[string]effect {
	return map[string]effect{
		"order-stuck":          {alerts: []string{"OMSOrderStuckInCreated"}},
		"order-unfulfilled":    {alerts: []string{"OMSOrderWaitsForBrokering"}},
		"unfillable":           {alerts: []string{"OMSOrderUnfillable", "OMSUnfillableSurge"}, passes: "OMSUnfillableSurge"},
		"retry-storm":          {alerts: []string{"OMSOrderUnfillable"}},
		"erp-stopped":          {alerts: []string{"OMSOrdersUnsynced"}, shows: everyTen, ends: everyTen},
		"import-stalled":       {alerts: []string{"OMSOrderImportStalled"}},
		"job-stuck":            {alerts: []string{"OMSJobStuck"}},
		"instance-died":        {alerts: []string{"OMSInstanceSilent", "OMSJobStuck"}},
		"job-failing":          {alerts: []string{"OMSJobFailing"}},
		"job-claimed":          {alerts: []string{"OMSInstanceSilent", "OMSJobOverdue"}},
		"job-flaky":            {alerts: []string{"OMSJobFailingOften"}, shows: settled},
		"schedule-lost":        {alerts: []string{"OMSJobNotScheduled"}, shows: settled},
		"scheduler-down":       {alerts: []string{"OMSJobSchedulerDown"}, may: []string{"OMSJobOverdue", "OMSResetInventoryLate"}},
		"file-missing":         {alerts: []string{"OMSResetInventoryNotDelivered"}, may: []string{"OMSResetInventoryLate"}, quiet: true},
		"file-late":            {alerts: []string{"OMSResetInventoryNotImported"}, may: []string{"OMSResetInventoryLate"}, shows: onItsWay, quiet: true},
		"file-stuck-on-sftp":   {alerts: []string{"OMSResetInventoryWaitsOnSFTP"}, may: []string{"OMSResetInventoryLate"}, quiet: true},
		"file-backdated":       {alerts: []string{"OMSResetInventoryWaitsOnSFTP"}, may: []string{"OMSResetInventoryLate"}, quiet: true},
		"file-empty":           {alerts: []string{"OMSResetInventoryEmpty"}, may: []string{"OMSResetInventoryLate"}, quiet: true},
		"config-wrong":         {alerts: []string{"OMSResetInventoryMisconfigured"}, may: []string{"OMSResetInventoryLate"}, shows: everyPass, ends: everyPass, quiet: true},
		"files-flaky":          {alerts: []string{"OMSDataManagerFilesFailing"}},
		"file-invalid":         {alerts: []string{"OMSSFTPFileInvalid"}},
		"file-failed":          {alerts: []string{"OMSResetInventoryFailed"}, may: []string{"OMSResetInventoryLate"}, quiet: true},
		"dm-pending":           {alerts: []string{"OMSDataManagerFilePending"}},
		"dm-failed":            {alerts: []string{"OMSDataManagerFileFailed"}, may: []string{"OMSDataManagerFilesFailing"}},
		"timezone-wrong":       {alerts: []string{"OMSDatabaseClockSkewed"}, may: []string{"OMSResetInventoryWhereaboutsUnknown"}},
		"replica-stopped":      {alerts: []string{"OMSDatabaseStill"}, may: []string{"OMSResetInventoryWhereaboutsUnknown"}, shows: still, quiet: true},
		databaseHangs:          {alerts: []string{"OMSDatabaseUnreachable"}},
		sftpHangs:              {alerts: []string{"OMSSFTPUnreachable"}, shows: unseen, ends: unseen},
		"sftp-hostkey-changed": {alerts: []string{"OMSSFTPUnreachable"}, shows: unseen, ends: unseen},
		"superset-down":        {alerts: []string{"OMSSupersetUnreachable"}, shows: 2 * betweenRuns, ends: betweenRuns},
		"chart-error":          {alerts: []string{"OMSReportChartFailing"}, shows: 2 * betweenRuns, ends: betweenRuns},
		"solr-token-expired":   {alerts: []string{"OMSReportDataSourceFailing"}, shows: 2 * betweenRuns, ends: betweenRuns},
	}
}

// A fault is one of the demo at one client, from one step to another.
type fault struct {
	effect
	client, name string
	on, off      time.Time
}

func (f fault) String() string {
	return fmt.Sprintf("%s at %s, %s to %s", f.name, f.client, f.on.Format(time.DateTime), f.off.Format(time.DateTime))
}

const (
	// rest is the time after a fault in which its effects end, before the same client has the next one.
	rest              = 6 * time.Hour
	shortest, longest = 90 * time.Minute, 3 * time.Hour
	// draws is how often an order of faults is drawn until each comes at a time at which it may.
	draws = 1000
)

// schedule gives each client as many different faults as there is time for, in any order and at any hour. The clients
// begin at different places of the list, so that few of each suffice to have had all.
func schedule(seed uint64, clients []config.Client, start, end time.Time) ([]fault, error) {
	random := rand.New(rand.NewPCG(seed, seed))
	list := demo.Faults()
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	share := min(len(list), int(end.Sub(start)/(rest+longest)))
	var faults []fault
	for i, c := range clients {
		var names []string
		for n := range share {
			names = append(names, list[(i*len(list)/len(clients)+n)%len(list)].Name)
		}
		own, err := plan(random, c, names, start, end)
		if err != nil {
			return nil, err
		}
		faults = append(faults, own...)
	}
	for _, f := range list {
		if !slices.ContainsFunc(faults, func(x fault) bool { return x.name == f.Name }) {
			return nil, fmt.Errorf("there is no time for the fault %s", f.Name)
		}
	}
	return faults, nil
}

// plan spreads faults over one client's time.
func plan(random *rand.Rand, c config.Client, names []string, start, end time.Time) ([]fault, error) {
	upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
	all, slot := effects(), end.Sub(start)/time.Duration(len(names))
	for range draws {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		var faults []fault
		for n, name := range names {
			f := fault{effect: all[name], client: c.Name, name: name}
			if f.alerts == nil {
				return nil, fmt.Errorf("the fault %s is new: what does it make fire?", name)
			}
			lasts := shortest + upTo(longest-shortest)
			f.on = start.Add(time.Duration(n)*slot + upTo(slot-rest-lasts)).Truncate(step).Add(step)
			f.off = f.on.Add(lasts.Truncate(step))
			if !f.quiet || undisturbed(f.on.In(c.Timezone)) {
				faults = append(faults, f)
			}
		}
		if len(faults) == len(names) {
			return faults, nil
		}
	}
	return nil, fmt.Errorf("%s: no order of %v suits them", c.Name, names)
}

// undisturbed says, of a time on a client's clock, that no reset-inventory file of the demo comes within the longest fault.
func undisturbed(on time.Time) bool {
	hour := on.Hour()
	return 13 <= hour && hour < 16 || 21 <= hour || hour < 3
}
