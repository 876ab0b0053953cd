package month

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// memory is a storage of samples that are not compressed: rules read each of them many times, and need few of them. It is
// its own appender, which takes a sample at once, as nothing is ever taken back. It serves one goroutine.
type memory struct {
	byName   map[string][]*memorySeries // sorted by labels
	byLabels map[string]*memorySeries
	all      []*memorySeries  // the place of each is its reference, counted from 1
	keep     map[string]int64 // by name, how many milliseconds of samples rules read; "" is the least
	key      []byte
}

type memorySeries struct {
	ref     storage.SeriesRef
	labels  labels.Labels
	samples samples
	keep    int64 // milliseconds
}

type sample struct {
	t int64
	v float64
}

func newMemory() *memory {
	least := map[string]int64{"": lookback.Milliseconds()}
	return &memory{byName: map[string][]*memorySeries{}, byLabels: map[string]*memorySeries{}, keep: least}
}

// retain keeps all that an expression looks back to. What names no metric may be any.
func (m *memory) retain(expression parser.Expr, lookback time.Duration) {
	parser.Inspect(expression, func(node parser.Node, path []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		reach := lookback + selector.OriginalOffset
		for _, n := range path {
			switch n := n.(type) {
			case *parser.SubqueryExpr:
				reach += n.Range + n.OriginalOffset
			case *parser.MatrixSelector:
				reach += n.Range
			}
		}
		m.keep[selector.Name] = max(m.keep[selector.Name], reach.Milliseconds())
		return nil
	})
}

func (m *memory) AppenderV2(context.Context) storage.AppenderV2 { return m }

func (m *memory) Commit() error { return nil }

func (m *memory) Rollback() error { return errors.ErrUnsupported }

// Append adds a sample, which must be newer than the last one of its series or the same.
func (m *memory) Append(ref storage.SeriesRef, l labels.Labels, _, t int64, v float64, h *histogram.Histogram,
	fh *histogram.FloatHistogram, _ storage.AOptions,
) (storage.SeriesRef, error) {
	if h != nil || fh != nil {
		return 0, storage.ErrNativeHistogramsDisabled
	}
	s := m.series(ref, l)
	if n := len(s.samples); n > 0 && s.samples[n-1].t >= t {
		switch last := s.samples[n-1]; {
		case last.t > t:
			return 0, storage.ErrOutOfOrderSample
		case math.Float64bits(last.v) != math.Float64bits(v):
			return 0, storage.ErrDuplicateSampleForTimestamp
		}
		return s.ref, nil
	}
	if len(s.samples) == cap(s.samples) {
		// Rarely, and only if it makes much room: what is kept has to be moved.
		if old := after(s.samples, t-s.keep); old > len(s.samples)/8 {
			s.samples = slices.Delete(s.samples, 0, old)
		}
	}
	s.samples = append(s.samples, sample{t, v})
	return s.ref, nil
}

// series finds or makes a series.
func (m *memory) series(ref storage.SeriesRef, l labels.Labels) *memorySeries {
	if ref != 0 {
		return m.all[ref-1]
	}
	m.key = l.Bytes(m.key)
	s := m.byLabels[string(m.key)]
	if s == nil {
		name := l.Get(model.MetricNameLabel)
		s = &memorySeries{ref: storage.SeriesRef(len(m.all) + 1), labels: l, keep: max(m.keep[name], m.keep[""])}
		m.all, m.byLabels[string(m.key)] = append(m.all, s), s
		named := m.byName[name]
		i, _ := slices.BinarySearchFunc(named, s, func(a, b *memorySeries) int { return labels.Compare(a.labels, b.labels) })
		m.byName[name] = slices.Insert(named, i, s)
	}
	return s
}
