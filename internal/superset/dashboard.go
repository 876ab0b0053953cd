package superset

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/alike"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// maxCharts and maxFilters are of how many a dashboard is asked: each chart remembers the filters that cover it.
const maxCharts, maxFilters = 500, 200

// maxName is how many letters a chart's or a data source's name may have as a label.
const maxName = 100

// dashboard is what has to be known of a dashboard to ask for its charts.
type dashboard struct {
	id     int
	charts []chart // without those that are deleted
	gone   []chart
}

// chart is a chart on a dashboard.
type chart struct {
	id         int
	name       string
	dataSource string
	vizType    string
	// aggregation is what a big number with a trend line makes of it; empty or LAST_VALUE is its last value.
	aggregation string
	dashboard   int
	filters     []extraFormData
}

// loadDashboard looks a dashboard up, and its charts.
func (a *account) loadDashboard(ctx context.Context, name string) (dashboard, error) {
	var found struct {
		Result struct {
			ID       int
			Metadata string `json:"json_metadata"`
			Position string `json:"position_json"`
		}
	}
	var err error = a.fail(oms.ReportNotFound, "")
	if !strings.Contains(name, "/") { // which no slug has, but titles and links do
		err = a.get(ctx, "/api/v1/dashboard/"+url.PathEscape(name), &found)
	}
	if reason(err) == oms.ReportNotFound {
		var id int
		if id, err = a.byTitle(ctx, name); err == nil {
			err = a.get(ctx, fmt.Sprintf("/api/v1/dashboard/%d", id), &found)
		}
	}
	if err != nil {
		return dashboard{}, err
	}
	var places layout
	var metadata struct {
		Filters []filter `json:"native_filter_configuration"`
	}
	for text, to := range map[string]any{found.Result.Position: &places, found.Result.Metadata: &metadata} {
		if text == "" {
			continue
		}
		err := checkText(text)
		if err == nil {
			err = json.Unmarshal([]byte(text), to)
		}
		if errors.Is(err, errTooLarge) {
			return dashboard{}, a.fail(oms.ReportTooLarge, "the dashboard's settings have more than %d values", maxElements)
		}
		if err != nil {
			return dashboard{}, a.fail(oms.ReportBadAnswer, "the dashboard's settings are not as Superset writes them: %v", err)
		}
	}
	if len(metadata.Filters) > maxFilters {
		return dashboard{}, a.fail(oms.ReportTooLarge, "the dashboard has %d filters, more than %d are not supported", len(metadata.Filters), maxFilters)
	}
	d := dashboard{id: found.Result.ID}
	err = a.list(ctx, &d, places.places(), metadata.Filters)
	return d, err
}

// byTitle returns the id of the only dashboard with that title.
func (a *account) byTitle(ctx context.Context, title string) (int, error) {
	quoted := "'" + strings.NewReplacer("!", "!!", "'", "!'").Replace(title) + "'" // Rison
	query := url.Values{"q": {"(columns:!(id),filters:!((col:dashboard_title,opr:eq,value:" + quoted + ")))"}}
	var found struct{ Result []struct{ ID int } }
	if err := a.get(ctx, "/api/v1/dashboard/?"+query.Encode(), &found); err != nil {
		return 0, err
	}
	switch len(found.Result) {
	case 0:
		return 0, a.fail(oms.ReportNotFound, "%s has no dashboard with that slug, id or title, or hides it from %s%s",
			a.config.URL, a.user(), a.hint(ctx, title))
	case 1:
		return found.Result[0].ID, nil
	}
	return 0, a.fail(oms.ReportNotFound, "%s has several dashboards with that title, write the slug or the id", a.config.URL)
}

// A listed is a dashboard as people know it.
type listed struct {
	ID          int
	Slug, Title string
}

// name is by what the configuration knows it.
func (b listed) name() string { return cmp.Or(b.Slug, strconv.Itoa(b.ID)) }

func (b listed) String() string { return fmt.Sprintf("%s (%q)", b.name(), b.Title) }

// UnmarshalJSON has the title by Superset's name for it.
func (b *listed) UnmarshalJSON(text []byte) error {
	var read struct {
		ID    int
		Slug  string
		Title string `json:"dashboard_title"`
	}
	err := json.Unmarshal(text, &read)
	*b = listed(read)
	return err
}

// hint says what may have been meant by a name that no dashboard has: the one behind a link, or those that the user sees. It is
// empty where Superset does not tell.
func (a *account) hint(ctx context.Context, name string) string {
	link := strings.Trim(name, "/")
	if u, err := url.Parse(name); err == nil {
		link = strings.Trim(u.Path, "/")
	}
	last := path.Base(link)
	var behind struct {
		Dashboard json.RawMessage `json:"dashboardId"` // a number in some versions, a text in others
	}
	isLink := strings.Contains(link, "dashboard/")
	if a.get(ctx, "/api/v1/dashboard/permalink/"+url.PathEscape(last), &behind) == nil && len(behind.Dashboard) > 0 {
		last, isLink = strings.Trim(string(behind.Dashboard), `"`), true
	}
	if isLink {
		var found struct{ Result listed }
		if a.get(ctx, "/api/v1/dashboard/"+url.PathEscape(last), &found) == nil && found.Result.ID != 0 {
			return fmt.Sprintf("; it is a link to the dashboard %s: write that slug or id", found.Result)
		}
	}
	seen, err := a.dashboards(ctx)
	if err != nil {
		return ""
	}
	all := make([]string, len(seen))
	for i, b := range seen {
		all[i] = b.String()
	}
	if len(all) == 0 {
		return "; Superset lists no dashboard for that account"
	}
	return fmt.Sprintf(", who sees %s", strings.Join(alike.Names(name, all, 4), ", "))
}

// dashboards lists the first 100 that the user sees.
func (a *account) dashboards(ctx context.Context) ([]listed, error) {
	const columns = "(columns:!(id,slug,dashboard_title),page:0,page_size:100)"
	var seen struct{ Result []listed }
	err := a.get(ctx, "/api/v1/dashboard/?"+url.Values{"q": {columns}}.Encode(), &seen)
	return seen.Result, err
}

// list fills in the charts of the dashboard.
func (a *account) list(ctx context.Context, d *dashboard, places map[int]place, filters []filter) error {
	var charts struct {
		Result []struct {
			ID       int
			Name     string `json:"slice_name"`
			FormData struct {
				DataSource  string `json:"datasource"`
				VizType     string `json:"viz_type"`
				Aggregation string
			} `json:"form_data"`
		}
	}
	if err := a.get(ctx, fmt.Sprintf("/api/v1/dashboard/%d/charts", d.id), &charts); err != nil {
		return err
	}
	if n := len(charts.Result) + len(places); n > 2*maxCharts {
		return a.fail(oms.ReportTooLarge, "the dashboard has %d charts, more than %d are not supported: divide it", n/2, maxCharts)
	}
	sources, err := a.dataSources(ctx, d.id)
	if err != nil {
		return err
	}
	for _, c := range charts.Result {
		p := places[c.ID]
		delete(places, c.ID)
		shown := chart{
			id: c.ID, name: label(cmp.Or(p.Meta.Override, c.Name), c.ID), dataSource: sources[c.FormData.DataSource],
			vizType: c.FormData.VizType, aggregation: c.FormData.Aggregation, dashboard: d.id,
		}
		for _, f := range filters {
			if f.covers(c.ID, p) {
				shown.filters = append(shown.filters, f.DefaultDataMask.ExtraFormData)
			}
		}
		d.charts = append(d.charts, shown)
	}
	for id, p := range places {
		d.gone = append(d.gone, chart{id: id, name: label(cmp.Or(p.Meta.Override, p.Meta.SliceName), id)})
	}
	d.distinguish()
	return nil
}

// dataSources returns the names of the databases behind the dashboard's datasets, by the dataset's id as charts have it. The answer
// also has every column of them that a chart shows, so it is not held.
func (a *account) dataSources(ctx context.Context, dashboard int) (map[string]string, error) {
	sources := map[string]string{}
	q := request{method: http.MethodGet, path: fmt.Sprintf("/api/v1/dashboard/%d/datasets", dashboard), streamed: true}
	_, err := a.call(ctx, q, func(r *guard) (int, error) {
		return 0, results(r, func(d *stream) error {
			var uid string
			var database struct{ Name string }
			err := each(d, '{', func(key string) error {
				switch key {
				case "uid":
					return d.Decode(&uid)
				case "database":
					return d.Decode(&database)
				}
				return skip(d)
			})
			if sources[uid] = cut(database.Name); len(sources) > 2*maxCharts {
				return errTooLarge
			}
			return err
		})
	})
	return sources, err
}

// get asks for something that is not a chart's data.
func (a *account) get(ctx context.Context, path string, to any) error {
	_, err := a.call(ctx, request{method: http.MethodGet, path: path}, decode(to))
	return err
}

// label returns a name that is never empty.
func label(name string, id int) string {
	if name = cut(name); name == "" {
		return fmt.Sprintf("chart %d", id)
	}
	return name
}

// cut bounds the length of a name.
func cut(name string) string {
	letters := []rune(strings.Join(strings.Fields(name), " "))
	return string(letters[:min(len(letters), maxName)])
}

// distinguish adds the id to each name that several charts have, once more where that is the name of another.
func (d *dashboard) distinguish() {
	count := map[string]int{}
	for _, charts := range [][]chart{d.charts, d.gone} {
		for _, c := range charts {
			count[c.name]++
		}
	}
	slices.SortFunc(d.gone, func(a, b chart) int { return a.id - b.id })
	for _, charts := range [][]chart{d.charts, d.gone} {
		for i, c := range charts {
			if count[c.name] == 1 {
				continue
			}
			name := c.name
			for count[name] > 0 {
				name += fmt.Sprintf(" (%d)", c.id)
			}
			charts[i].name, count[name] = name, 1
		}
	}
}
