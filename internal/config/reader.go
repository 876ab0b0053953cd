package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of a configuration file. It goes on after a mistake, so that one look finds them all.
type reader struct {
	file     string
	dir      string // against which relative paths are read
	client   string // the client that is being read, for the messages
	mistakes []mistake
}

type mistake struct {
	line int
	text string
}

// fail notes a mistake. The text ends with the mend: what to write instead. It must not repeat text of the file that
// could be a misplaced secret; see shown.
func (r *reader) fail(line int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if r.client != "" {
		text = "client " + r.client + ": " + text
	}
	r.mistakes = append(r.mistakes, mistake{line, fmt.Sprintf("%s:%d: %s", r.file, line, text)})
}

// err returns the mistakes in the order of the file, each on its own line.
func (r *reader) err() error {
	slices.SortStableFunc(r.mistakes, func(a, b mistake) int { return a.line - b.line })
	errs := make([]error, 0, len(r.mistakes))
	for _, m := range r.mistakes {
		errs = append(errs, errors.New(m.text))
	}
	return errors.Join(errs...)
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
	yamlLine   = regexp.MustCompile(`^line (\d+): `)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntax notes an error of the YAML parser, which gives its line in the text, or not at all.
func (r *reader) syntax(data []byte, err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if match := yamlAnchor.FindStringSubmatch(text); match != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+match[1]))
		r.fail(1+bytes.Count(before, []byte("\n")), "an alias has no anchor: quote text that begins with *")
		return
	}
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		line, _ = strconv.Atoi(match[1])
		text = text[len(match[0]):]
	}
	const mend = "indent with spaces, write key: value, and quote text that holds other signs"
	r.fail(line, "from here on this is not YAML (%s): %s", text, mend)
}
