package behaviour

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestMatrix plays each clinic of testdata with each vintage of the OMS on each engine, and compares all metrics of the
// collectors that the clinic is about, at each of its moments: with the clinic's golden file for the standard vintage, and for
// the others with the differences from that, in a file of their own where there are any. No engine may differ from another.
// With -v it prints the matrix. With -short, and on newer lines of a server, only the standard one is played.
func TestMatrix(t *testing.T) {
	clinics, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(clinics) == 0 {
		t.Fatal("no clinics", err)
	}
	var matrix sync.Map // what became of a vintage on an engine
	t.Run("on", func(t *testing.T) {
		older := len(testserver.Engines())
		for i, engine := range slices.Concat(testserver.Engines(), testserver.NewerEngines()) {
			standardOnly := testing.Short() || i >= older
			t.Run(engine.Name, func(t *testing.T) {
				t.Parallel()
				newDatabase := engine.Start(t)
				for _, v := range vintages() {
					matrix.Store(v.name+engine.Name, map[bool]string{true: "", false: "as standard"}[standardOnly])
				}
				groups := together(engine.Driver)
				if standardOnly {
					groups = [][]vintage{groups[0][:1]}
				}
				for i, group := range groups {
					db := newDatabase(t, fmt.Sprint("matrix_", i), "America/New_York")
					group[0].make(t, db)
					var seen []config.Database
					for _, v := range group {
						matrix.Store(v.name+engine.Name, "ok")
						seen = append(seen, v.seen(t, db))
					}
					for _, clinic := range clinics {
						t.Run(clinicName(clinic), func(t *testing.T) {
							for j, moments := range play(t, clinic, db, group, seen) {
								v := group[j]
								if !t.Run(v.name, func(t *testing.T) { judge(t, v, clinic, moments, *update && engine.Name == v.first()) }) {
									matrix.Store(v.name+engine.Name, "FAILED")
								}
							}
						})
					}
				}
			})
		}
	})
	t.Log(table(&matrix, clinics))
}

// TestClinics wants each collector that asks the OMS to be known to a clinic, and each that a clinic names to be one.
func TestClinics(t *testing.T) {
	clinics, err := filepath.Glob("testdata/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, clinic := range clinics {
		for _, name := range collectorsOfClinic(t, clinic) {
			named[name] = true
		}
	}
	var now time.Time
	all := map[string]bool{}
	for _, s := range newClient(t, config.Database{Driver: config.SQLite}, &now).Status() {
		all[s.Collector] = true
	}
	if !maps.Equal(named, all) {
		t.Errorf("the clinics are about %v, the collectors are %v", named, all)
	}
}

func clinicName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".sql") }

// judge compares what a clinic showed with what is expected of the vintage, or writes that anew.
func judge(t *testing.T, v vintage, clinic string, moments []moment, update bool) {
	t.Helper()
	golden := strings.TrimSuffix(clinic, ".sql") + ".prom"
	if v.name == vintages()[0].name {
		var got strings.Builder
		for _, m := range moments {
			fmt.Fprintf(&got, "# %s\n%s\n", m.title, m.text)
		}
		expect(t, golden, got.String(), update)
		return
	}
	standard, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	rest := string(standard)
	for _, m := range moments {
		var want string
		var ok bool
		if want, rest, ok = strings.Cut(strings.TrimPrefix(rest, "# "+m.title+"\n"), "\n\n"); !ok {
			t.Fatalf("%s has no moment %q", golden, m.title)
		}
		if d := differences(want+"\n", m.text); d != "" {
			fmt.Fprintf(&got, "# %s\n%s\n", m.title, d)
		}
	}
	expect(t, v.differs(clinic), got.String(), update)
}

// differs is the file of the differences between a vintage and the standard.
func (v vintage) differs(clinic string) string {
	return strings.TrimSuffix(clinic, ".sql") + "." + v.name + ".diff"
}

// expect compares text with a file; one that is not there stands for an empty one.
func expect(t *testing.T, path, got string, update bool) {
	t.Helper()
	if update {
		err := os.Remove(path)
		if got != "" {
			err = os.WriteFile(path, []byte(got), 0o644)
		}
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if d := diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, d)
	}
}

// histogramOf is what the samples of a histogram have behind its name.
var histogramOf = regexp.MustCompile(`_(bucket|sum|count)$`)

// differences lists the samples that only one of two expositions has, and by their names alone the metrics of which the
// second has none.
func differences(want, got string) string {
	names := func(text string) []string {
		var names []string
		for line := range strings.Lines(text) {
			if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
				names = append(names, strings.Fields(name)[0])
			}
		}
		return names
	}
	have := names(got)
	absent := slices.DeleteFunc(names(want), func(name string) bool { return slices.Contains(have, name) })
	samples := func(text string) string {
		var out strings.Builder
		for line := range strings.Lines(text) {
			name, _, _ := strings.Cut(line, "{")
			of := func(metric string) bool { return name == metric || histogramOf.ReplaceAllString(name, "") == metric }
			if !strings.HasPrefix(line, "#") && !slices.ContainsFunc(absent, of) {
				out.WriteString(line)
			}
		}
		return out.String()
	}
	var out strings.Builder
	for _, name := range absent {
		fmt.Fprintf(&out, "-%s\n", name)
	}
	lines := slices.Collect(strings.Lines(diff(samples(want), samples(got))))
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[1:], b[1:]) }) // what replaces what
	return out.String() + strings.Join(lines, "")
}

// diff lists the lines that only one of two texts has, in their order.
func diff(want, got string) string {
	count := map[string]int{}
	for line := range strings.Lines(want) {
		count[line]++
	}
	var out strings.Builder
	for line := range strings.Lines(got) {
		if count[line]--; count[line] < 0 {
			out.WriteString("+" + line)
		}
	}
	for line := range strings.Lines(want) {
		if count[line] > 0 {
			count[line]--
			out.WriteString("-" + line)
		}
	}
	if out.Len() == 0 && want != got {
		return "the same lines in another order"
	}
	return out.String()
}

// table prints the matrix, and how much each vintage differs from the standard.
func table(matrix *sync.Map, clinics []string) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) } // into memory
	header := []string{"\nvintage"}
	engines := slices.Concat(testserver.Engines(), testserver.NewerEngines())
	for _, engine := range engines {
		header = append(header, engine.Name)
	}
	row(append(header, "metrics absent", "samples that differ")...)
	for _, v := range vintages() {
		cells := []string{v.name}
		for _, engine := range engines {
			cell, _ := matrix.Load(v.name + engine.Name)
			cells = append(cells, fmt.Sprint(cell))
		}
		absent, differ := map[string]bool{}, map[string]bool{}
		for _, clinic := range clinics {
			text, _ := os.ReadFile(v.differs(clinic)) // none where nothing differs
			for line := range strings.Lines(string(text)) {
				if name, _, sample := strings.Cut(line, "{"); sample {
					differ[line] = true
				} else if strings.HasPrefix(name, "-") {
					absent[line] = true
				}
			}
		}
		row(append(cells, fmt.Sprint(len(absent)), fmt.Sprint(len(differ)))...)
	}
	_ = w.Flush()
	return out.String()
}
