// Command dashboards writes the Grafana dashboards next to its source: daily-check.json and so on.
//
// It is plain typed Go rather than grafana-foundation-sdk, because one file has to be imported by Grafana 9.4, 10, 11 and
// 12: the SDK has a set of types for each version from 10.1 on, which write what older ones do not know, while the few
// dozen fields of model.go mean the same in all of them. The files are of version 38 of Grafana's schema, which 9.4 knows
// and later ones migrate by themselves.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/links"
)

//go:generate go run .

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	to, err := readTexts("..")
	if err != nil {
		return err
	}
	for name, d := range all(to) {
		content, err := encode(d)
		if err == nil {
			err = os.WriteFile(name, content, 0o600)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// texts are what the dashboards take from elsewhere: where links lead, and of each alert what it says.
type texts struct {
	links.Links
	problems map[string]result
}

// sentence is what a runbook says in bold in its first paragraph, up to the first colon or full stop.
var sentence = regexp.MustCompile(`(?m)\A# \w+\n\n\*\*(.*?)(?:[:.] .*|\.)?\*\*$`)

// readTexts reads them below the module's folder.
func readTexts(root string) (texts, error) {
	t := texts{problems: map[string]result{}}
	var err error
	if t.Links, err = links.Read(root); err != nil {
		return t, err
	}
	books, err := filepath.Glob(filepath.Join(root, "rules", "runbooks", "OMS*.md"))
	if err != nil {
		return t, err
	}
	for i, book := range books {
		content, err := os.ReadFile(book)
		if err != nil {
			return t, err
		}
		says := sentence.FindSubmatch(content)
		if says == nil {
			return t, fmt.Errorf("%s does not begin with its name and a paragraph in bold", book)
		}
		t.problems[strings.TrimSuffix(filepath.Base(book), ".md")] = result{Text: string(says[1]), Index: i}
	}
	return t, nil
}

// all returns the dashboards by their file's name.
func all(to texts) map[string]dashboard {
	return map[string]dashboard{
		"daily-check.json":     dailyCheck(to),
		"client.json":          client(to),
		"jobs.json":            jobs(),
		"reset-inventory.json": resetInventory(),
		"exporter.json":        exporter(),
		"service-levels.json":  serviceLevels(),
	}
}

// encode returns a dashboard's file.
func encode(d dashboard) ([]byte, error) {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false) // PromQL is full of < and >
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return content.Bytes(), err
}
