package month

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/demo"
	"github.com/oms-exporter/oms_exporter/internal/dropfolder"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/superset"
)

const (
	// patience is for how long a scrape waits for an answer. Only one that hangs needs it.
	patience = 10 * time.Second
	// hungPatience is enough for a server that hangs: every answer would take for ever.
	hungPatience = time.Millisecond
)

// A part of a scrape asks one server of the client. Each is a scrape of its own: when one server hangs there is time for the
// others.
type part struct {
	hangs      string // the fault, if it can hang
	collectors []string
}

// An exporter watches the simulated clients by a clock of its own.
type exporter struct {
	world   *demo.Demo
	configs []config.Client
	clients []*collector.Client
	parts   []part
	now     atomic.Pointer[time.Time]
	on      map[trouble]bool
}

// trouble is a fault of a client.
type trouble struct{ client, fault string }

// A scrape is what one client answered. Without families it failed.
type scrape struct {
	client   string
	families []*dto.MetricFamily
}

func newExporter(t testing.TB, start time.Time, seed uint64) *exporter {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	world, err := demo.New(t.Context(), logger, t.TempDir(), start, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg, err := config.Load(world.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	e := &exporter{world: world, configs: cfg.Clients, on: map[trouble]bool{}}
	e.now.Store(&start)
	options := collector.Options{
		Logger: logger, Collectors: collector.All(), MaxSeries: 500, Now: func() time.Time { return *e.now.Load() },
	}
	database, folders, reports := part{hangs: databaseHangs}, part{hangs: sftpHangs}, part{}
	for _, c := range options.Collectors {
		p := &database
		switch c.Name() {
		case "sftp":
			p = &folders
		case "reports":
			p = &reports
		}
		p.collectors = append(p.collectors, c.Name())
	}
	e.parts = []part{database, folders, reports}
	pool := superset.NewPool(options.Now)
	for _, c := range cfg.Clients {
		source, err := sqldb.Open(logger, c)
		if err != nil {
			t.Fatal(err)
		}
		folders, err := dropfolder.Open(logger, c)
		if err != nil {
			t.Fatal(err)
		}
		reports, err := pool.Open(logger, c)
		if err != nil {
			t.Fatal(err)
		}
		client := collector.NewClient(options, c, collector.Sources{
			OMS: source, DropFolders: folders, Reports: prompt{reports, c.Superset.Interval},
			Hold: func(ctx context.Context) error { return world.Hang(ctx, c.Name) },
		})
		t.Cleanup(func() {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		})
		e.clients = append(e.clients, client)
	}
	return e
}

// settle scrapes until the look back, which goes on in the background, is complete everywhere.
func (e *exporter) settle(ctx context.Context) error {
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := e.scrape(ctx); err != nil {
			return err
		}
		lacking := e.lacking()
		if lacking == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the exporter does not get ready: %w", lacking)
		}
	}
}

// lacking returns why a collector does not tell everything.
func (e *exporter) lacking() error {
	for _, c := range e.clients {
		for _, s := range c.Status() {
			if !s.Success {
				return fmt.Errorf("%s, %s: %w", c.Name(), s.Collector, s.Err)
			}
		}
	}
	return nil
}

// advance moves the clock, lets the world come up to it and switches the faults that are due.
func (e *exporter) advance(ctx context.Context, now time.Time, faults []fault) error {
	e.now.Store(&now)
	if err := e.world.Advance(ctx, now); err != nil {
		return err
	}
	for _, f := range faults {
		on := f.on.Equal(now)
		if !on && !f.off.Equal(now) {
			continue
		}
		if err := e.world.SetFault(ctx, f.client, f.name, on); err != nil {
			return err
		}
		e.on[trouble{f.client, f.name}] = on
	}
	return nil
}

// scrape asks all clients at once, as Prometheus does.
func (e *exporter) scrape(ctx context.Context) ([]scrape, error) {
	scrapes, errs := make([]scrape, len(e.clients)), make([]error, len(e.clients))
	var all sync.WaitGroup
	for i, c := range e.clients {
		all.Go(func() {
			scrapes[i].client = c.Name()
			scrapes[i].families, errs[i] = e.ask(ctx, c)
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.clients[i].Name(), err)
		}
	}
	return scrapes, nil
}

// ask asks a client's servers. What is known of it without asking comes with each: the same.
func (e *exporter) ask(ctx context.Context, c *collector.Client) ([]*dto.MetricFamily, error) {
	var all []*dto.MetricFamily
	for _, p := range e.parts {
		limit := patience
		if e.on[trouble{c.Name(), p.hangs}] {
			limit = hungPatience
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		families, err := collector.Gather(ctx, []*collector.Client{c}, p.collectors).Gather()
		cancel()
		if err != nil {
			return nil, err
		}
		all = append(all, families...)
	}
	return all, nil
}

// prompt are reports of which a run ends within the step in which it begins, as it does where a step lasts a minute.
type prompt struct {
	oms.Reports
	interval time.Duration
}

// Look implements oms.Reports.
func (p prompt) Latest(ctx context.Context, now time.Time) (oms.ReportRun, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		found, err := p.Reports.Latest(ctx, now)
		if found.Age < p.interval {
			return found, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return found, err
		}
	}
}
