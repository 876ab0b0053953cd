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
	to, err := links.Read("..")
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

// all returns the dashboards by their file's name.
func all(to links.Links) map[string]dashboard {
	return map[string]dashboard{
		"daily-check.json":     dailyCheck(to),
		"client.json":          client(),
		"jobs.json":            jobs(),
		"reset-inventory.json": resetInventory(),
		"exporter.json":        exporter(),
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
