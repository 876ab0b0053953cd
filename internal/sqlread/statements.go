package sqlread

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"strings"
	"sync"
	"text/template"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// errNoTable ends the rendering of a statement that this OMS version cannot answer.
var errNoTable = errors.New("this OMS version does not have a table or column")

// A Catalogue is every statement that can be sent, and what they read.
type Catalogue struct {
	// SQL has the statements as templates, one after the other, each with a comment above it:
	//
	//	-- statement: its_name
	//	-- What it is for, and the index that it uses.
	//	-- columns: the names of the columns that it returns, as a template
	//
	// A part is the same for what several statements have in common. Its columns are the template part_name.columns.
	SQL string
	// Tables are those that the statements name. In templates each is a function that returns the real name.
	Tables []Table
	// Funcs are further functions for the templates.
	Funcs template.FuncMap
}

// StatementText is a statement as a database administrator reviews it. Columns are the names by which a Record has what it
// returns; none for what is sent around statements.
type StatementText struct {
	Name, Purpose, SQL string
	Columns            []string
}

// Statements returns every statement that can be sent to a database of that kind, with parameters by name.
func (c Catalogue) Statements(driver config.Driver) ([]StatementText, error) {
	d, err := dialectOf(driver)
	if err != nil {
		return nil, err
	}
	texts := []StatementText{{
		Name: "columns", Purpose: "Which tables and columns there are, at connect and every 5 minutes.", SQL: d.catalogue,
	}}
	rendered, err := c.render(d, complete(c.Tables))
	if err != nil {
		return nil, err
	}
	for _, s := range c.sections() {
		if s.kind == "statement" {
			texts = append(texts, StatementText{s.name, s.purpose, rendered[s.name].text, rendered[s.name].columns})
		}
	}
	texts = append(texts, StatementText{Name: "ping", Purpose: "Whether the server answers, in each scrape.", SQL: ping})
	return append(texts, d.around...), nil
}

// A section of a catalogue is a statement or a part of several, before its template is executed.
type section struct{ kind, name, purpose, columns, text string }

var sectionHead = regexp.MustCompile(`(?m)^-- (statement|part): (\w+)\n((?:-- .*\n)+)`)

func (c Catalogue) sections() []section {
	var all []section
	for _, at := range sectionHead.FindAllStringSubmatchIndex(c.SQL, -1) {
		text, _, _ := strings.Cut(c.SQL[at[1]:], ";\n")
		s := section{kind: c.SQL[at[2]:at[3]], name: c.SQL[at[4]:at[5]], text: text}
		for line := range strings.Lines(c.SQL[at[6]:at[7]]) {
			line = strings.TrimSpace(strings.TrimPrefix(line, "-- "))
			if columns, ok := strings.CutPrefix(line, "columns: "); ok {
				s.columns += " " + columns
			} else {
				s.purpose = strings.TrimSpace(s.purpose + " " + line)
			}
		}
		all = append(all, s)
	}
	return all
}

// render executes the templates of all statements whose tables there are.
func (c Catalogue) render(d dialect, s *Schema) (map[string]*statement, error) {
	funcs := template.FuncMap{
		"has":    func(table string) bool { return s.Has(table) },
		"mysql":  func() bool { return d.driver == config.MySQL },
		"column": s.Column,
		// A view has no index that could be named.
		"besides_primary": func(table string) string {
			if !s.keyed[table] {
				return ""
			}
			return " IGNORE INDEX (PRIMARY)"
		},
		"impossible": func() (string, error) { return "", errNoTable },
		// A date that is none (see Record.Moment) must not hide the others.
		"oldest": func(date string) string { return "MIN(CASE WHEN " + date + " > '1971-01-01' THEN " + date + " END)" },
		"like":   s.comparable,
		"must": func(table, column string) (string, error) {
			if !s.Column(table, column) {
				return "", errNoTable
			}
			return column, nil
		},
		"col": func(table, column string) string {
			if name := column[strings.Index(column, ".")+1:]; !s.Column(table, name) {
				return "NULL"
			}
			return column
		},
	}
	maps.Copy(funcs, c.Funcs)
	for _, t := range c.Tables {
		funcs[t.Name] = func() (string, error) {
			if !s.Has(t.Name) {
				return "", errNoTable
			}
			return s.tables[t.Name], nil
		}
	}
	root := template.New("").Funcs(funcs)
	for _, s := range c.sections() {
		_, err := root.New(s.name).Parse(s.text)
		if err == nil {
			_, err = root.New(s.name + ".columns").Parse(s.columns)
		}
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
	}
	statements := map[string]*statement{}
	for _, s := range c.sections() {
		if s.kind != "statement" {
			continue
		}
		var text, columns strings.Builder
		err := root.ExecuteTemplate(&text, s.name, nil)
		if err == nil {
			err = root.ExecuteTemplate(&columns, s.name+".columns", nil)
		}
		switch {
		case errors.Is(err, errNoTable): // this OMS version cannot answer it
		case err != nil:
			return nil, fmt.Errorf("catalogue: %w", err)
		default:
			statements[s.name] = shared(d, text.String(), columns.String())
		}
	}
	return statements, nil
}

// Args are the parameters of a statement by name. A []string stands for as many values as it has.
type Args map[string]any

var parameter = regexp.MustCompile(`:[a-z_]+[0-9]*`)

// A statement is one of a catalogue as this OMS version can answer it.
type statement struct {
	text    string         // with parameters by name
	columns []string       // that it returns
	index   map[string]int // of the columns
	// parts are what stands before, between and behind the parameters.
	parts, parameters []string

	mu    sync.Mutex
	bound map[string]string // texts with placeholders, by the sizes of the parameters
}

// statements are those in use. Many clients are of the same OMS version, and share them.
var statements pool[sharedKey, statement] //nolint:gochecknoglobals // shared by all clients

// A sharedKey has all that a statement is made of.
type sharedKey struct {
	driver        config.Driver
	text, columns string
}

// shared returns the statement with this text and these columns.
func shared(d dialect, text, columns string) *statement {
	return statements.get(sharedKey{d.driver, text, columns}, func() *statement { return newStatement(text, strings.Fields(columns)...) })
}

func newStatement(text string, columns ...string) *statement {
	st := &statement{text: text, columns: columns, index: make(map[string]int, len(columns)), bound: map[string]string{}}
	for i, name := range columns {
		st.index[name] = i
	}
	behind := 0
	for _, at := range parameter.FindAllStringIndex(text, -1) {
		st.parts, st.parameters = append(st.parts, text[behind:at[0]]), append(st.parameters, text[at[0]+1:at[1]])
		behind = at[1]
	}
	st.parts = append(st.parts, text[behind:])
	return st
}

// bind replaces named parameters by the dialect's placeholders. Lists are filled up to a power of eight by repeating
// their last value, so that there are few texts: servers, and drivers, keep what they know of a statement by its text.
func (st *statement) bind(d dialect, named Args) (string, []any, error) {
	var sizes []byte // as powers of eight, or none for an empty list
	var values []any
	for _, name := range st.parameters {
		v, ok := named[name]
		if !ok {
			return "", nil, fmt.Errorf("no value for parameter :%s", name)
		}
		list, ok := v.([]string)
		switch {
		case !ok:
			sizes, values = append(sizes, single), append(values, v)
		case len(list) == 0:
			sizes = append(sizes, empty)
		default:
			power, size := byte(0), 1
			for ; size < len(list); size *= 8 {
				power++
			}
			sizes = append(sizes, power)
			for i := range size {
				values = append(values, list[min(i, len(list)-1)])
			}
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	text, known := st.bound[string(sizes)]
	if !known {
		text = st.write(d, sizes)
		st.bound[string(sizes)] = text
	}
	return text, values, nil
}

const single, empty = 0, math.MaxUint8

// write returns the text for parameters of these sizes.
func (st *statement) write(d dialect, sizes []byte) string {
	var text strings.Builder
	n := 0
	for i, power := range sizes {
		text.WriteString(st.parts[i])
		if power == empty {
			text.WriteString("NULL")
			continue
		}
		for j := range 1 << (3 * power) {
			if j > 0 {
				text.WriteString(", ")
			}
			n++
			text.WriteString(d.placeholder(n))
		}
	}
	text.WriteString(st.parts[len(sizes)])
	return text.String()
}
