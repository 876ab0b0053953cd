package sqldb

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// messageStates are Moqui's statuses of a system message. An end has no state.
func messageStates() map[string]oms.MessageStatus {
	return map[string]oms.MessageStatus{
		"SmsgTriggered": oms.MessageTriggered, "SmsgProduced": oms.MessageProduced, "SmsgSending": oms.MessageSending,
		"SmsgReceived": oms.MessageReceived, "SmsgConsuming": oms.MessageConsuming, "SmsgError": oms.MessageError,
		"SmsgSent": "", "SmsgConfirmed": "", "SmsgConsumed": "", "SmsgRejected": "", "SmsgCancelled": "",
	}
}

// SystemMessages implements oms.Source.
func (s *Source) SystemMessages(ctx context.Context, now time.Time) ([]oms.OpenMessages, error) {
	var open []oms.OpenMessages
	err := s.read(ctx, s.messages, now, func(ctx context.Context, r *reader) (err error) {
		if has, err := r.need(s.messages, "system_message"); !has {
			return err
		}
		open, err = r.openMessages(ctx, now)
		return err
	})
	return open, err
}

// openMessages reads each status in use by itself, so that a heap in one does not hide what is in another.
func (r *reader) openMessages(ctx context.Context, now time.Time) ([]oms.OpenMessages, error) {
	states := messageStates()
	used, unknown := map[string]bool{}, []string{}
	err := r.query(ctx, "messages_statuses", nil, func(rec record) {
		if status := rec.text(0); states[status] != "" {
			used[status] = true
		} else if _, end := states[status]; !end && !rec.null(0) {
			unknown = append(unknown, status)
		}
	})
	if err != nil {
		return nil, err
	}
	open := []oms.OpenMessages{}
	for _, status := range slices.Sorted(maps.Keys(used)) {
		err := r.query(ctx, "messages_open", args{"status": status}, func(rec record) {
			open = append(open, messagesOf(rec, states[status], now))
		})
		if err != nil {
			return nil, err
		}
	}
	err = r.query(ctx, "messages_unknown", args{"unknown": unknown}, func(rec record) {
		open = append(open, messagesOf(rec, oms.MessageOther, now))
	})
	if err != nil {
		return nil, err
	}
	return open, nil
}

// messagesOf reads a row of the part messages.
func messagesOf(rec record, status oms.MessageStatus, now time.Time) oms.OpenMessages {
	m := oms.OpenMessages{
		Type: rec.text(0), Direction: oms.MessageIn, Status: status, Count: rec.count(3), Oldest: rec.moment(5).at(now),
	}
	if rec.text(1) == "Y" {
		m.Direction = oms.MessageOut
	}
	failed := rec.count(2) > 0
	if failed && (status == oms.MessageProduced || status == oms.MessageReceived) { // each attempt moves its stamp
		m.Status, m.Oldest = oms.MessageFailing, rec.moment(4).at(now)
	}
	return m
}
