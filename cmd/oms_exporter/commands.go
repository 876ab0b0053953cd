package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
)

// checkConfig says that the file is valid, or returns every mistake in it.
func checkConfig(file string, w io.Writer) error {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s: ok, clients: %d\n", file, len(cfg.Clients))
	return err
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
