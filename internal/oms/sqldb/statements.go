package sqldb

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"
	"text/template"
	"unique"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// errNoTable ends the rendering of a statement that this vintage cannot answer.
var errNoTable = errors.New("this vintage lacks a table or column")

//go:embed statements.sql
var statementsSQL string

// StatementText is a statement as a database administrator reviews it.
type StatementText struct{ Name, Purpose, SQL string }

// Statements returns every statement that can be sent to a database of that kind, with parameters by name.
func Statements(driver config.Driver) ([]StatementText, error) {
	d, err := dialectOf(driver)
	if err != nil {
		return nil, err
	}
	texts := []StatementText{{"columns", "Which tables and columns there are, at connect and every 5 minutes.", d.catalogue}}
	rendered, err := render(d, d.complete(), []string{"ATTRIBUTE"})
	if err != nil {
		return nil, err
	}
	for _, s := range sections() {
		if s.kind == "statement" {
			texts = append(texts, StatementText{s.name, s.purpose, rendered[s.name].text.Value()})
		}
	}
	return append(texts, d.around...), nil
}

// A section of statements.sql is a statement or a part of several, before its template is executed.
type section struct{ kind, name, purpose, text string }

var sectionHead = regexp.MustCompile(`(?m)^-- (statement|part): (\w+)\n((?:-- .*\n)+)`)

func sections() []section {
	var all []section
	for _, at := range sectionHead.FindAllStringSubmatchIndex(statementsSQL, -1) {
		text, _, _ := strings.Cut(statementsSQL[at[1]:], ";\n")
		purpose := strings.ReplaceAll("\n"+strings.TrimSpace(statementsSQL[at[6]:at[7]]), "\n-- ", " ")
		all = append(all, section{statementsSQL[at[2]:at[3]], statementsSQL[at[4]:at[5]], purpose[1:], text})
	}
	return all
}

// render executes the templates of all statements whose tables there are.
func render(d dialect, s *schema, attributes []string) (map[string]*statement, error) {
	funcs := template.FuncMap{
		"has":        func(table string) bool { return s.has(table) },
		"mysql":      func() bool { return d.driver == config.MySQL },
		"ages":       func() any { return oms.CreatedAges() },
		"unended":    unendedMessages,
		"waiting":    func() string { return "'" + strings.Join(waitingFiles(), "', '") + "'" },
		"attributes": func() []string { return attributes },
		"column":     func(table, column string) bool { return s.columns[table+"."+column] },
		"impossible": func() (string, error) { return "", errNoTable },
		// A date that is none (see record.moment) must not hide the others.
		"oldest": func(date string) string { return "MIN(CASE WHEN " + date + " > '1971-01-01' THEN " + date + " END)" },
		"must": func(table, column string) (string, error) {
			if !s.columns[table+"."+column] {
				return "", errNoTable
			}
			return column, nil
		},
		"col": func(table, column string) string {
			if name := column[strings.Index(column, ".")+1:]; !s.columns[table+"."+name] {
				return "NULL"
			}
			return column
		},
	}
	for _, t := range wanted() {
		funcs[t.name] = func() (string, error) {
			if !s.has(t.name) {
				return "", errNoTable
			}
			return s.tables[t.name], nil
		}
	}
	root := template.New("").Funcs(funcs)
	for _, s := range sections() {
		if _, err := root.New(s.name).Parse(s.text); err != nil {
			return nil, fmt.Errorf("statements.sql: %w", err)
		}
	}
	statements := map[string]*statement{}
	for _, s := range sections() {
		if s.kind != "statement" {
			continue
		}
		var text strings.Builder
		switch err := root.ExecuteTemplate(&text, s.name, nil); {
		case errors.Is(err, errNoTable): // this vintage cannot answer it
		case err != nil:
			return nil, fmt.Errorf("statements.sql: %w", err)
		default:
			statements[s.name] = newStatement(text.String())
		}
	}
	return statements, nil
}

// args are the parameters of a statement by name. A []string stands for as many values as it has.
type args map[string]any

var parameter = regexp.MustCompile(`:[a-z_]+[0-9]*`)

// A statement is one of statements.sql as this vintage can answer it. Many clients are of the same vintage, so texts are held
// once for all.
type statement struct {
	text unique.Handle[string] // with parameters by name
	// parts are what stands before, between and behind the parameters.
	parts, parameters []string

	mu    sync.Mutex
	bound map[string]unique.Handle[string] // texts with placeholders, by the sizes of the parameters
}

func newStatement(text string) *statement {
	st := &statement{text: unique.Make(text), bound: map[string]unique.Handle[string]{}}
	text = st.text.Value()
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
func (st *statement) bind(d dialect, named args) (string, []any, error) {
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
		text = unique.Make(st.write(d, sizes))
		st.bound[string(sizes)] = text
	}
	return text.Value(), values, nil
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
