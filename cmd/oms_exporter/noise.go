package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// What those who send requests can have logged: so many lines at once, one more every so often, and of each text so many bytes.
const (
	noiseLines = 20
	noiseEvery = 10 * time.Second
	noiseBytes = 500
)

// quiet is a slog.Handler for what strangers cause. It bounds how much is logged, and says how many lines it left out.
type quiet struct {
	slog.Handler
	limit *rate.Limiter
	left  *atomic.Int64 // since the last line
}

// newQuiet returns a logger for problems that the senders of requests cause.
func newQuiet(logger *slog.Logger) *slog.Logger {
	return slog.New(quiet{logger.Handler(), rate.NewLimiter(rate.Every(noiseEvery), noiseLines), new(atomic.Int64)})
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if !q.limit.Allow() {
		q.left.Add(1)
		return nil
	}
	line := slog.NewRecord(r.Time, r.Level, config.Brief(r.Message, noiseBytes), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if v := a.Value.Resolve(); v.Kind() == slog.KindString {
			a.Value = slog.StringValue(config.Brief(v.String(), noiseBytes))
		}
		line.AddAttrs(a)
		return true
	})
	if left := q.left.Swap(0); left > 0 {
		line.AddAttrs(slog.Int64("lines_left_out", left))
	}
	return q.Handler.Handle(ctx, line)
}
