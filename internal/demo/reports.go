package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// cacheTimeout is for how long Superset answers with data that it has read already.
const cacheTimeout = time.Minute

// reports are a client's dashboards as Superset shows them to the client's account.
type reports struct {
	client, account, token string
	dashboards             []dashboard
	db                     *sql.DB
	zone                   *time.Location // of the times in the database
	shown                  *atomic.Pointer[shown]

	// The faults superset-down, chart-error and solr-token-expired.
	down, columnGone, tokenExpired atomic.Bool

	mu    sync.Mutex
	cache map[string]result // by statement
}

// result is what a statement gave.
type result struct {
	rows []object
	read time.Time
}

func newReports(c *client) *reports {
	return &reports{
		client: c.name, account: c.account(), token: rand.Text(), dashboards: dashboards(),
		db: c.db, zone: c.serverZone, shown: &c.shown, cache: map[string]result{},
	}
}

func (r *reports) slug(d dashboard) string { return r.account + "-" + d.slug }

// object is JSON.
type object = map[string]any

var errNotFound = errors.New("not found")

// board answers with a dashboard, by its slug.
func (r *reports) board(q *http.Request) (any, error) {
	i := slices.IndexFunc(r.dashboards, func(d dashboard) bool { return r.slug(d) == q.PathValue("dashboard") })
	if i < 0 {
		return nil, errNotFound
	}
	d := r.dashboards[i]
	return object{
		"id": i + 1, "slug": r.slug(d), "dashboard_title": r.client + " " + d.title, "json_metadata": nil, "position_json": nil,
	}, nil
}

// boards answers with the dashboards that the account sees. Of the query it knows the title.
func (r *reports) boards(q *http.Request) (any, error) {
	found := []object{}
	for i, d := range r.dashboards {
		title := r.client + " " + d.title
		if filters := q.URL.Query().Get("q"); !strings.Contains(filters, "filters:") || strings.Contains(filters, "'"+title+"'") {
			found = append(found, object{"id": i + 1, "slug": r.slug(d), "dashboard_title": title})
		}
	}
	return found, nil
}

// charts answers with the charts of a dashboard.
func (r *reports) charts(q *http.Request) (any, error) {
	for i, d := range r.dashboards {
		if fmt.Sprint(i+1) != q.PathValue("dashboard") {
			continue
		}
		var list []object
		for _, c := range d.charts {
			list = append(list, object{"id": c.id, "slice_name": c.name,
				"form_data": object{"datasource": uid(c.dataset()), "viz_type": c.vizType()}})
		}
		return list, nil
	}
	return nil, errNotFound
}

// datasets answers with those behind any dashboard: the same for all.
func (r *reports) datasets(*http.Request) (any, error) {
	return []object{
		{"uid": uid(omsDataset), "database": object{"name": r.client + " OMS"}},
		{"uid": uid(solrDataset), "database": object{"name": r.client + " Solr"}},
	}, nil
}

// chart answers with the query that was saved with a chart.
func (r *reports) chart(q *http.Request) (any, error) {
	c, err := r.find(q.PathValue("chart"))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c.query())
	return object{"id": c.id, "slice_name": c.name, "query_context": string(text)}, err
}

func (r *reports) find(id string) (chart, error) {
	for _, d := range r.dashboards {
		for _, c := range d.charts {
			if fmt.Sprint(c.id) == id {
				return c, nil
			}
		}
	}
	return chart{}, errNotFound
}

// data answers with a chart's data.
func (r *reports) data(q *http.Request) (any, error) {
	var asked struct {
		FormData struct {
			SliceID int `json:"slice_id"`
		} `json:"form_data"`
	}
	if err := json.NewDecoder(q.Body).Decode(&asked); err != nil {
		return nil, fmt.Errorf("request is incorrect: %w", err)
	}
	c, err := r.find(fmt.Sprint(asked.FormData.SliceID))
	if err != nil {
		return nil, err
	}
	if c.name == missingOrders && r.columnGone.Load() {
		c.columns = strings.Replace(c.columns, "order_created_at", "created_at", 1)
	}
	d, cached, err := r.read(q.Context(), c)
	if err != nil {
		return nil, err
	}
	var since any // null when the data were read for this answer
	if cached {
		since = d.read.UTC().Format("2006-01-02T15:04:05")
	}
	return []object{{
		"cached_dttm": since, "is_cached": cached, "rowcount": len(d.rows), "data": d.rows, "status": "success",
	}}, nil
}

// read returns what a chart's statement gives, or gave lately: then its data source is not asked.
func (r *reports) read(ctx context.Context, c chart) (found result, cached bool, err error) {
	statement := c.statement()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.shown.Load().now
	if held, ok := r.cache[statement]; ok && now.Sub(held.read) < cacheTimeout {
		return held, true, nil
	}
	if c.solr && r.tokenExpired.Load() {
		return result{}, false, errors.New("401 Client Error: Unauthorized for url: https://solr.example.com/solr/logInsights/sql")
	}
	found = result{rows: []object{}, read: now}
	rows, err := r.db.QueryContext(ctx, statement, stored(now.Add(-24*time.Hour), r.zone))
	if err != nil {
		return result{}, false, err
	}
	defer rows.Close() //nolint:errcheck // it was only read
	columns, err := rows.Columns()
	for err == nil && rows.Next() {
		cells, row := make([]any, len(columns)), object{}
		for i := range cells {
			cells[i] = new(any)
		}
		err = rows.Scan(cells...)
		for i, column := range columns {
			row[column] = *cells[i].(*any)
		}
		found.rows = append(found.rows, row)
	}
	if err = cmp.Or(err, rows.Err()); err != nil {
		return result{}, false, err
	}
	r.cache[statement] = found
	return found, false, nil
}
