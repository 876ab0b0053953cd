package collector

import (
	"context"
	"strconv"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	// `enabled` is true or false. Absent if the exporter cannot read data_manager_config.
	dataManagerConfig = newMetric(greatest, "oms_data_manager_config_info",
		"1 for every data-manager configuration.", "config", "enabled")
	// `status` is pending, queued, running or other.
	dataManagerFiles = newMetric(count, "oms_data_manager_files",
		"Data-manager files that are waiting or running; files in an unknown status are counted as other.", "config", "status")
	dataManagerOldest = newMetric(greatest, "oms_data_manager_oldest_age_seconds",
		"Age of the oldest file in this status: since its start if running, else since creation; 0 if there is none.",
		"config", "status")
	dataManagerLastSuccess = newMetric(newest, "oms_data_manager_last_success_timestamp_seconds",
		"Last time a file finished, with or without refused records, as Unix time.", "config")
	dataManagerLastFailure = newMetric(greatest, "oms_data_manager_last_failure_timestamp_seconds",
		"Last time a file failed or crashed, as Unix time.", "config")
	// `outcome` is finished, finished_with_errors (some records were refused), failed, crashed or cancelled.
	dataManagerRecent = newMetric(count, "oms_data_manager_recent_files",
		"Files that ended within the last 24 hours.", "config", "outcome")
	dataManagerRecentFailedRecords = newMetric(count, "oms_data_manager_recent_failed_records",
		"Refused records in files that ended within the last 24 hours.", "config")
)

// dataManagerCollector makes the guide's data-manager checks.
type dataManagerCollector struct{}

func (dataManagerCollector) Name() string { return "data_manager" }

func (dataManagerCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.DataManager(ctx, b.now)
	var ended []oms.FileRuns
	if facts.History != nil {
		ended = facts.History.Configs
		b.age = facts.History.Age
	}
	configs := map[string]bool{}
	for _, f := range facts.Open.All {
		configs[f.Config] = true
	}
	for _, f := range ended {
		configs[f.Config] = true
	}
	for config := range configs {
		if facts.Open.Known {
			for _, status := range oms.FileStatuses() {
				setOpen(b, oms.OpenFiles{Config: config, Status: status})
			}
		}
		if facts.History != nil {
			setEnded(b, oms.FileRuns{Config: config}, facts.History.RefusalsUnknown)
		}
	}
	b.left[dataManagerFiles], b.left[dataManagerConfig] = facts.Merged, facts.ConfigsLeft
	for _, f := range facts.Open.All {
		setOpen(b, f)
	}
	for _, c := range facts.Configs.All {
		b.set(dataManagerConfig, 1, c.Config, strconv.FormatBool(c.Enabled))
	}
	for _, f := range ended {
		setEnded(b, f, facts.History.RefusalsUnknown)
	}
	return err
}

func setOpen(b *batch, f oms.OpenFiles) {
	b.set(dataManagerFiles, float64(f.Count), f.Config, string(f.Status))
	b.setOldest(dataManagerOldest, f.Count, f.Oldest, f.Config, string(f.Status))
}

func setEnded(b *batch, f oms.FileRuns, refusalsUnknown bool) {
	b.setTime(dataManagerLastSuccess, f.LastSuccess, f.Config)
	b.setTime(dataManagerLastFailure, f.LastFailure, f.Config)
	for _, outcome := range oms.FileOutcomes() {
		if outcome != oms.FileFinishedWithErrors || !refusalsUnknown {
			b.set(dataManagerRecent, float64(f.Recent[outcome]), f.Config, string(outcome))
		}
	}
	if !refusalsUnknown {
		b.set(dataManagerRecentFailedRecords, float64(f.RecentFailedRecords), f.Config)
	}
}
