//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// A result is a row of the table.
type result struct {
	fault, client, alert, severity string
	fired, resolved                time.Duration // until somebody was told
}

type table struct {
	mu   sync.Mutex
	rows []result
}

func (t *table) add(r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, r)
}

func (t *table) String() string {
	slices.SortFunc(t.rows, func(a, b result) int { return strings.Compare(a.fault+a.client, b.fault+b.client) })
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "fault\tclient\talert\tseverity\ttold\tresolved")
	for _, r := range t.rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f s\t%.1f s\n",
			r.fault, r.client, r.alert, r.severity, r.fired.Seconds(), r.resolved.Seconds())
	}
	_ = w.Flush()
	return text.String()
}
