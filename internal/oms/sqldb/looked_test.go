package sqldb

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

// watch gives the source a single connection, on which the rows are counted that each statement looks at: the returned
// function tells how many the last one did.
func watch(t *testing.T, s *Source) (looked func() int) {
	t.Helper()
	last := new(int)
	err := s.db.Intercept(func(connector driver.Connector) driver.Connector {
		return watching{connector, s.client.Database.Driver, last}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.db.Pool().SetMaxOpenConns(1)
	return func() int { return *last }
}

type watching struct {
	driver.Connector
	driver config.Driver
	last   *int
}

func (w watching) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	plain := conn.(plainConn)
	look, err := lookFor(ctx, w.driver, plain)
	return watchedConn{plain, look, w.last}, err
}

type look func(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error)

func lookFor(ctx context.Context, d config.Driver, conn plainConn) (look, error) {
	switch d {
	case config.MySQL:
		version, err := fetch(ctx, conn, "SELECT VERSION() AS v", nil)
		if err == nil && !strings.Contains(version[0].Text("v"), "MariaDB") {
			// MySQL does not count the entries of an index that a pushed condition passes over; its plans are the same without.
			_, err = conn.ExecContext(ctx, "SET SESSION optimizer_switch = 'index_condition_pushdown=off'", nil)
		}
		return lookMySQL, err
	case config.Postgres:
		return lookPostgres, nil
	default:
		return lookSQLite, nil
	}
}

type plainConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
}

type watchedConn struct {
	plainConn
	look look
	last *int
}

func (c watchedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	if *c.last, err = c.look(ctx, c.plainConn, query, args); err != nil {
		return nil, fmt.Errorf("look at it first: %w", err)
	}
	return c.plainConn.QueryContext(ctx, query, args)
}

// lookMySQL executes the query, and counts how often the storage engine was asked for a row or, in MariaDB, tried one in an index.
func lookMySQL(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error) {
	var counts [3]int
	for i := range counts {
		rows, err := fetch(ctx, conn, `SHOW SESSION STATUS WHERE variable_name LIKE 'Handler\_read\_%' OR variable_name = 'Handler_icp_attempts'`, nil)
		if err == nil && i == 1 {
			_, err = fetch(ctx, conn, query, args)
		}
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			counts[i] += row.Count("Value")
		}
	}
	return counts[2] - counts[1] - (counts[1] - counts[0]), nil // less what counting takes
}

// lookPostgres executes the query, and sums up the rows that came out of tables and indexes, or were thrown away there.
func lookPostgres(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error) {
	_, rows, err := values(ctx, conn, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+query, args)
	if err != nil {
		return 0, err
	}
	var explained []struct{ Plan postgresPlan }
	if err := json.Unmarshal([]byte(fmt.Sprint(rows[0][0])), &explained); err != nil {
		return 0, err
	}
	return explained[0].Plan.looked(), nil
}

type postgresPlan struct {
	Node     string  `json:"Node Type"`
	Table    string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"` // of each loop, as all that follow
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Recheck  float64 `json:"Rows Removed by Index Recheck"`
	Plans    []postgresPlan
}

func (p postgresPlan) looked() int {
	n := 0
	switch {
	case p.Table == "facility": // one block, which it reads again and again rather than the index
		n = int(p.Loops)
	case p.Table != "" || p.Index != "":
		n = int(p.Loops * max(1, p.Rows+p.Filtered+p.Recheck))
	}
	for _, below := range p.Plans {
		n += below.looked()
	}
	return n
}

var (
	sqliteTable = regexp.MustCompile(`(?:FROM|JOIN) "(\w+)"(?: ([a-z]\w*))?`)
	sqliteScan  = regexp.MustCompile(`^SCAN (\w+)`)
	sqliteLimit = regexp.MustCompile(`LIMIT (\d+)`)
)

// lookSQLite counts the rows of the tables of which the query reads all, or as many as it takes at most: SQLite does not
// tell how many it looked at.
func lookSQLite(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error) {
	tables := map[string]string{} // by the names that they have in the query
	for _, found := range sqliteTable.FindAllStringSubmatch(query, -1) {
		tables[found[1]], tables[found[2]] = found[1], found[1]
	}
	plan, err := fetch(ctx, conn, "EXPLAIN QUERY PLAN "+query, args)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, step := range plan {
		scan := sqliteScan.FindStringSubmatch(step.Text("detail"))
		if scan == nil || tables[scan[1]] == "" { // what a subquery returns
			continue
		}
		rows, err := fetch(ctx, conn, `SELECT COUNT(*) AS n FROM "`+tables[scan[1]]+`"`, nil)
		if err != nil {
			return 0, err
		}
		all := rows[0].Count("n")
		if limit := sqliteLimit.FindStringSubmatch(query); limit != nil {
			most, err := strconv.Atoi(limit[1])
			if err != nil {
				return 0, err
			}
			all = min(all, most)
		}
		n += all
	}
	return n, nil
}

// fetch returns all rows of an answer.
func fetch(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (all []sqlread.Record, err error) {
	columns, rows, err := values(ctx, conn, query, args)
	for _, row := range rows {
		all = append(all, sqlread.NewRecord(nil, columns, nil, row))
	}
	return all, err
}

// values returns the rows as they are, however long their texts.
func values(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (columns []string, all [][]any, err error) {
	rows, err := conn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }() // Next reports what matters
	for {
		read := make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(read); {
		case errors.Is(err, io.EOF):
			return rows.Columns(), all, nil
		case err != nil:
			return nil, nil, err
		}
		var row []any
		for _, v := range read {
			if text, ok := v.([]byte); ok {
				v = strings.Clone(string(text)) // the driver uses its buffer again
			}
			row = append(row, v)
		}
		all = append(all, row)
	}
}
