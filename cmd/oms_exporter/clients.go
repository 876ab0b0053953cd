package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
)

// clients holds the current configuration and replaces it. It is safe for concurrent use.
type clients struct {
	logger  *slog.Logger
	options collector.Options
	load    func() (*config.Config, error)
	open    opener

	successful, succeeded prometheus.Gauge

	reloading chan struct{} // filled for the whole of a reload
	mu        sync.RWMutex
	current   *generation // nil until the first reload succeeded and once closed
	closing   sync.WaitGroup
}

// newClients returns an empty set. Its metrics are registered with registry; reload fills it.
func newClients(options collector.Options, load func() (*config.Config, error), open opener,
	registry prometheus.Registerer,
) (*clients, error) {
	s := &clients{
		logger:    options.Logger,
		options:   options,
		load:      load,
		open:      open,
		reloading: make(chan struct{}, 1),
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oms_exporter_config_last_reload_successful",
			Help: "1 if the last attempt to load the configuration succeeded, else 0.",
		}),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oms_exporter_config_last_reload_success_timestamp_seconds",
			Help: "Last time the configuration was loaded successfully, as Unix time.",
		}),
	}
	for _, c := range []prometheus.Collector{s.successful, s.succeeded} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the configuration's metrics: %w", err)
		}
	}
	return s, nil
}

// acquire returns the current generation, which the caller must release, or nil.
func (s *clients) acquire() *generation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.current != nil {
		s.current.acquire()
	}
	return s.current
}

// reload loads the configuration files, wholly or not at all. Clients that they leave alone keep their state. It gives up
// with ctx, also where a file does not answer.
func (s *clients) reload(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	cfg, err := heeding(ctx, s.load)
	if err == nil {
		err = s.apply(cfg)
	}
	if err != nil {
		s.successful.Set(0)
		return err
	}
	s.successful.Set(1)
	s.succeeded.SetToCurrentTime()
	for _, w := range cfg.Warnings {
		s.logger.Warn("the configuration has a risk", "warning", w)
	}
	s.logger.Info("configuration loaded", "clients", len(cfg.Clients))
	return nil
}

// lock waits until no reload is under way, and lets none begin before unlock.
func (s *clients) lock(ctx context.Context) error {
	select {
	case s.reloading <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.reloading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("another reload is in progress: %w", context.Cause(ctx))
	}
}

func (s *clients) unlock() { <-s.reloading }

// loadGrace is how long a load may still take once nobody waits for it any more.
const loadGrace = time.Second

// heeding returns what load returns, unless ctx ends first: reading a file that hangs cannot be cancelled.
func heeding(ctx context.Context, load func() (*config.Config, error)) (*config.Config, error) {
	var cfg *config.Config
	var err error
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		cfg, err = load()
	}()
	select {
	case <-loaded:
		return cfg, err
	case <-ctx.Done():
	}
	timer := time.NewTimer(loadGrace)
	defer timer.Stop()
	select {
	case <-loaded:
		return cfg, err
	case <-timer.C:
		return nil, fmt.Errorf("the configuration has not been read: %w", context.Cause(ctx))
	}
}

func (s *clients) apply(cfg *config.Config) error {
	gone := make(map[string]*client)
	if s.current != nil {
		for _, c := range s.current.clients {
			gone[c.Name()] = c
		}
	}
	var all, opened []*client
	for _, settings := range cfg.Clients {
		if c := gone[settings.Name]; c != nil && c.Config().Equal(settings) {
			c.Reloaded(settings)
			all = append(all, c)
			delete(gone, settings.Name)
			continue
		}
		sources, db, err := s.open(settings)
		if err != nil {
			for _, c := range opened {
				s.retire(c)
			}
			return err
		}
		c := &client{Client: collector.NewClient(s.options, settings, sources), db: db}
		opened = append(opened, c)
		all = append(all, c)
	}
	next := newGeneration(cfg, all)
	s.mu.Lock()
	s.current = next
	s.mu.Unlock()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent(len(all)))
	}
	for _, c := range gone {
		s.retire(c)
	}
	return nil
}

// firstLook is how long the first look at the clients may take: as long as a usual scrape.
const firstLook = 10 * time.Second

// look measures all clients once, without a scrape, so that backfills start before the first scrape.
func (s *clients) look(ctx context.Context) {
	g := s.acquire()
	if g == nil { // closed already
		return
	}
	defer g.release()
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	_, _ = collector.Gather(ctx, g.measured(), nil).Gather() // what goes wrong is logged, and told by the scrapes
}

// gcPercent is how much of it may pile up, in percent of what lives, before it is collected. What is known of the clients lives
// for a day: beside that of a hundred, 20 are enough for the scrapes, where beside one it takes 75.
func gcPercent(clients int) int { return min(75, max(20, 101-clients)) }

// retire closes a client that no new request can find, once those that found it have ended.
func (s *clients) retire(c *client) {
	s.closing.Go(func() {
		c.users.Wait()
		if err := flight.Run(c.Close); err != nil {
			s.logger.Warn("a client was not closed cleanly", "client", c.Name(), "err", err.Error()+flight.Stack(err))
		}
	})
}

// close closes every client, after the requests that use it, and gives up with ctx.
func (s *clients) close(ctx context.Context) error {
	if err := s.lock(ctx); err != nil {
		return fmt.Errorf("the clients are not closed: %w", err)
	}
	defer s.unlock()
	s.mu.Lock()
	last := s.current
	s.current = nil
	s.mu.Unlock()
	if last != nil {
		for _, c := range last.clients {
			s.retire(c)
		}
	}
	closed := make(chan struct{})
	go func() {
		s.closing.Wait()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the clients are not closed: %w", context.Cause(ctx))
	}
}
