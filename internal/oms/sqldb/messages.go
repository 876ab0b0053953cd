package sqldb

import (
	"context"
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
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

// messagesArea is what is known of system messages.
type messagesArea struct {
	lane    sqlread.Lane
	unknown unknownStatuses
}

func newMessagesArea() *messagesArea { return &messagesArea{lane: sqlread.NewLane("system messages")} }

// SystemMessages implements oms.Source. A message in an unknown status may be seen 5 minutes late.
func (s *Source) SystemMessages(ctx context.Context, now time.Time) (oms.List[oms.OpenMessages], error) {
	var open oms.List[oms.OpenMessages]
	err := s.db.Read(ctx, s.messages.lane, now, func(ctx context.Context, r *sqlread.Reader) (err error) {
		if has, err := s.requireTable(r, "system_message"); !has {
			return err
		}
		open, err = s.openMessages(ctx, r, now)
		return err
	})
	return open, err
}

// openMessages reads the messages that are not finished, and those for which that is unknown.
func (s *Source) openMessages(ctx context.Context, r *sqlread.Reader, now time.Time) (none oms.List[oms.OpenMessages], err error) {
	states := messageStates()
	unknown, err := s.messages.unknown.refresh(ctx, r, now, "messages_statuses", func(status string) bool {
		_, known := states[status]
		return known
	})
	if err != nil {
		return none, err
	}
	open := []oms.OpenMessages{}
	err = r.Query(ctx, "messages_open", sqlread.Args{"unknown": unknown}, func(rec sqlread.Record) {
		open = append(open, messagesOf(rec, states[rec.Text("status_id")], now))
	})
	if err != nil {
		return none, err
	}
	return oms.Known(open), nil
}

// messagesOf reads a row of messages_open. The state of an unknown status is empty.
func messagesOf(rec sqlread.Record, status oms.MessageStatus, now time.Time) oms.OpenMessages {
	m := oms.OpenMessages{
		Type: rec.Text("system_message_type_id"), Direction: oms.MessageIn, Status: status,
		Count: rec.Count("messages"), Oldest: rec.Moment("oldest_attempted").At(now),
	}
	if status == "" {
		m.Status = oms.MessageOther
	}
	if rec.Text("is_outgoing") == "Y" {
		m.Direction = oms.MessageOut
	}
	failed := rec.Count("failing") > 0
	if failed && (status == oms.MessageProduced || status == oms.MessageReceived) { // each attempt moves its timestamp
		m.Status, m.Oldest = oms.MessageFailing, rec.Moment("oldest_created").At(now)
	}
	return m
}
