package sqldb

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"

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
			texts = append(texts, StatementText{s.name, s.purpose, rendered[s.name]})
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
func render(d dialect, s *schema, attributes []string) (map[string]string, error) {
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
	texts := map[string]string{}
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
			texts[s.name] = text.String()
		}
	}
	return texts, nil
}

// args are the parameters of a statement by name. A []string stands for as many values as it has.
type args map[string]any

var parameter = regexp.MustCompile(`:[a-z_]+[0-9]*`)

// bind replaces named parameters by the dialect's placeholders. Lists are filled up to a power of eight by repeating
// their last value, so that servers that keep plans by text see few texts.
func (d dialect) bind(text string, named args) (string, []any, error) {
	var values []any
	var err error
	add := func(v any) string {
		values = append(values, v)
		return d.placeholder(len(values))
	}
	bound := parameter.ReplaceAllStringFunc(text, func(name string) string {
		v, ok := named[name[1:]]
		if !ok {
			err = fmt.Errorf("no value for parameter %s", name)
		}
		list, ok := v.([]string)
		if !ok {
			return add(v)
		}
		if len(list) == 0 {
			return "NULL"
		}
		size := 1
		for size < len(list) {
			size *= 8
		}
		marks := make([]string, size)
		for i := range marks {
			marks[i] = add(list[min(i, len(list)-1)])
		}
		return strings.Join(marks, ", ")
	})
	return bound, values, err
}
