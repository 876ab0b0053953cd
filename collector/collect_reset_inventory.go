package collector

import (
	"context"
	"maps"
	"math"
	"slices"
)

var (
	resetSinceProcessed = newMetric(greatest, "oms_reset_inventory_seconds_since_processed",
		"Time since a reset-inventory file was last processed; +Inf when none ever was.", "source")
	// A file without records, or of which every record was refused, set no stock and does not count.
	resetLastProcessed = newMetric(newest, "oms_reset_inventory_last_processed_timestamp_seconds",
		"When a reset-inventory file was last processed, as Unix time.", "source")
	resetLastProcessedOffset = newMetric(greatest, "oms_reset_inventory_last_processed_utc_offset_seconds",
		"The client's wall clock minus UTC when a reset-inventory file was last processed.", "source")
	resetLastReceived = newMetric(newest, "oms_reset_inventory_last_received_timestamp_seconds",
		"When a reset-inventory file last reached the data manager, as Unix time.", "source")
	// `result` is total or failed.
	resetLastRecords = newMetric(count, "oms_reset_inventory_last_records",
		"Records of the reset-inventory file that ended last.", "source", "result")
	// Absent where the exporter may not read data_manager_config.
	resetConfigKnown = newMetric(greatest, "oms_reset_inventory_config_known",
		"1 when the data manager has the configuration by which the files of the source come, 0 when it has not.", "source", "config")
	resetRunning = newMetric(greatest, "oms_reset_inventory_running_seconds",
		"How long the reset-inventory file that is longest in work has taken so far; 0 when none is.", "source")
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
