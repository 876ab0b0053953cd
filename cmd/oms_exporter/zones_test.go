package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestZonesWithoutHost runs the program where there is nothing else, no zones of the host's either: it knows them all the same.
func TestZonesWithoutHost(t *testing.T) {
	if testing.Short() {
		t.Skip("-short builds no program")
	}
	root := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(root, program), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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
