package month

import (
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// after returns the number of samples before t.
func after(samples samples, t int64) int {
	return sort.Search(len(samples), func(i int) bool { return samples[i].t >= t })
}

// between returns the samples from one time to another, both included. Most queries want the latest few.
func between(samples samples, from, to int64) samples {
	tail := 1
	for tail < len(samples) && samples[len(samples)-tail].t >= from {
		tail *= 2
	}
	samples = samples[len(samples)-min(tail, len(samples)):]
	samples = samples[after(samples, from):]
	if n := len(samples); n > 0 && samples[n-1].t > to {
		samples = samples[:after(samples, to+1)]
	}
	return samples
}

func (m *memory) Querier(from, to int64) (storage.Querier, error) {
	return memoryQuerier{m, from, to}, nil
}

type memoryQuerier struct {
	*memory
	from, to int64
}

// Select finds the series that have samples at the time in question.
func (q memoryQuerier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := q.from, q.to
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	name := slices.IndexFunc(matchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	})
	if name < 0 {
		return storage.ErrSeriesSet(errors.New("a selector without the name of a metric"))
	}
	named := q.byName[matchers[name].Value]
	matchers = slices.Concat(matchers[:name], matchers[name+1:])
	var found memorySet
	for _, s := range named {
		if s.samples[len(s.samples)-1].t >= from && s.match(matchers) {
			if samples := between(s.samples, from, to); len(samples) > 0 {
				found.series = append(found.series, memorySlice{s.labels, samples})
			}
		}
	}
	return &found
}

func (s *memorySeries) match(matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) })
}

func (memoryQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) (
	[]string, annotations.Annotations, error,
) {
	return nil, nil, errors.ErrUnsupported
}

func (memoryQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) (
	[]string, annotations.Annotations, error,
) {
	return nil, nil, errors.ErrUnsupported
}

func (memoryQuerier) Close() error { return nil }

// A memorySet is what a selector found.
type memorySet struct {
	series []memorySlice
	next   int
}

func (s *memorySet) Next() bool { s.next++; return s.next <= len(s.series) }

func (s *memorySet) At() storage.Series { return &s.series[s.next-1] }

func (*memorySet) Err() error { return nil }

func (*memorySet) Warnings() annotations.Annotations { return nil }

// A memorySlice is a series at the time in question.
type memorySlice struct {
	labels  labels.Labels
	samples samples
}

func (s *memorySlice) Labels() labels.Labels { return s.labels }

func (s *memorySlice) Iterator(it chunkenc.Iterator) chunkenc.Iterator {
	if again, can := it.(interface{ Reset(to storage.Samples) }); can {
		again.Reset(s.samples)
		return it
	}
	return storage.NewListSeriesIterator(s.samples)
}

// samples are in the order of their times.
type samples []sample

func (s samples) Get(i int) chunks.Sample { return &s[i] }

func (s samples) Len() int { return len(s) }

func (s *sample) T() int64 { return s.t }

func (s *sample) F() float64 { return s.v }

func (*sample) Type() chunkenc.ValueType { return chunkenc.ValFloat }

func (*sample) ST() int64 { return 0 }

func (*sample) H() *histogram.Histogram { return nil }

func (*sample) FH() *histogram.FloatHistogram { return nil }

func (s *sample) Copy() chunks.Sample { same := *s; return &same }
