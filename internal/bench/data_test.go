//go:build bench

package bench

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms/omsdata"
)

// TestData fills each server with the databases that TestBench reads.
func TestData(t *testing.T) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			dir := dataFolder(t, e)
			check(t, os.RemoveAll(dir))
			server := e.start(t, dir, slices.Concat(e.run, e.load)...)
			end := anchor(t)
			for _, size := range sizes(t) {
				server.NewDatabase(t, size.database)
				began := time.Now()
				omsdata.Fill(t, e.driver, server.Admin(t, size.database), omsdata.World{
					Anchor: end,
					Orders: int(size.history * 5_000_000),
					Span:   time.Duration(size.history * float64(30*24*time.Hour)),
				})
				t.Logf("%s: %s in %s", e.name, size.database, time.Since(began).Round(time.Second))
			}
			check(t, os.WriteFile(filepath.Join(dir, anchorFile), []byte(end.Format(time.RFC3339)), 0o600))
		})
	}
}
