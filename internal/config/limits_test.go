package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// TestLimits has durations at their limits and a moment beyond them.
func TestLimits(t *testing.T) {
	for offset, want := range map[string]string{
		"1ns": "", "0s": "global.timeout_offset", "9.999999999s": "", "10s": "global.timeout_offset",
	} {
		loadWith(t, offset, "5m", want)
	}
	for interval, want := range map[string]string{
		"59.999999999s": "superset.interval", "1m": "", "12h": "", "12h0.000000001s": "superset.interval",
	} {
		loadWith(t, "500ms", interval, want)
	}
}

func loadWith(t *testing.T, offset, interval, want string) {
	t.Helper()
	_, err := load(t, fmt.Sprintf(`global: {timeout_offset: %s}
clients:
- name: A
  timezone: UTC
  database: {driver: sqlite, dsn: /oms.db, timezone: UTC}
  superset: {url: "http://localhost", username: u, password: "${HOME}", dashboards: [d], interval: %s}
`, offset, interval))
	if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("an offset of %s, an interval of %s: %v", offset, interval, err)
	}
}

// TestMask shows what is masked of an error, and that it stays the error that it was.
func TestMask(t *testing.T) {
	if err := config.Redact(nil, "secret"); err != nil {
		t.Errorf("of no error: %v", err)
	}
	inner := &fs.PathError{Op: "open", Path: "secret", Err: fs.ErrNotExist}
	err := config.Redact(fmt.Errorf("a secret and another secret, an open one: %w", inner), "", "secret", "open")
	if want := "a <secret> and another <secret>, an <secret> one: <secret> <secret>: file does not exist"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	var path *fs.PathError
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &path) || path != inner || errors.Is(err, fs.ErrExist) {
		t.Errorf("%v is another error", err)
	}
	if inner := errors.Unwrap(err); inner != nil {
		t.Errorf("what is not masked can be had: %v", inner)
	}
}

// TestBrief shows foreign text: what a terminal would obey is escaped, and it ends somewhere.
func TestBrief(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "in stock: 在庫, « ü »\n": "in stock: 在庫, « ü »\n", "\x1b[2J\r\x00\u202e\u2028\u0085\t": `\x1b[2J\r\x00\u202e\u2028\u0085\t`,
		"not utf-8 \xfc": `not utf-8 \xfc`, "\uFFFD": "\uFFFD",
		strings.Repeat("a", 100): strings.Repeat("a", 100), strings.Repeat("a", 99) + "ü": strings.Repeat("a", 99) + "… (2 bytes more)",
		strings.Repeat("\x00", 1000): strings.Repeat(`\x00`, 25) + "… (975 bytes more)",
	} {
		if got := config.Brief(text, 100); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if text := config.Redact(errors.New(strings.Repeat("secret\x00", 1<<20)), "secret").Error(); len(text) > 5000 || !strings.HasPrefix(text, `<secret>\x00<secret>`) {
		t.Errorf("%d bytes: %.100q", len(text), text)
	}
}
