package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of a configuration file. It goes on after a mistake, so that one look finds them all.
type reader struct {
	file     string
	dir      string // against which relative paths are read
	client   string // the client that is being read, for the messages
	mistakes []mistake
	files    *files
	secrets  []*outside // those of the client that is being read
	faults   []mistake  // of secrets, which are their client's trouble
	warnings []mistake  // the configuration works, and should still be better
}

type mistake struct {
	line int
	text string
}

// fail notes a mistake. The text ends with the mend: what to write instead. It must not repeat text of the file that
// could be a misplaced secret; see shown.
func (r *reader) fail(line int, format string, args ...any) {
	r.mistakes = append(r.mistakes, mistake{line, r.where(line) + fmt.Sprintf(format, args...)})
}

// warn is fail for what is no mistake but a risk.
func (r *reader) warn(line int, format string, args ...any) {
	r.warnings = append(r.warnings, mistake{line, r.where(line) + fmt.Sprintf(format, args...)})
}

// where says of what a message is.
func (r *reader) where(line int) string {
	where := ""
	if r.file != "" {
		where = fmt.Sprintf("%s:%d: ", r.file, line)
	}
	if r.client != "" {
		where += "client " + r.client + ": "
	}
	return where
}

// joined returns the mistakes in the order of the file, each on its own line.
func joined(mistakes ...mistake) error {
	var errs []error
	for _, text := range texts(mistakes) {
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}

// texts returns what the mistakes say, in the order of the file.
func texts(mistakes []mistake) []string {
	slices.SortStableFunc(mistakes, func(a, b mistake) int { return a.line - b.line })
	var all []string
	for _, m := range mistakes {
		all = append(all, m.text)
	}
	return all
}

// document returns the root of the file's only document, or nil when there is none.
func (r *reader) document(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		r.fail(1, "the file is empty: write at least one client below clients")
		return nil
	} else if err != nil {
		r.syntax(data, err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		r.fail(second.Line, "a second YAML document begins here: remove the --- and keep everything in one document")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(data, err)
	}
	return first.Content[0]
}

var (
	yamlLine   = regexp.MustCompile(`^line \d+: `)
	inBrackets = regexp.MustCompile(`did not find expected (',' or '[]}]'|node content)$`) // where these are open
)

// syntax notes an error of the YAML parser. Its text may repeat the name of an anchor.
func (r *reader) syntax(data []byte, err error) {
	line := lineOf(data, err)
	text := yamlLine.ReplaceAllLiteralString(strings.TrimPrefix(err.Error(), "yaml: "), "")
	if strings.HasPrefix(text, "unknown anchor ") {
		r.fail(line, "an alias has no anchor: quote text that begins with *")
		return
	}
	const hint = "indent with spaces, write key: value, quote text that holds other signs, and look at the line above, too"
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
