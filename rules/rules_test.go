// Package rules_test proves the rules by promtool, and that rules, tests, runbooks, limits and metrics belong together.
package rules_test

import (
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/links"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

// rule is a recording rule or an alert.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// testFile is what promtool runs, as far as it concerns us.
type testFile struct {
	RuleFiles      []string `yaml:"rule_files"`
	GroupEvalOrder []string `yaml:"group_eval_order"`
	Tests          []struct {
		AlertRuleTests []struct {
			Alertname string
			ExpAlerts []struct {
				ExpLabels map[string]string `yaml:"exp_labels"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// promtool returns what promtool says.
func promtool(t *testing.T, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testserver.Tool(t, "promtool"), args...)
	cmd.Env = append(os.Environ(), "GOGC=800") // else a third of its time goes into the collection of garbage
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// judge has promtool run tests that a test made.
func judge(t *testing.T, tests map[string]any) {
	t.Helper()
	content, err := yaml.Marshal(tests)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "made_test.yml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := promtool(t, "test", "rules", file); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, args ...string) {
		t.Parallel()
		if output, err := promtool(t, args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
		}
	}
	t.Run("check", func(t *testing.T) {
		run(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files(t, "*.yml")...)...)
	})
	for _, file := range files(t, "tests/*_test.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) { run(t, "test", "rules", file) })
	}
}

// Promtool evaluates the groups that a test does not list in random order: such a test can fail by chance.
func TestGroupOrder(t *testing.T) {
	t.Parallel()
	for _, file := range files(t, "tests/*_test.yml") {
		test := parse[testFile](t, file)
		for _, name := range test.RuleFiles {
			for _, group := range parse[ruleFile](t, filepath.Join("tests", name)).Groups {
				if !slices.Contains(test.GroupEvalOrder, group.Name) {
					t.Errorf("%s: group_eval_order lacks %s", file, group.Name)
				}
			}
		}
	}
}

func TestAlertsAreTested(t *testing.T) {
	t.Parallel()
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, file := range files(t, "tests/*_test.yml") {
		for _, group := range parse[testFile](t, file).Tests {
			for _, test := range group.AlertRuleTests {
				if len(test.ExpAlerts) == 0 {
					silent[test.Alertname] = true
				}
				for _, alert := range test.ExpAlerts {
					fires[test.Alertname] = true
					if alert.ExpLabels["client"] == "" {
						t.Errorf("%s: %s fires without a client", file, test.Alertname)
					}
				}
			}
		}
	}
	// What always fires is never silent.
	silent["OMSWatchdog"] = true
	known := names(alerts(t))
	same(t, "alert", known, "test in which it fires", fires)
	same(t, "alert", known, "test in which it is silent", silent)
}

// guideClients are those of the operations guide: the clients of who reads a runbook have other names.
var guideClients = regexp.MustCompile(`\b(KREWE|UCG|ADOC|NEWERA)\b`)

func TestRunbooks(t *testing.T) {
	t.Parallel()
	books := map[string]bool{}
	for _, file := range files(t, "runbooks/*.md") {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if name == "README" {
			continue
		}
		books[name] = true
		title, text, _ := strings.Cut(read(t, file), "\n")
		if client := guideClients.FindString(text); client != "" {
			t.Errorf("%s names the client %s of the guide", file, client)
		}
		if title != "# "+name {
			t.Errorf("%s: the title is %q", file, title)
		}
		want := []string{"Meaning", "Check", "Causes", "Actions", "Whom to tell", "Escalate"}
		var got []string
		for _, section := range strings.Split("\n"+text, "\n## ")[1:] {
			heading, body, _ := strings.Cut(section, "\n")
			got = append(got, heading)
			if strings.TrimSpace(body) == "" {
				t.Errorf("%s: %s is empty", file, heading)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: sections %q, want %q", file, got, want)
		}
	}
	same(t, "alert", names(alerts(t)), "runbook", books)
}

// What people, routes and inhibition rules need of an alert. That the label client is on it only a real alert can prove; here
// its summary has to name it.
func TestAlertLabels(t *testing.T) {
	t.Parallel()
	checks := []string{"orders", "jobs", "data_manager", "reset_inventory"}
	allowed := map[string][]string{
		"severity":   {"page", "ticket", "info"},
		"check":      append(collectors(), "exporter", "report_limits", "{{ $labels.collector }}"),
		"depends_on": {"database", "exporter", "sftp", "superset", `{{ if eq $labels.collector "sftp" }}sftp{{ else if eq $labels.collector "reports" }}superset{{ else }}database{{ end }}`},
	}
	to, err := links.Read("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range alerts(t) {
		for label, values := range allowed {
			if !slices.Contains(values, alert.Labels[label]) {
				t.Errorf("%s: label %s is %q, want one of %q", alert.Alert, label, alert.Labels[label], values)
			}
		}
		if alert.Labels["client"] == "" && !strings.Contains(alert.Annotations["summary"], "$labels.client") {
			t.Errorf("%s: neither a label client nor a summary that names it", alert.Alert)
		}
		if got, want := alert.Annotations["runbook_url"], to.Runbook(alert.Alert); got != want {
			t.Errorf("%s: runbook_url is %q, want %q", alert.Alert, got, want)
		}
		want := []string{"description", "runbook_url", "summary"}
		// Those of which a notice to the client can be turned on.
		if alert.Labels["severity"] == "page" && slices.Contains(checks, alert.Labels["check"]) || alert.Alert == "OMSDatabaseUnreachable" {
			want = append(want, "client_notice", "client_outcome")
			slices.Sort(want)
		}
		if alert.Alert == "OMSWatchdog" { // from which the status page knows it
			want = append([]string{"client_dashboard_url"}, want...)
		}
		if got := slices.Sorted(maps.Keys(alert.Annotations)); !slices.Equal(got, want) {
			t.Errorf("%s: annotations %q, want %q", alert.Alert, got, want)
		}
		if got, want := alert.Annotations["client_dashboard_url"], to.ClientDashboard(); alert.Alert == "OMSWatchdog" && got != want {
			t.Errorf("%s: client_dashboard_url is %q, want %q", alert.Alert, got, want)
		}
		for name, text := range alert.Annotations {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", alert.Alert, name)
			}
			// Clients do not know our jobs, servers and configurations.
			for _, label := range labelUsed.FindAllStringSubmatch(text, -1) {
				if strings.HasPrefix(name, "client_") && !slices.Contains([]string{"product_store", "channel", "source"}, label[1]) {
					t.Errorf("%s: %s names the %s", alert.Alert, name, label[1])
				}
			}
		}
	}
}

// collectors lists the names of the collectors: what they measure is what an alert is about.
func collectors() (names []string) {
	for _, c := range collector.All() {
		names = append(names, c.Name())
	}
	return names
}

var (
	metricLine  = regexp.MustCompile(`(?m)^(oms_\w+)[{ ]`)
	histogram   = regexp.MustCompile(`(?m)^# TYPE (oms_\w+) histogram$`)
	histogramOf = regexp.MustCompile(`_(?:bucket|sum|count)$`)
	labelName   = regexp.MustCompile(`[{,](\w+)="`)
	ownMetric   = regexp.MustCompile(`Name: +"(oms_exporter_\w+)"`)
	name        = regexp.MustCompile(`\boms[_:][\w:]+`)
	quoted      = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	queryString = regexp.MustCompile(`(?:printf|query) "([^"]*)"`)
	labelUsed   = regexp.MustCompile(`\$labels\.(\w+)`)
	expression  = regexp.MustCompile(`"expr": "(.*)"`)
	limitUsed   = regexp.MustCompile(`oms:limit\{limit="(\w+)"`)
)

func TestMetricNames(t *testing.T) {
	t.Parallel()
	var exported, histograms, labels, own map[string]bool
	for _, file := range append(files(t, "../collector/testdata/*.prom"), files(t, "../internal/behaviour/testdata/*.prom")...) {
		exported = found(exported, metricLine, read(t, file))
		histograms = found(histograms, histogram, read(t, file))
		labels = found(labels, labelName, read(t, file))
	}
	for _, file := range files(t, "../cmd/oms_exporter/*.go") {
		own = found(own, ownMetric, read(t, file))
	}
	recorded, used := map[string]bool{}, map[string]bool{}
	for _, r := range rules(t) {
		recorded[r.Record] = true
		queries := r.Expr
		for _, text := range r.Annotations {
			for _, query := range queryString.FindAllStringSubmatch(text, -1) {
				queries += "\n" + query[1]
			}
		}
		for _, metric := range name.FindAllString(quoted.ReplaceAllString(queries, ""), -1) {
			used[metric] = true
		}
	}
	for _, expr := range dashboardExprs(t) {
		for _, metric := range name.FindAllString(quoted.ReplaceAllString(expr, ""), -1) {
			used[metric] = true
		}
	}
	own["oms_exporter_build_info"] = true                                     // whose name is made
	recorded["oms:limit_override"], recorded["oms:report_limit"] = true, true // there is none until somebody writes one
	for metric := range used {
		if strings.Contains(metric, ":") && !recorded[metric] {
			t.Errorf("%s is used and never recorded", metric)
		}
		if !strings.Contains(metric, ":") && !exported[metric] && !own[metric] && !labels[metric] {
			t.Errorf("%s is used and never exported", metric)
		}
	}
	for metric := range used { // one series of a histogram uses all
		if family := histogramOf.ReplaceAllString(metric, ""); histograms[family] {
			used[family] = true
		}
	}
	documented := found(nil, regexp.MustCompile(`\b(oms_\w+)`), read(t, "../docs/metrics.md"))
	for metric := range exported {
		if family := histogramOf.ReplaceAllString(metric, ""); histograms[family] {
			metric = family
		}
		if !used[metric] || !documented[metric] {
			t.Errorf("%s is exported, and is not in docs/metrics.md, or neither in the rules nor in the dashboards", metric)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	limits, used := map[string]bool{}, map[string]bool{}
	for _, r := range rules(t) {
		if r.Record == "oms:limit_default" {
			limits[r.Labels["limit"]] = true
			if constant, ok := strings.CutSuffix(r.Expr, " + 0 * oms:client"); !ok || seconds(t, constant) < 0 {
				t.Errorf("%s is %s, which is no number for every client", r.Labels["limit"], r.Expr)
			}
		}
		found(used, limitUsed, r.Expr)
	}
	for _, expr := range dashboardExprs(t) {
		found(used, limitUsed, expr)
	}
	same(t, "limit", limits, "use", used)
}

// The exporter takes the limits of limits.yml, by the same labels.
func TestLimitLabels(t *testing.T) {
	t.Parallel()
	labels, stages := map[string]string{}, map[string]bool{}
	for _, r := range rules(t) {
		switch r.Record {
		case "oms:limit_default":
			labels[r.Labels["limit"]] = ""
			for _, label := range []string{"stage", "facility"} {
				if r.Labels[label] != "" {
					labels[r.Labels["limit"]] = label
				}
			}
			if stage := r.Labels["stage"]; stage != "" {
				stages[stage] = true
			}
		case "oms:limit":
			byJob := regexp.MustCompile(`job_name!="", limit=~"([^"]*)"`).FindStringSubmatch(r.Expr)
			if byJob == nil {
				t.Fatalf("no limits by job in %s", r.Expr)
			}
			for limit := range strings.SplitSeq(byJob[1], "|") {
				labels[limit] = "job_name"
			}
		}
	}
	if known := config.LimitLabels(); !maps.Equal(labels, known) {
		t.Errorf("limits.yml has %v, the exporter takes %v", labels, known)
	}
	same(t, "stage", stages, "place in the exporter", set(config.LimitStages()))
}

// row names a deadline.
type row struct{ client, source, deadline string }

// A file counts for the deadline that comes next: from the source's previous one on, or from midnight where it has one a day.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	by, window := map[row]time.Duration{}, map[row]time.Duration{}
	for _, r := range rules(t) {
		key := row{r.Labels["client"], r.Labels["source"], r.Labels["deadline"]}
		switch r.Record {
		case "oms:reset_inventory_process_by":
			by[key] = seconds(t, r.Expr)
		case "oms:reset_inventory_window":
			window[key] = seconds(t, r.Expr)
		}
	}
	same(t, "deadline", keys(by), "window", keys(window))
	for key, end := range by {
		if clock := time.Unix(0, 0).UTC().Add(end).Format("15:04"); clock != key.deadline || end >= day {
			t.Errorf("%v is %v after midnight", key, end)
		}
		want := day
		for other, previous := range by {
			if other.client == key.client && other.source == key.source && other != key {
				want = min(want, (end-previous+day)%day)
			}
		}
		if want == day {
			want = end
		}
		if window[key] != want {
			t.Errorf("%v has a window of %v, want %v", key, window[key], want)
		}
	}
}

// seconds evaluates vector(…) of a constant, which Go writes as PromQL does.
func seconds(t *testing.T, expr string) time.Duration {
	t.Helper()
	value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, strings.TrimPrefix(expr, "vector"))
	if err != nil || value.Value == nil {
		t.Fatalf("%s is no vector of a constant: %v", expr, err)
	}
	n, _ := constant.Float64Val(value.Value)
	return time.Duration(n * float64(time.Second))
}

// rules returns all rules of all files.
func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	for _, file := range files(t, "*.yml") {
		for _, group := range parse[ruleFile](t, file).Groups {
			all = append(all, group.Rules...)
		}
	}
	return all
}

// dashboardExprs returns the expressions of all dashboards.
func dashboardExprs(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, file := range files(t, "../dashboards/*.json") {
		for _, match := range expression.FindAllStringSubmatch(read(t, file), -1) {
			all = append(all, strings.ReplaceAll(match[1], `\"`, `"`))
		}
	}
	return all
}

// alertsOf are the names of alerts, or patterns of them, by which an expression asks for those that fire.
var alertsOf = regexp.MustCompile(`2 \* max by \(client\) \(ALERTS\{alertname=~?"([^"]*)", alertstate="firing"\}\)`)

// nearOf are those whose firing is the first sign that a check will be broken.
var nearOf = regexp.MustCompile(`or ALERTS\{alertname="(\w+)", alertstate="firing"\}`)

// Every page and ticket breaks exactly one check, or is its first sign, and an info none. It is about the client's OMS or about our own
// configuration: which of the two must be said for each alert, because only the first is an incident for the client. Every check has a
// column on the daily check.
func TestChecks(t *testing.T) {
	t.Parallel()
	broken, checks := map[string]string{}, map[string]bool{}
	near, known := map[string]string{}, map[string]rule{}
	for _, alert := range alerts(t) {
		known[alert.Alert] = alert
	}
	forClient, ours := map[string]bool{}, map[string]bool{} // checks, and alerts
	for _, r := range rules(t) {
		if r.Record == "oms:check_state_for_client" {
			forClient[r.Labels["check"]] = true
		}
	}
	for _, r := range rules(t) {
		if r.Record != "oms:check_state" && r.Record != "oms:check_state_for_client" {
			continue
		}
		check := r.Labels["check"]
		checks[check] = true
		by := alertsOf.FindAllStringSubmatch(r.Expr, -1)
		if len(by) != 1 {
			t.Errorf("%s is broken by %q, want one list of alerts", check, by)
			continue
		}
		for _, sign := range nearOf.FindAllStringSubmatch(r.Expr, -1) {
			near[sign[1]] = check
		}
		for name := range strings.SplitSeq(by[0][1], "|") { // no patterns, which would take in new alerts
			alert, ok := known[name]
			if !ok {
				t.Errorf("%s is broken by %s, and there is no such alert", check, name)
				continue
			}
			if other := broken[name]; other != "" || alert.Labels["severity"] == "info" {
				t.Errorf("%s, of severity %s, breaks %s, and also %q", name, alert.Labels["severity"], check, other)
			}
			broken[name] = check
			ours[name] = r.Record == "oms:check_state" && forClient[check]
		}
	}
	for name, alert := range known {
		if alert.Labels["severity"] == "info" {
			continue
		}
		if broken[name] == "" && near[name] == "" {
			t.Errorf("%s breaks no check of rules/check_state.yml: an alert about the OMS belongs to the list of oms:check_state_for_client or, "+
				"if its check has none, of oms:check_state; an alert about our own configuration to that of oms:check_state, next to an oms:check_state_for_client", name)
		}
		// What depends on nothing but the exporter is about us, unless the database does not answer.
		if alert.Labels["depends_on"] == "exporter" && broken[name] != "" && ours[name] == (name == "OMSDatabaseUnreachable") {
			t.Errorf("%s depends on the exporter alone; it is an alert about our own configuration: %v", name, ours[name])
		}
	}
	column := regexp.MustCompile(`oms:check_state\{client=~\\"\$client\\", check=\\"(\w+)\\"\}`)
	same(t, "check", checks, "column on the daily check", found(nil, column, read(t, "../dashboards/daily-check.json")))
}

func alerts(t *testing.T) []rule {
	t.Helper()
	return slices.DeleteFunc(rules(t), func(r rule) bool { return r.Alert == "" })
}

func names(rules []rule) map[string]bool {
	set := map[string]bool{}
	for _, r := range rules {
		set[r.Alert] = true
	}
	return set
}

// found adds to a set what the pattern's group matches in a text.
func found(set map[string]bool, pattern *regexp.Regexp, text string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		set[match[1]] = true
	}
	return set
}

func set(names []string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

func keys[K comparable, V any](m map[K]V) map[K]bool {
	set := map[K]bool{}
	for key := range m {
		set[key] = true
	}
	return set
}

// same wants two sets to be the same, and not empty.
func same[K comparable](t *testing.T, what string, a map[K]bool, other string, b map[K]bool) {
	t.Helper()
	if len(a) == 0 {
		t.Errorf("there is no %s", what)
	}
	for key := range a {
		if !b[key] {
			t.Errorf("%s %v has no %s", what, key, other)
		}
	}
	for key := range b {
		if !a[key] {
			t.Errorf("%s %v has no %s", other, key, what)
		}
	}
}

// files returns the files of a pattern, of which there must be one.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func parse[T any](t *testing.T, file string) T {
	t.Helper()
	var content T
	if err := yaml.Unmarshal([]byte(read(t, file)), &content); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return content
}
