package sqlread

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestSessions has the server, the account and the DSN ask for other time zones, character sets and numbers of rows: what is
// read is the same, in columns with a time zone and without one.
func TestSessions(t *testing.T) {
	const text = "€'" // its last byte and the backslash that a driver puts before the quote are one character of GBK
	catalogue := Catalogue{
		SQL: `
-- statement: since
-- The jobs that began since then.
-- columns: job_id job_name since
SELECT /*limit*/ job_id, job_name, start_date_time FROM {{job_sandbox}} WHERE start_date_time >= :from AND job_name = :name ORDER BY job_id;
`,
		Tables: []Table{{Name: "job_sandbox", Required: "job_id job_name start_date_time"}},
	}
	summer, winter := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC), time.Date(2026, 11, 18, 16, 0, 0, 0, time.UTC)
	now := winter.Add(time.Hour)
	type engine struct {
		start           func(testing.TB) *testserver.Server
		hostile         string          // statements
		parameters      []string        // of the DSN
		types           map[string]bool // of columns, and whether they have a zone
		write, nameZone string          // statements that write in UTC, and that have the server know the time zone
	}
	mysql := func(start func(testing.TB) *testserver.Server) engine {
		return engine{
			start,
			"SET GLOBAL time_zone = '-09:00'; SET GLOBAL sql_select_limit = 1; SET GLOBAL max_join_size = 1; SET GLOBAL init_connect = " +
				`'SET NAMES gbk, time_zone = "+09:00", sql_select_limit = 1, character_set_results = latin1'`,
			[]string{"", "?charset=gbk", "?charset=gbk&collation=gbk_chinese_ci", "?time_zone=%27%2B04:00%27&sql_select_limit=2", "?sql_mode=%27ANSI_QUOTES,NO_BACKSLASH_ESCAPES%27"},
			map[string]bool{"DATETIME(3)": false, "TIMESTAMP(3) NULL": true},
			"SET NAMES utf8mb4; SET time_zone = '+00:00'",
			`INSERT INTO mysql.time_zone (time_zone_id, use_leap_seconds) VALUES (1, 'N');
				INSERT INTO mysql.time_zone_name VALUES ('America/New_York', 1);
				INSERT INTO mysql.time_zone_transition_type VALUES (1, 0, -18000, 0, 'EST'), (1, 1, -14400, 1, 'EDT');
				INSERT INTO mysql.time_zone_transition VALUES (1, 1772953200, 1), (1, 1793512800, 0)`,
		}
	}
	for kind, c := range map[string]engine{
		"mariadb": mysql(testserver.MariaDB), "mysql": mysql(testserver.MySQL),
		"postgres": {
			testserver.Postgres,
			"ALTER ROLE exporter SET timezone = 'Asia/Tokyo'; ALTER ROLE exporter SET datestyle = 'SQL, DMY'; ALTER ROLE exporter SET client_encoding = 'WIN1252'",
			[]string{"", "&timezone=Asia/Tokyo", "&client_encoding=WIN1252&datestyle=German", "&default_query_exec_mode=simple_protocol"},
			map[string]bool{"TIMESTAMP": false, "TIMESTAMPTZ": true},
			"SET TIME ZONE 'UTC'", "",
		},
	} {
		t.Run(kind, func(t *testing.T) {
			server := c.start(t)
			of := server.Database(t, "sessions", "America/New_York")
			of.Admin.SetMaxOpenConns(1)
			testserver.Execute(t, of.Admin, c.hostile+";"+c.write)
			good := dsnOf(t, of)
			// read returns the rows, and what the log says.
			read := func(parameters string, from time.Time) (rows []string, warning string) {
				t.Helper()
				of := of
				of.Config.DSN = config.EnvSecret(good + parameters)
				var log bytes.Buffer
				db, err := Open(slog.New(slog.NewTextHandler(&log, nil)), "KREWE", of.Config, catalogue)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = db.Close() }()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err = db.Read(ctx, NewLane("jobs"), now, func(ctx context.Context, r *Reader) error {
					return r.Query(ctx, "since", Args{"from": r.Time(from), "name": text}, func(rec Record) {
						rows = append(rows, rec.Text("job_id")+rec.Text("job_name")+rec.Moment("since").Latest().Format(time.RFC3339))
					})
				})
				if err != nil {
					t.Errorf("%q: %v", parameters, err)
				}
				return rows, log.String()
			}
			row := func(id int, at time.Time) string { return fmt.Sprint(id) + text + at.Format(time.RFC3339) }
			for _, named := range []bool{false, true} {
				if named {
					if c.nameZone == "" {
						continue
					}
					testserver.Execute(t, server.Admin(t, "mysql"), c.nameZone)
				}
				for kind, zoned := range c.types {
					alter := "ALTER TABLE job_sandbox MODIFY start_date_time " + kind
					if server.Driver() == config.Postgres {
						alter = "ALTER TABLE job_sandbox ALTER start_date_time TYPE " + kind
					}
					testserver.Execute(t, of.Admin, "DELETE FROM job_sandbox; "+alter)
					for id, at := range []time.Time{summer, winter, winter.Add(time.Minute)} {
						stored := at.In(of.Config.Timezone)
						if zoned {
							stored = at
						}
						testserver.Execute(t, of.Admin, fmt.Sprintf("INSERT INTO job_sandbox (job_id, job_name, start_date_time) VALUES ('%d', '%s', '%s')",
							id, strings.ReplaceAll(text, "'", "''"), stored.Format("2006-01-02 15:04:05")))
					}
					all := []string{row(0, summer), row(1, winter), row(2, winter.Add(time.Minute))}
					// The offset of today stands for a zone that MySQL does not know: that is not right in summer.
					inexact := server.Driver() == config.MySQL && zoned && !named
					for _, parameters := range c.parameters {
						rows, warning := read(parameters, summer.Add(-time.Hour))
						if inexact && len(rows) > 0 {
							rows[0] = all[0]
						}
						if !slices.Equal(rows, all) {
							t.Errorf("%s, %q, named %v: %v, want %v", kind, parameters, named, rows, all)
						}
						if strings.Contains(warning, "mysql_tzinfo_to_sql") != inexact {
							t.Errorf("%s, %q, named %v: the log says %q", kind, parameters, named, warning)
						}
						if rows, _ := read(parameters, winter.Add(time.Second)); !slices.Equal(rows, all[2:]) {
							t.Errorf("%s, %q, named %v: since then %v, want %v", kind, parameters, named, rows, all[2:])
						}
					}
				}
			}
		})
	}
}
