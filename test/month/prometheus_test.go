package month

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// A server is Prometheus without its clock: its storage, its engine and its rules.
type server struct {
	db     *memory
	groups []*rules.Group

	targets     map[string]*target // by client
	self        *target            // the exporter itself
	samples     int
	evaluations int
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{db: newMemory(), targets: map[string]*target{}, self: newTarget("oms_exporter", "")}
	var err error
	if s.groups, err = loadRules(t.Context(), s.db); err != nil {
		t.Fatal(err)
	}
	return s
}

// lookback is for how long a sample is the current one, unless a newer one comes or its series ends.
const lookback = 5 * time.Minute

// loadRules reads the shipped rules, but for those that only show what the alerts tell.
func loadRules(ctx context.Context, db *memory) ([]*rules.Group, error) {
	groups, err := loadGroups(ctx, db, step)
	if err != nil {
		return nil, err
	}
	groups = slices.DeleteFunc(groups, func(g *rules.Group) bool {
		return filepath.Base(g.File()) == "check_state.yml" // what is shown follows from the alerts, and no alert from it
	})
	for _, g := range groups {
		if g.Interval()%step != 0 && step%g.Interval() != 0 {
			return nil, fmt.Errorf("group %s: its interval %s is neither made of steps nor part of one", g.Name(), g.Interval())
		}
		for _, rule := range g.Rules() {
			db.retain(rule.Query(), lookback)
		}
	}
	return groups, nil
}

// loadGroups reads the shipped rules as Prometheus does by default. The interval is that of groups that do not have their own.
func loadGroups(ctx context.Context, db interface {
	storage.AppendableV2
	storage.Queryable
}, interval time.Duration,
) ([]*rules.Group, error) {
	words := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return step.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true, Parser: words,
	})
	files, err := filepath.Glob("../../rules/*.yml")
	if err == nil && len(files) == 0 {
		err = errors.New("there are no rules")
	}
	if err != nil {
		return nil, err
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, AppendableV2: db, Queryable: db, QueryFunc: rules.EngineQueryFunc(engine, db), Parser: words,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	loaded, errs := manager.LoadGroups(interval, labels.EmptyLabels(), "", nil, false, files...)
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	groups := slices.Collect(maps.Values(loaded))
	for _, g := range groups {
		for _, rule := range g.AlertingRules() {
			rule.SetRestored(true) // there is nothing to restore
		}
	}
	// Prometheus promises no order among groups. This one is always the same.
	slices.SortFunc(groups, func(a, b *rules.Group) int {
		return strings.Compare(rules.GroupKey(a.File(), a.Name()), rules.GroupKey(b.File(), b.Name()))
	})
	return groups, nil
}

// evaluate evaluates the groups whose turn it is, and returns all alerts that fire.
func (s *server) evaluate(ctx context.Context, now time.Time) ([]*rules.Alert, error) {
	var firing []*rules.Alert
	for _, g := range s.groups {
		if now.UnixNano()%int64(g.Interval()) == 0 {
			g.Eval(ctx, now)
			s.evaluations += len(g.Rules())
		}
		for _, rule := range g.Rules() {
			if err := rule.LastError(); err != nil {
				return nil, fmt.Errorf("rule %s at %s: %w", rule.Name(), now, err)
			}
			if alerting, is := rule.(*rules.AlertingRule); is && alerting.ActiveAlertsCount() > 0 {
				firing = slices.AppendSeq(firing, firingOf(alerting))
			}
		}
	}
	return firing, nil
}

func firingOf(rule *rules.AlertingRule) func(yield func(*rules.Alert) bool) {
	return func(yield func(*rules.Alert) bool) {
		for _, a := range rule.ActiveAlerts() {
			if a.State == rules.StateFiring && !yield(a) {
				return
			}
		}
	}
}

// lingers returns for how long each alert fires on when its cause has gone.
func (s *server) lingers() map[string]time.Duration {
	lingers := map[string]time.Duration{}
	for _, g := range s.groups {
		for _, rule := range g.AlertingRules() {
			lingers[rule.Name()] = max(lingers[rule.Name()], rule.KeepFiringFor())
		}
	}
	return lingers
}
