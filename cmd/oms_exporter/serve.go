package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
)

// What a stop may take: requests in flight end by their own deadlines, then connections close. Together it is less than
// the 30 s after which Kubernetes kills.
const (
	shutdownGrace = 20 * time.Second
	closeGrace    = 5 * time.Second
)

// A server answers HTTP about a set of clients.
type server struct {
	logger      *slog.Logger
	noise       *slog.Logger // for problems that the senders of requests cause
	places      *places
	pagePlaces  chan struct{} // taken by those that are being made
	unsent      unsent
	options     options
	clients     *clients
	registry    *prometheus.Registry // the exporter's own metrics
	pages       *template.Template   // the status page, and that of a client
	judge       *judge               // nil without --prometheus.url
	metricsOpts promhttp.HandlerOpts
	compress    func(http.Handler) http.HandlerFunc

	// faults and started are the demo's: they are nil otherwise. faults switches the faults; started is called with each URL
	// under which the server can be reached.
	faults  http.Handler
	started func(url string)
}

// newServer returns a server for the clients that load names and open opens. Its first configuration is loaded, unless ctx
// ended before.
func newServer(ctx context.Context, logger *slog.Logger, s options, load func() (*config.Config, error), open opener) (*server, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(program),
	)
	options := collector.Options{Logger: logger, Collectors: s.collectors, MaxSeries: s.maxSeries, Now: time.Now}
	// What is sent is mostly the same words again and again: more effort makes it little smaller.
	compress, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	set, err := newClients(options, load, open, registry)
	if err != nil {
		return nil, err
	}
	if err := set.reload(ctx); err != nil {
		return nil, err
	}
	var judge *judge
	if s.prometheus != "" {
		judge = newJudge(s.prometheus)
	}
	noise := newQuiet(logger)
	return &server{
		logger:     logger,
		noise:      noise,
		places:     newPlaces(s.maxRequests),
		pagePlaces: make(chan struct{}, pagesAtOnce),
		unsent:     unsent{most: maxUnsent},
		options:    s,
		clients:    set,
		registry:   registry,
		pages:      template.Must(template.New("").Parse(statusHTML)),
		judge:      judge,
		metricsOpts: promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError, // one bad family must not lose the rest
			ErrorLog:      slog.NewLogLogger(noise.Handler(), slog.LevelError),
			Registry:      registry,
			// compress does that, in an eighth of the time.
			DisableCompression: true,
		},
		compress: compress,
	}, nil
}

// serve watches the clients of the configuration files until ctx ends.
func (s options) serve(ctx context.Context, logger *slog.Logger) error {
	loader := new(config.Loader)
	load := func() (*config.Config, error) { return loader.Load(s.configFiles...) }
	srv, err := newServer(ctx, logger, s, load, openSources(logger))
	if err != nil {
		return err
	}
	return srv.run(ctx)
}

// run serves until ctx ends, answers the requests in flight, and closes the clients.
func (s *server) run(ctx context.Context) (err error) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
		defer cancel()
		err = errors.Join(err, s.clients.close(ctx))
	}()
	var begin sync.Once
	var looking sync.WaitGroup
	defer looking.Wait()
	server := s.newHTTPServer()
	server.BaseContext = func(l net.Listener) context.Context {
		begin.Do(func() {
			looking.Go(func() {
				s.clients.look(ctx)
				if err := dropPages(); err != nil {
					s.logger.Debug("the pages that only the start needed stay in memory", "err", err)
				}
			})
		})
		if s.started != nil {
			secure := server.TLSConfig != nil && server.TLSConfig.GetCertificate != nil
			s.started(rootURL(l.Addr(), secure))
		}
		return context.WithoutCancel(ctx) // a scrape in flight outlives it
	}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe(server, s.options.web, s.logger) }()
	for {
		select {
		case <-s.options.hangups:
			_ = s.reload(ctx) // logged; the old configuration stays in use
		case err := <-failed:
			return fmt.Errorf("serve HTTP: %w", err)
		case <-ctx.Done():
			return s.shutdown(context.WithoutCancel(ctx), server, failed)
		}
	}
}

// reload loads the configuration files.
func (s *server) reload(ctx context.Context) error {
	err := s.clients.reload(ctx)
	if err != nil {
		s.logger.Error("configuration not loaded, the old one stays in use", "err", err)
	}
	return err
}

// shutdown stops listening and waits for the requests in flight, unless ctx ends or they take too long.
func (s *server) shutdown(ctx context.Context, server *http.Server, ended <-chan error) error {
	s.logger.Info("stopping, open requests are answered first")
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("open requests were aborted: %w", err), server.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve HTTP: %w", served))
	}
	return err
}

// rootURL is where a browser on this machine finds the server that listens on addr.
func rootURL(addr net.Addr, secure bool) string {
	root := url.URL{Scheme: "http", Host: addr.String(), Path: "/"}
	if secure {
		root.Scheme = "https"
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		root.Host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	return root.String()
}
