package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// inForce returns the clients in force by name.
func (b *bench) inForce() map[string]*collector.Client {
	g := b.clients.acquire()
	defer g.release()
	byName := map[string]*collector.Client{}
	for _, c := range g.measured() {
		byName[c.Name()] = c
	}
	return byName
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{lifecycle: true}, nil, "KEPT", "CHANGED", "REMOVED")
		before, sources := b.inForce(), map[string]*omstest.Fake{}
		for name, s := range b.sources {
			sources[name] = s
		}
		removed := sources["REMOVED"]
		asked := hang(removed)
		answer := make(chan string, 1)
		go func() { answer <- b.ask(t.Context(), "GET", "/probe?client=REMOVED").Body.String() }()
		<-asked // a scrape of the client that is about to go is under way

		b.cfg = configOf("ADDED", "KEPT", "CHANGED")
		b.cfg.Clients[2].Labels = map[string]string{"region": "EU"}
		changed := b.sources["CHANGED"]
		b.sources["CHANGED"] = nil                       // the next one opened is another
		for _, method := range []string{"POST", "PUT"} { // the second finds nothing to do
			if w := b.ask(t.Context(), method, "/-/reload"); w.Code != 200 {
				t.Fatalf("%s: status %d: %s", method, w.Code, w.Body)
			}
		}
		synctest.Wait()

		after := b.inForce()
		if len(after) != 3 || after["ADDED"] == nil || after["REMOVED"] != nil {
			t.Errorf("in force: %v", after)
		}
		if after["KEPT"] != before["KEPT"] || b.sources["KEPT"].Closed() > 0 {
			t.Error("the untouched client was not kept")
		}
		if after["CHANGED"] == nil || after["CHANGED"] == before["CHANGED"] {
			t.Error("the changed client was not replaced")
		}
		if removed.Closed() > 0 {
			t.Error("the removed client was closed during a scrape of it")
		}
		wantLines(t, <-answer, `oms_collector_success{client="REMOVED",collector="jobs"} 1`)
		synctest.Wait()
		if removed.Closed() != 1 || changed.Closed() != 1 || b.sources["CHANGED"].Closed() > 0 {
			t.Error("not just the clients that are no longer in force were closed")
		}
	})
}

func TestBadReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{lifecycle: true}, nil, "KREWE")
		before := b.inForce()["KREWE"]
		loaded := b.ask(t.Context(), "GET", "/metrics").Body.String()
		time.Sleep(time.Minute) // of the bubble's clock
		b.err = errors.New("oms_exporter.yml:3: client NEWERA: unknown key")
		if w := b.ask(t.Context(), "POST", "/-/reload"); w.Code != 500 || !strings.Contains(w.Body.String(), b.err.Error()) {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if b.inForce()["KREWE"] != before || b.sources["KREWE"].Closed() > 0 {
			t.Error("the old configuration is no longer in force")
		}
		page := b.ask(t.Context(), "GET", "/metrics").Body.String()
		wantLines(t, page, "oms_exporter_config_last_reload_successful 0", `oms_collector_success{client="KREWE",collector="orders"} 1`,
			lineOf(loaded, "oms_exporter_config_last_reload_success_timestamp_seconds "))
		b.err = nil
		b.ask(t.Context(), "POST", "/-/reload")
		wantLines(t, b.ask(t.Context(), "GET", "/metrics").Body.String(), "oms_exporter_config_last_reload_successful 1")
	})
}

// A client that cannot be opened refuses the whole file, and closes what the attempt had opened.
func TestReloadIsWholeOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, options{}, nil, "KREWE")
		var opened *omstest.Fake
		b.clients.open = func(c config.Client) (collector.Sources, *sql.DB, error) {
			if c.Name == "BROKEN" {
				return collector.Sources{}, nil, errors.New("no such driver")
			}
			opened = newFake()
			return collector.Sources{OMS: opened}, nil, nil
		}
		b.cfg = configOf("ADDED", "BROKEN")
		if err := b.clients.reload(t.Context()); err == nil {
			t.Fatal("the broken client was accepted")
		}
		synctest.Wait()
		if now := b.inForce(); len(now) != 1 || now["KREWE"] == nil || opened.Closed() != 1 {
			t.Errorf("in force: %v; the new source was closed %d times", now, opened.Closed())
		}
	})
}

// Scrapes that meet reloads are answered wholly, and every source that was opened is closed once.
func TestReloadDuringScrapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // debug runs wait for each other
		b := newBench(t, options{lifecycle: true}, nil, "KEPT", "CHANGING")
		opened := []*omstest.Fake{b.sources["KEPT"], b.sources["CHANGING"]}
		loads := 0
		b.clients.load = func() (*config.Config, error) {
			loads++
			cfg := configOf("KEPT", "CHANGING")
			cfg.Clients[1].Labels = map[string]string{"version": strconv.Itoa(loads)}
			return cfg, nil
		}
		b.clients.open = func(config.Client) (collector.Sources, *sql.DB, error) {
			opened = append(opened, newFake())
			return collector.Sources{OMS: opened[len(opened)-1]}, nil, nil
		}
		const rounds = 30
		failed := regexp.MustCompile(`(?m)^oms_collector_success.* 0$`)
		var all sync.WaitGroup
		for _, page := range []string{"/metrics", "/probe?client=CHANGING", "/probe?client=KEPT&debug=true", "/", "/sd"} {
			all.Go(func() {
				for range rounds {
					w := b.ask(t.Context(), "GET", page)
					if w.Code != 200 || strings.Contains(w.Body.String(), "is closed") || failed.MatchString(w.Body.String()) {
						t.Errorf("%s: status %d: %s", page, w.Code, w.Body)
					}
				}
			})
		}
		for range rounds {
			b.ask(t.Context(), "POST", "/-/reload")
		}
		all.Wait()
		if err := b.clients.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(opened) != 2+rounds {
			t.Errorf("%d sources were opened, want one for each change", len(opened))
		}
		for i, source := range opened {
			if source.Closed() != 1 {
				t.Errorf("source %d of %d was closed %d times", i, len(opened), source.Closed())
			}
		}
	})
}

// lineOf returns the first line that begins so.
func lineOf(body, prefix string) string {
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSuffix(line, "\n")
		}
	}
	return prefix + "is missing"
}

// TestGarbage shows that the more clients there are, the less garbage may pile up, unless the environment says how much.
func TestGarbage(t *testing.T) {
	for _, c := range []struct {
		gogc          string
		clients, want int
	}{{"", 1, 75}, {"", 61, 40}, {"", 100, 20}, {"150", 100, 150}} {
		t.Run(fmt.Sprintf("GOGC=%s %d clients", c.gogc, c.clients), func(t *testing.T) {
			t.Setenv("GOGC", c.gogc)
			before := debug.SetGCPercent(150) // as the runtime does at its start
			t.Cleanup(func() { debug.SetGCPercent(before) })
			path := filepath.Join(t.TempDir(), "oms_exporter.yml")
			var clients []string
			for i := range c.clients {
				clients = append(clients, clientConfig(fmt.Sprintf("C%d", i), "mysql", "exporter@tcp(127.0.0.1:1)/oms"))
			}
			writeConfig(t, path, clients...)
			wantLines(t, start(t, "--config.file="+path).get(t, "/metrics/exporter"), fmt.Sprintf("go_gc_gogc_percent %d", c.want))
		})
	}
}
