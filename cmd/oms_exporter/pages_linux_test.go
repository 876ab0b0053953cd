package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDropPages gives back what the start of the tests has touched of their program.
func TestDropPages(t *testing.T) {
	held := func() (kib int) {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(status)) {
			_, _ = fmt.Sscanf(line, "RssFile: %d kB", &kib) // the other lines do not fit
		}
		return kib
	}
	before := held()
	if err := dropPages(); err != nil {
		t.Fatal(err)
	}
	if after := held(); after > before/2 {
		t.Errorf("%d KiB of the program's pages are in memory, before it were %d", after, before)
	}
}
