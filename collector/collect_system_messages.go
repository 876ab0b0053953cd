package collector

import (
	"context"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	// Moqui's integration messages. `direction` is in or out. `status` is triggered, produced, sending, received,
	// consuming, failing, error (not retried) or other (an unknown status). Types without such messages have no
	// series. An OMS without the table has none either.
	systemMessages = newMetric(count, "oms_system_messages",
		"Unfinished system messages, at most 10000 per status; failing means that a message failed at least once and will be retried.",
		"type", "direction", "status")
	systemMessageOldest = newMetric(greatest, "oms_system_message_oldest_age_seconds",
		"Age of the oldest message in this status: since its last attempt if sending, consuming or in error, else since its creation; 0 if there is none.",
		"type", "direction", "status")
)

// systemMessagesCollector looks after Moqui's integration messages. Types are known by their messages: the OMS defines
// hundreds, of which few are in use.
type systemMessagesCollector struct{}

func (systemMessagesCollector) Name() string { return "system_messages" }

func (systemMessagesCollector) update(ctx context.Context, src Sources, b *batch) error {
	open, err := src.OMS.SystemMessages(ctx, b.now)
	if !open.Known {
		return err
	}
	known := map[oms.OpenMessages]bool{}
	for _, m := range open.All {
		known[oms.OpenMessages{Type: m.Type, Direction: m.Direction}] = true
	}
	if len(known) == 0 { // so that every client has every status
		known[oms.OpenMessages{Direction: oms.MessageIn}], known[oms.OpenMessages{Direction: oms.MessageOut}] = true, true
	}
	for none := range known {
		for _, none.Status = range oms.MessageStatuses() {
			setMessages(b, none)
		}
	}
	for _, m := range open.All {
		setMessages(b, m)
	}
	return err
}

func setMessages(b *batch, m oms.OpenMessages) {
	labels := []string{m.Type, string(m.Direction), string(m.Status)}
	b.set(systemMessages, float64(m.Count), labels...)
	b.setOldest(systemMessageOldest, m.Count, m.Oldest, labels...)
}
