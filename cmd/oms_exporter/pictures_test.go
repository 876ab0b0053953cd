//go:build pictures

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestPictures shows the status page in a browser, large and small, light and dark, and looks for what is cut off, cannot be read, or
// cannot be reached by keyboard. The picture in docs/dashboards.md is that of the demo, judged by a real Prometheus with the rules.
func TestPictures(t *testing.T) {
	b := newBrowser(t)
	demo := judgedDemo(t)
	many := httptest.NewServer(manyClients(t).handler())
	defer many.Close()
	alone := fourClients(t, time.Now(), "")
	alone.ask(t.Context(), "GET", "/metrics")
	unjudged := httptest.NewServer(alone.handler())
	defer unjudged.Close()
	for name, address := range map[string]string{
		"demo": demo + "/", "client": demo + "/client?name=KREWE", "dead": demo + "/client?name=ADOC", "200": many.URL + "/", "unjudged": unjudged.URL + "/",
	} {
		for _, width := range []int{1366, 500} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s/%d/%s", name, width, scheme), func(t *testing.T) {
					b.open(t, address, width, scheme)
					var problems []string
					b.evaluate(t, problemsOfPage, &problems)
					for _, p := range problems {
						t.Error(p)
					}
					b.wantTable(t)
					b.wantKeyboard(t)
					file := filepath.Join("..", "..", ".build", "pictures", fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
					if name == "demo" && width == 1366 && scheme == "light" {
						file = filepath.Join("..", "..", "docs", "status.png")
					}
					b.picture(t, file, width)
				})
			}
		}
	}
}

// judgedDemo returns the URL of a demo with faults, once a Prometheus with the rules says what it makes of them.
func judgedDemo(t *testing.T) string {
	var prometheus atomic.Pointer[url.URL]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // its address is known first
		httputil.NewSingleHostReverseProxy(prometheus.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	p := start(t, "demo", "--prometheus.url="+proxy.URL, "--fault=KREWE:order-stuck", "--fault=KREWE:job-stuck", "--fault=ADOC:db-hung", "--fault=UCG:chart-error")
	rules, err := filepath.Abs("../../rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	base := testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}
rule_files: [%q]
scrape_configs:
  - {job_name: oms, honor_labels: true, http_sd_configs: [{url: "http://%[2]s/sd"}]}
  - {job_name: oms_exporter, honor_labels: true, metrics_path: /metrics/exporter, static_configs: [{targets: [%[2]q]}]}
`, rules, p.address))
	address, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	prometheus.Store(address)
	testserver.Eventually(t, 6*time.Minute, func() error {
		page := p.get(t, "/status.json")
		var status struct {
			Trouble []string
			Clients []struct {
				Name   string
				Checks []struct{ State string }
			}
		}
		if err := json.Unmarshal([]byte(page), &status); err != nil {
			t.Fatal(err)
		}
		for _, c := range status.Clients {
			unknown := slices.ContainsFunc(c.Checks, func(check struct{ State string }) bool { return check.State == "unknown" })
			if unknown != (c.Name == "ADOC") {
				return fmt.Errorf("of %s something is unknown: %t", c.Name, unknown)
			}
		}
		if len(status.Trouble) > 0 || !strings.Contains(page, "OMSOrderStuckInCreated") || !strings.Contains(page, "OMSJobStuck") {
			return fmt.Errorf("not all alerts fire: %s", status.Trouble)
		}
		return nil
	})
	return "http://" + p.address
}

// problemsOfPage lists what is wrong with a page: what is wider than the window, has too little contrast, or lacks what a program for
// the blind needs.
const problemsOfPage = `(() => {
	const problems = [];
	if (document.documentElement.scrollWidth > innerWidth) problems.push("the page is " + document.documentElement.scrollWidth + " px wide");
	for (const e of document.querySelectorAll("body *")) {
		const box = e.getBoundingClientRect();
		if (box.right > innerWidth + 1 && box.width > 1 && getComputedStyle(e).position != "absolute") problems.push("cut off: " + e.outerHTML.slice(0, 200));
	}
	const light = c => {
		const [r, g, b] = c.match(/[\d.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	const ground = e => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (!/, 0\)$/.test(c)) return c;
		}
		return "rgb(255, 255, 255)";
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = texts.nextNode();) {
		if (!n.textContent.trim()) continue;
		const a = light(getComputedStyle(n.parentElement).color), b = light(ground(n.parentElement));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) problems.push("contrast " + ratio.toFixed(2) + ": " + n.textContent.slice(0, 80));
		if (parseFloat(getComputedStyle(n.parentElement).fontSize) < 11) problems.push("small: " + n.textContent.slice(0, 80));
	}
	for (const th of document.querySelectorAll("th")) if (!th.scope) problems.push("no scope: " + th.outerHTML);
	for (const one of ["main", "header", "h1", "title"]) if (document.querySelectorAll(one).length != 1) problems.push("not one " + one);
	if (!document.documentElement.lang) problems.push("no language");
	return [...new Set(problems)].slice(0, 20);
})()`

// A browser is a Chromium that is driven by its protocol over pipes.
type browser struct {
	to      *os.File
	from    *bufio.Reader
	session string
	id      int
}

func newBrowser(t *testing.T) *browser {
	toRead, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, fromWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, testserver.Chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	cmd.ExtraFiles = []*os.File{toRead, fromWrite}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toRead.Close(), fromWrite.Close()
	b := &browser{to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		b.call(t, "Browser.close", nil, nil)
		_ = cmd.Wait()
		stop()
		_, _ = to.Close(), from.Close()
	})
	var target struct{ TargetID string }
	b.call(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.call(t, "Page.enable", nil, nil)
	return b
}

// message is one of the protocol, which ends with a zero byte.
type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

func (b *browser) call(t *testing.T, method string, params, result any) {
	t.Helper()
	b.id++
	text, err := json.Marshal(message{ID: b.id, SessionID: b.session, Method: method, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		t.Fatal(err)
	}
	answer := b.await(t, func(m message) bool { return m.ID == b.id })
	if answer.Error != nil {
		t.Fatalf("%s: %s", method, answer.Error)
	}
	if result != nil {
		if err := json.Unmarshal(answer.Result, result); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *browser) await(t *testing.T, wanted func(message) bool) message {
	t.Helper()
	for {
		text, err := b.from.ReadBytes(0)
		if err != nil {
			t.Fatal(err)
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			t.Fatal(err)
		}
		if wanted(m) {
			return m
		}
	}
}

// open shows a page in a window of that width.
func (b *browser) open(t *testing.T, address string, width int, scheme string) {
	t.Helper()
	b.call(t, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call(t, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.call(t, "Page.navigate", map[string]any{"url": address}, nil)
	for ready := ""; ready != "complete"; {
		b.evaluate(t, `location.href == "about:blank" ? "" : document.readyState`, &ready)
	}
}

func (b *browser) evaluate(t *testing.T, script string, result any) {
	t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call(t, "Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		t.Fatalf("%s", answer.ExceptionDetails)
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		t.Fatal(err)
	}
}

// wantTable fails unless the tables are tables for a program for the blind, whatever they look like.
func (b *browser) wantTable(t *testing.T) {
	t.Helper()
	var tree struct {
		Nodes []struct {
			Ignored bool
			Role    struct{ Value string }
		}
	}
	b.call(t, "Accessibility.getFullAXTree", nil, &tree)
	roles := map[string]int{}
	for _, n := range tree.Nodes {
		if !n.Ignored {
			roles[n.Role.Value]++
		}
	}
	for _, role := range []string{"table", "row", "rowheader", "columnheader", "cell", "main", "navigation", "heading"} {
		if roles[role] == 0 {
			t.Errorf("no %s in the tree of accessibility: %v", role, roles)
		}
	}
}

// wantKeyboard fails unless the key Tab leads from link to link, and shows where it is.
func (b *browser) wantKeyboard(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for range 6 {
		for _, kind := range []string{"rawKeyDown", "keyUp"} {
			b.call(t, "Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}, nil)
		}
		var at string
		b.evaluate(t, `(() => {
			const a = document.activeElement;
			return a.tagName == "A" && getComputedStyle(a).outlineStyle != "none" ? a.href : "";
		})()`, &at)
		seen[at] = true
	}
	if seen[""] || len(seen) < 5 {
		t.Errorf("the keyboard leads to %v", seen)
	}
	var done bool
	b.evaluate(t, `document.activeElement.blur(), true`, &done)
}

// picture writes what the browser shows, at most so much of it as is looked at.
func (b *browser) picture(t *testing.T, file string, width int) {
	t.Helper()
	var height float64
	b.evaluate(t, `Math.min(1400, Math.ceil(document.body.getBoundingClientRect().bottom))`, &height)
	var shot struct{ Data string }
	b.call(t, "Page.captureScreenshot", map[string]any{
		"captureBeyondViewport": true, "clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
	}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}
