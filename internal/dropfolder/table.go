package dropfolder

import (
	"bytes"
	"slices"
	"strings"
)

// table reads rows of cells as RFC 4180 has them. As the import does, it also takes a lone CR for the end of a row, and
// a quote within a cell for a character like others. (encoding/csv does neither, and does not tell where a file is cut.)
type table struct {
	text      []byte // what is still to be read
	delimiter byte
	cut       bool // the text ended before the row that was read last did
	open      bool // it ended within quotes
	bare      bool // a quoted cell has a quote that is neither doubled nor its end
}

// next returns the next row that has more than empty cells, or nil when there is none.
func (t *table) next() []string {
	for len(t.text) > 0 {
		var cells []string
		for more := true; more; {
			var cell string
			cell, more = t.cell()
			cells = append(cells, cell)
		}
		if len(trimCells(cells, 0)) > 0 {
			return cells
		}
	}
	return nil
}

// cell takes a cell and what ends it off the text, and reports whether another one of the row follows.
func (t *table) cell() (cell string, more bool) {
	var content []byte
	text := t.text
	quoted := len(text) > 0 && text[0] == '"'
	if quoted {
		text = text[1:]
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '"' && i+1 < len(text) && text[i+1] == '"':
			content = append(content, c)
			i++
		case quoted && c == '"' && (i+1 == len(text) || t.ends(text[i+1])):
			quoted = false
		case !quoted && t.ends(c):
			t.text = text[i+1:]
			return string(content), c == t.delimiter
		default:
			t.bare = t.bare || quoted && c == '"'
			content = append(content, c)
		}
	}
	t.text, t.cut, t.open = nil, true, quoted
	return string(content), false
}

// ends reports whether a byte ends a cell. The LF of a CRLF makes an empty row, which next leaves out.
func (t *table) ends(c byte) bool { return c == t.delimiter || c == '\n' || c == '\r' }

// trimCells cuts empty cells off the end of a row that is longer than width.
func trimCells(cells []string, width int) []string {
	for len(cells) > width && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// fits reports whether a row has as many cells as the header, apart from empty ones at its end: spreadsheets write them.
func fits(cells []string, width int) bool { return len(trimCells(cells, width)) == width }

// endsWhole reports whether the last row in the end of a file fits. The first line there is the end of a row, which may be
// within quotes; so either is tried, and the wrong one gives a row that does not fit, or quotes where none can be. A row
// that begins before the second line is too long to be judged.
func endsWhole(tail []byte, delimiter byte, width int) bool {
	begin := bytes.IndexAny(tail, "\r\n")
	if begin < 0 {
		return true
	}
	outside := &table{text: tail[begin+1:], delimiter: delimiter}
	inside := &table{text: slices.Concat([]byte{'"'}, tail[begin+1:]), delimiter: delimiter}
	rows, last := outside.last()
	if !outside.open && (rows == 0 || fits(last, width)) {
		return true
	}
	rows, last = inside.last()
	return !inside.open && !inside.bare && (rows == 1 || fits(last, width))
}

// last returns the number of rows and the last of them.
func (t *table) last() (rows int, last []string) {
	for cells := t.next(); cells != nil; cells = t.next() {
		rows, last = rows+1, cells
	}
	return rows, last
}
