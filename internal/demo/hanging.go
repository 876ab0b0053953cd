package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// hanging is a client's source with the fault db-hung.
type hanging struct {
	oms.Source
	client *client
}

// wait returns at once while the database answers, else an error when ctx has ended.
func (h *hanging) wait(ctx context.Context) error {
	if !h.client.hung.Load() {
		return nil
	}
	<-ctx.Done()
	return fmt.Errorf("%s: the database does not answer (demo fault db-hung): %w", h.client.name, context.Cause(ctx))
}

func (h *hanging) Instance(ctx context.Context, now time.Time) (oms.Instance, error) {
	return ask(ctx, h, now, h.Source.Instance)
}

func (h *hanging) Orders(ctx context.Context, now time.Time) (oms.Orders, error) {
	return ask(ctx, h, now, h.Source.Orders)
}

func (h *hanging) Jobs(ctx context.Context, now time.Time) (oms.Jobs, error) {
	return ask(ctx, h, now, h.Source.Jobs)
}

func (h *hanging) DataManager(ctx context.Context, now time.Time) (oms.DataManager, error) {
	return ask(ctx, h, now, h.Source.DataManager)
}

func (h *hanging) ResetInventory(ctx context.Context, now time.Time) (oms.ResetInventory, error) {
	return ask(ctx, h, now, h.Source.ResetInventory)
}

func (h *hanging) SystemMessages(ctx context.Context, now time.Time) ([]oms.OpenMessages, error) {
	return ask(ctx, h, now, h.Source.SystemMessages)
}

func ask[T any](
	ctx context.Context, h *hanging, now time.Time, question func(context.Context, time.Time) (T, error),
) (facts T, err error) {
	if err = h.wait(ctx); err != nil {
		return facts, err
	}
	return question(ctx, now)
}
