package dropfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// checkFormat returns why the reset-inventory import would refuse a file, or "" when it would take it. The head is the
// beginning of the file and the tail its end, of which a small file is in both; size is that of the whole file. What
// neither shows is taken for good.
//
// Text need not be UTF-8: what counts is written in ASCII. That leaves UTF-16, UTF-32 and NUL bytes as encodings that
// the import cannot read. Cells may be empty, for a row without a quantity is refused by itself, not with its file.
func checkFormat(head, tail []byte, size int64) oms.InvalidReason {
	whole := int64(len(head)) >= size
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	switch trimmed := bytes.TrimSpace(text); {
	case wide(text):
		return oms.InvalidEncoding
	case bytes.HasPrefix(trimmed, []byte("[")):
		return checkArray(trimmed, tail, whole)
	case bytes.HasPrefix(trimmed, []byte("{")), bytes.HasPrefix(trimmed, []byte("<")): // a JSON object, a page of HTML
		return oms.InvalidNotCSV
	}
	return checkTable(text, tail, whole)
}

// begin is the first line of a file that has no header by which the import knows the columns, to be shown. A JSON array may have
// its names on several lines.
func begin(head []byte) string {
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	if end := bytes.IndexAny(text, "\r\n"); end >= 0 && text[0] != '[' {
		text = text[:end]
	}
	return config.Brief(strings.NewReplacer("\r", " ", "\n", " ").Replace(string(text)), maxShown)
}

// wide reports whether text is UTF-16 or UTF-32: by its byte order mark, or because every other byte is NUL.
func wide(text []byte) bool {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return true
		}
	}
	var nul [2]int
	text = text[:min(len(text), 64)/2*2]
	for i, c := range text {
		if c == 0 {
			nul[i%2]++
		}
	}
	return len(text) > 0 && nul[0]+nul[1] == len(text)/2 && nul[0]*nul[1] == 0
}

// checkTable takes the first delimiter by which the header has every column that is needed.
func checkTable(text, tail []byte, whole bool) oms.InvalidReason {
	reason := oms.InvalidNotCSV
	for _, delimiter := range []byte{',', ';', '\t'} {
		t := &table{text: text, delimiter: delimiter}
		columns := t.next()
		header := text[:len(text)-len(t.text)]
		switch {
		case columns == nil && whole:
			return oms.InvalidEmpty
		case t.cut && !whole, bytes.ContainsFunc(header, isBinary):
			return oms.InvalidNotCSV
		case !complete(columns):
			if len(columns) > 1 {
				reason = oms.InvalidHeader
			}
		case bytes.IndexByte(text, 0) >= 0, bytes.IndexByte(tail, 0) >= 0:
			return oms.InvalidEncoding
		default:
			return checkRows(t, tail, len(trimCells(columns, 0)), whole)
		}
	}
	return reason
}

// isBinary reports whether a character is in no header.
func isBinary(c rune) bool { return c < ' ' && c != '\t' && c != '\r' && c != '\n' }

// complete reports whether a facility, a product and a quantity have a column, by any of the names that are in use. A
// column that is there twice does not count, because nobody can say which of the two is meant.
func complete(columns []string) bool {
	count := map[string]int{}
	for _, column := range columns {
		count[strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(strings.TrimSpace(column)))]++
	}
	has := func(name string) bool { return count[name] == 1 }
	return (has("facilityid") || has("externalfacilityid")) &&
		(has("productid") || has("idtype") && has("idvalue")) &&
		(has("availableqty") || has("quantity"))
}

// checkRows checks the rows below the header. The row that the end of the head cuts is left out, and the last one of
// the file looked at in the tail. No newline need end it: only missing cells, or a quote that is still open, tell that
// it was cut off.
func checkRows(t *table, tail []byte, width int, whole bool) oms.InvalidReason {
	rows := 0
	for cells := t.next(); cells != nil && (whole || !t.cut); cells = t.next() {
		if !fits(cells, width) {
			return oms.InvalidPartial
		}
		rows++
	}
	switch {
	case whole && t.open, !whole && !endsWhole(tail, t.delimiter, width):
		return oms.InvalidPartial
	case whole && rows == 0:
		return oms.InvalidEmpty
	}
	return ""
}

// checkArray checks a JSON array as far as it is in the sample. Its rows are objects, the first of which has the names
// that a header would have.
func checkArray(text, tail []byte, whole bool) oms.InvalidReason {
	decoder := json.NewDecoder(bytes.NewReader(text))
	_, err := decoder.Token()
	rows := 0
	for ; err == nil && decoder.More(); rows++ {
		var row map[string]any
		if err = decoder.Decode(&row); err == nil && rows == 0 && !complete(slices.Collect(maps.Keys(row))) {
			return oms.InvalidHeader
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err == nil {
		_, err = decoder.Token() // what follows the array
	}
	switch {
	case !cut && !errors.Is(err, io.EOF):
		return oms.InvalidNotCSV
	case cut && whole, !whole && !bytes.HasSuffix(bytes.TrimSpace(tail), []byte("]")):
		return oms.InvalidPartial
	case whole && rows == 0:
		return oms.InvalidEmpty
	}
	return ""
}
