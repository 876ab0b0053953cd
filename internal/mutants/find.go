package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A fault replaces the text between two offsets of a file.
type fault struct {
	file        string // relative to the module
	from, to    int
	text        string // the new one
	line        int
	column      int
	was, is     string // the line before and after
	isUnreached bool   // by the tests
}

// print prints what became of the fault.
func (f fault) print(out io.Writer, fate string) error {
	_, err := fmt.Fprintf(out, "%s:%d: %s\n\t- %s\n\t+ %s\n", f.file, f.line, fate, f.was, cmp.Or(f.is, "dropped"))
	return err
}

// source is a file in which faults are found.
type source struct {
	file, text string
	start      token.Pos
	faults     []fault
}

// find returns the faults that the files of a folder allow.
func find(tree, dir string) ([]fault, error) {
	entries, err := os.ReadDir(filepath.Join(tree, dir))
	if err != nil {
		return nil, err
	}
	var all []fault
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		kind := filepath.Ext(name)
		if !slices.Contains([]string{".go", ".sql", ".yml"}, kind) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(tree, name))
		if err != nil {
			return nil, err
		}
		s := &source{file: name, text: string(text)}
		if kind == ".go" {
			parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			s.start = parsed.FileStart
			ast.Inspect(parsed, s.inspect)
		} else {
			s.words(kind == ".sql")
		}
		all = append(all, s.faults...)
	}
	return all, nil
}

// replace adds the fault that has other text between two offsets.
func (s *source) replace(from, to int, text string) {
	begin := strings.LastIndexByte(s.text[:from], '\n') + 1
	lineOf := func(text string) string {
		line, _, _ := strings.Cut(text[begin:], "\n")
		return strings.TrimSpace(line)
	}
	s.faults = append(s.faults, fault{
		file: s.file, from: from, to: to, text: text, line: strings.Count(s.text[:from], "\n") + 1, column: from - begin + 1,
		was: lineOf(s.text), is: lineOf(s.text[:from] + text + s.text[to:]),
	})
}

// substitute replaces an operator or word, if there are others that take its place.
func (s *source) substitute(from, to int) {
	for _, other := range map[string][]string{
		"<": {"<=", ">="}, "<=": {"<", ">"}, ">": {">=", "<="}, ">=": {">", "<"}, "==": {"!="}, "!=": {"=="},
		"+": {"-"}, "-": {"+"}, "*": {"/"}, "/": {"*"}, "&&": {"||"}, "||": {"&&"}, "true": {"false"}, "false": {"true"},
		"and": {"unless"}, "unless": {"and"}, "or": {"unless"}, "sum": {"max"}, "max": {"min"}, "min": {"max"}, // PromQL
		"max_over_time": {"min_over_time"}, "min_over_time": {"max_over_time"},
		"AND": {"OR"}, "OR": {"AND"}, "=": {"<>"}, "<>": {"="}, "MAX": {"MIN"}, "MIN": {"MAX"}, "DESC": {"ASC"}, // SQL
		"IS NULL": {"IS NOT NULL"}, "IS NOT NULL": {"IS NULL"},
	}[s.text[from:to]] {
		s.replace(from, to, other)
	}
}

func (s *source) drop(from, to int) { s.replace(from, to, "") }

// increment makes an integer one more.
func (s *source) increment(from, to int) {
	if n, err := strconv.ParseInt(s.text[from:to], 0, 64); err == nil {
		s.replace(from, to, strconv.FormatInt(n+1, 10))
	}
}

// offsets returns where a node is.
func (s *source) offsets(n ast.Node) (from, to int) {
	return int(n.Pos() - s.start), int(n.End() - s.start)
}

// inspect finds the faults of a node of Go.
func (s *source) inspect(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok != token.IMPORT
	case *ast.BinaryExpr:
		at := int(n.OpPos - s.start)
		s.substitute(at, at+len(n.Op.String()))
	case *ast.Ident:
		s.substitute(s.offsets(n))
	case *ast.BasicLit:
		s.increment(s.offsets(n))
	case *ast.IfStmt:
		s.negate(n.Cond)
	case *ast.ForStmt:
		s.negate(n.Cond)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			s.drop(s.offsets(n))
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.BranchStmt:
		s.drop(s.offsets(n))
	case *ast.FuncDecl:
		s.returnZeros(n.Type, n.Body)
	case *ast.FuncLit:
		s.returnZeros(n.Type, n.Body)
	}
	return true
}

// negate negates a condition, unless another operator in it does the same.
func (s *source) negate(condition ast.Expr) {
	if b, ok := condition.(*ast.BinaryExpr); condition != nil && (!ok || b.Op != token.EQL && b.Op != token.NEQ) {
		from, to := s.offsets(condition)
		s.replace(from, to, "!("+s.text[from:to]+")")
	}
}

// returnZeros has a function return at once.
func (s *source) returnZeros(kind *ast.FuncType, body *ast.BlockStmt) {
	if body == nil || len(body.List) == 0 {
		return
	}
	var zeros []string
	if kind.Results != nil {
		for _, result := range kind.Results.List {
			from, to := s.offsets(result.Type)
			for range max(1, len(result.Names)) {
				zeros = append(zeros, "*new("+s.text[from:to]+")")
			}
		}
	}
	after := int(body.Lbrace-s.start) + 1
	s.replace(after, after, " return "+strings.Join(zeros, ", ")+";")
}

var (
	word     = regexp.MustCompile(`IS (?:NOT )?NULL|\w+|[<>=!+*/-]+`)
	number   = regexp.MustCompile(`\b\d+`)
	matcher  = regexp.MustCompile(`\w+(?:=~|!~|!=|=)"[^"]*"(?:, )?`)
	joinedOn = regexp.MustCompile(`\b(?:on|ignoring) \([^)]*\) ?`)
	labels   = regexp.MustCompile(`\b(?:on|ignoring|by|without|group_left|group_right) \([^)]+\)`)
	label    = regexp.MustCompile(`\w+(?:, )?`)
	setting  = regexp.MustCompile(` +\w+: \d+[smhdw]?\n`)
)

// words finds the faults of a file of SQL, or of the expressions and the settings (numbers and durations) of a file of rules.
func (s *source) words(isSQL bool) {
	at, depth := 0, -1 // depth is how far the expression is indented to which a line belongs
	for line := range strings.Lines(s.text) {
		each := func(pattern *regexp.Regexp, change func(from, to int)) {
			for _, found := range pattern.FindAllStringIndex(s.text[at:at+len(line)], -1) {
				change(at+found[0], at+found[1])
			}
		}
		text := strings.TrimSpace(line)
		switch indent := strings.Index(line, text); {
		case strings.HasPrefix(text, "expr:"):
			depth = indent
		case indent <= depth && text != "":
			depth = -1
		}
		switch {
		case strings.HasPrefix(text, "#"), strings.HasPrefix(text, "--"):
		case isSQL || depth >= 0:
			each(word, s.substitute)
			each(number, s.increment)
			each(matcher, s.drop)
			each(joinedOn, s.drop)
			each(labels, func(from, to int) {
				for _, found := range label.FindAllStringIndex(s.text[from:to], -1)[1:] {
					s.drop(from+found[0], from+found[1])
				}
			})
		case setting.MatchString(line):
			each(number, s.increment)
			each(setting, s.drop)
		}
		at += len(line)
	}
}
