package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A Client measures one OMS instance with its collectors. It is safe for concurrent use.
type Client struct {
	opts  Options
	cfg   config.Client
	src   Sources
	tasks []*task
	info  *metric

	mu       sync.Mutex
	instance oms.Instance  // the last one known: one failed run must not make a new series of oms_client_info
	loaded   config.Client // as it was loaded last
	faults   []config.SecretFault
	closed   bool
	runs     sync.WaitGroup
	secrets  flight.Flight[struct{}]
}

// task is one collector of a client.
type task struct {
	Collector
	flight flight.Flight[outcome]
	debug  debugging

	mu     sync.Mutex
	status Status
}

// outcome is what a run gave. Those who share the run share it, so it is not changed any more.
type outcome struct {
	families []*dto.MetricFamily
	age      time.Duration
	now      time.Time
	duration time.Duration
	remarks  []string
	misfit   bool // one of the remarks is about a fault of the configuration
	facts    []Fact
	did      *statements // of a debug run
	err      error
}

// NewClient measures the client cfg from src, which it owns from here on, with those of the enabled collectors for which
// the client has a source. It asks nothing of src yet.
func NewClient(opts Options, cfg config.Client, src Sources) *Client {
	c := &Client{opts: opts, cfg: cfg, src: src, info: newInfo(cfg), instance: oms.Instance{Generation: oms.GenerationUnknown}, loaded: cfg}
	for _, col := range opts.Collectors {
		if o, ok := col.(optional); ok && !o.has(src) {
			continue
		}
		c.tasks = append(c.tasks, &task{Collector: col, status: Status{Collector: col.Name()}})
	}
	c.checkSecrets()
	return c
}

// Name is the client's name in the configuration.
func (c *Client) Name() string { return c.cfg.Name }

// Config is the configuration that the client was made with.
func (c *Client) Config() config.Client { return c.cfg }

// Missing lists the tables and columns that this OMS version does not have, as far as that is known.
func (c *Client) Missing() []oms.Column {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instance.Missing
}

// Close lets no run begin any more, waits for those under way, which end with the deadlines of those who wait for
// them, and closes the sources.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.runs.Wait()
	if err := c.src.Close(); err != nil {
		return fmt.Errorf("closing client %s: %w", c.cfg.Name, err)
	}
	return nil
}

// begin counts a run in, unless the client is closed.
func (c *Client) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("client %s is closed", c.cfg.Name)
	}
	c.runs.Add(1)
	return nil
}

// run measures what col measures, once.
func (c *Client) run(ctx context.Context, col Collector) outcome {
	out := outcome{now: c.opts.Now()}
	if out.err = c.begin(); out.err != nil {
		return out
	}
	defer c.runs.Done()
	start := time.Now()
	c.mu.Lock()
	b := newBatch(c.loaded, out.now)
	c.mu.Unlock()
	if _, elsewhere := col.(optional); !elsewhere && c.src.Hold != nil {
		out.err = c.src.Hold(ctx)
	}
	if out.err == nil {
		out.err = col.update(ctx, c.src, b)
	}
	out.families, out.age, out.remarks, out.misfit = b.families(c.opts.MaxSeries), b.age, b.remarks, b.misconfigured
	out.facts = b.facts(col.Name(), out.families, out.err)
	out.duration = time.Since(start)
	if b.instance != nil {
		c.mu.Lock()
		c.instance = *b.instance
		c.mu.Unlock()
	}
	return out
}

// await does a run in f, or joins the one that is under way there, and waits for it no longer than ctx allows.
func (c *Client) await(ctx context.Context, f *flight.Flight[outcome], run func(context.Context) outcome) outcome {
	start, limit := time.Now(), time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline).Round(100 * time.Millisecond) // the same text at each scrape
	}
	out, err := f.Do(ctx, func(ctx context.Context) (outcome, error) {
		out := run(ctx)
		return out, out.err
	})
	if !out.now.IsZero() {
		return out
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = noAnswerError{limit}
	}
	return outcome{now: c.opts.Now(), duration: time.Since(start), err: err}
}

// noAnswerError says that a waiter's time was over.
type noAnswerError struct{ within time.Duration }

func (e noAnswerError) Error() string { return fmt.Sprintf("no answer within %s", e.within) }

// named returns the tasks of the named collectors, as far as the client has them, or all of them if names is nil.
func (c *Client) named(names []string) []*task {
	if names == nil {
		return c.tasks
	}
	var tasks []*task
	for _, t := range c.tasks {
		if slices.Contains(names, t.Name()) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}
