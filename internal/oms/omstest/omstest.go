// Package omstest has an OMS for tests, which answers with the facts that a test gives it.
package omstest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A Fake answers every question with its facts. The zero value is an OMS that has nothing of what could be measured.
type Fake struct {
	Facts Facts
	// Err comes with all facts.
	Err error
	// Before, where set, is called before each answer with the name of the collector that asks; its error is the answer.
	Before func(ctx context.Context, collector string) error

	asked, closed atomic.Int64
}

// Facts are what a Fake knows.
type Facts struct {
	Instance       oms.Instance
	Clock          oms.Clock
	Orders         oms.Orders
	LastMile       oms.LastMile
	Attributes     oms.List[string]
	Survey         oms.Survey
	LastFiles      map[string][]time.Time // by configuration
	Jobs           oms.Jobs
	DataManager    oms.DataManager
	ResetInventory oms.ResetInventory
	SystemMessages oms.List[oms.OpenMessages]
	DropFolders    []oms.DropLocation
	Reports        *oms.ReportRun
}

var _ oms.Source = (*Fake)(nil)

// Instance implements oms.Source.
func (f *Fake) Instance(ctx context.Context, _ time.Time) (oms.Instance, error) {
	return answer(ctx, f, "client", f.Facts.Instance)
}

// Clock implements oms.Source.
func (f *Fake) Clock(time.Time) oms.Clock { return f.Facts.Clock }

// Orders implements oms.Source.
func (f *Fake) Orders(ctx context.Context, _ time.Time) (oms.Orders, error) {
	return answer(ctx, f, "orders", f.Facts.Orders)
}

// LastMile implements oms.Source.
func (f *Fake) LastMile(ctx context.Context, _ time.Time) (oms.LastMile, error) {
	return answer(ctx, f, "last_mile", f.Facts.LastMile)
}

// Attributes implements oms.Source.
func (f *Fake) Attributes(ctx context.Context, _ time.Time) (oms.List[string], error) {
	return answer(ctx, f, "orders", f.Facts.Attributes)
}

// Survey implements oms.Source.
func (f *Fake) Survey(ctx context.Context, _ time.Time) (oms.Survey, error) {
	return answer(ctx, f, "client", f.Facts.Survey)
}

// LastFiles implements oms.Source.
func (f *Fake) LastFiles(ctx context.Context, _ time.Time, config string) ([]time.Time, error) {
	return answer(ctx, f, "data_manager", f.Facts.LastFiles[config])
}

// Jobs implements oms.Source.
func (f *Fake) Jobs(ctx context.Context, _ time.Time) (oms.Jobs, error) {
	return answer(ctx, f, "jobs", f.Facts.Jobs)
}

// DataManager implements oms.Source.
func (f *Fake) DataManager(ctx context.Context, _ time.Time) (oms.DataManager, error) {
	return answer(ctx, f, "data_manager", f.Facts.DataManager)
}

// ResetInventory implements oms.Source.
func (f *Fake) ResetInventory(ctx context.Context, _ time.Time) (oms.ResetInventory, error) {
	return answer(ctx, f, "reset_inventory", f.Facts.ResetInventory)
}

// SystemMessages implements oms.Source.
func (f *Fake) SystemMessages(ctx context.Context, _ time.Time) (oms.List[oms.OpenMessages], error) {
	return answer(ctx, f, "system_messages", f.Facts.SystemMessages)
}

// Close implements oms.Source.
func (f *Fake) Close() error {
	f.closed.Add(1)
	return nil
}

// DropFolders are a Fake's oms.DropFolders.
type DropFolders struct{ *Fake }

// Inspect implements oms.DropFolders.
func (d DropFolders) Inspect(ctx context.Context, _ time.Time) ([]oms.DropLocation, error) {
	return answer(ctx, d.Fake, "sftp", d.Facts.DropFolders)
}

// Reports are a Fake's oms.Reports.
type Reports struct{ *Fake }

// Latest implements oms.Reports.
func (r Reports) Latest(ctx context.Context, _ time.Time) (oms.ReportRun, error) {
	return answer(ctx, r.Fake, "reports", *r.Facts.Reports)
}

// Asked counts the questions so far.
func (f *Fake) Asked() int { return int(f.asked.Load()) }

// Closed counts the calls of Close.
func (f *Fake) Closed() int { return int(f.closed.Load()) }

func answer[T any](ctx context.Context, f *Fake, collector string, facts T) (T, error) {
	f.asked.Add(1)
	if f.Before != nil {
		if err := f.Before(ctx, collector); err != nil {
			var none T
			return none, err
		}
	}
	return facts, f.Err
}
