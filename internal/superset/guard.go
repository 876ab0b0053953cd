package superset

import (
	"errors"
	"fmt"
	"io"
)

const (
	// maxDepth is how many lists and objects may stand in each other: what reads them remembers each.
	maxDepth = 100
	// maxElements is how many values an answer may have that is held: each takes much more than the three bytes that it may be
	// written in.
	maxElements = 100_000
	// maxRow is how many bytes a row of a chart's data may have. One row is held at a time.
	maxRow = 256 << 10
)

var errTooLarge = errors.New("the answer is too large")

// guard lets an answer through as long as it may be, and fails with errTooLarge behind that.
type guard struct {
	r        io.Reader
	left     int // bytes
	elements int // that may still come
	// within, where it is not 0, is where the value that is read now must have ended. passed is how much has come.
	within, passed int64

	depth           int
	quoted, escaped bool
}

// Read implements io.Reader.
func (g *guard) Read(b []byte) (int, error) {
	if g.within > 0 {
		if room := g.within - g.passed; room <= 0 {
			return 0, errTooLarge
		} else if int64(len(b)) > room {
			b = b[:room]
		}
	}
	n, err := g.r.Read(b)
	g.passed += int64(n)
	if g.left -= n; g.left < 0 {
		return 0, errTooLarge
	}
	if wrong := g.scan(b[:n]); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// scan counts what is nested, and the values. It need not know whether they are JSON: what reads them finds that out.
func (g *guard) scan(b []byte) error {
	for _, c := range b {
		switch {
		case g.escaped:
			g.escaped = false
		case c == '\\':
			g.escaped = g.quoted
		case c == '"':
			g.quoted = !g.quoted
		case g.quoted:
		case c == '[' || c == '{':
			g.depth++
			g.elements--
		case c == ']' || c == '}':
			g.depth--
		case c == ',':
			g.elements--
		}
	}
	switch {
	case g.depth > maxDepth:
		return fmt.Errorf("%w: more than %d levels", errForm, maxDepth)
	case g.elements < 0:
		return errTooLarge
	}
	return nil
}

// checkText judges JSON that is held already, within another.
func checkText(text string) error {
	g := guard{elements: maxElements}
	return g.scan([]byte(text))
}
