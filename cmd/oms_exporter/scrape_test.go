package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

func TestScrapeDeadline(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":      10 * time.Second,
		"10":    9500 * time.Millisecond,
		"2.5":   2 * time.Second,
		"0.8":   400 * time.Millisecond, // never less than half
		"-1":    10 * time.Second,
		"NaN":   10 * time.Second,
		"1e300": 10 * time.Second,
		"soon":  10 * time.Second,
	} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hung := newFake()
				hang(hung)
				b := newBench(t, options{}, map[string]*omstest.Fake{"KREWE": hung}, "KREWE", "UCG")
				var headers []string
				if header != "" {
					headers = []string{timeoutHeader + ": " + header}
				}
				start := time.Now()
				w := b.ask(t.Context(), "GET", "/metrics", headers...)
				if took := time.Since(start); took != want {
					t.Errorf("answered after %s, want %s", took, want)
				}
				wantLines(t, w.Body.String(),
					`oms_collector_success{client="KREWE",collector="orders"} 0`,
					`oms_collector_success{client="KREWE",collector="jobs"} 1`,
					`oms_collector_success{client="UCG",collector="orders"} 1`,
					`oms_orders{channel="",client="UCG",product_store="",status="created"} 0`)
			})
		})
	}
}

func TestHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := newFake()
		asked := hang(hung)
		b := newBench(t, options{}, map[string]*omstest.Fake{"KREWE": hung}, "KREWE")
		scraper, hangUp := context.WithCancel(t.Context())
		start := time.Now()
		go b.ask(scraper, "GET", "/metrics")
		run := <-asked
		hangUp()
		<-run.Done()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the run went on for %s after its scraper had gone", waited)
		}
	})
}

// TestFirstLook shows that the collectors of a client are asked at the start, before anybody scrapes it.
func TestFirstLook(t *testing.T) {
	config := filepath.Join(t.TempDir(), "oms_exporter.yml")
	writeConfig(t, config, sqliteClient(t, "KREWE"))
	p := start(t, "--config.file="+config)
	testserver.Eventually(t, 20*time.Second, func() error {
		page := p.get(t, "/client?name=KREWE")
		if !strings.Contains(page, " ok</td>") || strings.Contains(page, "idle</td>") {
			return errors.New("not all collectors have been asked yet:\n" + page)
		}
		return nil
	})
}
