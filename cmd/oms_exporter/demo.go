package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/demo"
	"github.com/oms-exporter/oms_exporter/internal/flight"
)

const (
	// demoSeed makes every demo live the same life.
	demoSeed = 1
	// demoReports is how often reports are run, so that a fault is seen within seconds: shorter than a configuration may ask
	// of somebody's Superset.
	demoReports = 5 * time.Second
)

// demo watches simulated clients until ctx ends. Each of faults is CLIENT:NAME.
func (s options) demo(ctx context.Context, logger *slog.Logger, stdout io.Writer, faults []string) (err error) {
	for _, f := range faults {
		if !strings.Contains(f, ":") {
			return fmt.Errorf("--fault=%s: it must be CLIENT:NAME", f)
		}
	}
	dir, err := os.MkdirTemp("", "oms_exporter_demo_")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	world, err := demo.New(ctx, logger, dir, time.Now(), demoSeed)
	if err != nil {
		return fmt.Errorf("start the demo: %w", err)
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	for _, f := range faults {
		client, name, _ := strings.Cut(f, ":")
		if err := world.SetFault(ctx, client, name, true); err != nil {
			return fmt.Errorf("--fault=%s: %w", f, err)
		}
	}

	load := func() (*config.Config, error) { return config.Load(world.ConfigFile()) }
	openReal := openSources(logger)
	open := func(c config.Client) (collector.Sources, *sql.DB, error) {
		c.Superset.Interval = demoReports
		sources, db, err := openReal(c)
		if err != nil {
			return collector.Sources{}, nil, err
		}
		sources.Hold = func(ctx context.Context) error { return world.Hang(ctx, c.Name) }
		return sources, db, nil
	}
	srv, err := newServer(ctx, logger, s, load, open)
	if err != nil {
		return err
	}
	srv.faults = world.FaultHandler()
	srv.started = func(url string) { _, _ = io.WriteString(stdout, demoGuide(url)) }

	var advancing sync.WaitGroup
	defer advancing.Wait()
	living, end := context.WithCancel(ctx)
	defer end()
	advancing.Go(func() { advance(living, logger, world) })
	return srv.run(ctx)
}

// advance keeps the simulated clients at their work until ctx ends.
func advance(ctx context.Context, logger *slog.Logger, world *demo.Demo) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			err := flight.Run(func() error { return world.Advance(ctx, now) })
			if err != nil && ctx.Err() == nil {
				logger.Error("the simulation did not advance", "err", err.Error()+flight.Stack(err))
			}
		}
	}
}

// demoGuide says where to look and what to try.
func demoGuide(root string) string {
	var guide strings.Builder
	fmt.Fprintf(&guide, `
The exporter is watching four simulated clients:

  status of all clients  %[1]s
  all metrics            %[1]smetrics
  one collector          %[1]sprobe?client=KREWE&collector=jobs
  query trace            %[1]sprobe?client=KREWE&collector=jobs&debug=true

Inject a fault; clear it with on=false:

  curl -X POST '%[1]sdemo/fault?client=KREWE&name=order-stuck&on=true'

The clients are KREWE, UCG, ADOC and NEWERA. The faults are:

`, root)
	for _, f := range demo.Faults() {
		fmt.Fprintf(&guide, "  %-20s %s\n", f.Name, f.Description)
	}
	guide.WriteString("\nCtrl-C stops the demo and deletes its data.\n")
	return guide.String()
}
