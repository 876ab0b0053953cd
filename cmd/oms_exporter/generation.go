package main

import (
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/dropfolder"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/superset"
)

// A client is one client of the current configuration.
type client struct {
	*collector.Client
	db    *sql.DB        // its pool, for the pool's own metrics
	users sync.WaitGroup // the requests that work with it
}

// A generation is the configuration that a request works with from its beginning to its end.
type generation struct {
	*config.Config
	clients []*client           // in the order of the configuration
	pools   prometheus.Gatherer // the metrics of their connection pools
}

func newGeneration(cfg *config.Config, clients []*client) *generation {
	pools := prometheus.NewRegistry()
	for _, c := range clients {
		if c.db != nil {
			labelled := prometheus.WrapRegistererWith(prometheus.Labels{"client": c.Name()}, pools)
			labelled.MustRegister(collectors.NewDBStatsCollector(c.db, c.Name()))
		}
	}
	return &generation{Config: cfg, clients: clients, pools: pools}
}

// acquire keeps the clients open until release.
func (g *generation) acquire() {
	for _, c := range g.clients {
		c.users.Add(1)
	}
}

func (g *generation) release() {
	for _, c := range g.clients {
		c.users.Done()
	}
}

// opener opens a client's sources without asking the network, and tells the database pool behind them.
type opener func(config.Client) (collector.Sources, *sql.DB, error)

// measured lists what package collector measures.
func (g *generation) measured() []*collector.Client {
	var list []*collector.Client
	for _, c := range g.clients {
		list = append(list, c.Client)
	}
	return list
}

// openSources is the opener for real clients.
func openSources(logger *slog.Logger) opener {
	reports := superset.NewPool(time.Now) // outlives reloads: clients share logins
	return func(c config.Client) (collector.Sources, *sql.DB, error) {
		source, err := sqldb.Open(logger, c)
		if err != nil {
			return collector.Sources{}, nil, err
		}
		sources := collector.Sources{OMS: source}
		if len(c.SFTP) > 0 {
			folders, err := dropfolder.Open(logger, c)
			if err != nil {
				return collector.Sources{}, nil, errors.Join(err, source.Close())
			}
			sources.DropFolders = folders
		}
		if len(c.Superset.Dashboards) > 0 {
			opened, err := reports.Open(logger, c)
			if err != nil {
				return collector.Sources{}, nil, errors.Join(err, sources.Close())
			}
			sources.Reports = opened
		}
		return sources, source.DB().Pool(), nil
	}
}
