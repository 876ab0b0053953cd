package collector

import (
	"context"
	"maps"
	"math"
	"slices"
)

var (
	resetSinceProcessed = newMetric(greatest, "oms_reset_inventory_seconds_since_processed",
		"Time since a reset-inventory file was last processed; +Inf if none ever was.", "source")
	// A file without records, or with every record refused, set no inventory and does not count.
	resetLastProcessed = newMetric(newest, "oms_reset_inventory_last_processed_timestamp_seconds",
		"Last time a reset-inventory file was processed, as Unix time.", "source")
	resetLastProcessedOffset = newMetric(greatest, "oms_reset_inventory_last_processed_utc_offset_seconds",
		"UTC offset of the client's time zone when a reset-inventory file was last processed.", "source")
	resetLastReceived = newMetric(newest, "oms_reset_inventory_last_received_timestamp_seconds",
		"Last time a reset-inventory file reached the data manager, as Unix time.", "source")
	// `result` is total or failed.
	resetLastRecords = newMetric(count, "oms_reset_inventory_last_records",
		"Records in the last reset-inventory file that ended.", "source", "result")
	// Absent if the exporter cannot read data_manager_config.
	resetConfigKnown = newMetric(greatest, "oms_reset_inventory_config_known",
		"1 if the data-manager configuration of the reset-inventory source exists in the OMS, 0 if it does not.", "source", "config")
	resetRunning = newMetric(greatest, "oms_reset_inventory_running_seconds",
		"Duration so far of the longest-running reset-inventory import; 0 if none is running.", "source")
)

// resetInventoryCollector makes the guide's reset-inventory checks.
type resetInventoryCollector struct{}

func (resetInventoryCollector) Name() string { return "reset_inventory" }

func (resetInventoryCollector) update(ctx context.Context, src Sources, b *batch) error {
	facts, err := src.OMS.ResetInventory(ctx, b.now)
	b.age = facts.Age
	for _, s := range facts.Sources {
		for _, config := range slices.Sorted(maps.Keys(s.Configs)) {
			c := s.Configs[config]
			b.set(resetConfigKnown, boolFloat(c.Known), s.Source, config)
			if !c.Known {
				b.misconfiguration("source %s: the data manager has no configuration %s", s.Source, config)
			} else if !c.Enabled {
				b.misconfiguration("source %s: the configuration %s is disabled in the data manager", s.Source, config)
			}
		}
		if s.LastProcessed.IsZero() {
			b.set(resetSinceProcessed, math.Inf(1), s.Source)
		} else {
			b.setAge(resetSinceProcessed, s.LastProcessed, s.Source)
			b.setTime(resetLastProcessed, s.LastProcessed, s.Source)
			b.set(resetLastProcessedOffset, utcOffset(s.LastProcessed, b.zone), s.Source)
		}
		b.setTime(resetLastReceived, s.LastReceived, s.Source)
		setRecords(b, s.LastRecords.Total, s.Source, "total")
		setRecords(b, s.LastRecords.Failed, s.Source, "failed")
		b.setOldest(resetRunning, s.Running, s.RunningSince, s.Source)
		b.setHabits(s)
	}
	return err
}

func setRecords(b *batch, n *int, source, result string) {
	if n != nil {
		b.set(resetLastRecords, float64(*n), source, result)
	}
}
