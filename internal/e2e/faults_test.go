//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/demo"
)

// alertOf names the one alert that each fault of the demo must bring, whatever else is wrong because of it.
func alertOf(fault string) string {
	return map[string]string{
		"order-stuck":          "OMSOrderStuckInCreated",
		"order-unfulfilled":    "OMSOrderWaitsForBrokering",
		"unfillable":           "OMSOrderUnfillable",
		"retry-storm":          "OMSOrderUnfillable",
		"import-stalled":       "OMSOrderImportStalled",
		"job-stuck":            "OMSJobStuck",
		"instance-died":        "OMSInstanceSilent",
		"job-failing":          "OMSJobFailing",
		"job-claimed":          "OMSInstanceSilent",
		"job-flaky":            failingOften,
		"schedule-lost":        notScheduled,
		"scheduler-down":       "OMSJobSchedulerDown",
		"file-missing":         "OMSResetInventoryNotDelivered",
		"file-late":            "OMSResetInventoryNotImported",
		"file-stuck-on-sftp":   "OMSResetInventoryWaitsOnSFTP",
		"file-backdated":       "OMSResetInventoryWaitsOnSFTP",
		"file-empty":           "OMSResetInventoryEmpty",
		"files-flaky":          filesFailing,
		"file-invalid":         invalid,
		"file-failed":          "OMSResetInventoryFailed",
		"dm-pending":           "OMSDataManagerFilePending",
		"dm-failed":            "OMSDataManagerFileFailed",
		"timezone-wrong":       clockSkewed,
		"db-hung":              "OMSDatabaseUnreachable",
		"sftp-hung":            unreachable,
		"sftp-hostkey-changed": unreachable,
		"superset-down":        supersetAway,
		"chart-error":          chartFailing,
		"solr-token-expired":   dataSourceFailing,
	}[fault]
}

const (
	unreachable       = "OMSSFTPUnreachable"
	invalid           = "OMSSFTPFileInvalid"
	failingOften      = "OMSJobFailingOften"
	notScheduled      = "OMSJobNotScheduled"
	filesFailing      = "OMSDataManagerFilesFailing"
	clockSkewed       = "OMSDatabaseClockSkewed"
	supersetAway      = "OMSSupersetUnreachable"
	chartFailing      = "OMSReportChartFailing"
	dataSourceFailing = "OMSReportDataSourceFailing"
)

// toldOf is the receiver who is told of an alert, be it with others.
func toldOf(alert string) string {
	switch alert {
	case invalid, filesFailing, chartFailing, failingOften, notScheduled:
		return "ticket"
	}
	return "pager"
}

func clients() []string { return []string{"KREWE", "UCG", "ADOC", "NEWERA"} }

// TestEndToEnd makes every fault happen at two of the clients, a client's one after another and the clients side by side.
func TestEndToEnd(t *testing.T) {
	s := newStack(t)
	t.Run("healthy", s.healthy)
	var table table
	t.Run("faults", func(t *testing.T) {
		var all sync.WaitGroup
		for i, client := range clients() {
			all.Go(func() { // rather than t.Parallel, which runs no more at once than there are processors
				t.Run(client, func(t *testing.T) {
					// The exporter reads the data manager's configurations every 5 minutes and the last mile every 10, and a database
					// may be still for half an hour: longer than anybody waits here, so that these are left to the months.
					faults := slices.DeleteFunc(demo.Faults(), func(f demo.Fault) bool {
						return slices.Contains([]string{"config-wrong", "erp-stopped", "replica-stopped"}, f.Name)
					})
					stride := 5 // which comes to all of them
					for len(faults)%stride == 0 {
						stride += 2
					}
					for j := range faults {
						// Not all clients the same at once, and none the faults of one kind in a row: Alertmanager keeps an alert's
						// group for half a minute, and new ones in it need not wait for what silences them.
						k := (stride*j + 3*i) % len(faults)
						if fault := faults[k].Name; (k+i)%2 == 0 {
							t.Run(fault, func(t *testing.T) { table.add(s.makeFault(t, client, fault)) })
						}
					}
				})
			})
		}
		all.Wait()
	})
	t.Run("database hangs", s.databaseHangs)
	t.Run("exporter killed", s.exporterKilled)
	s.nothingElse(t)
	t.Logf("\n%s", &table)
}

// healthy looks for a while at clients without a fault: the watchdog is all that arrives.
func (s *stack) healthy(t *testing.T) {
	s.eventually(t, "all", func() error {
		if err := s.watched(); err != nil {
			return err
		}
		return s.holds(`count_over_time(ALERTS{alertname="OMSWatchdog", alertstate="firing"}[1m]) >= 10`)
	})
	s.nothingElse(t)
}

// nothingElse fails when anything has arrived that no part of the test has expected and taken.
func (s *stack) nothingElse(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range heard(slices.Clone(s.notices)) {
		if n.receiver != "watchdog" || n.name() != watchdog {
			t.Errorf("nothing should have arrived but the watchdog: %s", n)
		}
	}
}

// makeFault makes a fault happen to a client that has none, and mends it.
func (s *stack) makeFault(t *testing.T, client, fault string) result {
	name := alertOf(fault)
	on := s.begin(t, client, fault, name)
	s.eventually(t, client, func() error { return s.settled(client) })
	off := time.Now()
	s.fault(t, client, fault, false)
	s.eventually(t, client, func() error { return s.quiet(client) })

	notices := s.take(client)
	judge(t, notices, client, name)
	fired, err := first(notices, toldOf(name), name, "firing")
	check(t, err)
	resolved, err := first(notices, toldOf(name), name, "resolved")
	check(t, err)
	if resolved.at.Before(off) {
		t.Errorf("told as resolved before it was: %s", resolved)
	}
	return result{fault, client, name, fired.Labels["severity"], fired.at.Sub(on), resolved.at.Sub(off)}
}

// begin switches a fault on, and waits until somebody is told of its alert.
func (s *stack) begin(t *testing.T, client, fault, alert string) (on time.Time) {
	t.Helper()
	on = time.Now()
	s.fault(t, client, fault, true)
	s.eventually(t, client, func() error {
		_, err := first(s.of(client), toldOf(alert), alert, "firing")
		return err
	})
	return on
}

// settled tells whether everything has arrived that will: whatever Prometheus has of the client fires, Alertmanager has it
// too, and what is not inhibited there has been delivered.
func (s *stack) settled(client string) error {
	pending, err := s.pending(client)
	if err != nil {
		return err
	}
	routed, err := s.routed(client)
	if err != nil {
		return err
	}
	for _, p := range pending {
		same := func(a alert) bool { return maps.Equal(a.Labels, p.Labels) }
		i := slices.IndexFunc(routed, same)
		delivered := func(n notice) bool {
			return n.receiver == "chat" && n.Status == "firing" && maps.Equal(n.Labels, p.Labels)
		}
		if p.State != "firing" || i < 0 || routed[i].State != "suppressed" && !slices.ContainsFunc(s.of(client), delivered) {
			return fmt.Errorf("it is not settled: %s", p)
		}
	}
	return nil
}

// quiet tells whether nothing is wrong with a client, and everybody has been told so.
func (s *stack) quiet(client string) error {
	if open := unresolved(s.of(client)); len(open) > 0 {
		return fmt.Errorf("nobody said that this is resolved: %v", open)
	}
	pending, err := s.pending(client)
	if err != nil {
		return err
	}
	routed, err := s.routed(client)
	if err != nil {
		return err
	}
	if len(pending)+len(routed) > 0 {
		return fmt.Errorf("%s is not quiet", client)
	}
	return nil
}
