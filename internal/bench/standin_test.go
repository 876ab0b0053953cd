//go:build bench

package bench

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A stand-in for sql_exporter 0.24, which executes the same configuration in the same way: per scrape one goroutine for
// each target, and when that answers a ping, one for each query; at most max_connections of them reach the server at a
// time; statements stay prepared; what comes is encoded by client_golang. Its program is that of this test.

// standIn in the environment makes this program the stand-in.
const standIn = "BENCH_STAND_IN"

func TestMain(m *testing.M) {
	if os.Getenv(standIn) == "" {
		os.Exit(m.Run())
	}
	flags := flag.NewFlagSet("stand-in", flag.ExitOnError)
	file := flags.String("config.file", "", "")
	address := flags.String("web.listen-address", "", "")
	_ = flags.Parse(os.Args[1:]) // it exits
	fmt.Fprintln(os.Stderr, serveStandIn(*file, *address))
	os.Exit(1)
}

func serveStandIn(file, address string) error {
	targets, err := readPeerConfig(file)
	if err != nil {
		return err
	}
	http.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(seconds*float64(time.Second))-500*time.Millisecond)
		defer cancel()
		wanted := targets
		if jobs := r.URL.Query()["jobs[]"]; jobs != nil {
			wanted = slices.DeleteFunc(slices.Clone(targets), func(t *peerTarget) bool { return !slices.Contains(jobs, t.job) })
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(peerScrape{ctx, wanted})
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	return http.ListenAndServe(address, nil)
}

// A peerTarget is a database that the stand-in asks.
type peerTarget struct {
	job     string
	db      *sql.DB
	up      peerMetric
	pinging sync.Mutex
	queries []*peerQuery
}

// A peerQuery is a query with the metrics that are made of its columns.
type peerQuery struct {
	text    string
	metrics []peerMetric

	mu       sync.Mutex
	prepared *sql.Stmt
}

type peerMetric struct {
	desc    *prometheus.Desc
	labels  []string
	values  []string
	byValue bool // each value has its column's name as a label
}

// peerScrape collects the metrics of one scrape.
type peerScrape struct {
	ctx     context.Context
	targets []*peerTarget
}

func (peerScrape) Describe(chan<- *prometheus.Desc) {}

func (s peerScrape) Collect(metrics chan<- prometheus.Metric) {
	var targets sync.WaitGroup
	for _, t := range s.targets {
		targets.Go(func() {
			t.pinging.Lock()
			err := t.db.PingContext(s.ctx)
			t.pinging.Unlock()
			up := sql.NullString{String: "1", Valid: true}
			if err != nil {
				up.String = "0"
			}
			if sending := t.up.send(map[string]sql.NullString{"up": up}, metrics); err != nil || sending != nil {
				return
			}
			var queries sync.WaitGroup
			for _, q := range t.queries {
				queries.Go(func() {
					if err := q.run(s.ctx, t.db, metrics); err != nil { // then there must be no measurement
						metrics <- prometheus.NewInvalidMetric(t.up.desc, fmt.Errorf("%w in %s", err, q.text))
					}
				})
			}
			queries.Wait()
		})
	}
	targets.Wait()
}

// run executes the query.
func (q *peerQuery) run(ctx context.Context, db *sql.DB, metrics chan<- prometheus.Metric) error {
	statement, err := q.prepare(ctx, db) //nolint:sqlclosecheck // it stays prepared
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	fields, places := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range fields {
		places[i] = &fields[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		row := map[string]sql.NullString{}
		for i, column := range columns {
			row[column] = fields[i]
		}
		for _, m := range q.metrics {
			if err := m.send(row, metrics); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

func (q *peerQuery) prepare(ctx context.Context, db *sql.DB) (*sql.Stmt, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.prepared != nil {
		return q.prepared, nil
	}
	var err error
	q.prepared, err = db.PrepareContext(ctx, q.text)
	return q.prepared, err
}

// send makes the metrics of a row.
func (m peerMetric) send(row map[string]sql.NullString, metrics chan<- prometheus.Metric) error {
	var labels []string
	for _, label := range m.labels {
		labels = append(labels, row[label].String)
	}
	for _, column := range m.values {
		if !row[column].Valid {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(row[column].String), 64)
		if err != nil {
			return err
		}
		all := labels
		if m.byValue {
			all = append(labels[:len(labels):len(labels)], column)
		}
		metric, err := prometheus.NewConstMetric(m.desc, prometheus.GaugeValue, value, all...)
		if err != nil {
			return err
		}
		metrics <- metric
	}
	return nil
}
