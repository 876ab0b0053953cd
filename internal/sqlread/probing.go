package sqlread

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// currentSchema returns the schema, probing for it at first and from time to time. Of the areas that find it due at once, one
// probes; the others go on with what is known or, at first, wait for it.
func (db *DB) currentSchema(ctx context.Context, r *Reader, now time.Time) (*Schema, map[string]*statement, error) {
	sch, statements, again := db.known(now)
	if !again {
		return sch, statements, nil
	}
	select {
	case db.probing <- struct{}{}:
	default:
		if sch != nil {
			return sch, statements, nil
		}
		select {
		case db.probing <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, errors.New("the tables are still being looked up")
		}
	}
	defer func() { <-db.probing }()
	if sch, statements, again = db.known(now); !again { // somebody has just been here
		return sch, statements, nil
	}
	return db.probe(ctx, r, now)
}

// probe looks at the database's catalogue, and says in the log what is missing when that is news.
func (db *DB) probe(ctx context.Context, r *Reader, now time.Time) (*Schema, map[string]*statement, error) {
	sch, err := db.dialect.probe(ctx, r, db.catalogue.Tables)
	if err != nil {
		return nil, nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	var before []Column
	if db.schema != nil {
		before = db.schema.Missing
	}
	if db.schema == sch {
		db.probed, db.suspect = now, false
		return db.schema, db.statements, nil
	}
	statements, err := db.catalogue.render(db.dialect, sch)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case slices.Equal(before, sch.Missing):
	case len(sch.Missing) == 0:
		db.logger.Info("all tables and columns of this database can be read again")
	default:
		db.logger.Info("tables or columns are missing in this database, metrics that need them are absent", "missing", fmt.Sprint(sch.Missing))
	}
	db.schema, db.statements, db.probed, db.suspect = sch, statements, now, false
	return sch, statements, nil
}
