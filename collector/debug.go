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
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// Debug writes, as plain text, what one run of each of the client's named collectors (all if names is nil) did: its outcome,
// its error and what that wraps, every statement, and the metrics. The runs are shared with nobody but others who want the same,
// begin debugEvery apart, and leave no trace in Status. It ends with ctx, which must have a deadline.
func Debug(ctx context.Context, c *Client, names []string, w io.Writer) {
	tasks := c.named(names)
	outs := make([]outcome, len(tasks))
	var wg sync.WaitGroup
	for i, t := range tasks {
		wg.Go(func() {
			outs[i] = t.debug.await(ctx, c, t.Collector)
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
		page.WriteString(outs[i].did.text())
		families = append(families, outs[i].families...)
	}
	for _, family := range merge(families) {
		_, _ = expfmt.MetricFamilyToText(&page, family) // a buffer takes everything
	}
	_, _ = page.WriteTo(w) // a client that hung up does not need it
}

// debugEvery is how often debug runs of a collector may begin: the database must not have to serve any number of them.
const debugEvery = 2 * time.Second

// debugging lets those who want a debug run of a collector share it.
type debugging struct {
	flight flight.Flight[outcome]

	mu    sync.Mutex
	began time.Time
	did   *statements // of the run that began last
}

func (d *debugging) await(ctx context.Context, c *Client, col Collector) outcome {
	out := c.await(ctx, &d.flight, func(ctx context.Context) outcome {
		ctx, did, err := d.begin(ctx)
		if err != nil {
			return outcome{now: c.opts.Now(), did: did, err: err}
		}
		out := c.run(ctx, col)
		out.did = did
		return out
	})
	if out.did == nil { // it has no answer, but has done something
		d.mu.Lock()
		defer d.mu.Unlock()
		out.did = d.did
	}
	return out
}

// begin waits until a run may begin. It returns a context that notes what that does.
func (d *debugging) begin(ctx context.Context) (context.Context, *statements, error) {
	d.mu.Lock()
	wait := min(debugEvery, debugEvery-time.Since(d.began)) // else the clock was set back
	d.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, new(statements), context.Cause(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.began, d.did = time.Now(), new(statements)
	return trace.With(ctx, d.did.add), d.did, nil
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

// statements keeps what a run's statements did. A run that nobody waits for any more may still add to it.
type statements struct {
	mu    sync.Mutex
	lines strings.Builder
	more  int // that are not in lines
}

// maxTrace is about how many bytes are kept of what a run's statements did.
const maxTrace = 256 << 10

func (t *statements) add(statement string, took time.Duration, rows int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines.Len() > maxTrace {
		t.more++
		return
	}
	fmt.Fprintf(&t.lines, "# %s, %d rows: %s\n", took, rows, oneLine(statement))
	if err != nil {
		fmt.Fprintf(&t.lines, "#   error: %s\n", oneLine(err.Error()))
	}
}

func (t *statements) text() string {
	if t == nil { // no run has begun
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more > 0 {
		return fmt.Sprintf("%s# and %d more\n", &t.lines, t.more)
	}
	return t.lines.String()
}

// oneLine keeps a text of several lines in the comment that it stands in.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
