package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// released builds the program as it is released, into a folder.
func released(t *testing.T, root string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short builds no program")
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(root, program), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestNobodyReadsTheLog has the reader of the log end before the program says anything: it goes on.
func TestNobodyReadsTheLog(t *testing.T) {
	root := t.TempDir()
	released(t, root)
	file := filepath.Join(root, "oms_exporter.yml")
	writeConfig(t, file, sqliteClient(t, "KREWE"))
	testserver.Exporter(t, "/-/ready", "/bin/bash", "-c", `exec "$0" "$@" 2> >(exit)`, filepath.Join(root, program), "--config.file="+file)
}

// TestZonesWithoutHost runs the program where there is nothing else, no zones of the host's either: it knows them all the same.
func TestZonesWithoutHost(t *testing.T) {
	root := t.TempDir()
	released(t, root)
	const file = "oms_exporter.yml"
	writeConfig(t, filepath.Join(root, file), strings.Replace(clientConfig("ADOC-SV", "sqlite", "/oms.db"), "UTC", "America/El_Salvador", 1))
	check := exec.CommandContext(t.Context(), "/"+program, "check-config", "/"+file)
	check.Dir, check.Env = "/", []string{}
	check.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if os.Getuid() != 0 { // then a user namespace allows it
		check.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	}
	if out, err := check.CombinedOutput(); err != nil || string(out) != "/"+file+": ok, clients: 1\n" {
		t.Errorf("%v: %s", err, out)
	}
}
