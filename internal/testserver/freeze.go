package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Freeze stops the server's processes until Thaw or the end of the test: the server stays reachable, and silent.
func (d *daemon) Freeze(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(d.Thaw)
	ctx, cancel := context.WithTimeout(d.life, patience)
	defer cancel()
	err := each(d.process.Pid, func(pid int) error { return stop(ctx, pid) })
	if err != nil {
		tb.Fatalf("freeze %s: %v", d.name, err)
	}
}

// Thaw lets a frozen server go on where it stood. A server that runs does not notice it.
func (d *daemon) Thaw() {
	if d.life.Err() != nil { // its number may be another's by now
		return
	}
	// All are found before the first goes on: while processes end, the kernel's list of children can miss some.
	var pids []int
	_ = each(d.process.Pid, func(pid int) error { pids = append(pids, pid); return nil })
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// each calls f for a process and then for those that it has started, as far down as they go: an SSH session has several.
// The process comes first: once it is stopped it starts no more. PostgreSQL's children are in sessions of their own, so
// that no group has them all.
func each(pid int, f func(pid int) error) error {
	if err := f(pid); err != nil {
		return err
	}
	below, err := children(pid)
	for _, child := range below {
		if failed := each(child, f); !hasEnded(failed) { // since it was listed
			err = errors.Join(err, failed)
		}
	}
	return err
}

// stop stops a process and waits until all its threads stand.
func stop(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	return poll(ctx, func() error {
		threads, err := threadFiles(pid, "stat")
		if err != nil {
			return err
		}
		for _, stat := range threads {
			// The state, here stopped or a zombie, follows the command, which stands in brackets (proc(5)).
			if i := bytes.LastIndexByte(stat, ')'); !bytes.ContainsAny(stat[i+1:min(i+3, len(stat))], "TZ") {
				return fmt.Errorf("process %d does not stop: %s", pid, stat)
			}
		}
		return nil
	})
}

// hasEnded says whether an error is that there is no such process.
func hasEnded(err error) bool { return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// children returns the processes that a process has started.
func children(pid int) ([]int, error) {
	threads, err := threadFiles(pid, "children")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, list := range threads {
		for field := range bytes.FieldsSeq(list) {
			child, err := strconv.Atoi(string(field))
			if err != nil {
				return nil, fmt.Errorf("children of process %d: %w", pid, err)
			}
			pids = append(pids, child)
		}
	}
	return pids, nil
}

// threadFiles reads what /proc says of each thread of a process.
func threadFiles(pid int, name string) ([][]byte, error) {
	paths, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", name))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("process %d has ended, or this is no Linux with /proc/PID/task/TID/%s: %w", pid, name, os.ErrNotExist)
	}
	var files [][]byte
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil && !hasEnded(err) {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
