//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// An exporter is the real program in demo mode. It can be killed and started anew at the same address.
type exporter struct {
	binary, dir, address string
	kill                 func() // without a word of warning
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

func newExporter(t *testing.T) *exporter {
	t.Helper()
	e := &exporter{dir: t.TempDir(), address: "127.0.0.1:0"}
	e.binary = filepath.Join(e.dir, "oms_exporter")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", e.binary, root+"cmd/oms_exporter")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	e.start(t)
	t.Cleanup(func() { e.kill() })
	return e
}

// start starts the exporter, and waits until all its collectors succeed.
func (e *exporter) start(t *testing.T) {
	t.Helper()
	log := filepath.Join(e.dir, "log")
	output, err := os.Create(log)
	check(t, err)
	defer func() { check(t, output.Close()) }()
	// The shell kills the exporter when the pipe is closed: by kill, or because the test process has ended.
	sh := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", `"$@" & read -r _; kill -KILL $!; wait`,
		"sh", e.binary, "demo", "--web.listen-address="+e.address)
	sh.Stdout, sh.Stderr = output, output
	sh.Env = append(os.Environ(), "TMPDIR="+e.dir)
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal must not end the shell first
	pipe, err := sh.StdinPipe()
	check(t, err)
	check(t, sh.Start())
	e.kill = func() {
		_ = pipe.Close()
		_ = sh.Wait()
	}
	testserver.Eventually(t, time.Minute, func() error { return e.ready(log) })
}

func (e *exporter) ready(log string) error {
	output, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	found := listening.FindSubmatch(output)
	if found == nil {
		return fmt.Errorf("the exporter does not listen: %s", output)
	}
	e.address = string(found[1])
	page, err := fetch(http.MethodGet, "http://"+e.address+"/metrics")
	if err == nil && regexp.MustCompile(`(?m)^oms_collector_success.* 0$`).MatchString(page) {
		err = fmt.Errorf("not every collector succeeds: %s", output)
	}
	return err
}

// fault switches a fault of a client.
func (e *exporter) fault(t *testing.T, client, name string, on bool) {
	t.Helper()
	query := url.Values{"client": {client}, "name": {name}, "on": {strconv.FormatBool(on)}}
	_, err := fetch(http.MethodPost, "http://"+e.address+"/demo/fault?"+query.Encode())
	check(t, err)
}

// fetch returns the body of a page.
func fetch(method, address string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return testserver.Page(ctx, method, address)
}
