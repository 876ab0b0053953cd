package sqlread

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestShared renders a catalogue for clients of one OMS version and of others: those of one share what is held of each statement, and
// nothing is held for clients that are gone.
func TestShared(t *testing.T) {
	mysql, err := dialectOf(config.MySQL)
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := dialectOf(config.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	c := Catalogue{
		SQL:    "-- statement: shared_one\n-- For the test.\n-- columns: a {{if column \"t\" \"b\"}}b{{end}}\nSELECT a, {{col \"t\" \"b\"}} AS b FROM t WHERE a = :a;\n",
		Tables: []Table{{Name: "t", Required: "a", Optional: "b"}},
	}
	one := func(d dialect, s *Schema) *statement {
		t.Helper()
		rendered, err := c.render(d, s)
		if err != nil {
			t.Fatal(err)
		}
		return rendered["shared_one"]
	}
	whole, without := complete(c.Tables), complete(c.Tables)
	delete(without.columns, "t.b")
	first := one(mysql, whole)
	if one(mysql, complete(c.Tables)) != first {
		t.Error("two clients of one version do not share the statement")
	}
	if one(postgres, whole) == first || one(mysql, without) == first {
		t.Error("clients of two versions share the statement")
	}
	text := first.text
	runtime.KeepAlive(first)
	testserver.Eventually(t, time.Minute, func() error {
		runtime.GC()
		for key := range statements.inUse.Range {
			if key.(sharedKey).text == text { //nolint:forcetypeassert // nothing else is in there
				return errors.New("the statement is still held")
			}
		}
		return nil
	})
}
