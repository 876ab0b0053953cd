package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of the configuration files. It goes on after a mistake, so that one look finds them all.
type reader struct {
	sources   []source
	lines     int                       // of all sources
	roots     []*yaml.Node              // of the files that are YAML
	broken    bool                      // one is not
	skipped   []string                  // files that look like configurations
	inherited map[*yaml.Node]*yaml.Node // what a mapping takes from defaults; see inherit
	client    string                    // the client that is being read, for the messages
	files     *files
	holidays  map[string][]string // the calendars that clients share
	secrets   []*outside          // those of the client that is being read
	mistakes  findings
	faults    findings // of secrets, which are their client's trouble
	warnings  findings // the configuration works, and should still be better
}

func newReader(from *files) *reader {
	return &reader{files: from, inherited: map[*yaml.Node]*yaml.Node{}}
}

// A source is a file. Its lines are counted on from those of the files before it, so that a number alone says which file and line
// it is: only messages have the file's own numbers.
type source struct {
	file   string
	before int // the lines of the files before it
}

// source takes in a file and returns the number of its first line.
func (r *reader) source(file string, data []byte) int {
	r.sources = append(r.sources, source{file, r.lines})
	first := r.lines + 1
	r.lines = first + bytes.Count(data, []byte("\n"))
	return first
}

// in returns the file of a line, and the line's number there.
func (r *reader) in(line int) (file string, number int) {
	i := sort.Search(len(r.sources), func(i int) bool { return r.sources[i].before >= line })
	s := r.sources[max(i, 1)-1]
	return s.file, line - s.before
}

// place names a line in a message about another one.
func (r *reader) place(line, other int) string {
	file, number := r.in(line)
	if here, _ := r.in(other); file == here {
		return fmt.Sprintf("line %d", number)
	}
	return fmt.Sprintf("%s:%d", file, number)
}

// path takes a relative path that a file names from that file's directory, as Prometheus does.
func (r *reader) path(n *yaml.Node, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	file, _ := r.in(n.Line)
	return filepath.Join(filepath.Dir(file), path)
}

// findings are each there once, however many clients share the text in which they are.
type findings struct {
	all   []*finding
	known map[findingKey]*finding
}

type finding struct {
	findingKey
	client string // the first of those that have it
	last   string // the last one
	others int    // how many more
}

type findingKey struct {
	line int
	text string
	of   string // the secret that it is about: one text may name a file for each client
}

func (f *findings) add(line int, client, text, of string) {
	key := findingKey{line, text, of}
	known := f.known[key]
	switch {
	case known == nil:
		known = &finding{findingKey: key, client: client, last: client}
		if f.known == nil {
			f.known = map[findingKey]*finding{}
		}
		f.known[key] = known
		f.all = append(f.all, known)
	case known.last != client:
		known.last = client
		known.others++
	}
}

// fail notes a mistake. The text ends with the fix: what to write instead. It must not repeat text of the file that
// could be a misplaced secret; see shown.
func (r *reader) fail(line int, format string, args ...any) {
	r.mistakes.add(line, r.client, fmt.Sprintf(format, args...), "")
}

// warn is fail for what is no mistake but a risk.
func (r *reader) warn(line int, format string, args ...any) {
	r.warnings.add(line, r.client, fmt.Sprintf(format, args...), "")
}

// where says of what a message is. others have the same text in the file.
func (r *reader) where(line int, client string, others int) string {
	where := ""
	if file, number := r.in(line); file != "" {
		where = fmt.Sprintf("%s:%d: ", file, number)
	}
	switch {
	case client == "":
	case others == 0:
		where += "client " + client + ": "
	case others == 1:
		where += "client " + client + " and 1 other: "
	default:
		where += fmt.Sprintf("client %s and %d others: ", client, others)
	}
	return where
}

// joined returns an error with these lines, or nil without any.
func joined(lines []string) error {
	var errs []error
	for _, line := range lines {
		errs = append(errs, errors.New(line))
	}
	return errors.Join(errs...)
}

// texts returns what the findings say, in the order of the files.
func (r *reader) texts(lists ...findings) []string {
	var all []*finding
	for _, list := range lists {
		all = append(all, list.all...)
	}
	slices.SortStableFunc(all, func(a, b *finding) int { return a.line - b.line })
	var texts []string
	for _, f := range all {
		texts = append(texts, r.where(f.line, f.client, f.others)+f.text)
	}
	return texts
}

// document returns the root of the file's only document, or nil when there is none.
func (r *reader) document(file string, data []byte) *yaml.Node {
	line := r.source(file, data)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		r.fail(line, "the file is empty: write at least one client below clients")
		return nil
	} else if err != nil {
		r.syntax(line, data, err)
		return nil
	}
	r.move(&first, line-1)
	if err := decoder.Decode(&second); err == nil {
		r.move(&second, line-1)
		r.fail(second.Line, "a second YAML document begins here: remove the --- and keep everything in one document")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(line, data, err)
	}
	return first.Content[0]
}

// move counts the lines of a file's nodes on from those before the file. YAML knows more line breaks than source counts.
func (r *reader) move(n *yaml.Node, before int) {
	n.Line += before
	r.lines = max(r.lines, n.Line)
	for _, child := range n.Content {
		r.move(child, before)
	}
}

var (
	yamlLine   = regexp.MustCompile(`^line \d+: `)
	inBrackets = regexp.MustCompile(`did not find expected (',' or '[]}]'|node content)$`) // where these are open
)

// syntax notes an error of the YAML parser in the file with that first line. Its text may repeat the name of an anchor.
func (r *reader) syntax(first int, data []byte, err error) {
	line := first - 1 + lineOf(data, err)
	text := yamlLine.ReplaceAllLiteralString(strings.TrimPrefix(err.Error(), "yaml: "), "")
	if strings.HasPrefix(text, "unknown anchor ") {
		r.fail(line, "an alias has no anchor: define one above in the same file, or quote text that begins with *")
		return
	}
	const hint = "indent with spaces, write key: value, quote text that contains special characters, and check the line above, too"
	r.fail(line, "from here on this is not YAML (%s): %s", text, hint)
}

// lineOf returns the line at which the YAML parser meets this error: it names that of the block around it, or the one before, or
// none. It is the last line of the least part of the file that has the error. What is before that line and ends in brackets is good
// so far. With another error it has the cause, as a quote that is open: it was meant to end in the line in which it begins.
func lineOf(data []byte, err error) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	for {
		last := sort.Search(len(lines)-1, func(n int) bool {
			found := parse(bytes.Join(lines[:n+1], nil))
			return found != nil && found.Error() == err.Error()
		})
		lines = lines[:last]
		if err = parse(bytes.Join(lines, nil)); err == nil || inBrackets.MatchString(err.Error()) {
			return last + 1
		}
	}
}

// parse returns the first error of the YAML parser in all documents.
func parse(data []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
