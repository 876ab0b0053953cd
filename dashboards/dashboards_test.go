package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/collector"
)

// shipped are the texts of the shipped dashboards.
func shipped(t *testing.T) texts {
	t.Helper()
	to, err := readTexts("..")
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dashboards := all(shipped(t))
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(dashboards)); !slices.Equal(files, want) {
		t.Errorf("the files are %q, want %q", files, want)
	}
	for _, name := range files {
		want, err := encode(dashboards[name])
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the program makes: make generate", name)
		}
	}
}

// TestRules states the rules of grafana/dashboard-linter, and a few of our own. Those of its rules that want variables and
// selectors for job and instance do not fit: people look for a client, whichever exporter watches it. Nor does
// $__rate_interval where a panel says over how long it counts (increase); and of tables each column has its unit or words.
func TestRules(t *testing.T) {
	t.Parallel()
	titles := map[string]bool{}
	for name, d := range all(shipped(t)) {
		t.Run(name, func(t *testing.T) {
			if want := "oms-" + strings.TrimSuffix(name, ".json"); d.UID != want {
				t.Errorf("uid %q, want %q", d.UID, want)
			}
			if d.Title == "" || d.Description == "" || titles[d.Title] || !slices.Equal(d.Tags, []string{"oms"}) {
				t.Errorf("title %q, description %q, tags %q", d.Title, d.Description, d.Tags)
			}
			titles[d.Title] = true
			if d.Editable {
				t.Error("it can be edited in Grafana, and would differ from its file")
			}
			if d.SchemaVersion != 38 {
				t.Errorf("schema version %d, want Grafana 9.4's", d.SchemaVersion)
			}
			for _, v := range d.Templating.List {
				several := name != "client.json" && name != "service-levels.json" // which are about one at a time
				if v.Type == "query" && (v.Refresh != 2 || v.Multi != several || v.IncludeAll != several || v.Datasource.UID != "${datasource}") {
					t.Errorf("variable %s: %+v", v.Name, v)
				}
			}
			d.Templating.List[0].expect(t, "datasource", "prometheus")
			named := map[string]bool{}
			for i, p := range d.all() {
				if p.ID != i+1 || p.Title == "" || named[p.Title] {
					t.Errorf("panel %d: id %d, title %q", i, p.ID, p.Title)
				}
				named[p.Title] = true
				if p.Type != "row" {
					p.expectComplete(t)
				}
			}
			for i, p := range d.Panels {
				p.expectInside(t, d.Panels[:i])
				for j, inner := range p.Panels {
					inner.expectInside(t, append(slices.Clone(p.Panels[:j]), d.Panels[:i+1]...))
				}
			}
		})
	}
}

// all returns the panels of a dashboard, also those of its closed sections.
func (d dashboard) all() (panels []panel) {
	d.each(func(p *panel) { panels = append(panels, *p) })
	return panels
}

func (v variable) expect(t *testing.T, name string, query any) {
	t.Helper()
	if v.Type != "datasource" || v.Name != name || v.Query != query {
		t.Errorf("variable %+v", v)
	}
}

// expectInside wants the panel on the screen, and not over one of the others.
func (p panel) expectInside(t *testing.T, others []panel) {
	t.Helper()
	a := p.GridPos
	if a.X < 0 || a.Y < 0 || a.W <= 0 || a.H <= 0 || a.X+a.W > 24 {
		t.Errorf("%s: %+v", p.Title, a)
	}
	for _, other := range others {
		if b := other.GridPos; a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
			t.Errorf("%s %+v lies over %s %+v", p.Title, a, other.Title, b)
		}
	}
}

var (
	rates    = regexp.MustCompile(`\b(rate|irate|deriv)\([^[]*\[([^\]]*)\]`)
	counters = regexp.MustCompile(`(\w*)\(?\b\w+_total\b`)
	// Two exporters may watch a client: what both tell must not be added up. The sessions of each are its own, and recorded series are one.
	sum  = regexp.MustCompile(`\bsum\b`)
	sums = regexp.MustCompile(`\bsum(?: by \([^)]*\) )?\(\(?(?:1 - )?(?:max by |oms:|(?:sum|count)_over_time\(oms:|rate\(go_sql_)`)
	// Whatever is not of a client says whose it is.
	scoped = regexp.MustCompile(`client=~"\$client(\|(all)?)?"|job=~"oms\|oms_exporter"|\boms_exporter_`)
	inUse  = regexp.MustCompile(`\$\{?(\w+)`)
)

// expectComplete wants all that a panel needs.
func (p panel) expectComplete(t *testing.T) {
	t.Helper()
	if !slices.Contains([]string{"table", "timeseries", "stat", "state-timeline"}, p.Type) {
		t.Errorf("%s: %s is not among the panels that every Grafana has", p.Title, p.Type)
	}
	if p.Description == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("%s: description %q, data source %v, %d queries", p.Title, p.Description, p.Datasource, len(p.Targets))
	}
	if p.Type == "table" && p.FieldConfig.Defaults.NoValue != "" {
		t.Errorf("%s: every empty cell says %s", p.Title, p.FieldConfig.Defaults.NoValue)
	}
	if p.Type == "table" {
		p.expectTitles(t)
	}
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.RefID == "" || refs[q.RefID] || q.Datasource.UID != "${datasource}" || q.Instant == q.Range {
			t.Errorf("%s: query %+v", p.Title, q)
		}
		refs[q.RefID] = true
		if !scoped.MatchString(q.Expr) {
			t.Errorf("%s %s does not heed the selected clients: %s", p.Title, q.RefID, q.Expr)
		}
		for _, rate := range rates.FindAllStringSubmatch(q.Expr, -1) {
			if rate[2] != "$__rate_interval" || p.Interval == "" {
				t.Errorf("%s %s: %s over %s", p.Title, q.RefID, rate[1], rate[2])
			}
		}
		for _, counter := range counters.FindAllStringSubmatch(q.Expr, -1) {
			if counter[1] != "rate" && counter[1] != "increase" {
				t.Errorf("%s %s: a counter in %q: %s", p.Title, q.RefID, counter[1], q.Expr)
			}
		}
		if len(sum.FindAllString(q.Expr, -1)) != len(sums.FindAllString(q.Expr, -1)) {
			t.Errorf("%s %s adds up what two exporters tell: %s", p.Title, q.RefID, q.Expr)
		}
		for _, variable := range inUse.FindAllStringSubmatch(q.Expr+q.LegendFormat, -1) {
			if variable[1] != "client" && variable[1] != "__rate_interval" {
				t.Errorf("%s %s uses %s", p.Title, q.RefID, variable[0])
			}
		}
		if p.Type == "table" {
			p.expectColumn(t, q)
		} else if p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%s has no unit", p.Title)
		}
	}
}

// expectTitles wants a title of its own for each column: from Grafana 12.2 on columns of the same title show the same cells.
func (p panel) expectTitles(t *testing.T) {
	t.Helper()
	arranged := p.arranged()
	titles := map[string]bool{}
	for name, title := range arranged.RenameByName {
		if strings.TrimSpace(title) == "" || titles[title] {
			t.Errorf("%s: the title of %s is %q, as that of another column or of none", p.Title, name, title)
		}
		titles[title] = true
	}
	for _, by := range p.Options.(tableOptions).SortBy {
		if !titles[by.DisplayName] {
			t.Errorf("%s is sorted by %q, which is no column", p.Title, by.DisplayName)
		}
	}
}

// expectColumn wants a unit or words for the value of a query, unless it is not shown.
func (p panel) expectColumn(t *testing.T, q target) {
	t.Helper()
	name := "Value #" + q.RefID
	if len(p.Targets) == 1 {
		name = "Value"
	}
	arranged := p.arranged()
	if arranged.ExcludeByName[name] {
		return
	}
	if arranged.RenameByName[name] == "" {
		t.Errorf("%s: %s has no title", p.Title, name)
	}
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options == name && slices.ContainsFunc(o.Properties, func(p property) bool { return p.ID == "unit" || p.ID == "mappings" }) {
			return
		}
	}
	t.Errorf("%s: %s has neither unit nor words", p.Title, name)
}

func TestLinks(t *testing.T) {
	t.Parallel()
	uids := map[string]bool{}
	for _, d := range all(shipped(t)) {
		uids[d.UID] = true
		if d.Links[0].Type != "dashboards" || !slices.Equal(d.Links[0].Tags, d.Tags) {
			t.Errorf("%s: links %+v", d.Title, d.Links)
		}
		for i, l := range d.Links {
			if !l.KeepTime || !l.IncludeVars || i > 0 && !strings.HasPrefix(l.URL, "/d/"+d.UID+"?") {
				t.Errorf("%s: link %+v", d.Title, l)
			}
		}
	}
	seen := 0
	for _, d := range all(shipped(t)) {
		for _, p := range d.all() {
			for _, l := range p.links() {
				seen++
				rest, inside := strings.CutPrefix(l.URL, "/d/")
				uid, query, _ := strings.Cut(rest, "?")
				if !inside {
					page := strings.TrimPrefix(l.URL, "https://github.com/oms-exporter/oms_exporter/blob/main/")
					if _, err := os.Stat("../" + strings.ReplaceAll(page, "${__value.raw}", "OMSWatchdog")); err != nil {
						t.Errorf("%s links to %s: %v", p.Title, l.URL, err)
					}
					continue
				}
				if !uids[uid] {
					t.Errorf("%s links to %s, which is no dashboard", p.Title, uid)
				}
				for _, passed := range []string{"${datasource:queryparam}", "var-client=${", "${__url_time_range}"} {
					if !strings.Contains(query, passed) {
						t.Errorf("%s: %s does not pass %s", p.Title, l.URL, passed)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("there are no links")
	}
}

// links returns those of a panel's series and cells.
func (p panel) links() []link {
	if p.FieldConfig == nil {
		return nil
	}
	found := p.FieldConfig.Defaults.Links
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if links, ok := property.Value.([]link); ok {
				found = append(found, links...)
			}
		}
	}
	return found
}

// Grafana 12 waits for ever for a panel with "overrides": null. The only null that it wants is the value of the first threshold.
func TestNoNull(t *testing.T) {
	t.Parallel()
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case nil:
			if !strings.HasSuffix(path, ".steps.0.value") {
				t.Errorf("%s is null", path)
			}
		case map[string]any:
			for key, inner := range value {
				walk(path+"."+key, inner)
			}
		case []any:
			for i, inner := range value {
				walk(fmt.Sprintf("%s.%d", path, i), inner)
			}
		}
	}
	for name, d := range all(shipped(t)) {
		content, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		var decoded any
		if err := json.Unmarshal(content, &decoded); err != nil {
			t.Fatal(err)
		}
		walk(name, decoded)
	}
}

// What has no value, as what cannot be measured, has the colour of the first threshold, which is green unless one says otherwise.
func TestUnknownIsNotGreen(t *testing.T) {
	t.Parallel()
	for name, d := range all(shipped(t)) {
		for _, p := range d.all() {
			if p.Type == "row" {
				continue
			}
			if defaults := p.FieldConfig.Defaults.Thresholds; p.Type == "stat" && (defaults == nil || defaults.Steps[0].Color == "green") {
				t.Errorf("%s: %s is green when it has no value", name, p.Title)
			}
			for _, o := range p.FieldConfig.Overrides {
				var painted, blank bool
				for _, property := range o.Properties {
					switch value := property.Value.(type) {
					case cellOptions:
						painted = painted || value.Type == "color-background"
					case thresholds:
						blank = value.Steps[0].Color == "transparent"
						if value.Steps[0].Color == "green" {
							t.Errorf("%s: %s: %s is green when it has no value", name, p.Title, o.Matcher.Options)
						}
					}
				}
				if painted && !blank {
					t.Errorf("%s: %s: an empty cell of %s has a colour", name, p.Title, o.Matcher.Options)
				}
			}
		}
	}
	for value, sign := range states() {
		if (sign.Color == "green") != (value == "0") {
			t.Errorf("the state %s is %s", value, sign.Color)
		}
	}
}

// How wide dashboards are, in pixels: on a screen of 1366 pixels, with Grafana's menu open as it is at first, and on paper: A4 with margins of 1 cm.
const (
	laptop = 1016
	paper  = 718
)

// TestFits wants titles that are not cut, tables that fit on a laptop, and those of the service levels on paper.
func TestFits(t *testing.T) {
	t.Parallel()
	// The text in Inter, medium, of 14 pixels, with 6 on either side, the border and one more.
	for title, want := range map[string]int{"Brokering": 79, "Scheduler": 82, "Inventory": 78, "Created": 68} {
		if got := titleWidth(title); got < want {
			t.Errorf("%s has %d pixels, want %d", title, got, want)
		}
	}
	for name, d := range all(shipped(t)) {
		for _, p := range d.all() {
			// Beside a panel's title are 8 pixels on the left and, with the icon of its description, 33 on the right; 8 are between panels.
			const beside = 8 + 33 + 8
			if width := laptop * p.GridPos.W / screenWidth; p.Type != "row" && titleWidth(p.Title)-titleAround+beside > width {
				t.Errorf("%s: the title of %s is cut: it has %d pixels", name, p.Title, width)
			}
			if p.Type != "table" {
				continue
			}
			fixed, free := 0, 0
			for column, title := range p.arranged().RenameByName {
				width := 0
				for _, o := range p.FieldConfig.Overrides {
					for _, property := range o.Properties {
						if o.Matcher.Options == column && property.ID == "custom.width" {
							width = property.Value.(int)
						}
					}
				}
				if width > 0 && width < titleWidth(title) {
					t.Errorf("%s: %s: the title %s is cut", name, p.Title, title)
				}
				switch {
				case p.arranged().ExcludeByName[column]:
				case width == 0:
					free++
				default:
					fixed += width
				}
			}
			const readable = 100
			board := laptop
			if name == "service-levels.json" {
				board = paper
			}
			if width := board * p.GridPos.W / screenWidth; fixed+free*readable > width {
				t.Errorf("%s: %s has %d pixels for %d and %d columns without a width", name, p.Title, width, fixed, free)
			}
		}
	}
}

// The pages of one client name it at the top, and not once more in each panel.
func TestClientIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, p := range append(client(shipped(t)).all(), serviceLevels().all()...) {
		for _, q := range p.Targets {
			if strings.Contains(q.LegendFormat, "client") || p.Type == "timeseries" && q.LegendFormat == "" {
				t.Errorf("%s: the legend of %s is %q", p.Title, q.RefID, q.LegendFormat)
			}
		}
		if p.Type == "table" && !p.arranged().ExcludeByName["client"] {
			t.Errorf("%s has a column for the client", p.Title)
		}
	}
}

// The tiles count what the list shows: both read the same series, and no other panel asks for alerts.
func TestOneList(t *testing.T) {
	t.Parallel()
	var lists []string
	for _, p := range all(shipped(t))["daily-check.json"].Panels {
		for _, q := range p.Targets {
			if strings.Contains(q.Expr, "ALERTS") && !strings.Contains(q.Expr, "OMSWatchdog") {
				t.Errorf("%s asks for alerts, inhibited ones too: %s", p.Title, q.Expr)
			}
			if strings.Contains(q.Expr, "oms:problem{") {
				lists = append(lists, p.Title)
			}
		}
	}
	if want := []string{"Pages", "Tickets", "What to do now"}; !slices.Equal(lists, want) {
		t.Errorf("problems are in %q, want %q", lists, want)
	}
}

// Every sign and every line of the timeline leads to a panel of the client's page.
func TestSigns(t *testing.T) {
	t.Parallel()
	panels := map[string]string{}
	for _, p := range client(shipped(t)).all() {
		panels[fmt.Sprintf("viewPanel=%d", p.ID)] = p.Title
	}
	for _, p := range []panel{checksTable(), statesTimeline()} {
		for _, c := range collector.Checks() {
			if !slices.ContainsFunc(p.links(), func(l link) bool {
				_, query, _ := strings.Cut(l.URL, "${__url_time_range}&")
				return panels[query] == c.Panel && strings.HasPrefix(l.Title, c.Panel)
			}) {
				t.Errorf("%s: %s does not lead to %q", p.Title, c.Name, c.Panel)
			}
		}
	}
}

// queries counts what is asked of Prometheus before anything is opened: by panels, annotations and variables.
func (d dashboard) queries() int {
	n := len(d.Annotations.List)
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			n++
		}
	}
	for _, p := range d.Panels { // what is in closed sections is asked when they are opened
		n += len(p.Targets)
	}
	return n
}

func TestQueries(t *testing.T) {
	t.Parallel()
	const most = 20
	for name, d := range all(shipped(t)) {
		t.Logf("%s: %d queries", name, d.queries())
		if d.UID == clientUID && d.queries() > most {
			t.Errorf("%s asks %d queries before anything is opened, want at most %d", name, d.queries(), most)
		}
	}
}

// The client's page begins with what is wrong, and all that has a title is closed.
func TestClientIsClosed(t *testing.T) {
	t.Parallel()
	d := client(shipped(t))
	if first := d.Panels[0]; !strings.Contains(first.Targets[0].Expr, "oms:problem") {
		t.Errorf("the first panel is %s", first.Title)
	}
	for _, p := range d.Panels {
		if p.Type == "row" && (!p.Collapsed || len(p.Panels) == 0) {
			t.Errorf("%s is open: %d panels", p.Title, len(p.Panels))
		}
	}
}
