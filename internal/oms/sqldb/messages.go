package sqldb

import (
	"context"
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

// unendedMessages lists the statuses that have a state, in the same order at each call: they are part of a statement.
func unendedMessages() []string {
	var open []string
	for status, state := range messageStates() {
		if state != "" {
			open = append(open, status)
		}
	}
	slices.Sort(open)
	return open
}

// SystemMessages implements oms.Source. A message in a status that nobody knows may be seen 5 minutes late.
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

// openMessages reads the messages that have not come to their end, and those of which nobody knows whether they have.
func (r *reader) openMessages(ctx context.Context, now time.Time) ([]oms.OpenMessages, error) {
	states := messageStates()
	unknown, err := r.source.strangeMessages.look(ctx, r, now, "messages_statuses", func(status string) bool {
		_, known := states[status]
		return known
	})
	if err != nil {
		return nil, err
	}
	open := []oms.OpenMessages{}
	err = r.query(ctx, "messages_open", args{"unknown": unknown}, func(rec record) {
		open = append(open, messagesOf(rec, states[rec.text(0)], now))
	})
	if err != nil {
		return nil, err
	}
	return open, nil
}

// messagesOf reads a row of messages_open. The state of a status that nobody knows is empty.
func messagesOf(rec record, status oms.MessageStatus, now time.Time) oms.OpenMessages {
	m := oms.OpenMessages{
		Type: rec.text(1), Direction: oms.MessageIn, Status: status, Count: rec.count(4), Oldest: rec.moment(6).at(now),
	}
	if status == "" {
		m.Status = oms.MessageOther
	}
	if rec.text(2) == "Y" {
		m.Direction = oms.MessageOut
	}
	failed := rec.count(3) > 0
	if failed && (status == oms.MessageProduced || status == oms.MessageReceived) { // each attempt moves its stamp
		m.Status, m.Oldest = oms.MessageFailing, rec.moment(5).at(now)
	}
	return m
}
