// Command generate writes, in the module's folder, what follows from the code, the rules and deploy/links.yml: the tables of metrics,
// alerts and limits in docs, the index of the runbooks, the links in rules and notifications, and the rules for Kubernetes. Make's
// target generate runs it.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	written, err := generate(".")
	for path, content := range written {
		if err == nil {
			err = os.WriteFile(path, []byte(content), 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate returns what the files should hold, by their path.
func generate(root string) (map[string]string, error) {
	written, err := ruleFiles(root)
	if err != nil {
		return nil, err
	}
	tests, err := linkedFiles(filepath.Join(root, "rules", "tests"), root)
	if err != nil {
		return nil, err
	}
	maps.Copy(written, tests)
	for _, part := range []struct {
		path string
		make func(root, before string) (string, error)
	}{
		{"docs/metrics.md", metricTable},
		{"docs/alerts.md", alertTables},
		{"rules/runbooks/README.md", runbookIndex},
		{"deploy/kubernetes/overlays/prometheus-operator/rules.yaml", kubernetesRules},
		{"deploy/alertmanager/templates/links.tmpl", linkTemplates},
	} {
		path := filepath.Join(root, part.path)
		before, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if written[path], err = part.make(root, string(before)); err != nil {
			return nil, fmt.Errorf("%s: %w", part.path, err)
		}
	}
	return written, nil
}

// The marks between which a document is written. The limits are a second part of their document.
const (
	begin       = "<!-- make generate writes from here -->\n"
	beginLimits = "<!-- make generate writes the limits from here -->\n"
	end         = "<!-- to here -->\n"
)

// between puts the text between a mark of a document and the next end.
func between(document, begin, text string) (string, error) {
	head, rest, begins := strings.Cut(document, begin)
	_, tail, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return "", fmt.Errorf("the lines %s and %s are missing", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return head + begin + "\n" + text + "\n" + end + tail, nil
}
