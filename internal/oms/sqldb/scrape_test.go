package sqldb

import (
	"context"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// TestFilesOncePerScrape shows that the two questions about data_manager_log read it once in a scrape, and anew in the next
// one and outside of scrapes.
func TestFilesOncePerScrape(t *testing.T) {
	db := testserver.Engines()[0].Start(t)(t, "scrape", "UTC")
	s, err := Open(testLogger(t), config.Client{Name: "KREWE", Timezone: time.UTC, Database: db.Config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	reads := 0
	traced := trace.With(t.Context(), func(statement string, _ time.Duration, _ int, _ error) {
		if statement == "files_open" {
			reads++
		}
	})
	ask := func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		_, err = s.DataManager(ctx, time.Now())
		if err == nil {
			_, err = s.ResetInventory(ctx, time.Now())
		}
		return err
	}
	testserver.Eventually(t, time.Minute, func() error { return ask(traced) }) // until the first look back is over
	for _, c := range []struct {
		name string
		ctx  context.Context
		want int
	}{
		{"a scrape", oms.WithScrape(traced), 1}, {"the next one", oms.WithScrape(traced), 1}, {"no scrape", traced, 2},
	} {
		reads = 0
		if err := ask(c.ctx); err != nil {
			t.Fatal(err)
		}
		if reads != c.want {
			t.Errorf("%s read the open files %d times, want %d", c.name, reads, c.want)
		}
	}
}
