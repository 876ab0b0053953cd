package month

import (
	"math"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// What is not in a scrape any more is stale at once, be it that the scrape failed.
func TestStore(t *testing.T) {
	s := newServer(t)
	s.retain(t, "oms_jobs")
	jobs := func(statuses ...string) []*dto.MetricFamily {
		family := &dto.MetricFamily{Name: new("oms_jobs")}
		for _, status := range statuses {
			family.Metric = append(family.Metric, &dto.Metric{
				Label: []*dto.LabelPair{{Name: new("client"), Value: new("KREWE")}, {Name: new("status"), Value: &status}},
				Gauge: &dto.Gauge{Value: new(float64(7))},
			})
		}
		return []*dto.MetricFamily{family}
	}
	for minute, families := range [][]*dto.MetricFamily{jobs("queued", "running"), jobs("running"), nil, jobs("queued")} {
		now := clockChange.Add(time.Duration(minute) * time.Minute)
		if err := s.store(t.Context(), now, []scrape{{client: "KREWE", families: families}}); err != nil {
			t.Fatal(err)
		}
	}
	gone := math.Float64frombits(value.StaleNaN)
	for series, want := range map[string][]float64{
		`oms_jobs{client="KREWE",instance="localhost:9942",job="oms",status="queued"}`:             {7, gone, 7},
		`oms_jobs{client="KREWE",instance="localhost:9942",job="oms",status="running"}`:            {7, 7, gone},
		`up{client="KREWE",instance="localhost:9942",job="oms"}`:                                   {1, 1, 0, 1},
		`oms_exporter_config_last_reload_successful{instance="localhost:9942",job="oms_exporter"}`: {1, 1, 1, 1},
		`up{instance="localhost:9942",job="oms_exporter"}`:                                         {1, 1, 1, 1},
	} {
		if got := s.values(t, series); !equal(got, want) {
			t.Errorf("%s: got %v, want %v", series, got, want)
		}
	}
}

// retain keeps what no rule looks back to.
func (s *server) retain(t *testing.T, selector string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(selector)
	if err != nil {
		t.Fatal(err)
	}
	s.db.retain(expression, lookback)
}

// values returns all values of a series.
func (s *server) values(t *testing.T, series string) []float64 {
	t.Helper()
	named, err := parser.NewParser(parser.Options{}).ParseMetric(series)
	if err != nil {
		t.Fatal(err)
	}
	querier, err := s.db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = querier.Close() }() // it only reads
	all := querier.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, named.Get(model.MetricNameLabel)))
	for all.Next() {
		if !labels.Equal(all.At().Labels(), named) {
			continue
		}
		var values []float64
		samples := all.At().Iterator(nil)
		for samples.Next() == chunkenc.ValFloat {
			_, v := samples.At()
			values = append(values, v)
		}
		return values
	}
	return nil
}

// equal compares bits, as no NaN equals another.
func equal(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return true
}
