package sqldb

import "github.com/oms-exporter/oms_exporter/internal/oms"

// mostNames is how many channels, or configurations, of a client are distinguished: ten times as many as the exporter shows.
const mostNames = 5000

// names tells apart the channels, or configurations, that came first, and takes the others for one. So what is held is bounded,
// and everything is still counted. Only who has the area's lane may use it.
type names struct {
	known map[string]bool
	// merged are those beyond that were seen in this look, as often as they were.
	merged int
}

// newNames knows some names from the beginning.
func newNames(always ...string) *names {
	n := &names{known: map[string]bool{}}
	for _, name := range always {
		n.known[name] = true
	}
	return n
}

// of returns the name, or the one by which it is counted instead.
func (n *names) of(name, instead string) string {
	if n.known[name] {
		return name
	}
	if len(n.known) >= mostNames {
		n.merged++
		return instead
	}
	n.known[name] = true
	return name
}

// channel returns the name of a channel's history.
func (n *names) channel(store, channel string) string {
	return n.of(channelName(store, channel), channelName(oms.Other, oms.Other))
}
