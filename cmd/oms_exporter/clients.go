package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
)

// clients holds the configuration in force and replaces it. It is safe for concurrent use.
type clients struct {
	logger  *slog.Logger
	options collector.Options
	load    func() (*config.Config, error)
	open    opener

	successful, succeeded prometheus.Gauge

	reloading sync.Mutex // held for the whole of a reload
	mu        sync.RWMutex
	current   *generation // nil until the first reload succeeded and once closed
	closing   sync.WaitGroup
}

// newClients returns an empty set. Its metrics are registered with registry; reload fills it.
func newClients(options collector.Options, load func() (*config.Config, error), open opener,
	registry prometheus.Registerer,
) (*clients, error) {
	s := &clients{
		logger:  options.Logger,
		options: options,
		load:    load,
		open:    open,
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oms_exporter_config_last_reload_successful",
			Help: "Whether the last attempt to load the configuration succeeded.",
		}),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oms_exporter_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration in force was loaded.",
		}),
	}
	for _, c := range []prometheus.Collector{s.successful, s.succeeded} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the configuration's metrics: %w", err)
		}
	}
	return s, nil
}

// acquire returns the generation in force, which the caller must release, or nil.
func (s *clients) acquire() *generation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.current != nil {
		s.current.acquire()
	}
	return s.current
}

// reload puts the configuration file in force, wholly or not at all. Clients that it leaves alone keep their state.
func (s *clients) reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	cfg, err := s.load()
	if err == nil {
		err = s.apply(cfg)
	}
	if err != nil {
		s.successful.Set(0)
		return err
	}
	s.successful.Set(1)
	s.succeeded.SetToCurrentTime()
	s.logger.Info("the configuration is in force", "clients", len(cfg.Clients))
	return nil
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
		debug.SetGCPercent(garbage(len(all)))
	}
	for _, c := range gone {
		s.retire(c)
	}
	return nil
}

// garbage is how much of it may pile up, in percent of what lives, before it is collected. What is known of the clients lives
// for a day: beside that of a hundred, 20 are enough for the scrapes, where beside one it takes Go's 100.
func garbage(clients int) int { return max(20, 101-clients) }

// retire closes a client that no new request can find, once those that found it have ended.
func (s *clients) retire(c *client) {
	s.closing.Go(func() {
		c.users.Wait()
		if err := c.Close(); err != nil {
			s.logger.Warn("a client was not closed cleanly", "client", c.Name(), "err", err)
		}
	})
}

// close closes every client, after the requests that use it, and gives up with ctx.
func (s *clients) close(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
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
