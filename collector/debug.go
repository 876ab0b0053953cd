package collector

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// Debug writes, as plain text, what one run of each of the client's named collectors (all if names is nil) did: its outcome,
// its error and what that wraps, every statement, and the metrics. The runs are not shared and leave no trace in Status. It
// ends with ctx, which must have a deadline.
func Debug(ctx context.Context, c *Client, names []string, w io.Writer) {
	tasks := c.named(names)
	outs, traces := make([]outcome, len(tasks)), make([]trace, len(tasks))
	var wg sync.WaitGroup
	for i, t := range tasks {
		wg.Go(func() {
			outs[i] = c.await(oms.WithTrace(ctx, traces[i].add), new(flight.Flight[outcome]), t.Collector)
		})
	}
	wg.Wait()

	var page bytes.Buffer
	if len(tasks) == 0 {
		fmt.Fprintf(&page, "# client %s has none of these collectors\n", c.cfg.Name)
	}
	var families []*dto.MetricFamily
	for i, t := range tasks {
		writeOutcome(&page, c, t, outs[i])
		page.WriteString(traces[i].text())
		families = append(families, outs[i].families...)
	}
	for _, family := range merge(families) {
		_, _ = expfmt.MetricFamilyToText(&page, family) // a buffer takes everything
	}
	_, _ = page.WriteTo(w) // whoever hung up does not miss it
}

func writeOutcome(page *bytes.Buffer, c *Client, t *task, out outcome) {
	verdict := "succeeded"
	if out.err != nil {
		verdict = "failed"
	}
	fmt.Fprintf(page, "# client %s, collector %s: %s after %s\n", c.cfg.Name, t.Name(), verdict, out.duration)
	writeError(page, out.err, "# ")
	for _, remark := range out.remarks {
		fmt.Fprintf(page, "# %s\n", oneLine(remark))
	}
}

// writeError writes an error, and below it those that it wraps. Some of several may be nil.
func writeError(page *bytes.Buffer, err error, indent string) {
	if err == nil {
		return
	}
	fmt.Fprintf(page, "%serror (%T): %s\n", indent, err, oneLine(err.Error()))
	switch e := err.(type) { //nolint:errorlint // it walks the whole chain itself
	case interface{ Unwrap() error }:
		writeError(page, e.Unwrap(), indent+"  ")
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			writeError(page, inner, indent+"  ")
		}
	}
}

// trace keeps what a run's statements did. A run that nobody waits for any more may still add to it.
type trace struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (t *trace) add(statement string, took time.Duration, rows int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(&t.lines, "# %s, %d rows: %s\n", took, rows, oneLine(statement))
	if err != nil {
		fmt.Fprintf(&t.lines, "#   error: %s\n", oneLine(err.Error()))
	}
}

func (t *trace) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines.String()
}

// oneLine keeps a text of several lines in the comment that it stands in.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
