package sqldb

import (
	"context"
	"database/sql"
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
)

// watch gives the source a single connection, on which the rows are counted that each statement looks at: the returned
// function tells how many the last one did.
func watch(t *testing.T, s *Source) (looked func() int) {
	t.Helper()
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	connector, err := s.dialect.connector(s.client.Database)
	if err != nil {
		t.Fatal(err)
	}
	last := new(int)
	s.db = sql.OpenDB(watching{connector, lookFor(s.dialect.driver), last})
	s.db.SetMaxOpenConns(1)
	s.dialect.kill = nil // it knows the driver's own connections only
	return func() int { return *last }
}

type look func(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error)

func lookFor(d config.Driver) look {
	switch d {
	case config.MySQL:
		return lookMariaDB
	case config.Postgres:
		return lookPostgres
	default:
		return lookSQLite
	}
}

type watching struct {
	driver.Connector
	look look
	last *int
}

func (w watching) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return watchedConn{conn.(plainConn), w}, nil
}

type plainConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
}

type watchedConn struct {
	plainConn
	watching
}

func (c watchedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	if *c.last, err = c.look(ctx, c.plainConn, query, args); err != nil {
		return nil, fmt.Errorf("look at it first: %w", err)
	}
	return c.plainConn.QueryContext(ctx, query, args)
}

// lookMariaDB executes the query, and counts how often the storage engine was asked for a row, or tried one in an index.
func lookMariaDB(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error) {
	var counts [3]int
	for i := range counts {
		rows, err := fetch(ctx, conn, `SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.session_status
			WHERE variable_name LIKE 'HANDLER\_READ\_%' OR variable_name = 'HANDLER_ICP_ATTEMPTS'`, nil)
		if err == nil && i == 1 {
			_, err = fetch(ctx, conn, query, args)
		}
		if err != nil {
			return 0, err
		}
		counts[i] = rows[0].count(0)
	}
	return counts[2] - counts[1] - (counts[1] - counts[0]), nil // less what counting takes
}

// lookPostgres executes the query, and sums up the rows that came out of tables and indexes, or were thrown away there.
func lookPostgres(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (int, error) {
	rows, err := fetch(ctx, conn, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+query, args)
	if err != nil {
		return 0, err
	}
	var explained []struct{ Plan postgresPlan }
	if err := json.Unmarshal([]byte(rows[0].text(0)), &explained); err != nil {
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
		scan := sqliteScan.FindStringSubmatch(step.text(3))
		if scan == nil || tables[scan[1]] == "" { // what a subquery returns
			continue
		}
		rows, err := fetch(ctx, conn, `SELECT COUNT(*) FROM "`+tables[scan[1]]+`"`, nil)
		if err != nil {
			return 0, err
		}
		all := rows[0].count(0)
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
func fetch(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) ([]record, error) {
	rows, err := conn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Next reports what matters
	var all []record
	for {
		values := make([]driver.Value, len(rows.Columns()))
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		rec := record{}
		for _, v := range values {
			if text, ok := v.([]byte); ok {
				v = strings.Clone(string(text)) // the driver uses its buffer again
			}
			rec.values = append(rec.values, v)
		}
		all = append(all, rec)
	}
}
