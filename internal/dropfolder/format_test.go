package dropfolder

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	good = "" // the import takes the file
	// The beginnings of files as a WMS and NetSuite write them.
	header = "facilityId,locationSeqId,idType,idValue,availableQty,comments\n"
	small  = header + "WH_EAST,TLTLTLLL01,sku,KRW-1044-BLK-M,12,\nWH_EAST,TLTLTLLL01,sku,KRW-1044-BLK-L,0,recount\n"
)

// judge reads the head and the tail as the import's observer does.
func judge(content string) oms.InvalidReason {
	return checkFormat([]byte(content[:min(len(content), 64<<10)]), []byte(content[max(0, len(content)-4<<10):]), int64(len(content)))
}

// long returns a file of some 200 KB, whose rows are made by a format with the row's number.
func long(header, row string) string {
	var b strings.Builder
	b.WriteString(header)
	for i := 0; b.Len() < 200<<10; i++ {
		fmt.Fprintf(&b, row, i)
	}
	return b.String()
}

func encode(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	encoded, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestTables(t *testing.T) {
	for _, test := range []struct {
		name, content string
		want          oms.InvalidReason
	}{
		{"a WMS's file", small, good},
		{"NetSuite's columns", "externalFacilityId,productId,quantity\nNS-12,10044,7\n", good},
		{"lower case with hyphens", "facility-id,location-seq-id,id-type,id-value,available-qty\nF1,L1,sku,K-1,7\n", good},
		{"upper case with underscores", "EXTERNAL_FACILITY_ID,PRODUCT_ID,AVAILABLE_QTY\nF1,10044,7\n", good},
		{"spaces around names", " facilityId , productId , quantity\nF1,10044,7\n", good},
		{"the import page's columns", "facilityId,externalFacilityId,idValue,idType,locationSeqId,comments,resetByAtp,availableQty\n" +
			"F1,,K-1,SKU,,,N,7\n", good},
		{"the configuration page's columns", "productId,idValue,facilityId,locationSeqId,quantity,reason,comments\n" +
			"10044,,F1,,7,,\n", good},

		{"semicolons", "facilityId;productId;quantity\nF1;10044;7,5\n", good},
		{"tabs", "facilityId\tproductId\tquantity\nF1\t10044\t7\n", good},
		{"bars", "facilityId|productId|quantity\nF1|10044|7\n", oms.InvalidNotCSV},
		{"CRLF", strings.ReplaceAll(small, "\n", "\r\n"), good},
		{"lone CR", strings.ReplaceAll(small, "\n", "\r"), good},
		{"blank lines", "\n\n" + strings.ReplaceAll(small, "\n", "\n\n"), good},
		{"every cell in quotes", "\"facilityId\",\"productId\",\"quantity\"\n\"F1\",\"10044\",\"7\"\n", good},
		{"newlines, delimiters and quotes in a cell", header + "F1,L1,sku,K-1,7,\"wet, see\n\"\"bin\"\" 4;\r\n\r\"\nF1,L1,sku,K-2,7,\n", good},
		{"quotes for inches", header + "F1,L1,sku,K-1,7,5\" pipe, 6\n", oms.InvalidPartial},
		{"quotes for inches, one cell", header + "F1,L1,sku,K-1,7,5\" pipe\n", good},
		{"a quoted cell with quotes of its own", header + "F1,L1,sku,K-1,7,\"the \"big\" one\"\n", good},
		{"doubled quotes at the end of a cell", header + "F1,L1,sku,\"K\"\",1\"\"\",7,\"\"\"\"\n", good},
		{"an empty cell in quotes", header + "F1,L1,sku,K-1,7,\"\"\n", good},
		{"doubled quotes in a name", "\"facility\"\"Id\",productId,quantity\nF1,10044,7\n", oms.InvalidHeader},
		{"other columns twice", "comments,facilityId,productId,quantity,comments\n,F1,10044,7,\n", good},
		{"empty cells below their header", header + "F1,,,,,\n,,sku,K-1,7,\n", good},
		{"a spreadsheet's empty columns", strings.ReplaceAll(small, "\n", ",,,\n") + ",,,,,,,,\n", good},
		{"empty columns in the header only", "facilityId,productId,quantity,,\nF1,10044,7\n", good},
		{"no newline at the end", strings.TrimSuffix(small, "\n"), good},
		{"no newline at the end, last cell empty", header + "F1,L1,sku,K-1,7,", good},

		{"UTF-8", header + "F1,L1,sku,K-1,7,größer – 三\n", good},
		{"UTF-8 with BOM", "\xef\xbb\xbf" + small, good},
		{"Windows-1252", encode(t, charmap.Windows1252, header+"F1,L1,sku,K-1,7,größer – “so”\n"), good},
		{"UTF-16LE with BOM", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), small), oms.InvalidEncoding},
		{"UTF-16BE with BOM", encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), small), oms.InvalidEncoding},
		{"UTF-16LE", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), small), oms.InvalidEncoding},
		{"UTF-16BE", encode(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), small), oms.InvalidEncoding},
		{"UTF-32", encode(t, utf32.UTF32(utf32.BigEndian, utf32.UseBOM), small), oms.InvalidEncoding},
		{"NUL bytes below the header", small + "F1,L1,sku,K\x00-1,7,\n", oms.InvalidEncoding},
		{"NUL bytes in the head of a long file", long(header+"F1,L1,sku,K\x00-1,7,\n", "F1,L1,sku,K-%d,7,\n"), oms.InvalidEncoding},
		{"NUL bytes at the end of a long file", long(header, "F1,L1,sku,K-%d,7,\n") + strings.Repeat("\x00", 512), oms.InvalidEncoding},

		{"nothing", "", oms.InvalidEmpty},
		{"a BOM only", "\xef\xbb\xbf", oms.InvalidEmpty},
		{"newlines only", "\r\n\r\n \n", oms.InvalidEmpty},
		{"empty cells only", ",,,,\n,,,,\n", oms.InvalidEmpty},
		{"a header only", header, oms.InvalidEmpty},
		{"a header without a newline", strings.TrimSuffix(header, "\n"), oms.InvalidEmpty},
		{"a header above empty rows", header + ",,,,,\n\n,,,,,\n", oms.InvalidEmpty},

		{"no facility", "locationSeqId,productId,quantity\nL1,10044,7\n", oms.InvalidHeader},
		{"no product", "facilityId,idValue,quantity\nF1,K-1,7\n", oms.InvalidHeader},
		{"no value", "facilityId,idType,quantity\nF1,sku,7\n", oms.InvalidHeader},
		{"a variance instead of a quantity", "facilityId,idType,idValue,availableDelta,varianceReasonId\nF1,sku,K-1,-2,VAR_LOST\n", oms.InvalidHeader},
		{"no header", "WH_EAST,TLTLTLLL01,sku,KRW-1044-BLK-M,12,\n", oms.InvalidHeader},
		{"the quantity twice", "facilityId,productId,quantity,Quantity\nF1,10044,7,8\n", oms.InvalidHeader},
		{"one of two facilities twice", "facilityId,facilityId,externalFacilityId,productId,quantity\nF1,F2,X,10044,7\n", good},
		{"a title above the header", "Inventory, as of 2024-03-10\n" + small, oms.InvalidHeader},
		{"mixed delimiters", "facilityId;productId,quantity\nF1;10044,7\n", oms.InvalidHeader},

		{"one column", "facilityId\nF1\nF2\n", oms.InvalidNotCSV},
		{"rows in quotes", "\"facilityId,productId,quantity\"\n\"F1,10044,7\"\n", oms.InvalidNotCSV},
		{"a sentence", "The report failed.\n", oms.InvalidNotCSV},
		{"a page of HTML", "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>\n", oms.InvalidNotCSV},
		{"HTML with commas", "\n<html><body>Sorry, try again, later</body></html>\n", oms.InvalidNotCSV},
		{"a line without end", strings.Repeat("facilityId,productId,quantity,", 5000), oms.InvalidNotCSV},
		{"blanks without end", strings.Repeat(" ", 100<<10), oms.InvalidNotCSV},

		{"a row too short", small + "F1,L1,sku,K-1,7\n" + "F1,L1,sku,K-2,7,\n", oms.InvalidPartial},
		{"a row too long", small + "F1,L1,sku,K-1,7,,x\n", oms.InvalidPartial},
		{"cut after a cell", small + "F1,L1,sku", oms.InvalidPartial},
		{"cut within a quoted cell", small + "F1,L1,sku,K-1,7,\"wet", oms.InvalidPartial},
		{"a quote that is never closed", header + "F1,L1,sku,\"K-1,7,\n" + "F1,L1,sku,K-2,7,\n", oms.InvalidPartial},
	} {
		if got := judge(test.content); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestLongTables has files of which the head and the tail show only parts.
func TestLongTables(t *testing.T) {
	plain := long(header, "F1,L1,sku,K-%d,7,\n")
	quoted := long(header, "\"F1\",\"L1\",\"sku\",\"K-%d\",\"7\",\"a \"\"b\"\", c\"\n")
	lines := long(header, "F1,L1,sku,K-%d,7,\"line 1\nline 2, with a comma\nline 3\"\n")
	ends := long(header, "F1,L1,5\" pipe,K-%d,7,\"line 1\n\"\n") // out of step, a line looks like the begin of a quoted cell
	novel := "\"" + strings.Repeat("a line of a comment\n", 500) + "\""
	for _, test := range []struct {
		name, content string
		want          oms.InvalidReason
	}{
		{"plain", plain, good},
		{"CRLF", strings.ReplaceAll(plain, "\n", "\r\n"), good},
		{"lone CR", strings.ReplaceAll(plain, "\n", "\r"), good},
		{"without a newline at the end", strings.TrimSuffix(plain, "\n"), good},
		{"quoted", quoted, good},
		{"with newlines in cells", lines, good},
		{"newlines in cells, without one at the end", strings.TrimSuffix(lines, "\n"), good},
		{"with blank lines at the end", plain + "\n\n,,,,,\n", good},
		{"a last row longer than the tail", plain + "F1,L1,sku,K-1,7," + strings.Repeat("x", 9<<10), good},
		{"with a newline, a last row longer than the tail", plain + "F1,L1,sku,K-1,7," + strings.Repeat("x", 9<<10) + "\n", good},
		{"a last cell longer than the tail", plain + "F1,L1,sku,K-1,7," + novel + "\n", good},
		{"a row below a cell longer than the tail", plain + "F1,L1,sku,K-1,7,\"" + strings.Repeat("a line\n", 900) + "\"\n" +
			"F1,L1,5\" pipe,K-2,7,\n", good},
		{"a last row that begins before the tail", plain + "F1,L1,sku,K-1," + novel + ",x\n", good},
		{"a first row longer than the head", header + "F1,L1,sku,K-1,7,\"" + strings.Repeat("x\n", 40<<10) + "\"\n", good},

		{"a NUL byte where the tail begins", plain[:len(plain)-4<<10] + "\x00" + plain[len(plain)-4<<10+1:], oms.InvalidEncoding},
		{"cut after a cell", plain + "F1,L1,sku", oms.InvalidPartial},
		{"cut after a delimiter", plain + "F1,L1,sku,", oms.InvalidPartial},
		{"CRLF, cut after a cell", strings.ReplaceAll(plain, "\n", "\r\n") + "F1,L1,sku", oms.InvalidPartial},
		{"lone CR, cut after a cell", strings.ReplaceAll(plain, "\n", "\r") + "F1,L1,sku", oms.InvalidPartial},
		{"quoted, cut after a cell", quoted + "\"F1\",\"L1\"", oms.InvalidPartial},
		{"quoted, cut within a cell", quoted + "\"F1\",\"L", oms.InvalidPartial},
		{"newlines in cells, cut after a cell", lines + "F1,L1", oms.InvalidPartial},
		{"newlines in cells, cut within the last one", lines + "F1,L1,sku,K-1,7,\"line 1\nline", oms.InvalidPartial},
		{"one quoted cell, cut after it", plain + "F1,\"L1\",sku", oms.InvalidPartial},
		{"ragged in the head", header + "F1,L1,sku\n" + strings.TrimPrefix(plain, header), oms.InvalidPartial},
	} {
		if got := judge(test.content); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	// Wherever the head ends, what it cuts is no fault, and of a file that is cut off the tail tells it.
	for cut := len(header); cut < len(header)+300; cut++ {
		for name, content := range map[string]string{"plain": plain, "quoted": quoted, "lines": lines, "ends": ends} {
			tail := []byte(content[len(content)-4<<10-cut:])
			if got := checkFormat([]byte(content[:cut]), tail, int64(len(content))); got != good {
				t.Fatalf("%s: with a head of %d bytes: got %q", name, cut, got)
			}
			tail = append(tail, "F1,L1"...)
			if got := checkFormat([]byte(content[:cut]), tail, int64(len(content)+5)); got != oms.InvalidPartial {
				t.Fatalf("%s: cut off, with a head of %d bytes: got %q", name, cut, got)
			}
		}
	}
}

func TestBinaries(t *testing.T) {
	var book, packed bytes.Buffer
	z := zip.NewWriter(&book)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "<?xml version=\"1.0\"?><worksheet>"+small+"</worksheet>"); err != nil {
			t.Fatal(err)
		}
	}
	g := gzip.NewWriter(&packed)
	if _, err := io.WriteString(g, small); err != nil {
		t.Fatal(err)
	}
	if z.Close() != nil || g.Close() != nil {
		t.Fatal("cannot pack")
	}
	for name, content := range map[string]string{
		"xlsx": book.String(),
		"gzip": packed.String(),
		"xls": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 16) + ">\x00\x03\x00\xfe\xff\x09\x00\x06" +
			strings.Repeat("\x00", 500) + small,
		"pdf":            "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog, a, b>>\nendobj\n",
		"half of it NUL": strings.Repeat("\x01\x00\x00\x01", 100),
		"NUL bytes":      strings.Repeat("\x00", 4096),
		"long xlsx":      book.String() + strings.Repeat(packed.String(), 2000),
		"a tar of it":    "facilityId.csv\x00\x00\x00,\x000644\n" + small,
	} {
		if got := judge(content); got != oms.InvalidNotCSV {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestArrays(t *testing.T) {
	const row = `{"facility-id": "F1", "id-type": "sku", "id-value": "K-1", "available-qty": 7, "comments": null}`
	array := "[" + long("", row[:len(row)-1]+", \"n\": %d},\n") + row + "]\n"
	for _, test := range []struct {
		name, content string
		want          oms.InvalidReason
	}{
		{"an array", "[" + row + ",\n" + row + "]\n", good},
		{"with BOM and blanks", "\xef\xbb\xbf \r\n[ " + row + " ]", good},
		{"long", array, good},
		{"a second row with fewer names", "[" + row + `, {"facility-id": "F1"}]`, good},
		{"a row longer than the head", `[{"comments": "` + strings.Repeat("x", 100<<10) + `"}]`, good},
		{"without rows", "[]\n", oms.InvalidEmpty},
		{"without a quantity", `[{"facilityId": "F1", "productId": "10044"}]`, oms.InvalidHeader},
		{"rows of nothing", "[null, null]", oms.InvalidHeader},
		{"cut after a row", "[" + row + ",", oms.InvalidPartial},
		{"cut before a comma", "[" + row, oms.InvalidPartial},
		{"cut within a row", "[" + row + "," + row[:30], oms.InvalidPartial},
		{"cut at once", "[", oms.InvalidPartial},
		{"long, cut within a row", array[:150<<10], oms.InvalidPartial},
		{"an object", row, oms.InvalidNotCSV},
		{"an object that holds the array", `{"inventory": [` + row + "]}", oms.InvalidNotCSV},
		{"a row a line", row + "\n" + row + "\n", oms.InvalidNotCSV},
		{"numbers", "[1, 2, 3]", oms.InvalidNotCSV},
		{"texts below a row", "[" + row + `, "x"]`, oms.InvalidNotCSV},
		{"no JSON", "[facilityId],[productId],[quantity]\nF1,10044,7\n", oms.InvalidNotCSV},
		{"two arrays", "[" + row + "]\n[" + row + "]", oms.InvalidNotCSV},
		{"long, with something after it", "[" + row + "]" + array, oms.InvalidNotCSV},
	} {
		if got := judge(test.content); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestBegin shows what a person is shown of a file: one line, of bounded length, and nothing that would change a page.
func TestBegin(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{"", ""},
		{"facility,sku,on_hand\nF1,K-1,7\n", "facility,sku,on_hand"},
		{"\xef\xbb\xbf\r\n facility|sku\rF1|K-1", "facility|sku"},
		{"facility\tsku\nF1\tK-1\n", `facility\tsku`},
		{"PK\x03\x04\xff\x1b[31m", `PK\x03\x04\xff\x1b[31m`},
		{"[\n  {\"facility\": 1,\r\n\"sku\": 2}\n]", `[   {"facility": 1,  "sku": 2} ]`},
		{strings.Repeat("x", 64<<10), strings.Repeat("x", 200) + "… (65336 bytes more)"},
	} {
		if got := begin([]byte(test.content)); got != test.want {
			t.Errorf("%.20q begins with %q, want %q", test.content, got, test.want)
		}
	}
}

// FuzzCheckFormat checks that any file is judged, at once, always alike and without being changed, and that a byte order
// mark, CRLF and a shorter head change nothing about a good one.
func FuzzCheckFormat(f *testing.F) {
	for _, seed := range []string{
		small, "\xef\xbb\xbf" + small, strings.ReplaceAll(small, "\n", "\r\n"), strings.ReplaceAll(small, ",", ";"), header,
		"facility-id\tid-type\tid-value\tavailable-qty\nF1\tsku\t\"K\n1\"\t7\n", "\"facilityId\",productId,quantity\nF1,\"a\"\"b\",\"7",
		`[{"facilityId": "F1", "productId": "1", "quantity": 7}, {}]`, `[{"facilityId": "F1", `, "PK\x03\x04\x14\x00", "\xff\xfef\x00", "<html>",
	} {
		f.Add([]byte(seed), uint(40), uint(60))
	}
	f.Fuzz(func(t *testing.T, content []byte, cut, end uint) {
		size := int64(len(content))
		before := bytes.Clone(content)
		start := time.Now()
		got := checkFormat(content, content, size)
		head, tail := content[:min(cut, uint(len(content)))], content[min(end, uint(len(content))):]
		inPart := checkFormat(head, tail, size)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		for _, reason := range []oms.InvalidReason{got, inPart} {
			if reason != good && !slices.Contains(oms.InvalidReasons(), reason) {
				t.Errorf("no reason: %q", reason)
			}
		}
		if again := checkFormat(content, content, size); again != got || !bytes.Equal(content, before) {
			t.Errorf("first %q, then %q", got, again)
		}
		if got != good {
			return
		}
		if !bytes.HasPrefix(content, []byte("\xef\xbb\xbf")) && checkFormat(append([]byte("\xef\xbb\xbf"), content...), nil, size+3) != good {
			t.Error("not good with a byte order mark")
		}
		if crlf := bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n")); checkFormat(crlf, nil, int64(len(crlf))) != good {
			t.Error("not good with CRLF")
		}
		// A head that ends within the header or before it is not judged alike.
		if inPart = checkFormat(head, content, size); inPart != good && inPart != oms.InvalidNotCSV {
			t.Errorf("with a head of %d bytes: %q", len(head), inPart)
		}
	})
}
