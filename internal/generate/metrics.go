package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// metricTable has a row for each metric that package collector declares by newMetric: its name, its labels, and its help
// with the comment above the declaration, which says what is too long for a help text. What is there for every client comes first, then one collector after the other.
func metricTable(root, before string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, "collector", "*.go"))
	if err != nil {
		return "", err
	}
	var common, own strings.Builder
	for _, file := range files {
		table := &common
		if strings.HasPrefix(filepath.Base(file), "collect_") {
			table = &own
		}
		if err := writeMetrics(table, file); err != nil {
			return "", err
		}
	}
	return between(before, begin, "| metric | labels | meaning |\n|---|---|---|\n"+common.String()+own.String())
}

// writeMetrics writes the rows of the metrics that a file declares.
func writeMetrics(table *strings.Builder, file string) error {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	comments := map[int]string{} // by the line below
	for _, c := range parsed.Comments {
		comments[fset.Position(c.End()).Line+1] = " " + strings.Join(strings.Fields(c.Text()), " ")
	}
	var errs []error
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || types.ExprString(call.Fun) != "newMetric" {
			return true
		}
		var words []string
		for _, arg := range call.Args[1:] {
			found, err := texts(fset, arg)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", fset.Position(arg.Pos()), err))
			}
			words = append(words, found...)
		}
		if len(words) >= 2 {
			fmt.Fprintf(table, "| `%s` | %s | %s%s |\n", words[0], strings.Join(words[2:], ", "), words[1], comments[fset.Position(call.Pos()).Line])
		}
		return true
	})
	return errors.Join(errs...)
}

// texts are the constant texts of an argument. Other than these there are the labels that a client has in the configuration.
func texts(fset *token.FileSet, arg ast.Expr) ([]string, error) {
	appended, ok := arg.(*ast.CallExpr)
	if !ok {
		value, err := types.Eval(fset, nil, token.NoPos, types.ExprString(arg))
		if err != nil || value.Value == nil {
			return nil, fmt.Errorf("%s is no constant", types.ExprString(arg))
		}
		return []string{constant.StringVal(value.Value)}, nil
	}
	list, ok := appended.Args[0].(*ast.CompositeLit)
	if !ok {
		return nil, fmt.Errorf("%s does not append to a list", types.ExprString(arg))
	}
	var all []string
	for _, element := range list.Elts {
		found, err := texts(fset, element)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return append(all, "own labels"), nil
}
