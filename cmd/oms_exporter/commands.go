package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
)

// checkConfig says that the files, without any those of the flag, and, unless syntaxOnly, the secrets that they name are valid, and
// warns of risks, or returns every mistake in them.
func (s options) checkConfig(ctx context.Context, files []string, syntaxOnly bool, stdout, stderr io.Writer) error {
	if len(files) == 0 {
		files = s.configFiles
	}
	check := config.Check
	if syntaxOnly {
		check = config.Load
	}
	cfg, err := heeding(ctx, func() (*config.Config, error) { return check(files...) })
	if err != nil {
		return err
	}
	if err := writeWarnings(stderr, cfg); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: ok, clients: %d\n", strings.Join(files, ", "), len(cfg.Clients))
	return err
}

// writeWarnings writes the risks in a valid configuration.
func writeWarnings(w io.Writer, cfg *config.Config) error {
	for _, warning := range cfg.Warnings {
		if _, err := fmt.Fprintln(w, "warning:", warning); err != nil {
			return err
		}
	}
	return nil
}

// printQueries writes every statement that can be sent to databases of these drivers, the ones around a query included.
func printQueries(drivers []string, w io.Writer) error {
	var text bytes.Buffer
	for _, driver := range drivers {
		statements, err := sqldb.Statements(config.Driver(driver))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "-- Every statement that %s can send to %s.\n\n", program, driver)
		for _, s := range statements {
			fmt.Fprintf(&text, "-- %s: %s\n%s;\n\n", s.Name, s.Purpose, strings.TrimRight(s.SQL, ";\n "))
		}
	}
	_, err := text.WriteTo(w)
	return err
}
