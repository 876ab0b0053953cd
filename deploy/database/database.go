// Package database has the statements by which a database administrator lets the exporter in. Every test on a real server
// logs in by them, so that they grant enough; those of sqldb see to it that they grant no more.
package database

import _ "embed" // the statements

// The statements for each server, with <password> in the place of a password. What comes before the first GRANT is for the
// whole server, the rest for each database.
var (
	//go:embed mysql.sql
	MySQL string
	//go:embed postgres.sql
	Postgres string
)
