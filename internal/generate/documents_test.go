package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// documents are the pages for people, by their path from the module's folder.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "rules/runbooks/*.md"} {
		paths, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pages[strings.TrimPrefix(filepath.ToSlash(path), "../../")] = string(content)
		}
	}
	return pages
}

// TestREADME keeps the README to what can be read in five minutes, with a link to every page of docs.
func TestREADME(t *testing.T) {
	pages := documents(t)
	if lines := strings.Count(pages["README.md"], "\n"); lines > 150 {
		t.Errorf("README.md has %d lines, at most 150 are read in five minutes: move the rest into docs", lines)
	}
	for page := range pages {
		if path.Dir(page) == "docs" && !strings.Contains(pages["README.md"], "("+page+")") {
			t.Errorf("README.md has no link to %s", page)
		}
	}
}

// TestDashboards looks for each dashboard and each check in the document about them.
func TestDashboards(t *testing.T) {
	page := documents(t)["docs/dashboards.md"]
	boards, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(boards) == 0 {
		t.Fatalf("%d dashboards, %v", len(boards), err)
	}
	for _, board := range boards {
		if !strings.Contains(page, "| `"+filepath.Base(board)+"` |") {
			t.Errorf("docs/dashboards.md has no row for %s", filepath.Base(board))
		}
	}
	rules, err := rulesOf("../..")
	if err != nil {
		t.Fatal(err)
	}
	checks := 0
	for _, r := range rules {
		if check := r.Labels["check"]; r.Record == "oms:check_state" && check != "" {
			checks++
			if !strings.Contains(page, "`"+check+"`") {
				t.Errorf("docs/dashboards.md does not name the check %s", check)
			}
		}
	}
	if checks < 10 {
		t.Errorf("the rules have %d checks only", checks)
	}
}

var (
	codeBlock = regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```$")
	link      = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestLinks follows the links of the documents to other files of the repository, and to their headings.
func TestLinks(t *testing.T) {
	pages := documents(t)
	for page, text := range pages {
		for _, found := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(found[1], "#")
			to := page
			if file != "" {
				to = path.Join(path.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(to))); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, found[1])
			} else if anchor != "" && !anchors(pages[to])[anchor] {
				t.Errorf("%s: %s has no heading for the link to %s", page, to, found[1])
			}
		}
	}
}

// anchors are the anchors that GitHub gives to the headings of a page.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		all[strings.Map(func(c rune) rune {
			switch {
			case c == ' ':
				return '-'
			case unicode.IsLetter(c), unicode.IsDigit(c), c == '-', c == '_':
				return unicode.ToLower(c)
			}
			return -1
		}, h[1])] = true
	}
	return all
}

// inTree matches the path of a file in the repository, where a document names it in a command.
var inTree = regexp.MustCompile(`(?:^|[ =])((?:\./)?(?:cmd|collector|dashboards|deploy|docs|internal|rules|test)/[\w./-]+)`)

// TestCommands looks whether the commands of the documents can work in a clone: the targets of make, the files and packages, and the
// tests that they name are there. Those of the exporter itself, and those of the README, are executed by tests in cmd/oms_exporter.
func TestCommands(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for page, text := range documents(t) {
		for _, block := range codeBlock.FindAllStringSubmatch(text, -1) {
			if block[1] != "" { // YAML, SQL and the like
				continue
			}
			for line := range strings.Lines(block[2]) {
				command, _, _ := strings.Cut(strings.TrimSpace(line), " #")
				words := strings.Fields(command)
				if len(words) == 0 {
					continue
				}
				for _, word := range words[1:] {
					if words[0] != "make" || strings.Contains(word, "=") {
						continue
					}
					made++
					if !strings.Contains(string(makefile), "\n"+word+":") {
						t.Errorf("%s: %s: the Makefile has no target %s", page, command, word)
					}
				}
				for _, found := range inTree.FindAllStringSubmatch(command, -1) {
					if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(found[1]))); err != nil {
						t.Errorf("%s: %s: there is no %s", page, command, found[1])
					}
				}
			}
		}
	}
	if made < 10 {
		t.Errorf("the documents have %d targets of make only", made)
	}
}
