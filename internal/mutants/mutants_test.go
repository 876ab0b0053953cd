package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// mutate tries every fault of a package in a module of these files, and returns what is said of them.
func mutate(t *testing.T, files map[string]string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("every fault is a run of go test")
	}
	module := t.TempDir()
	files["go.mod"] = "module example.com/small\n\ngo 1.26\n"
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(module, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), &out, module, "pkg", 1000, 1, nil); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if now, err := os.ReadFile(filepath.Join(module, name)); err != nil || string(now) != text {
			t.Errorf("%s is now %q: %v", name, now, err)
		}
	}
	return out.String()
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What is tested is noticed. What nobody runs is not, nor what is run and not judged. An endless loop is noticed too.
func TestGo(t *testing.T) {
	t.Parallel()
	same(t, mutate(t, map[string]string{
		"pkg/pkg.go": `package pkg

import "sync/atomic"

var calls atomic.Int64

func Sum(numbers ...int) (sum int) {
	calls.Add(1)
	for i := 0; i < len(numbers); i++ {
		sum += numbers[i]
	}
	return sum
}

func Untested() bool { return true }
`,
		"pkg/pkg_test.go": `package pkg

import "testing"

func TestSum(t *testing.T) {
	if Sum(1, 2) != 3 {
		t.Error("wrong")
	}
}
`,
	}), `pkg/pkg.go:8: survived
	- calls.Add(1)
	+ dropped
pkg/pkg.go:8: survived
	- calls.Add(1)
	+ calls.Add(2)
pkg/pkg.go:15: never run
	- func Untested() bool { return true }
	+ func Untested() bool { return *new(bool); return true }
pkg/pkg.go:15: never run
	- func Untested() bool { return true }
	+ func Untested() bool { return false }
7 of 11 faults noticed (63 %), of those that the tests run 7 of 9
`)
}

func TestRules(t *testing.T) {
	t.Parallel()
	testserver.Tool(t, "promtool")
	same(t, mutate(t, map[string]string{
		"pkg/rules.yml": `groups:
  - name: g
    rules:
      - alert: Down
        expr: |
          up{job="a"} < 1
          and on (client) max by (client, shard) (wanted) == 1
        for: 5m
`,
		"pkg/pkg_test.go": `package pkg

import (
	"os"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	text, err := os.ReadFile("rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"job=\"a\"", "and on (client)", "(client, shard)", "< 1"} {
		if !strings.Contains(string(text), part) {
			t.Error(part)
		}
	}
}
`,
	}), `pkg/rules.yml:8: survived
	- for: 5m
	+ for: 6m
pkg/rules.yml:8: survived
	- for: 5m
	+ dropped
pkg/rules.yml:7: survived
	- and on (client) max by (client, shard) (wanted) == 1
	+ and on (client) min by (client, shard) (wanted) == 1
pkg/rules.yml:7: survived
	- and on (client) max by (client, shard) (wanted) == 1
	+ and on (client) max by (client, shard) (wanted) != 1
pkg/rules.yml:7: survived
	- and on (client) max by (client, shard) (wanted) == 1
	+ and on (client) max by (client, shard) (wanted) == 2
9 of 14 faults noticed (64 %), of those that the tests run 9 of 14
`)
}
