package oms

import "time"

// MessageDirection says which way a system message goes.
type MessageDirection string

// The directions. Moqui's own services send what has is_outgoing Y and nothing else; whatever has not is in.
const (
	MessageIn  MessageDirection = "in"
	MessageOut MessageDirection = "out"
)

// MessageStatus is the state of a system message that is not finished.
type MessageStatus string

// The states that are not an end, in the order of a message's life (Moqui: SmsgTriggered …). A produced or received
// message with a fail_count above 0 waits for its next attempt: it is failing, and neither produced nor received. After
// the last attempt it is in error, where nobody tries again. An unknown status is other.
//
// Sent, confirmed, consumed, rejected and cancelled are ends, whose number only grows. Some sent messages wait for a
// confirmation, but for most nobody ever sends one: they cannot be told apart, so none is counted.
const (
	MessageTriggered MessageStatus = "triggered"
	MessageProduced  MessageStatus = "produced"
	MessageSending   MessageStatus = "sending"
	MessageReceived  MessageStatus = "received"
	MessageConsuming MessageStatus = "consuming"
	MessageFailing   MessageStatus = "failing"
	MessageError     MessageStatus = "error"
	MessageOther     MessageStatus = "other"
)

// MessageStatuses lists every state that is not an end.
func MessageStatuses() []MessageStatus {
	return []MessageStatus{
		MessageTriggered, MessageProduced, MessageSending, MessageReceived, MessageConsuming, MessageFailing, MessageError, MessageOther,
	}
}

// OpenMessages counts system messages (Moqui's integration messages) of one type and direction in one state.
//
// Of each status, and of all unknown ones together, at most 10 000 messages are looked at: what is in error may grow
// without end where nobody cleans up. Where counts of a status add up to 10 000 there are at least so many, and the
// oldest is at least so old.
type OpenMessages struct {
	Type      string
	Direction MessageDirection
	Status    MessageStatus
	Count     int
	// Oldest is since when the oldest of them is there: its creation (init_date). One that is being sent or consumed, or
	// is in error, is so since its last attempt, whose timestamp (last_attempt_date) Moqui writes on entering these states;
	// so is one that a person has put back to produced or received. processed_date is written on success only.
	Oldest time.Time
}
