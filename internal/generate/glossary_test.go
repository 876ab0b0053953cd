package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plainTexts are the files in which no word of the glossary may be: of Go files the texts in quotes, for people who run the program. What
// is generated is as plain as what it is made of.
func plainTexts() []string {
	return []string{
		"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md",
		"collector/*.go", "cmd/oms_exporter/*.go", "dashboards/*.go", "internal/*/*.go", "internal/oms/*/*.go",
		"rules/*.yml", "rules/runbooks/*.md", "deploy/*.yml", "deploy/*/*.yml", "deploy/*/*/*.md", "deploy/*/templates/*.tmpl",
	}
}

// TestGlossary looks for words that CONTRIBUTING.md replaces in the texts that people read.
func TestGlossary(t *testing.T) {
	contributing, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(contributing), "\n| not | but |\n|---|---|\n")
	table, after, _ := strings.Cut(rest, "\n\n")
	var words []string
	for row := range strings.Lines(table) {
		for word := range strings.SplitSeq(strings.Split(row, "|")[1], ",") {
			words = append(words, strings.TrimSpace(word))
		}
	}
	if !found || len(words) < 20 {
		t.Fatalf("CONTRIBUTING.md has a glossary of %d words", len(words))
	}
	glossary := make([]*regexp.Regexp, len(words))
	for i, word := range words { // between spaces there may be the end of a line; a part of a longer name is no word
		glossary[i] = regexp.MustCompile(`(?i)(?:^|[^\w-])(` + strings.ReplaceAll(regexp.QuoteMeta(word), " ", `\s+`) + `)(?:[^\w-]|$)`)
	}
	code := regexp.MustCompile("`[^`\n]*`")
	generated := regexp.MustCompile(`(?s)<!-- make generate writes.*?<!-- to here -->`)

	for _, pattern := range plainTexts() {
		paths, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Errorf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(content)
			if filepath.Ext(path) == ".go" {
				text = quoted(t, path, text)
			}
			if filepath.Base(path) == "CONTRIBUTING.md" {
				text = before + after
			}
			text = generated.ReplaceAllStringFunc(text, func(part string) string { return strings.Repeat("\n", strings.Count(part, "\n")) })
			text = code.ReplaceAllString(text, "``")
			flat := strings.ToLower(strings.Join(strings.Fields(text), " "))
			for i, word := range words {
				if !strings.Contains(flat, strings.ToLower(word)) { // which is quicker
					continue
				}
				for _, at := range glossary[i].FindAllStringSubmatchIndex(text, -1) {
					line := 1 + strings.Count(text[:at[2]], "\n")
					t.Errorf("%s:%d: %q: write what CONTRIBUTING.md has for it", strings.TrimPrefix(path, "../../"), line, text[at[2]:at[3]])
				}
			}
		}
	}
}

// quoted returns what stands in quotes in a Go file, at the same lines.
func quoted(t *testing.T, path, text string) string {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 1+strings.Count(text, "\n"))
	ast.Inspect(parsed, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			for i, line := range strings.Split(strings.Trim(literal.Value, "\"`"), "\n") {
				lines[fset.Position(literal.Pos()).Line-1+i] += " " + line
			}
		}
		return true
	})
	return strings.Join(lines, "\n")
}
