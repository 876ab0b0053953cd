// Package omsschema holds the tables of an OMS as a real instance has them, for the databases that tests and the demo
// create. The exporter itself never creates anything.
package omsschema

import (
	_ "embed" // the tables below
	"strings"
)

// The same tables in the words of each server. SQLite takes those of MySQL as they are.
var (
	//go:embed mysql.sql
	MySQL string
	//go:embed postgres.sql
	Postgres string
	//go:embed mysql.sql
	SQLite string
)

// Statements splits ddl into its statements, for drivers that take one at a time.
func Statements(ddl string) []string {
	var statements []string
	for s := range strings.SplitSeq(ddl, ";") {
		if s = strings.TrimSpace(s); s != "" {
			statements = append(statements, s)
		}
	}
	return statements
}
