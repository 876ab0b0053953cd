package collector

import (
	"context"
	"math"
)

var (
	resetSinceProcessed = newMetric(greatest, "oms_reset_inventory_seconds_since_processed",
		"Time since a reset-inventory file last finished; +Inf when there has never been one.", "source")
	resetLastProcessed = newMetric(newest, "oms_reset_inventory_last_processed_timestamp_seconds",
		"When a reset-inventory file last finished, as Unix time.", "source")
	resetLastProcessedOffset = newMetric(greatest, "oms_reset_inventory_last_processed_utc_offset_seconds",
		"The client's wall clock minus UTC when a reset-inventory file last finished.", "source")
	resetLastReceived = newMetric(newest, "oms_reset_inventory_last_received_timestamp_seconds",
		"When a reset-inventory file last reached the data manager, as Unix time.", "source")
	resetLastRecords = newMetric(count, "oms_reset_inventory_last_records",
		"Records of the reset-inventory file that ended last.", "source", "result")
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
	}
	return err
}

func setRecords(b *batch, n *int, source, result string) {
	if n != nil {
		b.set(resetLastRecords, float64(*n), source, result)
	}
}
