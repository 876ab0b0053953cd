package sqlread

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestRecord(t *testing.T) {
	zone := testserver.Zone(t, "America/New_York")
	for _, c := range []struct {
		name   string
		value  any
		kind   string
		text   string
		number string
		Moment string
	}{
		{"NULL", nil, "", "", "none", "none"},
		{"MySQL's number", []byte("12"), "DECIMAL", "12", "12", "none"},
		{"PostgreSQL's number", "12.000", "NUMERIC", "12.000", "12", "none"},
		{"SQLite's number", 12.9, "DECIMAL", "12.9", "12", "none"},
		{"a count", int64(12), "BIGINT", "12", "12", "none"},
		{"more than any count", "99999999999999999999", "DECIMAL", "99999999999999999999", "9007199254740992", "none"},
		{"less than nothing", "-3", "DECIMAL", "-3", "none", "none"},
		{"no number", "NaN", "NUMERIC", "NaN", "none", "none"},
		{"endless", math.Inf(1), "DECIMAL", "+Inf", "9007199254740992", "none"},
		{"MySQL's date", []byte("2026-11-18 12:00:00"), "DATETIME", "2026-11-18 12:00:00", "none", "2026-11-18T17:00:00Z"},
		{"with milliseconds", []byte("2026-11-18 12:00:00.250"), "DATETIME", "2026-11-18 12:00:00.250", "none", "2026-11-18T17:00:00.25Z"},
		{"PostgreSQL's date", time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC), "TIMESTAMP", "", "none", "2026-11-18T17:00:00Z"},
		{"with a zone", time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC), "TIMESTAMPTZ", "", "none", "2026-11-18T12:00:00Z"},
		{"MySQL's zero date", []byte("0000-00-00 00:00:00"), "DATETIME", "0000-00-00 00:00:00", "none", "none"},
		{"the first year", time.Time{}, "TIMESTAMP", "", "none", "none"},
		{"the beginning of Unix time", []byte("1970-01-01 00:00:00"), "DATETIME", "1970-01-01 00:00:00", "none", "none"},
		{"the same, with a zone", time.Unix(0, 0).UTC(), "TIMESTAMPTZ", "", "none", "none"},
		{"never", "9999-12-31 23:59:59", "DATETIME", "9999-12-31 23:59:59", "none", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := NewRecord(zone, []string{"c"}, []string{c.kind}, []any{c.value})
			number, moment := "none", "none"
			if n, is := rec.Number("c"); is {
				number = fmt.Sprint(n)
			}
			if m := rec.Moment("c"); !m.IsZero() {
				moment = m.Latest().Format(time.RFC3339Nano)
			}
			if text := rec.Text("c"); text != c.text || number != c.number || moment != c.Moment {
				t.Errorf("text %q, number %s, moment %s, want %q, %s, %s", text, number, moment, c.text, c.number, c.Moment)
			}
		})
	}
}

// TestLongText has texts that no name has: they are cut, and two of them stay two.
func TestLongText(t *testing.T) {
	long := strings.Repeat("ü", 1<<20)
	texts := map[string]bool{}
	for _, text := range []string{long, long + "a", long + "b"} {
		cut := NewRecord(time.UTC, []string{"c"}, []string{"TEXT"}, []any{text}).Text("c")
		if len(cut) > mostText+30 || !utf8.ValidString(cut) || !strings.HasPrefix(cut, "üü") {
			t.Errorf("of %d bytes %d are left: %.60q", len(text), len(cut), cut)
		}
		texts[cut] = true
	}
	if len(texts) != 3 {
		t.Errorf("3 texts became %d", len(texts))
	}
}

// FuzzRecord reads columns of every type that a driver delivers: no panic, and what is read can be true.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("2026-11-01 01:30:00"))
	f.Add([]byte("0000-00-00 00:00:00"))
	f.Add([]byte("9999-12-31 23:59:59.999"))
	f.Add([]byte("99999999999999999999.5"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xef\x7f"))
	f.Add([]byte{})
	zone := testserver.Zone(f, "Australia/Lord_Howe")
	f.Fuzz(func(t *testing.T, data []byte) {
		bits := binary.LittleEndian.Uint64(append(data, make([]byte, 8)...))
		at := time.Unix(int64(bits>>20), int64(bits%1e9)).UTC()
		for _, value := range []any{
			nil, data, string(data), int64(bits), math.Float64frombits(bits), at, at.In(zone), bits&1 == 0, bits,
		} {
			rec := NewRecord(zone, []string{"c"}, []string{[]string{"TIMESTAMPTZ", "TIMESTAMP"}[bits%2]}, []any{value})
			if n, is := rec.Number("c"); is && (n < 0 || n > mostCounted) {
				t.Errorf("%T %v counts as %d", value, value, n)
			}
			if m := rec.Moment("c"); !m.IsZero() && (m.Earliest().Year() < 1970 || m.Latest().Year() > 9999 || m.Latest().Before(m.Earliest()) || m.Latest().Sub(m.Earliest()) > 24*time.Hour) {
				t.Errorf("%T %v is from %s to %s", value, value, m.Earliest(), m.Latest())
			}
		}
	})
}

// TestColumns asks for a column that a statement does not return, and has one return more than it names: both fail, because
// what reads as NULL would be taken for a fact.
func TestColumns(t *testing.T) {
	db := openTwoTables(t, testLogger(t), testserver.Engines()[0].Start(t)(t, "columns", "UTC"))
	lane := NewLane("jobs")
	for name, c := range map[string]struct {
		statement *statement
		want      string
	}{
		"named":     {newStatement("SELECT 1, 2", "one", "two"), ""},
		"not there": {newStatement("SELECT 1, 2", "one", "other"), "statement x: there is no column two"},
		"one more":  {newStatement("SELECT 1, 2", "one"), "statement x: 2 columns, but the catalogue names 1"},
	} {
		err := db.Read(t.Context(), lane, time.Now(), func(ctx context.Context, r *Reader) error {
			return r.send(ctx, "x", c.statement, nil, func(rec Record) {
				if n := rec.Count("two"); c.want == "" && n != 2 {
					t.Errorf("%s: got %d, want 2", name, n)
				}
			})
		})
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}
