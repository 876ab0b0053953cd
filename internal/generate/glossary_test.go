package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plainTexts are the files in which no word of the glossary may be. What is generated is as plain as what it is made of.
func plainTexts() []string {
	return []string{"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md"}
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
			words = append(words, strings.Join(strings.Fields(regexp.QuoteMeta(strings.TrimSpace(word))), `\s+`))
		}
	}
	if !found || len(words) < 20 {
		t.Fatalf("CONTRIBUTING.md has a glossary of %d words", len(words))
	}
	// A name in code is no word.
	glossary := regexp.MustCompile(`(?i)(?:^|[^\w-])(` + strings.Join(words, "|") + `)(?:[^\w-]|$)`)
	code := regexp.MustCompile("`[^`\n]*`")
	generated := regexp.MustCompile(`(?s)<!-- make generate writes.*?<!-- to here -->`)

	for _, pattern := range plainTexts() {
		paths, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Errorf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(content)
			if filepath.Base(path) == "CONTRIBUTING.md" {
				text = before + after
			}
			text = generated.ReplaceAllStringFunc(text, func(part string) string { return strings.Repeat("\n", strings.Count(part, "\n")) })
			text = code.ReplaceAllString(text, "``")
			for _, at := range glossary.FindAllStringSubmatchIndex(text, -1) {
				line := 1 + strings.Count(text[:at[2]], "\n")
				t.Errorf("%s:%d: %q: write what CONTRIBUTING.md has for it", strings.TrimPrefix(path, "../../"), line, text[at[2]:at[3]])
			}
		}
	}
}
