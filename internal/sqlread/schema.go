package sqlread

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// A Table lists what the statements read of it. Every OMS version has the required columns: without one of them the table is
// as good as missing. An optional column reads as NULL where an OMS version does not have it. That of the timestamps is optional because
// Moqui, where it makes a table itself, gives it last_updated_stamp only.
type Table struct {
	Name     string
	Required string // columns, with a space between them
	Optional string
	// Probed are further optional columns without which nothing is lacking, such as those that only the newest OMS version has.
	Probed string
	// Aside: nothing is lacking without the whole table either.
	Aside bool
}

// optional lists the columns that read as NULL where they are missing.
func (t Table) optional() []string { return strings.Fields(t.Optional + " " + t.Probed) }

// Column names something that this OMS version does not have. Column is empty where the whole table is missing.
type Column struct{ Table, Column string }

// String is table.column, or the table alone.
func (c Column) String() string {
	if c.Column == "" {
		return c.Table
	}
	return c.Table + "." + c.Column
}

// A Schema is what probing found of a catalogue's tables.
type Schema struct {
	// Missing is the tables and columns that this OMS version does not have, in the order of the catalogue.
	Missing []Column

	tables     map[string]string    // the real, quoted name of each table that can be used
	columns    map[string]bool      // "table.column" of each optional column that is there
	collations map[string]collation // by "table.column", of those that the server tells
	keyed      map[string]bool      // the real, quoted name of each that has a primary key, of a server that tells
}

// A collation is how a column's text is stored and compared. OFBiz' sample configuration for MySQL gives tables a character
// set of their own, and what was added to the database later has that of its day.
type collation struct{ charset, name string }

// probe looks which of the wanted tables and columns there are. Names are compared without their case.
func (d dialect) probe(ctx context.Context, r *Reader, wanted []Table) (*Schema, error) {
	var names []string
	for _, t := range wanted {
		names = append(names, t.Name)
	}
	found := map[string][]string{} // by real table name
	collations := map[string]collation{}
	keyed := map[string]bool{}
	returns := []string{"table", "column"}
	if d.collated {
		returns = append(returns, "charset", "collation", "key")
	}
	err := r.send(ctx, "columns", newStatement(d.catalogue, returns...), Args{"tables": names}, func(rec Record) {
		column := rec.Text("column")
		if d.driver != config.Postgres { // where the statements' column names fold to lower case, and nothing else does
			column = strings.ToLower(column)
		}
		found[rec.Text("table")] = append(found[rec.Text("table")], column)
		if d.collated && rec.Text("collation") != "" {
			collations[rec.Text("table")+"."+column] = collation{rec.Text("charset"), rec.Text("collation")}
		}
		if d.collated && rec.Text("key") == "PRI" {
			keyed[d.quote(rec.Text("table"))] = true
		}
	})
	if err != nil {
		return nil, err
	}
	actual := map[string]string{}
	columns := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		folded := strings.ToLower(name)
		if actual[folded] != "" { // a server that tells cases apart and holds both: lower case sorts last and wins
			maps.DeleteFunc(columns, func(c string, _ bool) bool { return strings.HasPrefix(c, folded+".") })
		}
		actual[folded] = name
		for _, c := range found[name] {
			columns[folded+"."+c] = true
		}
	}
	s := &Schema{tables: map[string]string{}, columns: map[string]bool{}, collations: map[string]collation{}, keyed: keyed}
	for _, t := range wanted {
		for _, c := range slices.Concat(strings.Fields(t.Required), t.optional()) {
			if of, ok := collations[actual[t.Name]+"."+c]; ok {
				s.collations[t.Name+"."+c] = of
			}
		}
		lacks := func(column string) {
			if !t.Aside {
				s.Missing = append(s.Missing, Column{Table: t.Name, Column: column})
			}
		}
		if actual[t.Name] == "" {
			lacks("")
			continue
		}
		usable := true
		for _, c := range strings.Fields(t.Required) {
			if !columns[t.Name+"."+c] {
				lacks(c)
				usable = false
			}
		}
		for _, c := range t.optional() {
			switch {
			case columns[t.Name+"."+c]:
				s.columns[t.Name+"."+c] = true
			case slices.Contains(strings.Fields(t.Optional), c):
				s.Missing = append(s.Missing, Column{Table: t.Name, Column: c})
			}
		}
		if usable {
			s.tables[t.Name] = d.quote(actual[t.Name])
		}
	}
	return schemas.get(fmt.Sprintf("%#v", *s), func() *Schema { return s }), nil
}

// schemas are those in use, by all that they are made of. Many clients share one, as they share statements.
var schemas pool[string, Schema] //nolint:gochecknoglobals // shared by all clients

// complete is the schema with everything in it, by which the statements are printed.
func complete(wanted []Table) *Schema {
	s := &Schema{tables: map[string]string{}, columns: map[string]bool{}, keyed: map[string]bool{}}
	for _, t := range wanted {
		s.tables[t.Name], s.keyed[t.Name] = t.Name, true
		for _, c := range t.optional() {
			s.columns[t.Name+"."+c] = true
		}
	}
	return s
}

// comparable returns an expression, a value of the column from, as it can be compared with the column by the latter's index:
// as it is, unless the two are stored or compared in different ways.
func (s *Schema) comparable(column, from, expression string) string {
	to := s.collations[column]
	if expression == "NULL" || to == s.collations[from] || to == (collation{}) {
		return expression
	}
	return "CONVERT(" + expression + " USING " + to.charset + ") COLLATE " + to.name
}

// Has says whether all the tables can be used.
func (s *Schema) Has(tables ...string) bool {
	return !slices.ContainsFunc(tables, func(t string) bool { return s.tables[t] == "" })
}

// Exists says whether the table is in the database, though it may lack columns that every OMS version has.
func (s *Schema) Exists(table string) bool { return !slices.Contains(s.Missing, Column{Table: table}) }

// Column says whether the optional column is there.
func (s *Schema) Column(table, column string) bool { return s.columns[table+"."+column] }

// MissingColumn returns the MissingError of a column of a table that is there.
func MissingColumn(table, column string) error {
	return MissingError("table " + table + " has no column " + column + ", or the database's user may not read it")
}

// MissingTable returns a MissingError unless the table can be used.
func (s *Schema) MissingTable(table string) error {
	for _, m := range s.Missing {
		switch {
		case m.Table != table || s.Has(table):
		case m.Column == "":
			return MissingError("table " + table + " is not in the database, or its user may not read it")
		default:
			return MissingColumn(table, m.Column)
		}
	}
	return nil
}
