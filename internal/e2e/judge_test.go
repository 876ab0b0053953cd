//go:build e2e

package e2e

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unreadable is what templates leave behind that go wrong.
var unreadable = regexp.MustCompile(`<no value>|%!|NaN|[+-]Inf|<error`)

const runbooks = "https://github.com/oms-exporter/oms_exporter/blob/main/rules/runbooks/"

// judge looks at all that has arrived about a client: alerts of these names and no others, each for everybody who is told of
// its severity, with words that can be read.
func judge(t *testing.T, notices []notice, client string, names ...string) {
	t.Helper()
	told := make(map[string]map[string]bool)
	for _, n := range notices {
		if !slices.Contains(names, n.name()) {
			t.Errorf("only %v should have arrived: %s", names, n)
			continue
		}
		if got, want := n.Labels["severity"], map[string]string{"pager": "page", "ticket": "ticket"}[toldOf(n.name())]; got != want {
			t.Errorf("the severity is not %s: %s", want, n)
		}
		if told[n.name()] == nil {
			told[n.name()] = make(map[string]bool)
		}
		told[n.name()][n.receiver] = true
		judgeWords(t, n, client)
	}
	for name, receivers := range told {
		want := []string{"chat", "nobody", "pager", "ticket"} // nobody stands where the client's notice would
		switch name {
		case "OMSExporterDown", clockSkewed, unreachable, supersetAway, dataSourceFailing:
			want = []string{"chat", "pager", "ticket"}
		case invalid, filesFailing, chartFailing, failingOften, notScheduled:
			want = []string{"chat", "ticket"}
		}
		if got := slices.Sorted(maps.Keys(receivers)); !slices.Equal(got, want) {
			t.Errorf("%s told %v of %s, want %v", client, got, name, want)
		}
	}
}

func judgeWords(t *testing.T, n notice, client string) {
	t.Helper()
	words := []string{"summary", "description"}
	if n.receiver == "nobody" {
		words = append(words, "client_notice", "client_outcome")
	}
	for _, word := range words {
		if text := n.Annotations[word]; strings.TrimSpace(text) == "" || unreadable.MatchString(text) {
			t.Errorf("%s: %s is %q", n, word, text)
		}
	}
	if client != "all" && !strings.Contains(n.Annotations["summary"], client) {
		t.Errorf("the summary does not name the client: %s", n)
	}
	if got, want := n.Annotations["runbook_url"], runbooks+n.name()+".md"; got != want {
		t.Errorf("the runbook of %s is %s, want %s", n, got, want)
	}
}
