// Package collector is the Prometheus side of the exporter: one file per collector turns the plain facts of package oms
// into metrics. It knows nothing of SQL, SFTP and Superset.
//
// A value of 0 means "measured, none"; a missing series means that it could not be measured. What was measured has a series for
// every member of its set. Nothing is kept between scrapes, apart from the health of the collectors and the generation of
// the client.
package collector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A Collector measures one area of one client. It is a stateless value; what it measures goes into the batch.
type Collector interface {
	// Name is the value of the label collector and the name in flags and queries.
	Name() string
	// update asks src for the facts of its area, once, and puts them into b. Facts that come together with an error
	// are put there all the same, and the error is returned.
	update(ctx context.Context, src Sources, b *batch) error
}

// An optional collector measures what only some clients have, and does not ask the OMS for it.
type optional interface {
	// has tells whether a client with these sources does.
	has(src Sources) bool
}

// Sources are where the facts about one client come from.
type Sources struct {
	OMS oms.Source
	// Hold, where set, is called before each question to the OMS, and may keep it waiting; its error is the answer.
	Hold func(ctx context.Context) error
	// DropFolders is nil for a client without any.
	DropFolders oms.DropFolders
	// Reports is nil for a client without any.
	Reports oms.Reports
}

// Close closes them all.
func (s Sources) Close() error {
	err := s.OMS.Close()
	if s.DropFolders != nil {
		err = errors.Join(err, s.DropFolders.Close())
	}
	if s.Reports != nil {
		err = errors.Join(err, s.Reports.Close())
	}
	return err
}

// All lists every collector.
func All() []Collector {
	return []Collector{
		clientCollector{},
		ordersCollector{},
		lastMileCollector{},
		jobsCollector{},
		dataManagerCollector{},
		resetInventoryCollector{},
		systemMessagesCollector{},
		sftpCollector{},
		reportsCollector{},
	}
}

// Options are what all clients share.
type Options struct {
	Logger *slog.Logger
	// Collectors are the enabled ones.
	Collectors []Collector
	// MaxSeries caps each metric of each client whose labels come from the database. 0 is no cap.
	MaxSeries int
	// Now is the clock by which ages are computed.
	Now func() time.Time
}
