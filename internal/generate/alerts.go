package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// alert is one alert of the rules.
type alert struct {
	name, severity, check string
	happened              string // what its runbook says first, in bold
	meaning               string // the section of the runbook that says when it fires
}

// limit is the default of a limit in rules/limits.yml.
type limit struct {
	name   string
	of     string // the stage or facility that it is for
	normal string // its value, for people
}

// rule is what is read of a rule.
type rule struct {
	Alert, Record, Expr string
	Labels              map[string]string
}

// summary is the first paragraph of a runbook, which says in bold what has happened; meaning is its first section.
var (
	summary = regexp.MustCompile(`(?m)\A# \w+\n\n\*\*(.*)\*\*$`)
	meaning = regexp.MustCompile(`(?s)\n## Meaning\n(.*?)\n## `)
)

// rulesOf returns the rules of all files.
func rulesOf(root string) ([]rule, error) {
	files, err := ruleFiles(root)
	if err != nil {
		return nil, err
	}
	var all []rule
	for path, content := range files {
		var parsed struct {
			Groups []struct{ Rules []rule }
		}
		if err := yaml.Unmarshal([]byte(content), &parsed); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, group := range parsed.Groups {
			all = append(all, group.Rules...)
		}
	}
	return all, nil
}

// alerts returns those of the rules with what their runbooks say, sorted by name.
func alerts(root string) ([]alert, error) {
	rules, err := rulesOf(root)
	if err != nil {
		return nil, err
	}
	var all []alert
	for _, r := range rules {
		if r.Alert == "" {
			continue
		}
		if i := slices.IndexFunc(all, func(a alert) bool { return a.name == r.Alert }); i >= 0 { // which is a page from some limit on
			all[i].severity += ", " + r.Labels["severity"]
			continue
		}
		page, err := os.ReadFile(filepath.Join(root, "rules", "runbooks", r.Alert+".md"))
		if err != nil {
			return nil, err
		}
		says, means := summary.FindSubmatch(page), meaning.FindSubmatch(page)
		if says == nil || means == nil {
			return nil, fmt.Errorf("the runbook of %s does not begin with its name, a paragraph in bold and the section Meaning", r.Alert)
		}
		check := r.Labels["check"]
		if strings.Contains(check, "$labels.collector") {
			check = "the collector"
		}
		all = append(all, alert{r.Alert, r.Labels["severity"], check, string(says[1]), string(means[1])})
	}
	slices.SortFunc(all, func(a, b alert) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.severity, b.severity)) })
	return all, nil
}

// limits returns the defaults in the order of their names.
func limits(root string) ([]limit, error) {
	rules, err := rulesOf(root)
	if err != nil {
		return nil, err
	}
	var all []limit
	for _, r := range rules {
		if r.Record != "oms:limit_default" {
			continue
		}
		l := limit{name: r.Labels["limit"], of: cmp.Or(r.Labels["stage"], r.Labels["facility"])}
		if l.normal, err = value(r.Expr, strings.HasSuffix(l.name, "_seconds")); err != nil {
			return nil, fmt.Errorf("the limit %s: %w", l.name, err)
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b limit) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.of, b.of)) })
	return all, nil
}

// value reads a default such as 3 * 3600 + 0 * oms:client.
func value(expr string, seconds bool) (string, error) {
	constant, ok := strings.CutSuffix(strings.TrimSpace(expr), " + 0 * oms:client")
	product := 1.0
	for factor := range strings.SplitSeq(constant, " * ") {
		number, err := strconv.ParseFloat(factor, 64)
		if err != nil || !ok {
			return "", fmt.Errorf("%q is not of the form 3 * 3600 + 0 * oms:client", expr)
		}
		product *= number
	}
	if !seconds {
		return strconv.FormatFloat(product, 'g', -1, 64), nil
	}
	d := time.Duration(product * float64(time.Second))
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour)), nil
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour), nil
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute), nil
	}
	return fmt.Sprintf("%g s", d.Seconds()), nil
}

// alertTables are the tables of all alerts and of all limits in docs/alerts.md.
func alertTables(root, before string) (string, error) {
	known, err := limits(root)
	if err != nil {
		return "", err
	}
	all, err := alerts(root)
	if err != nil {
		return "", err
	}
	rows, usedBy := "", map[string][]string{}
	for _, a := range all {
		var named []string
		for _, l := range known {
			if mention := "`" + l.name + "`"; strings.Contains(a.meaning, "`"+l.name+"`") && !slices.Contains(named, mention) {
				named = append(named, mention)
				usedBy[l.name] = append(usedBy[l.name], a.name)
			}
		}
		rows += fmt.Sprintf("| [%s](../rules/runbooks/%s.md) | %s | %s | %s | %s |\n", a.name, a.name, a.severity, a.check, a.happened, strings.Join(named, ", "))
	}
	after, err := between(before, begin, "| alert | severity | check | what happened | limits |\n|---|---|---|---|---|\n"+rows)
	if err != nil {
		return "", err
	}
	rows = ""
	for _, l := range known {
		rows += fmt.Sprintf("| `%s` | %s | %s | %s |\n", l.name, l.of, l.normal, strings.Join(usedBy[l.name], ", "))
	}
	return between(after, beginLimits, "| limit | stage or facility | default | alerts |\n|---|---|---|---|\n"+rows)
}
