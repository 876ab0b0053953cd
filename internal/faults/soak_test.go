//go:build faults

package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestSoak lets one exporter, built with the race detector, suffer faults in random order for as long as SOAK says ("1h"). It
// must go on, race nowhere, and hold no more goroutines at the end than at the start. How many scrapes the others lose tells
// something only on a machine that the detector does not overload, so it is told and not judged.
func TestSoak(t *testing.T) {
	span, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("SOAK does not say for how long")
	}
	f := newField(t)
	dir := t.TempDir()
	f.binary, f.config = filepath.Join(dir, "oms_exporter"), filepath.Join(dir, "oms_exporter.yml")
	build := exec.CommandContext(t.Context(), "go", "build", "-race", "-gcflags=modernc.org/sqlite/lib=-race=false", "-o", f.binary, "../../cmd/oms_exporter")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	log := filepath.Join(dir, "log")
	f.configure(t, spare(t))
	f.launch(t, log)
	before := f.goroutines(t)

	var sum result
	faults, suffered, end := f.faults(), 0, time.Now().Add(span)
	for time.Now().Before(end) {
		fault := faults[rand.IntN(len(faults))]
		if fault.name == "log: the disk is full" { // so from its start
			continue
		}
		suffered++
		t.Run(fmt.Sprintf("%d %s", suffered, fault.name), func(t *testing.T) {
			var r result
			s := fault.make(t)
			f.configure(t, s.client)
			f.reload(t)
			f.befall(t, s, &r)
			sum.scrapes, sum.lost, sum.peak = sum.scrapes+r.scrapes, sum.lost+r.lost, max(sum.peak, r.peak)
		})
	}

	f.configure(t, spare(t))
	f.reload(t)
	until(t, func() error {
		if after := f.goroutines(t); after > before+5 {
			return fmt.Errorf("%d goroutines at the start, %d at the end", before, after)
		}
		return nil
	})
	text, err := os.ReadFile(log)
	check(t, err)
	if at := bytes.Index(text, []byte("WARNING: DATA RACE")); at >= 0 {
		t.Errorf("%s", text[at:min(at+8<<10, len(text))])
	}
	if strings.Contains(string(text), "panic") {
		t.Error("a panic was logged")
	}
	fmt.Printf("%d faults in %s: of %d scrapes of %d others %d were lost; %d MiB at most with the race detector\n",
		suffered, span, sum.scrapes, others, sum.lost, sum.peak>>20)
}

// goroutines counts those of the exporter.
func (f *field) goroutines(t *testing.T) (n int) {
	t.Helper()
	page, err := f.get(t.Context(), "/metrics/exporter")
	check(t, err)
	found := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindStringSubmatch(page)
	if found == nil {
		t.Fatal("the exporter does not say how many goroutines it has")
	}
	_, err = fmt.Sscan(found[1], &n)
	check(t, err)
	return n
}
