package month

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// The storage takes, refuses and finds the same samples as Prometheus' own.
func TestAgreement(t *testing.T) {
	options := tsdb.DefaultOptions()
	options.WALSegmentSize = -1 // nothing is read again after a crash
	db, err := tsdb.Open(t.TempDir(), promslog.NewNopLogger(), nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	m, random := newMemory(), rand.New(rand.NewPCG(*seed, 0))
	expression, err := parser.NewParser(parser.Options{}).ParseExpr("max_over_time(a[30m] offset 10m)")
	if err != nil {
		t.Fatal(err)
	}
	m.retain(expression, lookback)
	const minutes = 400
	for minute := range minutes {
		for _, name := range []string{"a", "b"} {
			for _, client := range []string{"x", "y", "z"} {
				l := labels.FromStrings(model.MetricNameLabel, name, "client", client)
				at, v := minute, []float64{1, 2, math.Inf(1), math.Float64frombits(value.StaleNaN)}[random.IntN(4)]
				switch random.IntN(8) {
				case 0:
					continue
				case 1:
					at -= random.IntN(4) // twice the same time, or earlier
				}
				both := [2]error{}
				for i, into := range []storage.AppendableV2{m, db} {
					app := into.AppenderV2(t.Context())
					_, err := app.Append(0, l, 0, ms(at), v, nil, nil, storage.AOptions{RejectOutOfOrder: true})
					both[i] = errors.Join(err, app.Commit())
				}
				if refusal(both[0]) != refusal(both[1]) {
					t.Fatalf("minute %d: got the error %v, want %v", minute, both[0], both[1])
				}
			}
		}
	}
	for range 1000 {
		from := minutes - 1 - random.IntN(45)
		to := from + random.IntN(minutes-from)
		seek := from - 2 + random.IntN(to-from+5)
		client := labels.MustNewMatcher(labels.MatchType(random.IntN(4)), "client", []string{"x", "y", "", "x|z"}[random.IntN(4)])
		got, want := found(t, m, from, to, seek, client), found(t, db, from, to, seek, client)
		if !slices.Equal(got, want) {
			t.Fatalf("a{%s} from %d to %d, from %d on: got %v, want %v", client, from, to, seek, got, want)
		}
	}
	if held := len(m.byName["a"][0].samples); held > minutes/2 {
		t.Errorf("%d samples are held of 45 minutes", held)
	}
}

// refusal returns what storages agree to call an error.
func refusal(err error) string {
	for _, known := range []error{storage.ErrOutOfOrderSample, storage.ErrDuplicateSampleForTimestamp} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(err)
}

func ms(minute int) int64 { return clockChange.Add(time.Duration(minute) * time.Minute).UnixMilli() }

// found tells the samples of a metric from a time on, within what a query asks for.
func found(t *testing.T, in storage.Queryable, from, to, seek int, client *labels.Matcher) (all []string) {
	t.Helper()
	querier, err := in.Querier(ms(from), ms(to))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = querier.Close() }() // it only reads
	set := querier.Select(t.Context(), true, nil, client, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "a"))
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		it.Next()
		next := it.Seek(ms(seek))
		if next == chunkenc.ValFloat {
			next = it.Seek(ms(seek - 3)) // does not lead back
		}
		for ; next == chunkenc.ValFloat; next = it.Next() {
			at, v := it.At()
			all = append(all, fmt.Sprint(set.At().Labels(), " ", at-ms(0), " ", math.Float64bits(v)))
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return all
}
