// Package sqldb is an oms.Source over an SQL database: MySQL or MariaDB, PostgreSQL, or SQLite.
//
// Queries are read-only, use only stock OFBiz indexes, and have a server-side timeout equal to the time left in the scrape. They are
// cancelled on the server when the caller gives up. All statements stand in statements.sql.
package sqldb

import (
	_ "embed"
	"log/slog"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/sqlread"
)

//go:embed statements.sql
var statementsSQL string

// Source reads one client's OMS database. It implements oms.Source.
type Source struct {
	logger *slog.Logger
	client config.Client
	db     *sqlread.DB

	// Each area of the OMS uses one connection at a time, whether for a scrape or for its backfill, so that a locked
	// table costs its own area only. Only who has an area's connection may use what it knows.
	instance *instanceArea
	orders   *ordersArea
	jobs     *jobsArea
	runs     *runsArea // Moqui's jobs, which have a history of their own, on the connection of the other jobs
	files    *filesArea
	messages *messagesArea
	lastMile *lastMileArea

	durations jobDurations // of the jobs of both generations
	signs     signs        // as well
}

var _ oms.Source = (*Source)(nil)

// Open returns a Source for the client's database. It does not connect: that is done, with the secret read again, when
// a connection is first needed.
func Open(logger *slog.Logger, client config.Client) (*Source, error) {
	logger = logger.With("client", client.Name)
	db, err := sqlread.Open(logger, client.Name, client.Database, catalogue(client.Orders.CreatedExclude.MissingAttributes))
	if err != nil {
		return nil, err
	}
	return over(logger, client, db), nil
}

// WithoutHistory returns a Source over the same database that has yet to backfill its history. The two share the connections, so only one of
// them may be closed.
func (s *Source) WithoutHistory() *Source { return over(s.logger, s.client, s.db) }

func over(logger *slog.Logger, client config.Client, db *sqlread.DB) *Source {
	s := &Source{logger: logger, client: client, db: db}
	s.instance = newInstanceArea(client)
	s.orders = newOrdersArea(s)
	s.jobs = newJobsArea(s)
	s.runs = newRunsArea(s)
	s.files = newFilesArea(s)
	s.messages = newMessagesArea()
	s.lastMile = newLastMileArea()
	return s
}

// DB returns the database, for the statistics of its pool.
func (s *Source) DB() *sqlread.DB { return s.db }

// Close implements oms.Source.
func (s *Source) Close() error { return s.db.Close() }
